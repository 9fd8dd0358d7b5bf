//! Questions: a request that is answered in time, or not at all. Not tried again.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use stentor_core::clock::Clock;
use tokio::sync::Semaphore;

use crate::client::{Client, Line, PostError, Signed};
use crate::metrics::{AskOutcome, RuleMetrics};
use crate::rule::Rule;
use crate::trouble::Trouble;

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
    trouble: Mutex<Trouble>,
}

impl Asker {
    /// An asker for a rule.
    #[must_use]
    pub fn new(rule: Rule, client: Client, clock: Arc<dyn Clock>, metrics: RuleMetrics) -> Self {
        let line = Line::new(client, rule.endpoint, rule.allow_private, rule.timeout, rule.concurrency);
        let permits = Semaphore::new(rule.concurrency);
        Self { name: rule.name, key: rule.key, line, permits, clock, metrics, trouble: Mutex::default() }
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
        let answer = self.line.ask(&signed, max).await;
        self.say(answer.as_ref().err());
        answer
    }

    /// Says in the log that the backend does not answer, or does again.
    fn say(&self, error: Option<&PostError>) {
        let mut trouble = self.trouble.lock();
        match error {
            None => {
                if let Some(failed) = trouble.answered() {
                    tracing::info!(rule = self.name, failed, "questions are answered again");
                }
            }
            Some(error) => {
                if let Some(failed) = trouble.failed(self.clock.wall_ms()) {
                    tracing::warn!(rule = self.name, failed, %error, "questions are not answered: the rule's default holds");
                }
            }
        }
    }

    /// Counts what became of a question.
    pub fn count(&self, outcome: AskOutcome) {
        self.metrics.asked(outcome);
    }
}
