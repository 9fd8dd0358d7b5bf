//! One process's core. Cheap to clone; its verbs are spread over the files they belong to.

use std::sync::Arc;

use crate::app::AppPolicy;
use crate::attributes::{AttributeChange, RoomAttribute};
use crate::clock::Clock;
use crate::delivery::{Origin, SendError, SendPeer, SendRoom, SentPeer, SentRoom};
use crate::events::{Event, EventKind};
use crate::id::{AppId, MessageId, NodeId, RoomId, UserId};
use crate::limits::Limited;
use crate::metrics::Metrics;
use crate::presence::Presence;
use crate::session::{ConnectError, Connected, Login, Outlet, Session};
use crate::store::{HistoryFilter, HistoryPage, Store, StoreError};

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

/// One process's core.
#[derive(Clone)]
pub struct Node(Arc<()>);

/// One tenant.
#[derive(Debug)]
pub struct App {
    policy: AppPolicy,
}

impl App {
    /// Its rules.
    #[must_use]
    pub fn policy(&self) -> &AppPolicy {
        &self.policy
    }
}

/// Why a request of a client was refused, where nothing more can be said.
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
        _config: NodeConfig,
        _store: Arc<dyn Store>,
        _bus: Arc<dyn crate::bus::Bus>,
        _clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        todo!()
    }

    /// Does what is due (graces, acks, counts, expiry) until dropped. Run once per node.
    pub async fn run(&self) {
        todo!()
    }

    /// An app by its ID.
    #[must_use]
    pub fn app(&self, _id: &str) -> Option<Arc<App>> {
        todo!()
    }

    /// Every app.
    pub fn apps(&self) -> impl Iterator<Item = &Arc<App>> {
        [].iter()
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        todo!()
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        todo!()
    }

    /// The metrics.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        todo!()
    }

    /// Opens or resumes a session. Returns when the login is recorded; the outlet may be told before.
    ///
    /// # Errors
    /// When the client may not connect now.
    pub async fn connect(
        &self,
        _app: &Arc<App>,
        _login: Login,
        _outlet: Arc<dyn Outlet>,
    ) -> Result<Connected, ConnectError> {
        todo!()
    }

    /// The connection is gone; the session waits for the client to come back.
    pub fn detach(&self, _session: &Arc<Session>, _attachment: u64) {
        todo!()
    }

    /// The client logs out: it leaves its rooms and is offline at once.
    pub async fn logout(&self, _session: &Arc<Session>) {
        todo!()
    }

    /// Something was heard of the client.
    pub fn heard(&self, _session: &Arc<Session>) {
        todo!()
    }

    /// The client has these messages.
    pub fn acked(&self, _session: &Arc<Session>, _ids: &[MessageId]) {
        todo!()
    }

    /// The client brought a new credential; it was checked before.
    ///
    /// # Errors
    /// When the rate is used up.
    pub fn renew(&self, _session: &Arc<Session>, _expires_at_ms: Option<u64>) -> Result<(), RequestError> {
        todo!()
    }

    /// Sends to one user.
    ///
    /// # Errors
    /// When the message was not taken.
    pub async fn send_peer(
        &self,
        _app: &Arc<App>,
        _origin: Origin<'_>,
        _send: SendPeer,
    ) -> Result<SentPeer, SendError> {
        todo!()
    }

    /// Sends to the members of a room.
    ///
    /// # Errors
    /// When the message was not taken.
    pub async fn send_room(
        &self,
        _app: &Arc<App>,
        _origin: Origin<'_>,
        _send: SendRoom,
    ) -> Result<SentRoom, SendError> {
        todo!()
    }

    /// Puts the client into a room. Returns the number of members, itself included.
    ///
    /// # Errors
    /// When it may not join.
    pub async fn join(&self, _session: &Arc<Session>, _room: &RoomId) -> Result<usize, RequestError> {
        todo!()
    }

    /// Takes the client out of a room.
    ///
    /// # Errors
    /// When it is not in it.
    pub async fn leave(&self, _session: &Arc<Session>, _room: &RoomId) -> Result<(), RequestError> {
        todo!()
    }

    /// The members of a room that the client is in; some of them, at random, if there are many.
    ///
    /// # Errors
    /// When it is not in the room, or asks too often.
    pub fn members(&self, _session: &Arc<Session>, _room: &RoomId) -> Result<Vec<UserId>, RequestError> {
        todo!()
    }

    /// How many members rooms have, in the order asked; an unknown room has none.
    ///
    /// # Errors
    /// When too many are asked for, or too often.
    pub fn member_counts(&self, _session: &Arc<Session>, _rooms: &[RoomId]) -> Result<Vec<usize>, RequestError> {
        todo!()
    }

    /// Who of these users is there, in the order asked.
    ///
    /// # Errors
    /// When too many are asked for, or too often.
    pub fn query_presence(&self, _session: &Arc<Session>, _users: &[UserId]) -> Result<Vec<Presence>, RequestError> {
        todo!()
    }

    /// Watches users. Returns their present states.
    ///
    /// # Errors
    /// When too many are watched, or the client asks too often.
    pub fn watch_presence(
        &self,
        _session: &Arc<Session>,
        _users: &[UserId],
    ) -> Result<Vec<(UserId, Presence)>, RequestError> {
        todo!()
    }

    /// Stops watching users; those not watched are ignored.
    ///
    /// # Errors
    /// When the client asks too often.
    pub fn unwatch_presence(&self, _session: &Arc<Session>, _users: &[UserId]) -> Result<(), RequestError> {
        todo!()
    }

    /// The users that the client watches.
    ///
    /// # Errors
    /// When the client asks too often.
    pub fn watched_presence(&self, _session: &Arc<Session>) -> Result<Vec<UserId>, RequestError> {
        todo!()
    }

    /// Changes the client's own attributes.
    ///
    /// # Errors
    /// When the change breaks a limit.
    pub fn change_user_attributes(
        &self,
        _session: &Arc<Session>,
        _change: AttributeChange,
    ) -> Result<(), RequestError> {
        todo!()
    }

    /// The attributes of a user, all or those of some keys.
    ///
    /// # Errors
    /// When the user is not online.
    pub fn user_attributes(
        &self,
        _session: &Arc<Session>,
        _user: &UserId,
        _keys: Option<&[String]>,
    ) -> Result<Vec<(String, String)>, RequestError> {
        todo!()
    }

    /// Changes the attributes of a room, which the client need not be in. `notify` tells the members.
    ///
    /// # Errors
    /// When the change breaks a limit.
    pub fn change_room_attributes(
        &self,
        _session: &Arc<Session>,
        _room: &RoomId,
        _change: AttributeChange,
        _notify: bool,
    ) -> Result<(), RequestError> {
        todo!()
    }

    /// The attributes of a room, all or those of some keys.
    ///
    /// # Errors
    /// When the client asks too often.
    pub fn room_attributes(
        &self,
        _session: &Arc<Session>,
        _room: &RoomId,
        _keys: Option<&[String]>,
    ) -> Result<Vec<RoomAttribute>, RequestError> {
        todo!()
    }

    /// Takes the oldest events off a queue, at most [`crate::events::EVENTS_PER_PULL`].
    ///
    /// # Errors
    /// When asked too often, or the store fails.
    pub async fn pull_events(&self, _app: &Arc<App>, _kind: EventKind) -> Result<Vec<Event>, QueryError> {
        todo!()
    }

    /// Checks the rate of history queries.
    ///
    /// # Errors
    /// When asked too often, or the app keeps no history.
    pub fn allow_history_query(&self, _app: &Arc<App>) -> Result<(), QueryError> {
        todo!()
    }

    /// Messages that were kept for history.
    ///
    /// # Errors
    /// When the store fails, or the app keeps no history.
    pub async fn history(
        &self,
        _app: &Arc<App>,
        _filter: &HistoryFilter,
        _page: HistoryPage,
    ) -> Result<Vec<Arc<crate::message::Message>>, QueryError> {
        todo!()
    }

    /// How many messages were kept for history.
    ///
    /// # Errors
    /// When the store fails, or the app keeps no history.
    pub async fn history_count(&self, _app: &Arc<App>, _filter: &HistoryFilter) -> Result<u64, QueryError> {
        todo!()
    }

    /// Tells every client to come back later, spread over `spread_ms`, and takes no new connections.
    pub fn drain(&self, _spread_ms: u64) {
        todo!()
    }
}
