//! Medians, ratios, the table and the file of results.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::scenario::{Bound, Goal, Scenario};
use super::target::Kind;
use super::{Figures, Plan};

/// The version of the file's layout.
const SCHEMA: u32 = 1;

/// Everything that was found.
#[derive(Debug)]
pub(super) struct Report {
    plan: Value,
    file: PathBuf,
    found: BTreeMap<String, Found>,
}

/// What was found in one scenario.
#[derive(Debug, Default)]
struct Found {
    /// The figures of each round, by kind of server.
    rounds: Vec<BTreeMap<Kind, Figures>>,
    faults: Vec<String>,
}

impl Report {
    pub(super) fn new(plan: &Plan) -> Self {
        let described = json!({
            "rounds": plan.rounds,
            "warm_up_s": plan.warm_up.as_secs_f64(),
            "measure_s": plan.measure.as_secs_f64(),
            "pinned": plan.cores.pinned(),
        });
        if !plan.cores.pinned() {
            eprintln!("only one core: server and generator share it, so that the figures say little");
        }
        Self { plan: described, file: plan.out.join("bench.json"), found: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, scenario: &Scenario, round: usize, kind: Kind, figures: anyhow::Result<Figures>) {
        let found = self.found.entry(scenario.name.clone()).or_default();
        if found.rounds.len() <= round {
            found.rounds.resize_with(round + 1, BTreeMap::new);
        }
        match figures {
            Ok(figures) => drop(found.rounds[round].insert(kind, figures)),
            Err(error) => found.faults.push(format!("round {} {}: {error:#}", round + 1, kind.name())),
        }
    }

    pub(super) fn valid(&self) -> bool {
        self.found.values().all(|found| found.faults.is_empty())
    }

    /// The table of one scenario.
    pub(super) fn print(&self, scenario: &Scenario) {
        let Some(found) = self.found.get(&scenario.name) else { return };
        let kinds = found.kinds();
        let columns: String = kinds.iter().map(|kind| format!("{:>22}", kind.name())).collect();
        println!("{:<32}{columns}", scenario.name);
        for figure in found.figures() {
            let mut line = format!("  {figure:<30}");
            for kind in &kinds {
                let text = match (found.median(*kind, figure), found.median_ratio(*kind, figure)) {
                    (Some(median), Some(ratio)) if kinds.first() != Some(kind) => {
                        format!("{} ({ratio:.2}x)", short(median))
                    }
                    (Some(median), _) => short(median),
                    (None, _) => "-".to_owned(),
                };
                line.push_str(&format!("{text:>22}"));
            }
            for goal in scenario.goals.iter().filter(|goal| goal.figure == figure) {
                line.push_str(&format!("   {}", found.judge(goal).describe()));
            }
            println!("{line}");
        }
        found.faults.iter().for_each(|fault| println!("  INVALID: {fault}"));
    }

    /// The file of results; `docs/performance.md` documents it.
    pub(super) fn write(&self, scenarios: &[Scenario]) -> anyhow::Result<()> {
        let described: Vec<Value> = scenarios
            .iter()
            .filter_map(|scenario| Some((scenario, self.found.get(&scenario.name)?)))
            .map(|(scenario, found)| found.describe(scenario))
            .collect();
        let all = json!({"schema": SCHEMA, "plan": self.plan, "valid": self.valid(), "scenarios": described});
        std::fs::write(&self.file, format!("{all:#}\n"))?;
        println!("results are in {}", self.file.display());
        Ok(())
    }
}

/// How a goal came out.
struct Judged {
    bound: Bound,
    /// What it is compared with.
    first: &'static str,
    /// Nothing if there is no figure.
    met: Option<bool>,
}

impl Judged {
    fn describe(&self) -> String {
        let outcome = match self.met {
            Some(true) => "met",
            Some(false) => "NOT MET",
            None => "not measured",
        };
        match self.bound {
            Bound::TimesFirst(times) => format!("goal <= {times:.2}x {}: {outcome}", self.first),
            Bound::AtMost(most) => format!("goal <= {most}: {outcome}"),
            Bound::AtLeast(least) => format!("goal >= {least}: {outcome}"),
        }
    }
}

impl Found {
    fn kinds(&self) -> Vec<Kind> {
        let mut kinds: Vec<_> = self.rounds.iter().flat_map(|round| round.keys().copied()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    fn figures(&self) -> Vec<&'static str> {
        let mut figures: Vec<_> =
            self.rounds.iter().flat_map(|round| round.values().flat_map(|figures| figures.keys().copied())).collect();
        figures.sort_unstable();
        figures.dedup();
        figures
    }

    fn median(&self, kind: Kind, figure: &str) -> Option<f64> {
        median(self.rounds.iter().filter_map(|round| round.get(&kind)?.get(figure).copied()).collect())
    }

    /// The median of the ratios to the first kind of server in the same round: the plain reference, where it is there.
    fn median_ratio(&self, kind: Kind, figure: &str) -> Option<f64> {
        let kinds = self.kinds();
        let first = kinds.first()?;
        let ratio = |round: &BTreeMap<Kind, Figures>| {
            let first = *round.get(first)?.get(figure)?;
            let this = *round.get(&kind)?.get(figure)?;
            (first > 0.0).then(|| this / first)
        };
        median(self.rounds.iter().filter_map(ratio).collect())
    }

    fn judge(&self, goal: &Goal) -> Judged {
        let kinds = self.kinds();
        // What it is about comes last.
        let judged = kinds.last().filter(|kind| kind.is_stentor());
        let met = judged.and_then(|kind| match goal.bound {
            Bound::TimesFirst(times) => self.median_ratio(*kind, goal.figure).map(|ratio| ratio <= times),
            Bound::AtMost(most) => self.median(*kind, goal.figure).map(|figure| figure <= most),
            Bound::AtLeast(least) => self.median(*kind, goal.figure).map(|figure| figure >= least),
        });
        Judged { bound: goal.bound, first: kinds.first().map_or("nothing", |kind| kind.name()), met }
    }

    fn describe(&self, scenario: &Scenario) -> Value {
        let by_kind = |of: &dyn Fn(Kind, &str) -> Option<f64>| -> Value {
            let kinds = self.kinds().into_iter().map(|kind| {
                let figures = self.figures().into_iter().filter_map(|figure| Some((figure, of(kind, figure)?)));
                (kind.name().to_owned(), figures.map(|(name, value)| (name.to_owned(), json!(value))).collect())
            });
            Value::Object(kinds.collect::<Map<_, _>>())
        };
        let rounds: Vec<Value> = self
            .rounds
            .iter()
            .map(|round| round.iter().map(|(kind, figures)| (kind.name().to_owned(), json!(figures))).collect())
            .collect();
        let goals: Vec<Value> = scenario
            .goals
            .iter()
            .map(|goal| {
                let judged = self.judge(goal);
                json!({"figure": goal.figure, "goal": judged.describe(), "met": judged.met})
            })
            .collect();
        json!({
            "name": scenario.name,
            "rounds": rounds,
            "median": by_kind(&|kind, figure| self.median(kind, figure)),
            "median_ratio_to_first": by_kind(&|kind, figure| self.median_ratio(kind, figure)),
            "goals": goals,
            "faults": self.faults,
        })
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// Three significant digits or so.
fn short(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        medium if medium >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_within_a_round() {
        let round = |plain: f64, stentor: f64| {
            BTreeMap::from([
                (Kind::Plain, Figures::from([("cpu", plain)])),
                (Kind::Stentor, Figures::from([("cpu", stentor)])),
            ])
        };
        // The machine is three times slower in the second round.
        let found = Found { rounds: vec![round(10.0, 5.0), round(30.0, 18.0), round(10.0, 7.0)], faults: Vec::new() };
        assert_eq!(found.median_ratio(Kind::Stentor, "cpu"), Some(0.6));
        assert_eq!(found.median(Kind::Stentor, "cpu"), Some(7.0));
        let judged = |bound| found.judge(&Goal { figure: "cpu", bound }).met;
        assert_eq!(judged(Bound::TimesFirst(0.6)), Some(true));
        assert_eq!(judged(Bound::AtMost(6.9)), Some(false));
        assert_eq!(found.judge(&Goal { figure: "none", bound: Bound::AtMost(1.0) }).met, None);
    }

    #[test]
    fn the_median_of_an_even_number_is_between() {
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(Vec::new()), None);
    }
}
