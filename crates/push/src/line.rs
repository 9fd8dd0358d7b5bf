//! What stands before a provider: so many pushes under way, and none while it is down.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use stentor_core::clock::Clock;
use tokio::sync::Semaphore;

use crate::breaker::{Admission, Breaker, BreakerSetup};
use crate::error::{PushError, Scope};
use crate::provider::{Provider, Sent};
use crate::push::Push;

/// So many parts of a service have a breaker: those that are well need none.
const MAX_PARTS: usize = 1_024;

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
    /// By part of the service. One that is not there has nothing to remember.
    breakers: Mutex<HashMap<String, Breaker>>,
    clock: Arc<dyn Clock>,
}

impl Line {
    /// A line to a provider.
    #[must_use]
    pub fn new(provider: Arc<dyn Provider>, setup: LineSetup, clock: Arc<dyn Clock>) -> Self {
        let permits = Semaphore::new(setup.concurrency.clamp(1, Semaphore::MAX_PERMITS));
        Self { provider, setup, permits, breakers: Mutex::default(), clock }
    }

    /// The provider's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.provider.name()
    }

    /// How many pushes may be under way at once.
    #[must_use]
    pub fn concurrency(&self) -> usize {
        self.setup.concurrency.max(1)
    }

    /// The part of the service that a push goes to; empty where there is one service.
    #[must_use]
    pub fn part(&self, push: &Push) -> String {
        self.provider.part(push)
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
        let part = self.provider.part(push);
        let admitted = self.with_breaker(&part, Breaker::admit);
        let admission = admitted.map_err(|retry_after| PushError::Paused { retry_after })?;
        let mut watch = Watch { line: self, part, admission: Some(admission) };
        let result = self.provider.send(push).await;
        watch.settle(&result);
        result
    }

    fn with_breaker<T>(&self, part: &str, with: impl FnOnce(&mut Breaker, Duration) -> T) -> T {
        let now = Duration::from_micros(self.clock.monotonic_us());
        let mut breakers = self.breakers.lock();
        if let Some(breaker) = breakers.get_mut(part) {
            return with(breaker, now);
        }
        if breakers.len() >= MAX_PARTS {
            breakers.retain(|_, breaker| !breaker.is_idle(now));
        }
        let mut breaker = Breaker::new(self.setup.breaker);
        let result = with(&mut breaker, now);
        // With so many that are down there is no room for more: they are asked without a breaker.
        if !breaker.is_idle(now) && breakers.len() < MAX_PARTS {
            breakers.insert(part.to_owned(), breaker);
        }
        result
    }

    fn note(&self, part: &str, admission: Admission, result: &Result<Sent, PushError>) {
        self.with_breaker(part, |breaker, now| match result {
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
        });
    }
}

/// Tells the breaker if the push is given up under way.
struct Watch<'a> {
    line: &'a Line,
    part: String,
    admission: Option<Admission>,
}

impl Watch<'_> {
    fn settle(&mut self, result: &Result<Sent, PushError>) {
        if let Some(admission) = self.admission.take() {
            self.line.note(&self.part, admission, result);
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(admission) = self.admission.take() {
            self.line.with_breaker(&self.part, |breaker, _now| breaker.gave_up(admission));
        }
    }
}
