//! What callbacks count. `docs/operations.md` lists it.

use std::fmt::{self, Write};
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What became of a callback, or of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was queued.
    Queued,
    /// It was answered with 200.
    Delivered,
    /// A try failed.
    Failed,
    /// It became a dead letter: every try failed.
    Dead,
    /// It became a dead letter at once: too many wait.
    Overflow,
    /// It became a dead letter: its rule is no longer configured.
    Orphaned,
    /// A dead letter was sent again.
    Resent,
    /// A dead letter was deleted: too old.
    Expired,
    /// A dead letter was deleted: there are too many.
    Lost,
}

/// What became of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AskOutcome {
    /// Yes.
    Allowed,
    /// Yes, but changed.
    Changed,
    /// No.
    Denied,
    /// No answer that can be used; the rule's default was taken.
    Failed,
}

macro_rules! label_values {
    ($($name:ident { $($variant:ident => $text:literal,)* })*) => {$(
        impl EncodeLabelValue for $name {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
                encoder.write_str(match self {$(Self::$variant => $text,)*})
            }
        }
    )*};
}

label_values! {
    Outcome {
        Queued => "queued",
        Delivered => "delivered",
        Failed => "failed",
        Dead => "dead",
        Overflow => "overflow",
        Orphaned => "orphaned",
        Resent => "resent",
        Expired => "expired",
        Lost => "lost",
    }
    AskOutcome {
        Allowed => "allowed",
        Changed => "changed",
        Denied => "denied",
        Failed => "failed",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RuleLabels {
    app: String,
    rule: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    app: String,
    rule: String,
    outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AskLabels {
    app: String,
    rule: String,
    outcome: AskOutcome,
}

/// The counters of every app. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    outcomes: Family<OutcomeLabels, Counter>,
    asked: Family<AskLabels, Counter>,
    waiting: Family<RuleLabels, Gauge<u64, AtomicU64>>,
}

impl Metrics {
    /// Registers every counter.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register("callbacks", "What became of callbacks", metrics.outcomes.clone());
        registry.register("callback_questions", "What became of pre-send callbacks", metrics.asked.clone());
        registry.register("callbacks_waiting", "Callbacks that wait for delivery", metrics.waiting.clone());
        metrics
    }

    /// Those of one rule.
    #[must_use]
    pub fn rule(&self, app: &str, rule: &str) -> RuleMetrics {
        RuleMetrics { metrics: self.clone(), app: app.to_owned(), rule: rule.to_owned() }
    }
}

/// The counters of one rule.
#[derive(Debug, Clone)]
pub struct RuleMetrics {
    metrics: Metrics,
    app: String,
    rule: String,
}

impl RuleMetrics {
    /// Counts what became of callbacks.
    pub(crate) fn count(&self, outcome: Outcome, count: u64) {
        if count > 0 {
            let labels = OutcomeLabels { app: self.app.clone(), rule: self.rule.clone(), outcome };
            self.metrics.outcomes.get_or_create(&labels).inc_by(count);
        }
    }

    /// How many callbacks had this outcome so far.
    #[must_use]
    pub fn counted(&self, outcome: Outcome) -> u64 {
        let labels = OutcomeLabels { app: self.app.clone(), rule: self.rule.clone(), outcome };
        self.metrics.outcomes.get_or_create(&labels).get()
    }

    pub(crate) fn asked(&self, outcome: AskOutcome) {
        let labels = AskLabels { app: self.app.clone(), rule: self.rule.clone(), outcome };
        self.metrics.asked.get_or_create(&labels).inc();
    }

    pub(crate) fn waiting(&self, count: u64) {
        let labels = RuleLabels { app: self.app.clone(), rule: self.rule.clone() };
        self.metrics.waiting.get_or_create(&labels).set(count);
    }
}
