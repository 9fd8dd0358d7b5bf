//! When a worker looks into its queue again: when it is woken, a moment later once more, because what woke it may be
//! written only then, when the next record is due, and now and then anyhow.

use std::sync::Arc;
use std::time::Duration;

use stentor_core::clock::Clock;
use tokio::time::{sleep, timeout};

/// After it was woken, a worker looks again after these waits.
const ECHOES: [Duration; 3] = [Duration::from_millis(10), Duration::from_millis(100), Duration::from_secs(1)];

/// A worker that nobody woke looks all the same.
const ANYHOW: Duration = Duration::from_secs(30);

/// How often a worker that waits for a time looks at the clock, which may not be the machine's.
const CLOCK: Duration = Duration::from_millis(200);

/// After the store has failed.
pub(crate) const STORE_PAUSE: Duration = Duration::from_secs(1);

/// How often it has looked since something happened.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    looks: usize,
}

impl Pace {
    /// Something was found, or the worker was woken.
    pub(crate) fn busy(&mut self) {
        self.looks = 0;
    }

    /// It looked because the wait was over.
    pub(crate) fn looked(&mut self) {
        self.looks = self.looks.saturating_add(1);
    }

    /// Whether it has looked often enough since something happened to say that there is nothing.
    pub(crate) fn is_idle(&self) -> bool {
        self.looks >= ECHOES.len()
    }

    /// Until the next look is worth it: `due_ms` is when the next record is due.
    pub(crate) fn pause(&self, clock: &Arc<dyn Clock>, due_ms: Option<u64>) -> impl Future<Output = ()> + use<> {
        let patience = ECHOES.get(self.looks).copied().unwrap_or(ANYHOW);
        let clock = clock.clone();
        // A clock that is put back makes nobody wait for longer.
        let due_ms = due_ms.map(|due_ms| clock.monotonic_ms() + due_ms.saturating_sub(clock.wall_ms()));
        let due = async move {
            let Some(due_ms) = due_ms else { return std::future::pending().await };
            loop {
                let left_ms = due_ms.saturating_sub(clock.monotonic_ms());
                if left_ms == 0 {
                    return;
                }
                sleep(CLOCK.min(Duration::from_millis(left_ms))).await;
            }
        };
        async move {
            // Whichever comes first.
            let _ = timeout(patience, due).await;
        }
    }
}
