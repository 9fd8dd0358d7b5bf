//! The source of time. Everything with a deadline asks here, so that tests decide what time it is.

use std::fmt;
use std::time::{Duration, Instant};

/// A point on the node's own clock, which never goes back: milliseconds since the node started.
///
/// Deadlines, grace and rate windows use it; only time-stamps that leave the node use wall time.
pub type MonotonicMs = u64;

/// Wall and monotonic time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Unix time in milliseconds. May jump.
    fn wall_ms(&self) -> u64;

    /// Microseconds since some fixed point. Never goes back.
    fn monotonic_us(&self) -> u64;

    /// Milliseconds since some fixed point. Never goes back.
    fn monotonic_ms(&self) -> MonotonicMs {
        self.monotonic_us() / 1000
    }
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    #[must_use]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn wall_ms(&self) -> u64 {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
        let now = std::time::SystemTime::now();
        let since = now.duration_since(std::time::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct ManualClock {
    now: parking_lot::Mutex<ManualTime>,
}

#[derive(Debug, Clone, Copy)]
struct ManualTime {
    wall_us: u64,
    monotonic_us: u64,
}

impl ManualClock {
    /// A clock that shows `wall_ms` and stands still.
    #[must_use]
    pub fn new(wall_ms: u64) -> Self {
        Self {
            now: parking_lot::Mutex::new(ManualTime { wall_us: wall_ms.saturating_mul(1000), monotonic_us: 1_000_000 }),
        }
    }

    /// Moves both times forward.
    pub fn advance(&self, by: Duration) {
        let mut now = self.now.lock();
        let by_us = u64::try_from(by.as_micros()).unwrap_or(0);
        now.wall_us = now.wall_us.saturating_add(by_us);
        now.monotonic_us += by_us;
    }

    /// Lets the wall clock jump, as an operator or a leap second does; the monotonic time stays.
    pub fn set_wall_ms(&self, wall_ms: u64) {
        self.now.lock().wall_us = wall_ms.saturating_mul(1000);
    }
}

impl Clock for ManualClock {
    fn wall_ms(&self) -> u64 {
        self.now.lock().wall_us / 1000
    }

    fn monotonic_us(&self) -> u64 {
        self.now.lock().monotonic_us
    }
}
