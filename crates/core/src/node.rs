//! One process's core. Cheap to clone; its verbs are spread over the files they belong to:
//! `connect` (sessions), `delivery` (sending), `inbox`, `rooms`, `presence`, `attributes`, `events`, `history`.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use tokio_util::task::TaskTracker;

pub use crate::app::App;
use crate::app::AppPolicy;
use crate::bus::Bus;
use crate::clock::Clock;
use crate::cluster::Elsewhere;
use crate::delivery::broadcast::newest_planned;
use crate::directory::room_id::RoomIds;
use crate::id::{AppId, MessageId, MessageIds, NodeId, RoomId, UserId};
use crate::lag::Writers;
use crate::limits::Limited;
use crate::metrics::Metrics;
pub use crate::rooms::RoomMembers;
use crate::session::Closing;
use crate::store::{Store, StoreError};
use crate::timers::{Due, Timers};

/// How often expired messages are deleted, in milliseconds.
const EXPIRY_EVERY_MS: u64 = 60_000;

/// The node looks at what is due at most once in so many milliseconds, so that many deadlines cost one look.
const TICK_MS: u64 = 10;

/// What a node is made of.
#[derive(Debug)]
pub struct NodeConfig {
    /// Its number in the cluster.
    pub node: NodeId,
    /// The tenants it serves.
    pub apps: Vec<AppPolicy>,
    /// Where random choices start; from the operating system in production, fixed in tests.
    pub seed: u64,
}

/// One process's core, and the user on whose behalf it is asked, if it is one's.
#[derive(Clone)]
pub struct Node(Arc<Inner>, Option<UserId>);

struct Inner {
    node: NodeId,
    apps: HashMap<AppId, Arc<App>>,
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
    clock: Arc<dyn Clock>,
    ids: MessageIds,
    room_ids: RoomIds,
    random: Mutex<fastrand::Rng>,
    timers: Timers,
    metrics: Metrics,
    tasks: TaskTracker,
    draining: AtomicBool,
    elsewhere: Elsewhere,
    writers: Writers,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("node", &self.0.node).field("apps", &self.0.apps.len()).finish_non_exhaustive()
    }
}

/// What is on the node now, for the metrics page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    /// Sessions with a connection.
    pub attached: usize,
    /// Sessions whose client may come back.
    pub detached: usize,
    /// Rooms.
    pub rooms: usize,
    /// Notices that wait in mailboxes.
    pub waiting: usize,
}

/// Why a request of a client was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// A rate is used up.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// Too many users, rooms or entries in one request or in all.
    #[error("more than {max} are not allowed")]
    TooMany {
        /// The limit.
        max: usize,
    },
    /// The client is not in the room.
    #[error("not in the room")]
    NotInRoom,
    /// The client is in the room already.
    #[error("already in the room")]
    AlreadyInRoom,
    /// There is no such room.
    #[error("there is no such room")]
    NoRoom,
    /// The user is kept out of the room.
    #[error("the user is kept out of the room")]
    KeptOut,
    /// The room has no place left.
    #[error("the room is full")]
    RoomFull,
    /// The user owns the room, and cannot leave it.
    #[error("the owner cannot leave the room")]
    IsOwner,
    /// It cannot be done now; it may be tried again.
    #[error("cannot be done now")]
    Unavailable,
    /// The user is not online.
    #[error("the user is not online")]
    UserNotFound,
    /// An attribute has an empty or too long key, or an empty value.
    #[error("invalid attribute")]
    InvalidAttribute,
    /// An attribute or all of them together are too large, or there are too many.
    #[error("the attributes are too large")]
    AttributesTooLarge,
    /// The session has ended meanwhile.
    #[error("the session has ended")]
    SessionEnded,
}

/// Why a query of the backend was refused.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// A rate is used up.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// The app keeps no history.
    #[error("the app keeps no history")]
    NoHistory,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Node {
    /// Starts a node: sessions that were open when the process ended are given their grace to come back.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn start(
        config: NodeConfig,
        store: Arc<dyn Store>,
        bus: Arc<dyn Bus>,
        clock: Arc<dyn Clock>,
        registry: &mut Registry,
    ) -> Result<Self, StoreError> {
        let mut newest = store.newest_message().await?;
        for policy in &config.apps {
            if policy.broadcasts.is_some() {
                newest = newest.max(newest_planned(&*store, &policy.id, config.node).await?);
            }
        }
        let open = store.open_sessions().await?;
        let apps = config.apps.into_iter().map(|policy| (policy.id.clone(), Arc::new(App::new(policy))));
        let node = Self(
            Arc::new(Inner {
                node: config.node,
                apps: apps.collect(),
                store,
                bus,
                ids: MessageIds::new(config.node, newest),
                room_ids: RoomIds::new(config.node),
                random: Mutex::new(fastrand::Rng::with_seed(config.seed)),
                timers: Timers::default(),
                metrics: Metrics::register(registry),
                tasks: TaskTracker::new(),
                draining: AtomicBool::new(false),
                elsewhere: Elsewhere::default(),
                writers: Writers::default(),
                clock,
            }),
            None,
        );
        for app in node.apps() {
            node.count_directory(app).await?;
        }
        for session in &open {
            match node.app(session.app.as_str()) {
                Some(app) => node.restore(&app, session).await?,
                None => tracing::warn!(app = %session.app, "an app with open sessions is no longer configured"),
            }
        }
        if let Err(error) = node.finish_departures().await {
            tracing::warn!(%error, "users that were being deleted are not gone yet; deleting them again finishes it");
        }
        node.0.timers.at(node.clock().monotonic_ms() + EXPIRY_EVERY_MS, Due::Expiry);
        for app in node.apps() {
            // When the sessions are back in their rooms, and nobody is connected.
            node.recover_broadcasts(app).await?;
            node.carry_out_broadcasts(app);
        }
        Ok(node)
    }

    /// The same core, asked on behalf of a user: others learn whose doing a change is.
    #[must_use]
    pub fn acting_for(&self, user: &UserId) -> Self {
        Self(self.0.clone(), Some(user.clone()))
    }

    /// The user on whose behalf it is asked.
    pub(crate) fn actor(&self) -> Option<&UserId> {
        self.1.as_ref()
    }

    /// Does what is due (graces, acks, counts, expiry) and what other nodes ask for, until dropped.
    pub async fn run(&self) {
        loop {
            self.tick();
            let now_ms = self.clock().monotonic_ms();
            let pause_ms =
                self.0.timers.next_ms().map_or(1000, |at_ms| at_ms.saturating_sub(now_ms).clamp(TICK_MS, 1000));
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(pause_ms)) => {}
                () = self.0.timers.earlier() => {}
                (from, message) = self.0.bus.receive() => self.cluster_message(from, message),
            }
        }
    }

    /// Does everything that is due now. [`Self::run`] calls it; tests with a manual clock call it themselves.
    pub fn tick(&self) {
        while let Some((at_ms, due)) = self.0.timers.pop(self.clock().monotonic_ms()) {
            self.fire(at_ms, due);
        }
    }

    fn fire(&self, at_ms: u64, due: Due) {
        match due {
            // Sessions stay open over a restart, however long the way down takes.
            Due::Session(_) if self.is_draining() => {}
            Due::Session(session) => {
                if let Some(session) = session.upgrade() {
                    self.session_due(&session, at_ms);
                }
            }
            Due::Unacked(session) => {
                if let Some(session) = session.upgrade() {
                    self.acks_due(&session);
                }
            }
            Due::LeftUnacked(left) => self.left_unacked_due(left),
            Due::Ack(expected) => {
                if let Some(expected) = expected.upgrade() {
                    expected.timed_out();
                }
            }
            Due::MemberCount(room) => {
                if let Some(room) = room.upgrade() {
                    self.member_count_due(&room);
                }
            }
            Due::RoomUpkeep(room) => {
                if let Some(room) = room.upgrade() {
                    self.room_upkeep_due(&room);
                }
            }
            // As above: who is gone then leaves its rooms after the start.
            Due::Departure(_) if self.is_draining() => {}
            Due::Departure(departure) => self.spawn(self.clone().depart(departure)),
            Due::EventBacklog(app) => {
                if let Some(app) = app.upgrade() {
                    self.retry_backlog(&app);
                }
            }
            Due::Broadcasts(app) => {
                if let Some(app) = app.upgrade() {
                    self.carry_out_broadcasts(&app);
                }
            }
            Due::Files(_) if self.is_draining() => {}
            Due::Files(app) => {
                if let Some(app) = app.upgrade() {
                    self.sweep_files(&app);
                }
            }
            Due::Expiry => self.expire(),
        }
    }

    fn expire(&self) {
        self.0.timers.at(self.clock().monotonic_ms() + EXPIRY_EVERY_MS, Due::Expiry);
        let expired = self.store().expire(self.clock().wall_ms());
        self.spawn(async move {
            match expired.await {
                Ok(0) => {}
                Ok(messages) => tracing::debug!(messages, "deleted expired messages"),
                Err(error) => tracing::warn!(%error, "expired messages could not be deleted"),
            }
        });
        let node = self.clone();
        self.spawn(async move {
            for app in node.apps() {
                if let Err(error) = node.forget_sent_items(app).await {
                    tracing::warn!(%error, "what clients sent long ago could not be forgotten");
                }
                if let Err(error) = node.forget_named_receivers(app).await {
                    tracing::warn!(%error, "whom messages were for could not be forgotten");
                }
            }
        });
    }

    /// An app by its ID.
    #[must_use]
    pub fn app(&self, id: &str) -> Option<Arc<App>> {
        self.0.apps.get(id).cloned()
    }

    /// Every app.
    pub fn apps(&self) -> impl Iterator<Item = &Arc<App>> {
        self.0.apps.values()
    }

    /// Its number in the cluster.
    pub(crate) fn id(&self) -> NodeId {
        self.0.node
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }

    /// The metrics.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// What is on the node now. Looks at every session: for a metrics page, not for a request.
    #[must_use]
    pub fn census(&self) -> Census {
        let mut census = Census::default();
        for app in self.apps() {
            census.rooms += app.rooms.len();
            for session in app.hub.sessions() {
                if session.is_attached() {
                    census.attached += 1;
                } else {
                    census.detached += 1;
                }
                census.waiting += session.waiting();
            }
        }
        census
    }

    /// Tells every client to come back later, spread over `spread_ms`, and takes no new connections. Sessions
    /// stay open: clients that come back within the grace are noticed by nobody.
    pub fn drain(&self, spread_ms: u64) {
        self.0.draining.store(true, Ordering::Release);
        for session in self.apps().flat_map(|app| app.hub.sessions()) {
            let reconnect_after_ms = self.with_random(|random| random.u64(0..=spread_ms));
            let outlet = session.state().outlet.clone();
            if let Some(outlet) = outlet {
                outlet.close(Closing::Draining { reconnect_after_ms });
            }
        }
    }

    /// Whether [`Self::drain`] was called.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Acquire)
    }

    /// Waits until what the node does by itself is done. After [`Self::drain`], when the connections are gone.
    pub async fn stopped(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    pub(crate) fn bus(&self) -> &Arc<dyn Bus> {
        &self.0.bus
    }

    pub(crate) fn elsewhere(&self) -> &Elsewhere {
        &self.0.elsewhere
    }

    pub(crate) fn writers(&self) -> &Writers {
        &self.0.writers
    }

    pub(crate) fn timers(&self) -> &Timers {
        &self.0.timers
    }

    pub(crate) fn next_id(&self, wall_ms: u64) -> MessageId {
        self.0.ids.next(wall_ms)
    }

    /// A number like those of messages, for what is none.
    #[must_use]
    pub fn fresh_id(&self) -> MessageId {
        self.next_id(self.clock().wall_ms())
    }

    /// A number for a message of some earlier time, in the order of that time. It may be another's already, unless it
    /// is of a time that has not been numbered yet.
    pub(crate) fn past_id(&self, wall_ms: u64) -> MessageId {
        if wall_ms >= self.newest_id().unix_ms() {
            return self.next_id(wall_ms);
        }
        MessageId::of_past(wall_ms, self.id(), self.with_random(|random| random.u64(..)))
    }

    pub(crate) fn next_room_id(&self, wall_ms: u64) -> RoomId {
        self.0.room_ids.next(wall_ms)
    }

    pub(crate) fn newest_id(&self) -> MessageId {
        self.0.ids.newest()
    }

    /// A random number, for what is no secret.
    #[must_use]
    pub fn random(&self) -> u64 {
        self.with_random(|random| random.u64(..))
    }

    pub(crate) fn with_random<T>(&self, of: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        of(&mut self.0.random.lock())
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.tasks.spawn(task);
    }
}
