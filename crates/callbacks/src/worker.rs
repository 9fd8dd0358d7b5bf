//! What delivers the callbacks of one rule: looks for what is due, keeps so many requests under way, and writes what
//! became of them. Each rule has its own, so that a slow receiver slows nobody else's callbacks.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use stentor_core::records::{RecordKind, decode};
use stentor_core::store::{Change, Scan, StoreError};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use crate::client::{Line, PostError, Signed};
use crate::endpoint::Endpoint;
use crate::entry::{Entry, Waiting, due_ms, prefix};
use crate::metrics::Outcome;
use crate::outbox::{Outbox, RuleState};

/// After it was woken, a worker looks again after these waits: what woke it may be queued only a moment later.
const ECHOES: [Duration; 3] = [Duration::from_millis(10), Duration::from_millis(100), Duration::from_secs(1)];

/// A worker that nobody woke looks all the same.
const ANYHOW: Duration = Duration::from_secs(30);

/// How often a worker that waits for a time looks at the clock, which may not be the machine's.
const CLOCK: Duration = Duration::from_millis(200);

/// After the store has failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// How long requests under way may go on when the server goes down.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// The worker of one rule.
pub(crate) struct Worker {
    outbox: Outbox,
    rule: usize,
    tries: JoinSet<Try>,
    /// The keys of what is under way.
    busy: HashMap<String, Id>,
    /// The keys of what cannot be read or sent: left for the version that can.
    odd: HashSet<String>,
    /// How often it has looked since it was woken.
    echoes: usize,
    /// What became of tries and is not written yet: while the store refuses, the same callbacks are not sent again.
    owed: Settled,
}

/// A try that has ended.
struct Try {
    key: String,
    entry: Entry,
    result: Result<(), PostError>,
}

/// What is to be written of tries that have ended.
#[derive(Default)]
struct Settled {
    changes: Vec<Change>,
    keys: Vec<String>,
    delivered: u64,
    failed: u64,
    dead: u64,
    /// Why the last one failed.
    last_error: Option<String>,
}

impl Settled {
    fn add(&mut self, outbox: &Outbox, state: &RuleState, ended: Try) {
        let Try { key, mut entry, result } = ended;
        let (inner, schedule) = (&outbox.0, &state.rule.schedule);
        self.changes.push(Change::Delete { kind: RecordKind::Callback, key: key.clone() });
        self.keys.push(key);
        let Err(error) = result else {
            self.delivered += 1;
            if let Some(failed) = state.trouble.lock().answered() {
                tracing::info!(app = %inner.app, rule = state.rule.name, failed, "callbacks are delivered again");
            }
            return;
        };
        let now_ms = inner.clock.wall_ms();
        self.failed += 1;
        entry.attempts += 1;
        entry.failure = Some(error.to_string());
        let attempts = entry.attempts;
        tracing::debug!(app = %inner.app, rule = state.rule.name, attempts, %error, "a callback failed");
        if let Some(failed) = state.trouble.lock().failed(now_ms) {
            tracing::warn!(app = %inner.app, rule = state.rule.name, failed, %error, "callbacks fail and are tried again");
        }
        self.last_error.clone_from(&entry.failure);
        if schedule.is_over(attempts, entry.resends > 0, now_ms.saturating_sub(entry.queued_ms)) {
            self.dead += 1;
            self.changes.push(inner.numbers.put_dead(entry, now_ms));
        } else {
            let due_ms = now_ms + schedule.wait_ms(attempts, inner.random());
            self.changes.push(inner.numbers.put_waiting(entry, due_ms));
        }
    }
}

/// What a look found.
#[derive(Default)]
struct Look {
    /// Tries that were begun.
    begun: usize,
    /// When the next one is due: Unix time in milliseconds.
    next_due_ms: Option<u64>,
    /// Nothing waits at all.
    empty: bool,
}

impl Worker {
    pub(crate) fn new(outbox: Outbox, rule: usize) -> Self {
        let (busy, odd) = (HashMap::new(), HashSet::new());
        Self { outbox, rule, tries: JoinSet::new(), busy, odd, echoes: 0, owed: Settled::default() }
    }

    fn state(&self) -> &RuleState {
        &self.outbox.0.rules[self.rule]
    }

    /// Works until the outbox is stopped.
    pub(crate) async fn run(mut self) {
        let outbox = self.outbox.clone();
        let (stop, wake) = (&outbox.0.stop, &outbox.0.rules[self.rule].wake);
        while !stop.is_cancelled() {
            let look = match self.write_and_look().await {
                Ok(look) => look,
                Err(error) => {
                    self.store_failed(&error).await;
                    continue;
                }
            };
            if look.empty && self.echoes >= ECHOES.len() {
                self.state().none_waiting();
            }
            self.echoes = if look.begun > 0 { 0 } else { self.echoes };
            let full = self.busy.len() >= self.state().rule.concurrency;
            let pause = self.pause(&look);
            tokio::select! {
                Some(ended) = self.tries.join_next() => self.settle(ended),
                () = wake.notified() => self.echoes = 0,
                () = pause, if !full => self.echoes += 1,
                () = stop.cancelled() => {}
            }
        }
        self.wind_up().await;
    }

    /// Until the next look is worth it.
    fn pause(&self, look: &Look) -> impl Future<Output = ()> + use<> {
        let patience = ECHOES.get(self.echoes).copied().unwrap_or(ANYHOW);
        let (clock, due_ms) = (self.outbox.0.clock.clone(), look.next_due_ms);
        let due = async move {
            let Some(due_ms) = due_ms else { return std::future::pending().await };
            loop {
                let left_ms = due_ms.saturating_sub(clock.wall_ms());
                if left_ms == 0 {
                    return;
                }
                sleep(CLOCK.min(Duration::from_millis(left_ms))).await;
            }
        };
        async move {
            // Whichever comes first.
            let _ = timeout(patience, due).await;
        }
    }

    /// Begins as many tries as may be under way.
    async fn look(&mut self) -> Result<Look, StoreError> {
        let outbox = self.outbox.clone();
        let state = &outbox.0.rules[self.rule];
        let mut look = Look::default();
        let free = state.rule.concurrency.saturating_sub(self.busy.len());
        if free == 0 {
            return Ok(look);
        }
        let limit = self.busy.len() + self.odd.len() + free + 1;
        let scan = Scan::of(RecordKind::Callback, prefix(&state.rule.name), limit);
        let found = outbox.0.store.scan_records(&outbox.0.app, scan).await?;
        look.empty = found.is_empty();
        let now_ms = outbox.0.clock.wall_ms();
        for (key, value) in found {
            if self.busy.contains_key(&key) || self.odd.contains(&key) {
                continue;
            }
            let due_ms = due_ms(&key).unwrap_or(0);
            // Nothing is put off for longer than the longest wait; if it looks so, the clock was put back.
            if due_ms > now_ms && due_ms - now_ms <= state.rule.schedule.longest_wait_ms() {
                look.next_due_ms = Some(due_ms);
                break;
            }
            if look.begun == free {
                break;
            }
            match decode::<Waiting>(&value) {
                Ok(Waiting(entry)) => {
                    self.begin(key, entry, now_ms);
                    look.begun += 1;
                }
                Err(error) => {
                    tracing::error!(app = %outbox.0.app, rule = state.rule.name, %error, "a callback cannot be read");
                    self.odd.insert(key);
                }
            }
        }
        Ok(look)
    }

    fn begin(&mut self, key: String, entry: Entry, now_ms: u64) {
        let outbox = self.outbox.clone();
        let rule = self.rule;
        let under_way = key.clone();
        let task = self.tries.spawn(async move {
            let state = &outbox.0.rules[rule];
            let secret = state.rule.key.expose();
            let signed = Signed::new(outbox.0.seal.seal(&entry.unsealed(), secret), secret, now_ms);
            let result = match entry.target.as_deref().map(Endpoint::parse) {
                None => state.line.tell(&signed).await,
                Some(Ok(target)) => {
                    let Outbox(inner) = &outbox;
                    let private = inner.may_be_private(&target);
                    let line = Line::new(inner.client.clone(), target, private, state.rule.timeout, 0);
                    line.tell(&signed).await
                }
                Some(Err(_)) => Err(PostError::Name),
            };
            Try { key, entry, result }
        });
        self.busy.insert(under_way, task.id());
    }

    /// Notes what became of tries: of this one, and of those that have ended meanwhile.
    fn settle(&mut self, ended: Result<Try, JoinError>) {
        let outbox = self.outbox.clone();
        let state = &outbox.0.rules[self.rule];
        let mut ended = Some(ended);
        while let Some(one) = ended {
            match one {
                Ok(one) => self.owed.add(&outbox, state, one),
                Err(panicked) => self.give_up(panicked.id()),
            }
            ended = self.tries.try_join_next();
        }
    }

    async fn write_and_look(&mut self) -> Result<Look, StoreError> {
        self.write().await?;
        self.look().await
    }

    /// Writes what became of tries.
    async fn write(&mut self) -> Result<(), StoreError> {
        if self.owed.changes.is_empty() {
            return Ok(());
        }
        let (inner, state) = (&self.outbox.0, &self.outbox.0.rules[self.rule]);
        inner.store.change(&inner.app, self.owed.changes.clone()).await?;
        let Settled { keys, delivered, failed, dead, last_error, .. } = std::mem::take(&mut self.owed);
        for key in keys {
            self.busy.remove(&key);
        }
        state.remove_waiting(delivered + dead);
        state.metrics.count(Outcome::Delivered, delivered);
        state.metrics.count(Outcome::Failed, failed);
        state.metrics.count(Outcome::Dead, dead);
        if dead > 0 {
            let error = last_error.unwrap_or_default();
            tracing::warn!(app = %inner.app, rule = state.rule.name, dead, error, "callbacks could not be delivered");
            inner.died(usize::try_from(dead).unwrap_or(0));
        }
        Ok(())
    }

    /// A try panicked: better one callback that waits for a restart than a loop.
    fn give_up(&mut self, task: Id) {
        if let Some(key) = self.busy.iter().find(|(_, id)| **id == task).map(|(key, _)| key.clone()) {
            tracing::error!(app = %self.outbox.0.app, rule = self.state().rule.name, "a try to deliver a callback panicked");
            self.busy.remove(&key);
            self.odd.insert(key);
        }
    }

    async fn store_failed(&self, error: &StoreError) {
        tracing::warn!(app = %self.outbox.0.app, rule = self.state().rule.name, %error, "callbacks wait for the store");
        let _ = timeout(STORE_PAUSE, self.outbox.0.stop.cancelled()).await;
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
