//! What the gateway counts: plain atomics, read by whoever makes metrics of them.

use std::sync::atomic::{AtomicU64, Ordering};

/// The gateway's counters. They count from the start of the process, except `open`, which is a gauge.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) open: AtomicU64,
    pub(crate) accepted: AtomicU64,
    pub(crate) frames_in: AtomicU64,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) frames_out: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
    pub(crate) writes: AtomicU64,
    pub(crate) blocked: AtomicU64,
    pub(crate) refused_logins: AtomicU64,
    pub(crate) violations: AtomicU64,
    pub(crate) slow_consumers: AtomicU64,
    pub(crate) resent_forgotten_of_device: AtomicU64,
    pub(crate) resent_forgotten_of_app: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CountersNow {
    /// Upgraded connections now.
    pub open: u64,
    /// Connections upgraded.
    pub accepted: u64,
    /// Frames received.
    pub frames_in: u64,
    /// Bytes received, WebSocket headers included.
    pub bytes_in: u64,
    /// Frames written.
    pub frames_out: u64,
    /// Bytes written, WebSocket headers included.
    pub bytes_out: u64,
    /// Calls to the kernel that wrote something: `frames_out / writes` is the coalescing.
    pub writes: u64,
    /// Times that a socket took no more.
    pub blocked: u64,
    /// Logins refused.
    pub refused_logins: u64,
    /// Connections closed because the client broke the protocol.
    pub violations: u64,
    /// Connections closed because the client read too slowly.
    pub slow_consumers: u64,
    /// Items of the SDKs that were forgotten before their time, because their device sent too many.
    pub resent_forgotten_of_device: u64,
    /// Items of the SDKs that were forgotten before their time, because the app's devices sent too many.
    pub resent_forgotten_of_app: u64,
}

impl Counters {
    /// Reads them all; not one instant, but each on its own exact.
    #[must_use]
    pub(crate) fn now(&self) -> CountersNow {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CountersNow {
            open: read(&self.open),
            accepted: read(&self.accepted),
            frames_in: read(&self.frames_in),
            bytes_in: read(&self.bytes_in),
            frames_out: read(&self.frames_out),
            bytes_out: read(&self.bytes_out),
            writes: read(&self.writes),
            blocked: read(&self.blocked),
            refused_logins: read(&self.refused_logins),
            violations: read(&self.violations),
            slow_consumers: read(&self.slow_consumers),
            resent_forgotten_of_device: read(&self.resent_forgotten_of_device),
            resent_forgotten_of_app: read(&self.resent_forgotten_of_app),
        }
    }
}

pub(crate) fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Ordering::Relaxed);
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
