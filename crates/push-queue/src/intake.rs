//! What the core tells the queue: messages whose receivers are away, clients that do not ack, sessions that end. Each
//! becomes a due record in the step in which the core writes what it tells of.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use stentor_core::clock::Clock;
use stentor_core::events::{EventType, Transition};
use stentor_core::id::{AppId, MessageId, UserId};
use stentor_core::message::{Message, Target};
use stentor_core::observer::{Accepted, Observer, RoomObserved};
use stentor_core::records::{RecordKind, encode};
use stentor_core::store::Change;
use tokio::sync::Notify;

use crate::due::{Due, RECEIVERS};
use crate::keys::Numbers;
use crate::log::{self, Entry};
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
    pub(crate) deliveries: Waiting,
    /// Something may have become due.
    pub(crate) wake: Notify,
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
            deliveries: Waiting::new(bounds.deliveries),
            wake: Notify::new(),
            ack_wait_ms: bounds.ack_wait_ms,
            full: AtomicBool::new(false),
        }
    }

    /// A due record for these receivers, unless too many wait: no sender waits for a push.
    fn put(&self, due: &Due, receivers: usize) -> Option<Change> {
        if self.due.is_full() {
            self.metrics.decided("overflow", receivers as u64);
            if !self.full.swap(true, Ordering::Relaxed) {
                tracing::warn!(app = %self.app, "too many messages wait to be pushed: others are not");
            }
            return None;
        }
        self.full.store(false, Ordering::Relaxed);
        self.metrics.waiting("due", self.due.add(1));
        self.wake.notify_one();
        let key = self.numbers.key(self.clock.wall_ms());
        Some(Change::Put { kind: RecordKind::PushDue, key, value: encode(due) })
    }
}

impl Intake {
    /// Says in the log that a message is not pushed because too many wait.
    fn overflown(&self, message: &Message, user: &UserId) -> Change {
        let group = match &message.to {
            Target::Group(group) | Target::Room(group) => Some(group.as_str().to_owned()),
            Target::User(_) => None,
        };
        let entry = Entry {
            from: message.from.as_str().to_owned(),
            group,
            at_ms: self.clock.wall_ms(),
            reason: Some("overflow".to_owned()),
            detail: Some("Overflow".to_owned()),
            title: String::new(),
            content: String::new(),
        };
        log::put_entry(user.as_str(), message.id, entry)
    }
}

impl Observer for Intake {
    fn message(&self, accepted: &Accepted<'_>) -> Vec<Change> {
        let Accepted { message, absent, kept, .. } = accepted;
        if !*kept || absent.is_empty() || !self.words.tells(message) {
            return Vec::new();
        }
        let put = |users: &[UserId]| match self.put(&Due::of_message(message, users), users.len()) {
            Some(change) => vec![change],
            None => users.iter().map(|user| self.overflown(message, user)).collect(),
        };
        absent.chunks(RECEIVERS).flat_map(put).collect()
    }

    /// What a user's last session had not acked when it ended is nobody's to wait for any more. This also covers sessions
    /// that were open when the process died: they end when their time to come back is over. If others are there, the core
    /// tells of what is not acked when its wait is over.
    fn transition(&self, transition: &Transition) -> Vec<Change> {
        match transition.event_type {
            EventType::Logout if transition.last => {
                let up_to = MessageId::first_of(self.clock.wall_ms() + 1);
                self.put(&Due::of_inbox(&transition.user, up_to), 1).into_iter().collect()
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
        self.put(&Due::of_inbox(user, up_to), 1).into_iter().collect()
    }
}
