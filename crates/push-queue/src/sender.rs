//! What sends the pushes of one certificate: looks for what is due, keeps so many requests under way, and writes what
//! became of them. Each certificate has its own, so that a provider that is down holds up nobody else's pushes.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Duration;

use stentor_core::records::{RecordKind, decode};
use stentor_core::store::{Scan, StoreError};
use stentor_push::{DeviceToken, Line, Push, PushError};
use tokio::sync::Notify;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::timeout;

use crate::delivery::Delivery;
use crate::keys::{due_ms, notifier_of, queue_of};
use crate::pace::{Pace, STORE_PAUSE};
use crate::queue::{DAY_MS, Inner, PushQueue};
use crate::route::Route;
use crate::settle::{Settled, Tried, Try};
use crate::shares::{Share, Shares};

/// How long requests under way may go on when the server goes down.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// Without a line there is nothing to wait for: so many are given up at once.
const WITHOUT_LINE: usize = 64;

/// So many deliveries are read beyond those that can begin at once.
pub(crate) const READ_AHEAD: usize = 128;

/// So many times a look reads before it sees what has ended meanwhile.
const READS: usize = 8;

/// A delivery comes into the store a moment after its key was made, in milliseconds: so far a look behind others that wait
/// for their share goes back.
const MOMENT_MS: u64 = 2_000;

/// The worker of one certificate.
pub(crate) struct Sender {
    pub(crate) queue: PushQueue,
    notifier: String,
    pub(crate) prefix: String,
    wake: Arc<Notify>,
    pace: Pace,
    tries: JoinSet<Try>,
    /// Read, due, and not begun: what is under way stands before them in the store and would be read again each time.
    ready: VecDeque<(String, Delivery)>,
    /// The keys of what is under way, and whose it is.
    pub(crate) busy: HashMap<String, (Id, Vec<Share>)>,
    shares: Shares,
    /// Where the next look goes on: behind what waits for its share.
    pub(crate) after: Option<String>,
    /// The keys of what cannot be read or sent: left for the version that can.
    odd: HashSet<String>,
    /// What became of tries and is not written yet: while the store refuses, the same pushes are not sent again.
    owed: Settled,
    /// This line wants no more before that: monotonic. A changed certificate has another one.
    paused: Option<(Weak<Line>, u64)>,
    /// The difference between the clock's two times when a look was last: it shrinks when the clock is put back.
    pub(crate) offset_ms: Option<i64>,
}

/// What a look found.
#[derive(Default)]
struct Look {
    begun: usize,
    next_due_ms: Option<u64>,
    /// There is more to be read at once.
    more: bool,
}

impl Sender {
    pub(crate) fn new(queue: PushQueue, notifier: String, wake: Arc<Notify>) -> Self {
        Self {
            prefix: queue_of(&notifier),
            queue,
            notifier,
            wake,
            pace: Pace::default(),
            tries: JoinSet::new(),
            ready: VecDeque::new(),
            busy: HashMap::new(),
            shares: Shares::default(),
            after: None,
            odd: HashSet::new(),
            owed: Settled::default(),
            paused: None,
            offset_ms: None,
        }
    }

    /// Works until the queue is stopped.
    pub(crate) async fn run(mut self) {
        let (queue, wake) = (self.queue.clone(), self.wake.clone());
        let (stop, clock) = (&queue.0.stop, queue.0.node.clock());
        while !stop.is_cancelled() {
            let route = queue.0.routes.route(&self.notifier);
            let capacity = match &route {
                Route::Open(line) => line.concurrency(),
                Route::Missing | Route::Disabled => WITHOUT_LINE,
            };
            let gone = matches!(route, Route::Missing);
            let look = match self.write_and_look(route, capacity).await {
                Ok(look) => look,
                Err(error) => {
                    tracing::warn!(app = %queue.0.app.id(), %error, "pushes wait for the store");
                    let _ = timeout(STORE_PAUSE, stop.cancelled()).await;
                    continue;
                }
            };
            if look.begun > 0 {
                self.pace.busy();
            }
            if look.more && self.busy.len() < capacity {
                if let Some(ended) = self.tries.try_join_next() {
                    self.settle(ended);
                }
                tokio::task::yield_now().await;
                continue;
            }
            if gone && self.busy.is_empty() && self.pace.is_idle() && queue.retire(&self.notifier, &self.wake).await {
                return;
            }
            let pause = self.pace.pause(clock, look.next_due_ms);
            tokio::select! {
                Some(ended) = self.tries.join_next() => self.settle(ended),
                () = wake.notified() => self.pace.busy(),
                () = pause, if self.busy.len() < capacity => self.pace.looked(),
                () = stop.cancelled() => {}
            }
        }
        self.wind_up().await;
    }

    /// Reads again what is not under way.
    pub(crate) fn start_over(&mut self) {
        self.ready.clear();
        self.shares.forget_held();
        self.after = None;
    }

    async fn write_and_look(&mut self, route: Route, capacity: usize) -> Result<Look, StoreError> {
        // First: what is to be written was put off by the clock as it is now.
        self.follow_clock().await?;
        self.write().await?;
        self.look(&route, capacity).await
    }

    /// Begins as many tries as may be under way.
    async fn look(&mut self, route: &Route, capacity: usize) -> Result<Look, StoreError> {
        let inner = self.queue.0.clone();
        let (mut look, now_ms) = (Look::default(), inner.now_ms());
        if let (Some((paused, until_ms)), Route::Open(line)) = (&self.paused, route)
            && std::ptr::eq(paused.as_ptr(), Arc::as_ptr(line))
            && let Some(left_ms) = until_ms.checked_sub(inner.node.clock().monotonic_ms()).filter(|left| *left > 0)
        {
            look.next_due_ms = Some(now_ms + left_ms);
            return Ok(look);
        }
        let (freed, from_start) = self.shares.freed(capacity);
        freed.into_iter().rev().for_each(|freed| self.ready.push_front(freed));
        if from_start {
            self.after = None;
        }
        while self.busy.len() < capacity {
            let Some((key, delivery)) = self.ready.pop_front() else { break };
            look.begun += usize::from(self.begin_or_hold(key, delivery, route, capacity));
        }
        for _ in 0..READS {
            look.more = self.busy.len() < capacity && self.read(&mut look, route, capacity).await?;
            if !look.more {
                break;
            }
        }
        Ok(look)
    }

    /// Reads what is due, begins what may begin, and keeps some of the rest. Whether there is more to be read.
    async fn read(&mut self, look: &mut Look, route: &Route, capacity: usize) -> Result<bool, StoreError> {
        let (inner, now_ms) = (self.queue.0.clone(), self.queue.0.now_ms());
        let limit = self.busy.len() + self.odd.len() + capacity.saturating_sub(self.busy.len()) + READ_AHEAD;
        let scan =
            Scan { after: self.after.clone(), ..Scan::of(RecordKind::PushDelivery, self.prefix.as_str(), limit) };
        let found = inner.store().scan_records(inner.app.id(), scan).await?;
        let (mut more, mut last) = (found.len() == limit, None);
        for (key, value) in found {
            let due_ms = notifier_of(&key).map_or(0, |(_, rest)| due_ms(rest));
            // Nothing is put off for longer than a day; if it looks so, the clock was put back.
            if due_ms > now_ms && due_ms - now_ms <= DAY_MS {
                look.next_due_ms = Some(due_ms);
                more = false;
                break;
            }
            last = Some(key.clone());
            if self.busy.contains_key(&key) || self.odd.contains(&key) || self.shares.holds(&key) {
                continue;
            }
            match decode::<Delivery>(&value) {
                Ok(delivery) if self.busy.len() < capacity => {
                    look.begun += usize::from(self.begin_or_hold(key, delivery, route, capacity));
                }
                Ok(delivery) => self.ready.push_back((key, delivery)),
                Err(error) => {
                    tracing::error!(app = %inner.app.id(), %error, "a push cannot be read");
                    self.odd.insert(key);
                }
            }
        }
        // What is ready is read again only when it is not there any more.
        self.after = if !self.shares.hold_any() {
            None
        } else if more {
            last
        } else {
            Some(format!("{}{:016x}", self.prefix, now_ms.saturating_sub(MOMENT_MS)))
        };
        Ok(more && self.shares.hold_any() && self.ready.is_empty())
    }

    /// Begins a try, unless the shares of whose it is are used up. Whether it began.
    fn begin_or_hold(&mut self, key: String, delivery: Delivery, route: &Route, capacity: usize) -> bool {
        let Route::Open(line) = route else {
            self.begin(key, delivery, route, Vec::new());
            return true;
        };
        let token = DeviceToken::new(delivery.token.as_str());
        let shares = Shares::of(&delivery, line.part(&Push::new(token, "", "", "")));
        if let Some(used_up) = self.shares.used_up(&shares, capacity) {
            self.shares.hold(used_up, key, delivery);
            return false;
        }
        self.shares.begin(&shares);
        self.begin(key, delivery, route, shares);
        true
    }

    fn begin(&mut self, key: String, mut delivery: Delivery, route: &Route, shares: Vec<Share>) {
        let (queue, under_way) = (self.queue.clone(), key.clone());
        let line = route.clone().line();
        let task = self.tries.spawn(async move {
            let (line, tried) = match line {
                Ok(line) => {
                    let tried = queue.attempt(&line, &mut delivery).await;
                    (Some(line), tried)
                }
                Err(reason) => (None, Tried::Needless(reason.to_owned())),
            };
            Try { key, delivery, line, tried }
        });
        self.busy.insert(under_way, (task.id(), shares));
    }

    /// Notes what became of tries: of this one, and of those that have ended meanwhile.
    fn settle(&mut self, ended: Result<Try, JoinError>) {
        let inner = self.queue.0.clone();
        let mut ended = Some(ended);
        while let Some(one) = ended {
            match one {
                Ok(one) => self.settle_one(&inner, one),
                Err(panicked) => self.give_up(panicked.id()),
            }
            ended = self.tries.try_join_next();
        }
    }

    fn settle_one(&mut self, inner: &Inner, one: Try) {
        if let (Tried::Asked { outcome, whole, .. }, Some(line)) = (&one.tried, &one.line) {
            inner.routes.note(&self.notifier, line, outcome);
            let word = outcome.as_ref().map_or_else(|error| error.class().name(), |_| "sent");
            inner.intake.metrics.sent(line.name(), word);
            if let (Err(PushError::Paused { retry_after }), true) = (outcome, whole) {
                let wait_ms = u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX);
                let until_ms = inner.node.clock().monotonic_ms().saturating_add(wait_ms);
                self.paused = Some((Arc::downgrade(line), until_ms));
            }
        }
        self.owed.add(inner, one);
    }

    /// Writes what became of tries.
    async fn write(&mut self) -> Result<(), StoreError> {
        if self.owed.changes.is_empty() {
            return Ok(());
        }
        let inner = self.queue.0.clone();
        inner.store().change(inner.app.id(), self.owed.changes.clone()).await?;
        let Settled { keys, gone, ended, dead, .. } = std::mem::take(&mut self.owed);
        for key in keys {
            if let Some((_, shares)) = self.busy.remove(&key) {
                self.shares.end(&shares);
            }
        }
        let was_full = inner.intake.deliveries.is_full();
        inner.intake.metrics.waiting("deliveries", inner.intake.deliveries.remove(gone));
        if was_full && !inner.intake.deliveries.is_full() {
            inner.intake.wake.notify_one();
            inner.intake.wake_looker.notify_one();
            inner.pushed_tasks.wake.notify_one();
        }
        for (key, end) in ended {
            inner.ended(&key, end);
        }
        for (delivery, since_ms) in dead {
            inner.forget(&delivery, since_ms).await;
        }
        Ok(())
    }

    /// A try that panicked would panic again: it is left for the next start.
    fn give_up(&mut self, task: Id) {
        if let Some(key) = self.busy.iter().find(|(_, (id, _))| *id == task).map(|(key, _)| key.clone()) {
            tracing::error!(app = %self.queue.0.app.id(), notifier = self.notifier, "a try to send a push panicked");
            if let Some((_, shares)) = self.busy.remove(&key) {
                self.shares.end(&shares);
            }
            self.odd.insert(key);
        }
    }

    /// What is under way may end; the rest is still there after the restart.
    async fn wind_up(mut self) {
        let ending = async {
            while let Some(ended) = self.tries.join_next().await {
                self.settle(ended);
                if self.write().await.is_err() {
                    return;
                }
            }
        };
        let _ = timeout(LAST_WAIT, ending).await;
    }
}
