//! What is counted of pushes. `docs/operations.md` lists it.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Decided {
    app: String,
    reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Sends {
    app: String,
    provider: String,
    outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Waits {
    app: String,
    queue: String,
}

/// The counters of every app. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct PushMetrics {
    decided: Family<Decided, Counter>,
    sends: Family<Sends, Counter>,
    waiting: Family<Waits, Gauge<u64, AtomicU64>>,
}

impl PushMetrics {
    /// Registers every counter.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "push_decisions",
            "What was decided of messages to users who were away",
            metrics.decided.clone(),
        );
        registry.register("push_sends", "What push providers answered", metrics.sends.clone());
        registry.register("push_waiting", "Messages to decide on and pushes to send", metrics.waiting.clone());
        metrics
    }

    pub(crate) fn of(&self, app: &str) -> AppMetrics {
        AppMetrics { metrics: self.clone(), app: app.to_owned() }
    }
}

/// Those of one app.
#[derive(Debug, Clone)]
pub(crate) struct AppMetrics {
    metrics: PushMetrics,
    app: String,
}

impl AppMetrics {
    /// A decision: `pushed`, or why not.
    pub(crate) fn decided(&self, reason: &str, count: u64) {
        let labels = Decided { app: self.app.clone(), reason: reason.to_owned() };
        self.metrics.decided.get_or_create(&labels).inc_by(count);
    }

    /// An answer of a provider: `sent`, or the class of the error.
    pub(crate) fn sent(&self, provider: &str, outcome: &str) {
        let (provider, outcome) = (provider.to_owned(), outcome.to_owned());
        self.metrics.sends.get_or_create(&Sends { app: self.app.clone(), provider, outcome }).inc();
    }

    pub(crate) fn waiting(&self, queue: &str, count: u64) {
        let labels = Waits { app: self.app.clone(), queue: queue.to_owned() };
        self.metrics.waiting.get_or_create(&labels).set(count);
    }
}
