//! The outbox of an app: callbacks that wait for delivery, one queue for each rule.
//!
//! [`Outbox::queue`] turns a callback into a change of records. Whoever makes something durable writes the change in the
//! same step, so that no callback is lost by a crash, and none tells of what was not kept. A worker for each rule takes
//! what is due and posts it; an answer of 200 removes it, anything else puts it off, and what was tried long enough
//! becomes a dead letter. A callback may arrive twice (a crash between the answer and its removal), with the same ID.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use stentor_core::clock::Clock;
use stentor_core::id::AppId;
use stentor_core::records::{RecordKind, decode};
use stentor_core::store::{Change, Scan, Store, StoreError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::client::{Client, Line};
use crate::endpoint::Endpoint;
use crate::entry::{Entry, Numbers, Waiting, behind, prefix, rule_of};
use crate::metrics::{Metrics, Outcome, RuleMetrics};
use crate::rule::Rule;
use crate::trouble::Trouble;
use crate::worker::Worker;

/// How many records are moved in one step.
pub(crate) const PAGE: usize = 256;

/// A callback without the signature that its body will hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsealed {
    /// The callback's ID: the same in every try, so that a receiver can tell what it has already.
    pub call_id: String,
    /// When what it tells of happened: Unix time in milliseconds.
    pub timestamp_ms: u64,
    /// The body.
    pub body: Bytes,
}

/// Puts the dialect's signature into a body. Done for every try: a secret that was changed meanwhile counts at once.
pub trait Seal: Send + Sync + fmt::Debug {
    /// The body as it is sent.
    fn seal(&self, what: &Unsealed, secret: &str) -> Bytes;
}

/// How much is kept of what could not be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Dead letters of the app: the newest replaces the oldest.
    pub dead_letters: usize,
    /// How long they are kept, in milliseconds.
    pub kept_ms: u64,
}

impl Default for Bounds {
    /// Three days (documented), 100 000 (ours).
    fn default() -> Self {
        Self { dead_letters: 100_000, kept_ms: 3 * 86_400_000 }
    }
}

/// What an outbox is made of.
#[derive(Debug)]
pub struct OutboxSetup {
    /// The tenant.
    pub app: AppId,
    /// Whom to call. Their names differ.
    pub rules: Vec<Rule>,
    /// How much is kept.
    pub bounds: Bounds,
    /// The dialect's signature.
    pub seal: Arc<dyn Seal>,
    /// What requests are made with.
    pub client: Client,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where random choices start.
    pub seed: u64,
    /// What is counted.
    pub metrics: Metrics,
}

/// The outbox of an app. Cheap to clone.
#[derive(Clone)]
pub struct Outbox(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) app: AppId,
    pub(crate) rules: Vec<RuleState>,
    pub(crate) by_name: HashMap<String, usize>,
    pub(crate) bounds: Bounds,
    pub(crate) seal: Arc<dyn Seal>,
    pub(crate) client: Client,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) numbers: Numbers,
    pub(crate) random: Mutex<fastrand::Rng>,
    pub(crate) metrics: Metrics,
    /// About how many dead letters there are.
    pub(crate) dead: AtomicUsize,
    /// Dead letters came in.
    pub(crate) untidy: Notify,
    pub(crate) stop: CancellationToken,
    tasks: TaskTracker,
}

/// A rule, and what is going on with it.
#[derive(Debug)]
pub(crate) struct RuleState {
    pub(crate) rule: Rule,
    pub(crate) line: Line,
    pub(crate) metrics: RuleMetrics,
    /// Something may have become due.
    pub(crate) wake: Notify,
    /// About how many wait: a change that was not written in the end counts until the queue is empty once.
    waiting: AtomicU64,
    pub(crate) trouble: Mutex<Trouble>,
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("app", &self.0.app).field("rules", &self.0.rules.len()).finish_non_exhaustive()
    }
}

impl RuleState {
    fn new(rule: Rule, client: &Client, metrics: RuleMetrics) -> Self {
        let line = Line::new(client.clone(), rule.endpoint.clone(), rule.allow_private, rule.timeout, rule.concurrency);
        Self { line, rule, metrics, wake: Notify::new(), waiting: AtomicU64::new(0), trouble: Mutex::default() }
    }

    pub(crate) fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    pub(crate) fn add_waiting(&self, count: u64) {
        self.metrics.waiting(self.waiting.fetch_add(count, Ordering::Relaxed) + count);
    }

    pub(crate) fn remove_waiting(&self, count: u64) {
        let less = |waiting: u64| Some(waiting.saturating_sub(count));
        let before = self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).unwrap_or(0);
        self.metrics.waiting(before.saturating_sub(count));
    }

    pub(crate) fn none_waiting(&self) {
        self.waiting.store(0, Ordering::Relaxed);
        self.metrics.waiting(0);
    }
}

impl Outbox {
    /// Opens the outbox of an app: counts what waits, and turns what waits for rules that are gone into dead letters.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open(setup: OutboxSetup, store: Arc<dyn Store>) -> Result<Self, StoreError> {
        // Not from the seed: a run that is like another must not make the other's keys.
        let numbers = Numbers::new(fastrand::u64(..));
        let state = |rule: Rule| {
            let metrics = setup.metrics.rule(setup.app.as_str(), &rule.name);
            RuleState::new(rule, &setup.client, metrics)
        };
        let rules: Vec<_> = setup.rules.into_iter().map(state).collect();
        let outbox = Self(Arc::new(Inner {
            by_name: rules.iter().enumerate().map(|(number, state)| (state.rule.name.clone(), number)).collect(),
            rules,
            app: setup.app,
            bounds: setup.bounds,
            seal: setup.seal,
            client: setup.client,
            store,
            clock: setup.clock,
            numbers,
            random: Mutex::new(fastrand::Rng::with_seed(setup.seed)),
            metrics: setup.metrics,
            dead: AtomicUsize::new(0),
            untidy: Notify::new(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }));
        outbox.bury_orphans().await?;
        for state in &outbox.0.rules {
            state.add_waiting(outbox.count(RecordKind::Callback, &prefix(&state.rule.name)).await?);
        }
        outbox.0.set_dead(outbox.count(RecordKind::FailedCallback, "").await?);
        Ok(outbox)
    }

    /// Starts the workers.
    pub fn start(&self) {
        for number in 0..self.0.rules.len() {
            self.0.tasks.spawn(Worker::new(self.clone(), number).run());
        }
        let outbox = self.clone();
        self.0.tasks.spawn(async move { outbox.keep_tidy().await });
        self.0.tasks.close();
    }

    /// Has the workers stop, without waiting for it.
    pub fn cancel(&self) {
        self.0.stop.cancel();
    }

    /// Stops the workers. Requests under way have a second to end; what is not delivered stays in the store.
    pub async fn stop(&self) {
        self.0.stop.cancel();
        self.0.tasks.wait().await;
    }

    /// Queues a callback for a rule, by the rule's place in the list: the change is to be written in the same step as
    /// what the callback tells of. If too many wait already it is a dead letter from the beginning: nothing is lost
    /// silently, and no sender waits for a receiver.
    ///
    /// `None`: there is no such rule.
    #[must_use]
    pub fn queue(&self, rule: usize, what: &Unsealed) -> Option<Change> {
        let state = self.0.rules.get(rule)?;
        let now_ms = self.0.clock.wall_ms();
        let entry = Entry::new(&state.rule.name, what, now_ms);
        if state.waiting() >= state.rule.waiting as u64 {
            state.metrics.count(Outcome::Overflow, 1);
            self.0.died(1);
            let entry = Entry { failure: Some("too many callbacks were waiting".to_owned()), ..entry };
            return Some(self.0.numbers.put_dead(entry, now_ms));
        }
        state.add_waiting(1);
        state.metrics.count(Outcome::Queued, 1);
        state.wake.notify_one();
        Some(self.0.numbers.put_waiting(entry, now_ms))
    }

    /// Looks for what is due, now: for whoever has moved the clock.
    pub fn wake(&self) {
        for state in &self.0.rules {
            state.wake.notify_one();
        }
        self.0.untidy.notify_one();
    }

    /// About how many callbacks wait for a rule.
    #[must_use]
    pub fn waiting(&self, rule: &str) -> u64 {
        self.0.by_name.get(rule).and_then(|number| self.0.rules.get(*number)).map_or(0, RuleState::waiting)
    }

    /// What was counted for a rule.
    #[must_use]
    pub fn counted(&self, rule: &str, outcome: Outcome) -> u64 {
        self.0.metrics.rule(self.0.app.as_str(), rule).counted(outcome)
    }

    pub(crate) async fn count(&self, kind: RecordKind, prefix: &str) -> Result<u64, StoreError> {
        self.0.store.count_records(&self.0.app, kind, prefix).await
    }

    /// Callbacks of rules that are no longer configured can be sent elsewhere, as dead letters.
    async fn bury_orphans(&self) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let scan = Scan { after, ..Scan::of(RecordKind::Callback, "", 1) };
            let Some((key, _)) = self.0.store.scan_records(&self.0.app, scan).await?.pop() else { return Ok(()) };
            let rule = rule_of(&key).to_owned();
            if !self.0.by_name.contains_key(&rule) {
                tracing::warn!(app = %self.0.app, rule, "callbacks of a rule that is not configured become dead letters");
                self.bury(&rule).await?;
            }
            after = Some(behind(&rule));
        }
    }

    async fn bury(&self, rule: &str) -> Result<(), StoreError> {
        let metrics = self.0.metrics.rule(self.0.app.as_str(), rule);
        loop {
            let page = Scan::of(RecordKind::Callback, prefix(rule), PAGE);
            let page = self.0.store.scan_records(&self.0.app, page).await?;
            if page.is_empty() {
                return Ok(());
            }
            let mut changes = Vec::with_capacity(2 * page.len());
            let mut buried = 0;
            for (key, value) in page {
                match decode::<Waiting>(&value) {
                    Ok(Waiting(entry)) => {
                        let entry = Entry { failure: Some("the rule is gone".to_owned()), ..entry };
                        changes.push(self.0.numbers.put_dead(entry, self.0.clock.wall_ms()));
                        buried += 1;
                    }
                    Err(error) => tracing::error!(app = %self.0.app, rule, %error, "a callback is lost"),
                }
                changes.push(Change::Delete { kind: RecordKind::Callback, key });
            }
            self.0.store.change(&self.0.app, changes).await?;
            metrics.count(Outcome::Orphaned, buried);
        }
    }
}

impl Inner {
    /// Whether a callback may be sent to a private address there: only to the very address that a rule names and allows.
    /// Who resends to another one is the app's backend, and not who configures the server.
    pub(crate) fn may_be_private(&self, endpoint: &Endpoint) -> bool {
        self.rules.iter().any(|state| state.rule.allow_private && state.rule.endpoint == *endpoint)
    }

    /// Dead letters were made.
    pub(crate) fn died(&self, count: usize) {
        let dead = self.dead.fetch_add(count, Ordering::Relaxed) + count;
        if dead > self.bounds.dead_letters {
            self.untidy.notify_one();
        }
    }

    pub(crate) fn set_dead(&self, count: u64) {
        self.dead.store(usize::try_from(count).unwrap_or(usize::MAX), Ordering::Relaxed);
    }

    /// A random number from 0 to 1.
    pub(crate) fn random(&self) -> f64 {
        self.random.lock().f64()
    }
}
