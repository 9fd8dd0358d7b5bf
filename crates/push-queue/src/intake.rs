//! What the core tells the queue: messages whose receivers are away, clients that do not ack, sessions that end. Each
//! becomes a due record in the step in which the core writes what it tells of.
//!
//! A message whose receivers are away becomes a *note*, which holds it. The others become *marks*: that a user's inbox is to
//! be looked at, up to which message. A user has one mark at most, so that marks need no bound of their own; a message
//! that comes while too many notes wait leaves marks instead.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use stentor_core::clock::Clock;
use stentor_core::events::{EventType, Transition};
use stentor_core::id::{AppId, MessageId, UserId};
use stentor_core::message::Message;
use stentor_core::observer::{Accepted, Observer, RoomObserved};
use stentor_core::records::{RecordKind, encode};
use stentor_core::store::Change;
use tokio::sync::Notify;

use crate::due::{Due, RECEIVERS};
use crate::keys::{Numbers, mark_of};
use crate::metrics::AppMetrics;
use crate::words::Words;

/// What is told to the queue of an app.
#[derive(Debug)]
pub struct Intake {
    pub(crate) app: AppId,
    pub(crate) words: Arc<dyn Words>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) numbers: Numbers,
    pub(crate) metrics: AppMetrics,
    pub(crate) due: Waiting,
    pub(crate) marks: Waiting,
    pub(crate) deliveries: Waiting,
    /// Up to which message the inboxes of these users are to be looked at: marks may reach the store in another order than
    /// that in which they were made. Of each mark that this process made and that is not done.
    marked: Mutex<HashMap<UserId, MessageId>>,
    /// Something may have become due.
    pub(crate) wake: Notify,
    /// There may be a mark.
    pub(crate) wake_looker: Notify,
    pub(crate) ack_wait_ms: u64,
    /// It was said in the log that too many wait.
    full: AtomicBool,
}

/// About how many records wait, and how many may: a change that was not written in the end counts until the queue is
/// empty once.
#[derive(Debug)]
pub(crate) struct Waiting {
    count: AtomicU64,
    max: u64,
}

impl Waiting {
    pub(crate) fn new(max: u64) -> Self {
        Self { count: AtomicU64::new(0), max }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.count() >= self.max
    }

    /// Whether there may be so many more.
    pub(crate) fn has_room_for(&self, count: u64) -> bool {
        self.count().saturating_add(count) <= self.max
    }

    /// Returns how many there are then.
    pub(crate) fn add(&self, count: u64) -> u64 {
        self.count.fetch_add(count, Ordering::Relaxed) + count
    }

    /// Returns how many there are then.
    pub(crate) fn remove(&self, count: u64) -> u64 {
        let less = |waiting: u64| Some(waiting.saturating_sub(count));
        let before = self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).unwrap_or(0);
        before.saturating_sub(count)
    }

    pub(crate) fn none(&self) {
        self.count.store(0, Ordering::Relaxed);
    }
}

impl Intake {
    pub(crate) fn new(
        app: AppId,
        words: Arc<dyn Words>,
        clock: Arc<dyn Clock>,
        metrics: AppMetrics,
        bounds: crate::queue::PushBounds,
    ) -> Self {
        Self {
            app,
            words,
            clock,
            // Not from the seed: a run that is like another must not make the other's keys.
            numbers: Numbers::new(fastrand::u64(..)),
            metrics,
            due: Waiting::new(bounds.due),
            marks: Waiting::new(u64::MAX),
            deliveries: Waiting::new(bounds.deliveries),
            marked: Mutex::default(),
            wake: Notify::new(),
            wake_looker: Notify::new(),
            ack_wait_ms: bounds.ack_wait_ms,
            full: AtomicBool::new(false),
        }
    }

    /// A note for these receivers; while too many wait, a mark for each, so that no sender waits and nobody is lost.
    fn put(&self, message: &Message, receivers: &[UserId]) -> Vec<Change> {
        if self.due.is_full() {
            self.metrics.decided("overflow", receivers.len() as u64);
            if !self.full.swap(true, Ordering::Relaxed) {
                tracing::warn!(app = %self.app, "too many messages wait to be decided on: of others, inboxes are looked at later");
            }
            return receivers.iter().map(|user| self.mark(user, message.id)).collect();
        }
        self.full.store(false, Ordering::Relaxed);
        self.metrics.waiting("due", self.due.add(1));
        self.wake.notify_one();
        let (key, due) = (self.numbers.key(self.clock.wall_ms()), Due::of_message(message, receivers));
        vec![Change::Put { kind: RecordKind::PushDue, key, value: encode(&due) }]
    }

    /// A mark that this user's inbox is to be looked at up to this message, in the place of the one before.
    pub(crate) fn mark(&self, user: &UserId, up_to: MessageId) -> Change {
        let up_to = {
            let mut marked = self.marked.lock();
            if !marked.contains_key(user) {
                self.metrics.waiting("marks", self.marks.add(1));
            }
            let marked = marked.entry(user.clone()).or_insert(up_to);
            *marked = up_to.max(*marked);
            *marked
        };
        self.wake_looker.notify_one();
        let value = encode(&Due::of_inbox(user, up_to));
        Change::Put { kind: RecordKind::PushDue, key: mark_of(user.as_str()), value }
    }

    /// Up to which message a marked inbox is to be looked at, if this process marked it.
    pub(crate) fn marked(&self, user: &UserId) -> Option<MessageId> {
        self.marked.lock().get(user).copied()
    }

    /// A mark is gone from the store; an inbox was looked at up to this message.
    pub(crate) fn unmark(&self, user: &UserId, up_to: MessageId) {
        let mut marked = self.marked.lock();
        if marked.get(user).is_some_and(|marked| *marked > up_to) {
            return; // Another one is on its way.
        }
        marked.remove(user);
        drop(marked);
        self.metrics.waiting("marks", self.marks.remove(1));
    }

    /// There is no mark, and none is on its way.
    pub(crate) fn no_marks(&self) {
        self.marked.lock().clear();
        self.marks.none();
        self.metrics.waiting("marks", 0);
    }
}

impl Observer for Intake {
    fn message(&self, accepted: &Accepted<'_>) -> Vec<Change> {
        let Accepted { message, absent, kept, .. } = accepted;
        if !*kept || absent.is_empty() || !self.words.tells(message) {
            return Vec::new();
        }
        absent.chunks(RECEIVERS).flat_map(|users| self.put(message, users)).collect()
    }

    /// What a user's last session had not acked when it ended is nobody's to wait for any more. This also covers sessions
    /// that were open when the process died: they end when their time to come back is over. If others are there, the core
    /// tells of what is not acked when its wait is over.
    fn transition(&self, transition: &Transition) -> Vec<Change> {
        match transition.event_type {
            EventType::Logout if transition.last => {
                let up_to = MessageId::first_of(self.clock.wall_ms() + 1);
                vec![self.mark(&transition.user, up_to)]
            }
            EventType::Logout | EventType::Login | EventType::Join | EventType::Leave => Vec::new(),
        }
    }

    fn room(&self, _observed: &RoomObserved<'_>) -> Vec<Change> {
        Vec::new()
    }

    fn ack_wait_ms(&self) -> Option<u64> {
        Some(self.ack_wait_ms)
    }

    fn unacked(&self, user: &UserId, up_to: MessageId) -> Vec<Change> {
        vec![self.mark(user, up_to)]
    }
}
