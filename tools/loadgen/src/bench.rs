//! The benchmark: every scenario against the plain reference, the coalescing reference and the server, in turns,
//! so that a machine that gets slower or faster meanwhile does so for all. Only ratios within a round count.
//!
//! `docs/performance.md` says what is measured and how to read it.

mod durable;
mod event_pull;
mod flood;
mod idle;
mod messages;
mod publisher;
mod push;
mod receiver;
mod report;
mod scenario;
mod target;
mod tracker;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::runtime::Runtime;
use tokio::task::LocalSet;

use crate::machine::{self, Cores};
use report::Report;
use scenario::{Scenario, Work};
use target::{Kind, Target};

/// Enough for 10 000 connections and everything else, on either side.
const OPEN_FILES: u64 = 20_000;

/// What to measure, and how long.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Only scenarios whose names begin with one of these; all by default.
    scenarios: Vec<String>,
    /// One round of one second each: to see that everything works, not to compare.
    #[arg(long)]
    quick: bool,
    /// Rounds of each scenario (3, quick: 1).
    #[arg(long)]
    rounds: Option<usize>,
    /// Seconds before the measurement (1, quick: 0.5).
    #[arg(long)]
    warm_up_s: Option<f64>,
    /// Seconds of measurement (3, quick: 1).
    #[arg(long)]
    measure_s: Option<f64>,
    /// The server's binary; by default `stentor` beside this one.
    #[arg(long)]
    stentor: Option<PathBuf>,
    /// Measure only the references.
    #[arg(long)]
    references_only: bool,
    /// Where results, logs and the servers' data go. On a disk, not in memory, or durable writes cost nothing.
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
    /// Print the names of the scenarios and end.
    #[arg(long)]
    list: bool,
}

/// What a run of one scenario against one server found: figures by name, with their unit in the name.
type Figures = BTreeMap<&'static str, f64>;

/// The options, decided.
#[derive(Debug, Clone)]
struct Plan {
    rounds: usize,
    warm_up: Duration,
    measure: Duration,
    stentor: PathBuf,
    out: PathBuf,
    cores: Cores,
}

/// Measures and reports. `false` if a run was invalid: a message was missing or came twice, or a server failed.
///
/// # Errors
/// When nothing can be measured.
pub fn run(options: &Options) -> anyhow::Result<bool> {
    let scenarios = scenario::select(&options.scenarios)?;
    if options.list {
        scenarios.iter().for_each(|scenario| println!("{}", scenario.name));
        return Ok(true);
    }
    let plan = Plan::decide(options)?;
    machine::allow_open_files(OPEN_FILES)?;
    plan.cores.take_generator()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut report = Report::new(&plan);
    for scenario in &scenarios {
        for round in 0..plan.rounds {
            for kind in scenario.kinds() {
                if kind.is_stentor() && options.references_only {
                    continue;
                }
                show(&format!("{} round {} of {}: {}", scenario.name, round + 1, plan.rounds, kind.name()));
                report.add(scenario, round, kind, measure(&runtime, &plan, scenario, kind));
            }
        }
        show("");
        report.print(scenario);
    }
    report.write(&scenarios)?;
    Ok(report.valid())
}

/// What is going on, on a terminal.
fn show(progress: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K{progress}");
    }
}

/// One run in a server of its own.
fn measure(runtime: &Runtime, plan: &Plan, scenario: &Scenario, kind: Kind) -> anyhow::Result<Figures> {
    // A set of its own, so that the tasks of this run end with it.
    LocalSet::new().block_on(runtime, async {
        if let Work::Push(service) = scenario.work {
            return push::measure(plan, service, kind).await;
        }
        let target = Rc::new(Target::start(plan, kind)?);
        match &scenario.work {
            Work::Messages(work) | Work::Protocols(work) => messages::measure(plan, &target, work).await,
            Work::Idle { connections } => idle::measure(plan, &target, *connections).await,
            Work::EventPull => event_pull::measure(plan, &target).await,
            Work::Flood { members } => flood::measure(plan, &target, *members).await,
            Work::Durable { writers } => durable::measure(plan, &target, *writers).await,
            Work::Push(_) => bail!("push has servers of its own"),
        }
    })
}

impl Plan {
    fn decide(options: &Options) -> anyhow::Result<Self> {
        let (rounds, warm_up, measure) = if options.quick { (1, 0.5, 1.0) } else { (3, 1.0, 3.0) };
        let stentor = match &options.stentor {
            Some(path) => path.clone(),
            None => std::env::current_exe()?.with_file_name("stentor"),
        };
        if !options.references_only && !stentor.exists() {
            bail!("{} is not there: build it with `cargo build --release -p stentor-server`", stentor.display());
        }
        let seconds = |given: Option<f64>, default: f64| {
            Duration::try_from_secs_f64(given.unwrap_or(default).clamp(0.1, 60.0)).context("a time in seconds")
        };
        std::fs::create_dir_all(&options.out)?;
        Ok(Self {
            rounds: options.rounds.unwrap_or(rounds).clamp(1, 50),
            warm_up: seconds(options.warm_up_s, warm_up)?,
            measure: seconds(options.measure_s, measure)?,
            stentor,
            out: options.out.canonicalize()?,
            cores: Cores::choose()?,
        })
    }
}
