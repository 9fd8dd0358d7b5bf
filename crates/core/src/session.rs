//! A session: one connected client of a user, and the bounded mailbox it reads from.

use std::sync::Arc;

use crate::id::{DeviceId, MessageId, RoomId, SessionId, UserId};
use crate::notice::Envelope;

/// Why a connection is closed, or a session ended, by the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// The user logged in elsewhere and the policy allows no more sessions. The session has ended.
    Replaced,
    /// The client resumed the session on another connection; this one is stale. The session lives on.
    Superseded,
    /// The client does not read fast enough: its mailbox is full. The session may be resumed while its
    /// mailbox still holds every peer message, and has ended otherwise.
    SlowConsumer,
    /// The credential expired. The session has ended.
    CredentialExpired,
    /// Nothing was heard of the client for the whole grace. The session has ended.
    Silent,
    /// The server goes down: come back after so many milliseconds. The session may be resumed.
    Draining {
        /// Spread over the clients, so that they do not come back all at once.
        reconnect_after_ms: u64,
    },
}

/// The way from a session's mailbox to its socket. Implemented by gateways; called with locks held, so an
/// implementation only takes note and returns.
pub trait Outlet: Send + Sync + std::fmt::Debug {
    /// The mailbox was empty and has something now: take it with [`Session::take`].
    fn ready(self: Arc<Self>);

    /// Close the connection. What [`Session::take`] still holds need not be written.
    fn close(self: Arc<Self>, why: Closing);
}

/// What a client asks for when it connects; its credential was checked before.
#[derive(Debug, Clone)]
pub struct Login {
    /// The user.
    pub user: UserId,
    /// The device.
    pub device: DeviceId,
    /// When the session ends unless the credential is renewed: Unix time in milliseconds.
    pub expires_at_ms: Option<u64>,
    /// Continue an earlier session instead of opening a new one, if it is still there.
    pub resume: Option<Resume>,
}

/// Where a client that comes back left off.
#[derive(Debug, Clone)]
pub struct Resume {
    /// The session.
    pub session: SessionId,
    /// The newest message it has of each room. A room that is missing is replayed from its start.
    pub rooms: Vec<(RoomId, MessageId)>,
}

/// A session that is connected.
#[derive(Debug, Clone)]
pub struct Connected {
    /// The session.
    pub session: Arc<Session>,
    /// Which of the session's connections this is: [`crate::node::Node::detach`] wants it back.
    pub attachment: u64,
    /// It is the session that was asked to be resumed, with its rooms.
    pub resumed: bool,
    /// The rooms it is in.
    pub rooms: Vec<RoomId>,
}

/// Why a client could not connect.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Too many logins of this user.
    #[error(transparent)]
    Limited(#[from] crate::limits::Limited),
    /// The node goes down.
    #[error("the node is draining")]
    Draining,
}

/// One connected client of a user.
#[derive(Debug)]
pub struct Session {
    id: SessionId,
    user: UserId,
    device: DeviceId,
}

impl Session {
    /// Its number.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Whose it is.
    #[must_use]
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// On which device.
    #[must_use]
    pub fn device(&self) -> &DeviceId {
        &self.device
    }

    /// Moves up to `max_notices` and about `max_bytes` of what waits into `into`, in order. The outlet is told
    /// again when the mailbox, found empty here, fills.
    pub fn take(&self, _max_notices: usize, _max_bytes: usize, _into: &mut Vec<Arc<Envelope>>) {
        todo!()
    }
}
