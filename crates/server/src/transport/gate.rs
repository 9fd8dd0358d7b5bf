//! How many connections there may be.
//!
//! Up to `max`, a connection is served. The next [`RESERVED`] are answered by the health pages, and by 503 for
//! everything else, so that whoever watches the server sees that it is full and not dead. Beyond those, a connection
//! is closed as soon as it is accepted: it costs one file descriptor for a moment. Files for the store and the log
//! are always left.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Connections beyond the maximum that are still told why they are not served.
const RESERVED: usize = 32;

/// File descriptors that are not for connections: store, log, listener, and what the process opens now and then.
const OTHER_FILES: u64 = 128;

/// Counts connections against the maximum.
#[derive(Debug)]
pub(crate) struct Gate {
    max: usize,
    open: AtomicUsize,
    turned_away: AtomicU64,
}

/// What a new connection gets.
#[derive(Debug)]
pub(crate) enum Admission {
    /// It is served.
    Served(Place),
    /// It is told that the server is full.
    Told(Place),
    /// It is closed.
    Closed,
}

/// One connection's place, free again when dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<Gate>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gate {
    /// At most `max` connections, fewer if the process may not open so many files (`None`: any number).
    pub(crate) fn new(max: u64, files: Option<u64>) -> Self {
        let allowed = files.map_or(u64::MAX, |files| files.saturating_sub(OTHER_FILES + RESERVED as u64).max(8));
        let max = usize::try_from(max.min(allowed)).unwrap_or(usize::MAX - RESERVED);
        Self { max, open: AtomicUsize::new(0), turned_away: AtomicU64::new(0) }
    }

    /// The maximum.
    pub(crate) fn max(&self) -> usize {
        self.max
    }

    /// HTTP connections now.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Connections that were not served because there were too many.
    pub(crate) fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// What a new connection gets. `upgraded` connections have left HTTP for the gateway and are counted there.
    pub(crate) fn admit(self: &Arc<Self>, upgraded: usize) -> Admission {
        let place = Place(self.clone());
        let others = self.open.fetch_add(1, Ordering::Relaxed) + upgraded;
        if others < self.max {
            return Admission::Served(place);
        }
        self.turned_away.fetch_add(1, Ordering::Relaxed);
        if others < self.max + RESERVED { Admission::Told(place) } else { Admission::Closed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_too_many_is_told_and_the_rest_is_closed() {
        let gate = Arc::new(Gate::new(3, None));
        let served: Vec<_> = (0..2).map(|_| gate.admit(1)).collect();
        assert!(served.iter().all(|admission| matches!(admission, Admission::Served(_))));
        let told: Vec<_> = (0..RESERVED).map(|_| gate.admit(1)).collect();
        assert!(told.iter().all(|admission| matches!(admission, Admission::Told(_))));
        assert!(matches!(gate.admit(1), Admission::Closed));
        assert_eq!(gate.open(), 2 + RESERVED);
        drop((served, told));
        assert_eq!(gate.open(), 0);
        assert!(matches!(gate.admit(0), Admission::Served(_)));
        assert_eq!(gate.turned_away(), RESERVED as u64 + 1);
    }

    #[test]
    fn files_for_other_things_are_left() {
        assert_eq!(Gate::new(100_000, Some(1024)).max(), 1024 - 128 - 32);
        assert_eq!(Gate::new(100, Some(1024)).max(), 100);
        assert_eq!(Gate::new(100, Some(64)).max(), 8);
    }
}
