//! What looks into the inboxes of users who are marked: several at once, some messages of each in turn, so that nobody waits
//! for another's full inbox.

use std::collections::HashSet;

use bytes::Bytes;
use futures_util::future::join_all;
use stentor_core::id::{MessageId, UserId};
use stentor_core::records::{RecordKind, decode};
use stentor_core::store::{Change, Changed, Scan, StoreError};
use tokio::time::timeout;

use crate::due::{Due, Work};
use crate::keys::MARKS;
use crate::pace::{Pace, STORE_PAUSE};
use crate::parts::Decided;
use crate::queue::PushQueue;

/// Inboxes that are looked at together.
const TOGETHER: usize = 8;

/// An inbox that is being looked at.
struct Looking {
    key: String,
    /// The mark as it was read.
    mark: Bytes,
    user: UserId,
    after: MessageId,
    up_to: MessageId,
}

/// The worker.
pub(crate) struct Looker {
    queue: PushQueue,
    pace: Pace,
    looking: Vec<Looking>,
    /// The mark that was taken last: the next one is behind it.
    after: Option<String>,
    /// The keys of what cannot be read: left for the version that can.
    odd: HashSet<String>,
}

impl Looker {
    pub(crate) fn new(queue: PushQueue) -> Self {
        Self { queue, pace: Pace::default(), looking: Vec::new(), after: None, odd: HashSet::new() }
    }

    /// Works until the queue is stopped.
    pub(crate) async fn run(mut self) {
        let queue = self.queue.clone();
        let (stop, wake, clock) = (&queue.0.stop, &queue.0.intake.wake_looker, queue.0.node.clock());
        while !stop.is_cancelled() {
            match self.look().await {
                Ok(true) => {
                    self.pace.busy();
                    continue;
                }
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(app = %queue.0.app.id(), %error, "looks into inboxes wait for the store");
                    let _ = timeout(STORE_PAUSE, stop.cancelled()).await;
                    continue;
                }
            }
            let full = queue.0.intake.deliveries.is_full();
            if self.pace.is_idle() && !full {
                queue.0.intake.no_marks();
            }
            let pause = self.pace.pause(clock, None);
            tokio::select! {
                () = wake.notified() => self.pace.busy(),
                () = pause => self.pace.looked(),
                () = stop.cancelled() => {}
            }
        }
    }

    /// Goes on with the inboxes that are being looked at, and begins others in the place of those that are done. Whether
    /// there was any.
    async fn look(&mut self) -> Result<bool, StoreError> {
        if self.queue.0.intake.deliveries.is_full() {
            return Ok(false);
        }
        self.fill().await?;
        if self.looking.is_empty() {
            return Ok(false);
        }
        let slice = |looking: &Looking| {
            let (queue, user, after, up_to) = (self.queue.clone(), looking.user.clone(), looking.after, looking.up_to);
            async move { queue.decide_slice(&user, after, up_to).await }
        };
        let (mut decided, mut next) = (Decided::default(), Vec::with_capacity(self.looking.len()));
        for slice in join_all(self.looking.iter().map(slice)).await {
            let (slice, after) = slice?;
            decided.add(slice);
            next.push(after);
        }
        self.queue.write(decided, Vec::new()).await?;
        let mut done = Vec::new();
        for (mut looking, after) in std::mem::take(&mut self.looking).into_iter().zip(next) {
            match after {
                Some(after) => {
                    looking.after = after;
                    self.looking.push(looking);
                }
                None => done.push(self.unmark(looking)),
            }
        }
        join_all(done).await.into_iter().collect::<Result<(), _>>()?;
        Ok(true)
    }

    /// Takes marks behind the last one; behind the last of all comes the first.
    async fn fill(&mut self) -> Result<(), StoreError> {
        let inner = self.queue.0.clone();
        let mut wrapped = self.after.is_none();
        while self.looking.len() < TOGETHER {
            let limit = TOGETHER + self.odd.len();
            let scan = Scan { after: self.after.clone(), ..Scan::of(RecordKind::PushDue, MARKS, limit) };
            let found = inner.store().scan_records(inner.app.id(), scan).await?;
            let more = found.len() == limit;
            for (key, value) in found {
                if self.looking.len() == TOGETHER {
                    return Ok(());
                }
                self.after = Some(key.clone());
                if self.odd.contains(&key) || self.looking.iter().any(|looking| looking.key == key) {
                    continue;
                }
                let Ok(Some(Work::Inbox(user, up_to))) = decode::<Due>(&value).map(Due::work) else {
                    tracing::error!(app = %inner.app.id(), "a mark of an inbox cannot be read");
                    self.odd.insert(key);
                    continue;
                };
                // A later mark may have reached the store before an earlier one.
                let up_to = inner.intake.marked(&user).map_or(up_to, |marked| marked.max(up_to));
                self.looking.push(Looking { key, mark: value, user, after: MessageId::ZERO, up_to });
            }
            if !more {
                self.after = None;
                if std::mem::replace(&mut wrapped, true) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Removes a mark, unless another has come in its place: that inbox is looked at again.
    fn unmark(&self, done: Looking) -> impl Future<Output = Result<(), StoreError>> + use<> {
        let (queue, kind) = (self.queue.clone(), RecordKind::PushDue);
        let Looking { key, mark, user, up_to, .. } = done;
        async move {
            let inner = &queue.0;
            let expect = Change::Expect { kind, key: key.clone(), value: Some(mark) };
            let changed = inner.store().change(inner.app.id(), vec![expect, Change::Delete { kind, key }]).await?;
            if changed == Changed::Done {
                inner.intake.unmark(&user, up_to);
            }
            Ok(())
        }
    }
}
