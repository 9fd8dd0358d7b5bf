//! What is due when. One heap for the node; an entry that is no longer wanted is dropped when its time comes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::app::App;
use crate::clock::MonotonicMs;
use crate::connect::departure::Departure;
use crate::connect::unacked::LeftUnacked;
use crate::mailbox::Expectation;
use crate::rooms::Room;
use crate::session::Session;

/// Something to do at a time.
#[derive(Debug, Clone)]
pub(crate) enum Due {
    /// Look whether a session is silent, detached for too long, or its credential expired.
    Session(Weak<Session>),
    /// Look whether a session acks what it was handed.
    Unacked(Weak<Session>),
    /// Tell of what a session had not acked when it ended and others of the user were there.
    LeftUnacked(Arc<LeftUnacked>),
    /// A sender has waited long enough for an ack.
    Ack(Weak<Expectation>),
    /// Tell a room's members how many they are.
    MemberCount(Weak<Room>),
    /// Forget a room's recent messages or attributes, if they are old.
    RoomUpkeep(Weak<Room>),
    /// Try again to take a user who is gone out of its rooms.
    Departure(Arc<Departure>),
    /// Try again to record events that the store did not take.
    EventBacklog(Weak<App>),
    /// Go on with broadcasts whose next step the store did not take.
    Broadcasts(Weak<App>),
    /// Delete files that have expired.
    Files(Weak<App>),
    /// Delete what has expired.
    Expiry,
}

#[derive(Debug)]
struct Entry {
    at_ms: MonotonicMs,
    /// Keeps entries of the same time in order and makes the heap's order total.
    number: u64,
    due: Due,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at_ms, self.number).cmp(&(other.at_ms, other.number))
    }
}

#[derive(Debug, Default)]
struct Heap {
    entries: BinaryHeap<Reverse<Entry>>,
    next_number: u64,
}

/// The heap, and who waits for its first entry.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: Mutex<Heap>,
    earlier: Notify,
}

impl Timers {
    /// Arms a timer.
    pub(crate) fn at(&self, at_ms: MonotonicMs, due: Due) {
        let mut heap = self.heap.lock();
        let is_first = heap.entries.peek().is_none_or(|Reverse(first)| at_ms < first.at_ms);
        let number = heap.next_number;
        heap.next_number += 1;
        heap.entries.push(Reverse(Entry { at_ms, number, due }));
        drop(heap);
        if is_first {
            self.earlier.notify_one();
        }
    }

    /// Takes one entry that is due.
    pub(crate) fn pop(&self, now_ms: MonotonicMs) -> Option<(MonotonicMs, Due)> {
        let mut heap = self.heap.lock();
        if heap.entries.peek().is_none_or(|Reverse(first)| first.at_ms > now_ms) {
            return None;
        }
        heap.entries.pop().map(|Reverse(entry)| (entry.at_ms, entry.due))
    }

    /// When the first entry is due.
    pub(crate) fn next_ms(&self) -> Option<MonotonicMs> {
        self.heap.lock().entries.peek().map(|Reverse(first)| first.at_ms)
    }

    /// Resolves when an earlier first entry was armed.
    pub(crate) async fn earlier(&self) {
        self.earlier.notified().await;
    }
}

impl Due {
    pub(crate) fn session(session: &Arc<Session>) -> Self {
        Self::Session(Arc::downgrade(session))
    }
}
