//! What stands before a provider: so many pushes under way, and none while it is down.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use stentor_core::clock::Clock;
use tokio::sync::Semaphore;

use crate::breaker::{Admission, Breaker, BreakerSetup};
use crate::error::{PushError, Scope};
use crate::provider::{Provider, Sent};
use crate::push::Push;

/// The numbers of a [`Line`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineSetup {
    /// How many pushes are under way at once; at least one.
    pub concurrency: usize,
    /// When the provider counts as down.
    pub breaker: BreakerSetup,
    /// The pause after a throttle that is for everybody and names no time.
    pub throttle_pause: Duration,
}

impl Default for LineSetup {
    /// 64 at once; a pause of ten seconds.
    fn default() -> Self {
        Self { concurrency: 64, breaker: BreakerSetup::default(), throttle_pause: Duration::from_secs(10) }
    }
}

/// The way to one provider, for everybody who sends through it.
#[derive(Debug)]
pub struct Line {
    provider: Arc<dyn Provider>,
    setup: LineSetup,
    permits: Semaphore,
    breaker: Mutex<Breaker>,
    clock: Arc<dyn Clock>,
}

impl Line {
    /// A line to a provider.
    #[must_use]
    pub fn new(provider: Arc<dyn Provider>, setup: LineSetup, clock: Arc<dyn Clock>) -> Self {
        let permits = Semaphore::new(setup.concurrency.clamp(1, Semaphore::MAX_PERMITS));
        Self { provider, setup, permits, breaker: Mutex::new(Breaker::new(setup.breaker)), clock }
    }

    /// The provider's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.provider.name()
    }

    /// How many more pushes could be under way now.
    #[must_use]
    pub fn free(&self) -> usize {
        self.permits.available_permits()
    }

    /// Sends a push once, when it is its turn. Waits for as long as others are under way: the caller bounds how many wait.
    ///
    /// # Errors
    /// Why it was not taken; [`PushError::Paused`] if the provider was not asked.
    pub async fn send(&self, push: &Push) -> Result<Sent, PushError> {
        let Ok(_permit) = self.permits.acquire().await else {
            return Err(PushError::failed("the line is closed"));
        };
        let admitted = self.breaker.lock().admit(self.now());
        let admission = admitted.map_err(|retry_after| PushError::Paused { retry_after })?;
        let mut watch = Watch { line: self, admission: Some(admission) };
        let result = self.provider.send(push).await;
        watch.settle(&result);
        result
    }

    fn now(&self) -> Duration {
        Duration::from_micros(self.clock.monotonic_us())
    }

    fn note(&self, admission: Admission, result: &Result<Sent, PushError>) {
        let now = self.now();
        let mut breaker = self.breaker.lock();
        match result {
            Err(PushError::Failed { retry_after, .. }) => {
                breaker.failed(now, admission);
                if let Some(pause) = retry_after {
                    breaker.hold(now, *pause);
                }
            }
            Err(PushError::Throttled { retry_after, scope: Scope::Provider, .. }) => {
                breaker.answered(admission);
                breaker.hold(now, retry_after.unwrap_or(self.setup.throttle_pause));
            }
            // Nobody can be better off than the one who asked.
            Err(PushError::Paused { retry_after }) => {
                breaker.gave_up(admission);
                breaker.hold(now, *retry_after);
            }
            _ => breaker.answered(admission),
        }
    }
}

/// Tells the breaker if the push is given up under way.
struct Watch<'a> {
    line: &'a Line,
    admission: Option<Admission>,
}

impl Watch<'_> {
    fn settle(&mut self, result: &Result<Sent, PushError>) {
        if let Some(admission) = self.admission.take() {
            self.line.note(admission, result);
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(admission) = self.admission.take() {
            self.line.breaker.lock().gave_up(admission);
        }
    }
}
