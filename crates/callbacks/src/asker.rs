//! Questions: a request that is answered in time, or not at all. Not tried again.

use std::sync::Arc;

use bytes::Bytes;
use stentor_core::clock::Clock;
use tokio::sync::Semaphore;

use crate::client::{Client, Line, PostError, Signed};
use crate::metrics::{AskOutcome, RuleMetrics};
use crate::rule::Rule;

/// Asks the backend at one rule's URL. The rule's time-out is the budget of the whole question, connection included; its
/// concurrency bounds the questions under way; its schedule is not used.
#[derive(Debug)]
pub struct Asker {
    name: String,
    key: crate::rule::Key,
    line: Line,
    permits: Semaphore,
    clock: Arc<dyn Clock>,
    metrics: RuleMetrics,
}

impl Asker {
    /// An asker for a rule.
    #[must_use]
    pub fn new(rule: Rule, client: Client, clock: Arc<dyn Clock>, metrics: RuleMetrics) -> Self {
        let line = Line::new(client, rule.endpoint, rule.allow_private, rule.timeout, rule.concurrency);
        Self { name: rule.name, key: rule.key, line, permits: Semaphore::new(rule.concurrency), clock, metrics }
    }

    /// The rule's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The rule's secret.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.key.expose()
    }

    /// Posts a body and returns the answer, of at most `max` bytes.
    ///
    /// # Errors
    /// When there is none in time, it is not 200 or too long, or too many questions are under way.
    pub async fn ask(&self, body: Bytes, max: usize) -> Result<Bytes, PostError> {
        let Ok(_permit) = self.permits.try_acquire() else {
            return Err(PostError::Busy);
        };
        let signed = Signed::new(body, self.key.expose(), self.clock.wall_ms());
        self.line.ask(&signed, max).await
    }

    /// Counts what became of a question.
    pub fn count(&self, outcome: AskOutcome) {
        self.metrics.asked(outcome);
    }
}
