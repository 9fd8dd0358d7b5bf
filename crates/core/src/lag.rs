//! How far behind the gateways are: since when something waits to be written. That is what *busy* means
//! (`docs/delivery.md`, Overload).

use std::fmt;
use std::sync::Weak;

use parking_lot::Mutex;

use crate::node::Node;

/// Something that writes out mailboxes, one after the other.
pub trait Lag: Send + Sync + fmt::Debug {
    /// Since when the mailbox that waits longest has waited, of those that filled and were not looked into yet: by
    /// [`crate::clock::Clock::monotonic_us`]. `None` if none waits. A mailbox whose socket takes nothing was looked
    /// into, and does not count: that is the client's doing.
    fn waiting_since_us(&self) -> Option<u64>;
}

/// Those who write on a node.
#[derive(Debug, Default)]
pub(crate) struct Writers(Mutex<Vec<Weak<dyn Lag>>>);

impl Node {
    /// From now on this writer counts when the node asks itself whether it is busy, until it is dropped.
    pub fn watch_lag(&self, writer: Weak<dyn Lag>) {
        let mut writers = self.writers().0.lock();
        writers.retain(|writer| writer.strong_count() > 0);
        writers.push(writer);
    }

    /// Whether something has waited for at least `after_ms` to be written.
    pub(crate) fn is_busy(&self, after_ms: u64) -> bool {
        let now_us = self.clock().monotonic_us();
        let writers = self.writers().0.lock();
        let since = writers.iter().filter_map(Weak::upgrade).filter_map(|writer| writer.waiting_since_us()).min();
        since.is_some_and(|since_us| now_us.saturating_sub(since_us) >= after_ms * 1000)
    }
}
