//! What decides on messages whose receivers are away, in the order in which they were taken.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use stentor_core::id::UserId;
use stentor_core::message::Message;
use stentor_core::records::{RecordKind, decode};
use stentor_core::store::{Change, Scan, StoreError};
use tokio::time::timeout;

use crate::due::{Due, RECEIVERS, Work};
use crate::keys::{MARKS, due_ms};
use crate::log;
use crate::pace::{Pace, STORE_PAUSE};
use crate::parts::Decided;
use crate::queue::{DAY_MS, PushQueue};
use crate::translate::LATE;

/// Due records that are worked on together, unless they have [`RECEIVERS`] before: one step of the store must not hold up
/// those of senders for long.
const BATCH: usize = 64;

/// How often the log is looked through for what is too old, in milliseconds.
const TIDY_EVERY_MS: u64 = 3_600_000;

/// The worker.
pub(crate) struct Decider {
    queue: PushQueue,
    pace: Pace,
    /// The keys of what cannot be read: left for the version that can.
    odd: HashSet<String>,
    tidied_ms: Option<u64>,
}

/// What a look found.
#[derive(Default)]
struct Look {
    done: usize,
    next_due_ms: Option<u64>,
    empty: bool,
}

impl Decider {
    pub(crate) fn new(queue: PushQueue) -> Self {
        Self { queue, pace: Pace::default(), odd: HashSet::new(), tidied_ms: None }
    }

    /// Works until the queue is stopped.
    pub(crate) async fn run(mut self) {
        let queue = self.queue.clone();
        let (stop, wake, clock) = (&queue.0.stop, &queue.0.intake.wake, queue.0.node.clock());
        while !stop.is_cancelled() {
            let look = match self.tidy_and_look().await {
                Ok(look) => look,
                Err(error) => {
                    tracing::warn!(app = %queue.0.app.id(), %error, "pushes wait for the store");
                    let _ = timeout(STORE_PAUSE, stop.cancelled()).await;
                    continue;
                }
            };
            if look.done > 0 {
                self.pace.busy();
                continue;
            }
            if look.empty && self.pace.is_idle() {
                queue.0.intake.due.none();
                queue.0.intake.metrics.waiting("due", 0);
            }
            let pause = self.pace.pause(clock, look.next_due_ms);
            tokio::select! {
                () = wake.notified() => self.pace.busy(),
                () = pause => self.pace.looked(),
                () = stop.cancelled() => {}
            }
        }
    }

    async fn tidy_and_look(&mut self) -> Result<Look, StoreError> {
        let (inner, now_ms) = (&self.queue.0, self.queue.0.now_ms());
        if self.tidied_ms.is_none_or(|at_ms| now_ms.abs_diff(at_ms) >= TIDY_EVERY_MS) {
            // What is decided up to a day after it was sent is remembered for as long again.
            log::expire(inner.store(), inner.app.id(), now_ms.saturating_sub(inner.log_kept_ms + DAY_MS)).await?;
            self.tidied_ms = Some(now_ms);
        }
        self.look(now_ms).await
    }

    /// Takes what is due first and decides on it.
    async fn look(&mut self, now_ms: u64) -> Result<Look, StoreError> {
        let inner = self.queue.0.clone();
        if inner.intake.deliveries.is_full() {
            return Ok(Look::default());
        }
        let ready = self.ready().await?;
        let (waited, mut found) = if ready.is_empty() {
            let scan = Scan::of(RecordKind::PushDue, "", BATCH + self.odd.len());
            (false, inner.store().scan_records(inner.app.id(), scan).await?)
        } else {
            (true, ready)
        };
        found.retain(|(key, _)| !key.starts_with(MARKS));
        let mut look = Look { empty: found.is_empty(), ..Look::default() };
        let (mut messages, mut receivers, mut marks) = (Vec::new(), 0, Vec::new());
        for (key, value) in found {
            if self.odd.contains(&key) {
                continue;
            }
            match decode::<Due>(&value).map(Due::work) {
                Ok(Some(Work::Message { translated: true, .. })) if !waited && self.waits(&key, now_ms) => {
                    look.next_due_ms = look.next_due_ms.or(Some(due_ms(&key)));
                }
                Ok(Some(Work::Message { message, users, translated })) => {
                    receivers += users.len();
                    messages.push((key, message, users, translated));
                    if receivers >= RECEIVERS {
                        break;
                    }
                }
                // Of a version that had no marks.
                Ok(Some(Work::Inbox(user, up_to))) => {
                    marks.push(inner.intake.mark(&user, up_to));
                    marks.push(Change::Delete { kind: RecordKind::PushDue, key });
                }
                Ok(None) | Err(_) => {
                    tracing::error!(app = %inner.app.id(), "a message that is to be pushed cannot be read");
                    self.odd.insert(key);
                }
            }
        }
        look.done = messages.len() + marks.len() / 2;
        if !marks.is_empty() {
            inner.store().change(inner.app.id(), marks).await?;
        }
        if !messages.is_empty() {
            self.decide(messages).await?;
        }
        Ok(look)
    }

    /// Whether it is not yet time for what waits for translations. If it seems to wait for longer than for those, the clock
    /// was put back; and nothing else is put off at all.
    fn waits(&self, key: &str, now_ms: u64) -> bool {
        let patience = self.queue.0.translator.as_ref().map_or(Duration::ZERO, |translator| translator.patience());
        let longest_ms = u64::try_from((patience + LATE).as_millis()).unwrap_or(u64::MAX);
        due_ms(key).checked_sub(now_ms).is_some_and(|left_ms| left_ms > 0 && left_ms <= longest_ms)
    }

    /// What has the translations that it waited for.
    async fn ready(&self) -> Result<Vec<(String, Bytes)>, StoreError> {
        let inner = &self.queue.0;
        let keys = inner.aside.take_ready(BATCH);
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let found = inner.store().read_records(inner.app.id(), RecordKind::PushDue, keys.clone()).await?;
        Ok(keys.into_iter().zip(found).filter_map(|(key, value)| Some((key, value?))).collect())
    }

    async fn decide(&self, due: Vec<(String, Message, Vec<UserId>, bool)>) -> Result<(), StoreError> {
        let (mut all, mut keys) = (Decided::default(), Vec::with_capacity(due.len()));
        // Each reads a few records: they do not wait for each other.
        let queue = &self.queue;
        let decided = due.iter().map(|(_, message, users, waited)| queue.decide_due(message, users, *waited));
        let decided = join_all(decided).await;
        for (decided, (key, ..)) in decided.into_iter().zip(&due) {
            all.add(decided?);
            keys.push(key.clone());
        }
        let done = keys.len() as u64;
        let done_with = keys.into_iter().map(|key| Change::Delete { kind: RecordKind::PushDue, key });
        // What was decided is remembered: who is left out by a process that dies here is decided on again.
        self.queue.write(all, done_with.collect()).await?;
        let intake = &self.queue.0.intake;
        intake.metrics.waiting("due", intake.due.remove(done));
        Ok(())
    }
}
