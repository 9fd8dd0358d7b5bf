//! The queue of an app: what it is made of, how it starts and stops, and what can be asked of it.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use stentor_core::app::App;
use stentor_core::id::{MessageId, UserId};
use stentor_core::node::Node;
use stentor_core::records::RecordKind;
use stentor_core::store::{Scan, Store, StoreError};
use stentor_push::Schedule;
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::claims::Deciding;
use crate::decider::Decider;
use crate::intake::Intake;
use crate::keys::{MARKS, behind, notifier_of, queue_of};
use crate::log::{self, PushLogEntry};
use crate::looker::Looker;
use crate::metrics::PushMetrics;
use crate::route::Routes;
use crate::sender::Sender;
use crate::settle::SendEnd;
use crate::tasks::{TaskWorker, Tasks};
use crate::translate::{Aside, Translator};
use crate::words::Words;

/// How much waits and is kept, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PushBounds {
    /// Messages that wait to be decided on. Those beyond it are counted, and found in the inboxes of their receivers when
    /// there is room.
    pub due: u64,
    /// Pushes that wait to be sent; while there are so many, nothing is decided and no direct push is taken.
    pub deliveries: u64,
    /// After how long a connected client that does not ack counts as away, in milliseconds.
    pub ack_wait_ms: u64,
    /// How long the log is kept, in milliseconds: at least a day, or people might be told twice.
    pub log_kept_ms: u64,
}

impl Default for PushBounds {
    /// 100 000 messages, a million pushes, ten seconds, three days.
    fn default() -> Self {
        Self { due: 100_000, deliveries: 1_000_000, ack_wait_ms: 10_000, log_kept_ms: 3 * DAY_MS }
    }
}

/// Milliseconds of a day.
pub(crate) const DAY_MS: u64 = 86_400_000;

/// What a queue is made of.
#[derive(Debug)]
pub struct PushSetup {
    /// The node.
    pub node: Node,
    /// The app.
    pub app: Arc<App>,
    /// The dialect's part.
    pub words: Arc<dyn Words>,
    /// The certificates.
    pub routes: Arc<dyn Routes>,
    /// What translates texts for those who have set a language; none if nothing does.
    pub translator: Option<Arc<dyn Translator>>,
    /// How much waits and is kept.
    pub bounds: PushBounds,
    /// When a push is tried again.
    pub schedule: Schedule,
    /// Where random choices start.
    pub seed: u64,
    /// What is counted.
    pub metrics: PushMetrics,
}

/// The push queue of an app. Cheap to clone.
#[derive(Clone)]
pub struct PushQueue(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) node: Node,
    pub(crate) app: Arc<App>,
    pub(crate) intake: Arc<Intake>,
    pub(crate) routes: Arc<dyn Routes>,
    pub(crate) translator: Option<Arc<dyn Translator>>,
    pub(crate) aside: Aside,
    pub(crate) schedule: Schedule,
    pub(crate) log_kept_ms: u64,
    random: Mutex<fastrand::Rng>,
    /// What wakes the sender of each certificate that has had one.
    senders: Mutex<HashMap<String, Arc<Notify>>>,
    /// Who waits for the end of a push, by its key.
    waiters: Mutex<HashMap<String, oneshot::Sender<SendEnd>>>,
    pub(crate) pushed_tasks: Tasks,
    pub(crate) deciding: Deciding,
    pub(crate) stop: CancellationToken,
    tasks: TaskTracker,
}

impl fmt::Debug for PushQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushQueue").field("app", self.0.app.id()).finish_non_exhaustive()
    }
}

impl PushQueue {
    /// Opens the queue of an app and counts what waits. Nothing is decided or sent before [`Self::start`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open(setup: PushSetup) -> Result<Self, StoreError> {
        let PushSetup { node, app, words, routes, translator, bounds, schedule, seed, metrics } = setup;
        let metrics = metrics.of(app.id().as_str());
        let intake = Arc::new(Intake::new(app.id().clone(), words, node.clock().clone(), metrics, bounds));
        let queue = Self(Arc::new(Inner {
            node,
            app,
            intake,
            routes,
            translator,
            aside: Aside::default(),
            schedule,
            log_kept_ms: bounds.log_kept_ms.max(DAY_MS),
            random: Mutex::new(fastrand::Rng::with_seed(seed)),
            senders: Mutex::default(),
            waiters: Mutex::default(),
            pushed_tasks: Tasks::default(),
            deciding: Deciding::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }));
        let inner = &queue.0;
        let due = inner.store().count_records(inner.app.id(), RecordKind::PushDue, "").await?;
        let marks = inner.store().count_records(inner.app.id(), RecordKind::PushDue, MARKS).await?;
        inner.intake.metrics.waiting("marks", inner.intake.marks.add(marks));
        inner.intake.metrics.waiting("due", inner.intake.due.add(due.saturating_sub(marks)));
        let deliveries = inner.store().count_records(inner.app.id(), RecordKind::PushDelivery, "").await?;
        inner.intake.metrics.waiting("deliveries", inner.intake.deliveries.add(deliveries));
        for notifier in inner.notifiers_in_store().await? {
            inner.senders.lock().insert(notifier, Arc::default());
        }
        Ok(queue)
    }

    /// What the core is to tell.
    #[must_use]
    pub fn intake(&self) -> Arc<Intake> {
        self.0.intake.clone()
    }

    /// Starts the workers.
    pub fn start(&self) {
        self.0.tasks.spawn(Decider::new(self.clone()).run());
        self.0.tasks.spawn(Looker::new(self.clone()).run());
        self.0.tasks.spawn(TaskWorker::new(self.clone()).run());
        let senders: Vec<_> = self.0.senders.lock().iter().map(|(name, wake)| (name.clone(), wake.clone())).collect();
        for (notifier, wake) in senders {
            self.0.tasks.spawn(Sender::new(self.clone(), notifier, wake).run());
        }
    }

    /// The node.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.0.node
    }

    /// The app.
    #[must_use]
    pub fn app(&self) -> &Arc<App> {
        &self.0.app
    }

    /// Has the workers stop, without waiting for it.
    pub fn cancel(&self) {
        self.0.stop.cancel();
    }

    /// Stops the workers. Requests under way have a second to end; what is not sent stays in the store.
    pub async fn stop(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// Looks for what is due, now: for whoever has moved the clock.
    pub fn wake(&self) {
        self.0.intake.wake.notify_one();
        self.0.intake.wake_looker.notify_one();
        self.0.pushed_tasks.wake.notify_one();
        for wake in self.0.senders.lock().values() {
            wake.notify_one();
        }
    }

    /// About how many messages wait to be decided on, and how many pushes to be sent.
    #[must_use]
    pub fn waiting(&self) -> (u64, u64) {
        (self.0.intake.due.count(), self.0.intake.deliveries.count())
    }

    /// What became of the push of a message to a user, or of the user's newest messages, the newest first; at most
    /// `limit` entries.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn log(
        &self,
        user: &UserId,
        message: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<PushLogEntry>, StoreError> {
        log::read(self.0.store(), self.0.app.id(), user, message, limit).await
    }

    /// There are deliveries of these certificates.
    pub(crate) fn wake_senders(&self, notifiers: &HashSet<String>) {
        for notifier in notifiers {
            let (wake, new) = {
                let mut senders = self.0.senders.lock();
                match senders.get(notifier) {
                    Some(wake) => (wake.clone(), false),
                    None => (senders.entry(notifier.clone()).or_default().clone(), true),
                }
            };
            if new && !self.0.stop.is_cancelled() {
                self.0.tasks.spawn(Sender::new(self.clone(), notifier.clone(), wake.clone()).run());
            }
            wake.notify_one();
        }
    }

    /// Whether the sender of a certificate that is gone may end: nothing waits for it, and nobody wakes it any more. Who
    /// writes a delivery wakes its sender afterwards: either that finds none and starts another, or it is seen here.
    pub(crate) async fn retire(&self, notifier: &str, wake: &Arc<Notify>) -> bool {
        self.0.senders.lock().remove(notifier);
        let waiting =
            self.0.store().count_records(self.0.app.id(), RecordKind::PushDelivery, &queue_of(notifier)).await;
        if matches!(waiting, Ok(0)) {
            return true;
        }
        match self.0.senders.lock().entry(notifier.to_owned()) {
            // Another has been started meanwhile.
            Entry::Occupied(_) => true,
            Entry::Vacant(place) => {
                place.insert(wake.clone());
                false
            }
        }
    }

    /// How many senders there are.
    #[must_use]
    pub fn senders(&self) -> usize {
        self.0.senders.lock().len()
    }

    /// Resolves when the push of this key has ended.
    pub(crate) fn await_end(&self, dedup_key: String) -> oneshot::Receiver<SendEnd> {
        let (sender, receiver) = oneshot::channel();
        let mut waiters = self.0.waiters.lock();
        waiters.retain(|_, waiter| !waiter.is_closed());
        waiters.insert(dedup_key, sender);
        receiver
    }
}

impl Inner {
    /// Has something done beside the workers, until the queue is stopped.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = work => {}
                () = stop.cancelled() => {}
            }
        });
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &**self.node.store()
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.node.clock().wall_ms()
    }

    /// A random number from 0 to 1.
    pub(crate) fn random(&self) -> f64 {
        self.random.lock().f64()
    }

    /// Tells who waits for the end of a push.
    pub(crate) fn ended(&self, dedup_key: &str, end: SendEnd) {
        if let Some(waiter) = self.waiters.lock().remove(dedup_key) {
            // Who does not wait any more is fine.
            let _ = waiter.send(end);
        }
    }

    /// The certificates that have deliveries.
    async fn notifiers_in_store(&self) -> Result<Vec<String>, StoreError> {
        let (mut notifiers, mut after) = (Vec::new(), None);
        loop {
            let scan = Scan { after, ..Scan::of(RecordKind::PushDelivery, "", 1) };
            let Some((key, _)) = self.store().scan_records(self.app.id(), scan).await?.pop() else {
                return Ok(notifiers);
            };
            let Some((notifier, _)) = notifier_of(&key) else {
                after = Some(key);
                continue;
            };
            after = Some(behind(&queue_of(&notifier)));
            notifiers.push(notifier);
        }
    }
}
