//! The ways to send: [`peer`] to one user, [`users`] to many, [`group`] to the members of a group, there or not,
//! [`room`] to the members of a room who are there, [`broadcast`] to every active room. [`recall`] takes back
//! what was sent, [`edit`] changes it, [`import`] says that it was sent long ago. Their commands and outcomes.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::app::App;
use crate::id::{DeviceId, MessageId, RoomId, UserId};
use crate::limits::{Limited, Rule};
use crate::message::Marks;
use crate::node::Node;
pub use crate::observer::Accepted;
use crate::session::Session;
use crate::store::{Change, StoreError};

pub mod broadcast;
pub mod edit;
pub mod group;
pub mod import;
mod named;
pub mod peer;
pub mod permission;
mod post;
pub mod recall;
mod receipt;
pub mod room;
pub mod sent_items;
pub mod users;

pub use crate::rooms::{LevelDelivery, Lost, RoomDelivery};
pub use broadcast::{BroadcastError, SendBroadcast};
pub use edit::{Edit, EditError, Edited};
pub use import::{Import, ImportError};
pub use permission::Forbidden;
pub use recall::{Recall, RecallError, Recalled};

/// Who asks to send: decides which rates apply.
#[derive(Debug, Clone, Copy)]
pub enum Origin<'a> {
    /// The app's backend, over REST.
    Backend,
    /// A connected client; it sends as its own user, whatever the command says.
    Client(&'a Session),
}

impl Origin<'_> {
    /// The sender: a client's own user, or whom the backend names.
    fn sender(self, named: UserId) -> UserId {
        match self {
            Self::Backend => named,
            Self::Client(session) => session.user().clone(),
        }
    }

    fn is_client(self) -> bool {
        matches!(self, Self::Client(_))
    }

    /// The device that has the message, because it sent it.
    fn device(self) -> Option<(UserId, DeviceId)> {
        match self {
            Self::Backend => None,
            Self::Client(session) => Some((session.user().clone(), session.device().clone())),
        }
    }
}

/// Records that are written in the same step as the message is kept, so that neither is there without the other.
/// Asked once for each message, at the moment at which it is taken: must return at once. No [`Change::Expect`].
#[derive(Clone)]
pub struct Also(Arc<AlsoFn>);

type AlsoFn = dyn Fn(&Accepted<'_>) -> Vec<Change> + Send + Sync;

impl Also {
    /// Records made of the message.
    pub fn new(changes: impl Fn(&Accepted<'_>) -> Vec<Change> + Send + Sync + 'static) -> Self {
        Self(Arc::new(changes))
    }

    pub(crate) fn changes(&self, accepted: &Accepted<'_>) -> Vec<Change> {
        (self.0)(accepted)
    }
}

impl fmt::Debug for Also {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Also")
    }
}

/// How a message to users is treated. By default it is offered to who is there, and forgotten.
#[derive(Debug, Clone, Default)]
pub struct SendOptions {
    /// Keep it in the receivers' inboxes until acked.
    pub keep: bool,
    /// Keep it for history queries.
    pub history: bool,
    /// What it is for, and how much it matters.
    pub marks: Marks,
    /// Users who do not find it in the history.
    pub hidden_from: Vec<UserId>,
    /// The sender's other devices get it too, also when they are away if it is kept. A session that sent it does not. In
    /// a room: the sender's sessions that are in it.
    pub sync_sender: bool,
    /// Only for who is there now: nothing is kept, whatever `keep` and `history` say.
    pub online_only: bool,
    /// Records that are written in the same step.
    pub also: Option<Also>,
}

/// A message to one user.
#[derive(Debug, Clone)]
pub struct SendPeer {
    /// The sender; need not be logged in when the backend asks.
    pub from: UserId,
    /// The receiver.
    pub to: UserId,
    /// What to send: not empty, at most the app's limit.
    pub payload: Bytes,
    /// Answer only when it was acked, or will not be.
    pub wait_for_ack: bool,
    /// How it is treated.
    pub options: SendOptions,
}

/// The same to each of several users: one message each.
#[derive(Debug, Clone)]
pub struct SendUsers {
    /// The sender; need not be logged in when the backend asks.
    pub from: UserId,
    /// The receivers, at most [`users::RECEIVERS`]. Who stands here twice gets two messages.
    pub to: Vec<UserId>,
    /// What to send: not empty, at most the app's limit.
    pub payload: Bytes,
    /// How it is treated.
    pub options: SendOptions,
}

/// A message to the members of a group.
#[derive(Debug, Clone)]
pub struct SendGroup {
    /// The sender; need neither be logged in nor a member when the backend asks.
    pub from: UserId,
    /// The group; one without members takes messages too.
    pub group: RoomId,
    /// What to send: not empty, at most the app's limit.
    pub payload: Bytes,
    /// Only for these of its members; empty for all. Who is no member is left out.
    pub only_for: Vec<UserId>,
    /// How it is treated.
    pub options: SendOptions,
}

/// The same to each of several groups.
#[derive(Debug, Clone)]
pub struct SendGroups {
    /// The sender, as in [`SendGroup`].
    pub from: UserId,
    /// The groups, at most [`group::GROUPS`].
    pub groups: Vec<RoomId>,
    /// What to send: not empty, at most the app's limit.
    pub payload: Bytes,
    /// Only for these of their members; empty for all.
    pub only_for: Vec<UserId>,
    /// How it is treated.
    pub options: SendOptions,
}

/// What became of a peer message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// Taken (durably, if it is to be kept); whether it arrives was not asked.
    Sent,
    /// The client acked it.
    Delivered,
    /// Nobody is there, or nobody acked and it is kept.
    Offline {
        /// It is kept in the inbox.
        kept: bool,
    },
    /// Somebody is there but did not ack in time, and it is not kept.
    Unconfirmed,
}

/// A peer message that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentPeer {
    /// Its number.
    pub id: MessageId,
    /// When the server took it: Unix time in milliseconds.
    pub sent_at_ms: u64,
    /// What became of it.
    pub outcome: DeliveryOutcome,
}

/// A group message that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentGroup {
    /// Its number.
    pub id: MessageId,
    /// When the server took it: Unix time in milliseconds.
    pub sent_at_ms: u64,
    /// To how many users it goes, without the copy for its sender.
    pub receivers: usize,
}

/// A message to the members of a room who are there. Of the options, those about inboxes do nothing.
#[derive(Debug, Clone)]
pub struct SendRoom {
    /// The sender; need neither be logged in nor a member when the backend asks.
    pub from: UserId,
    /// The room; one without members takes messages too.
    pub room: RoomId,
    /// What to send: not empty, at most the app's limit.
    pub payload: Bytes,
    /// Only for these of its members; empty for all. Who is not there is passed over silently.
    pub only_for: Vec<UserId>,
    /// How it is treated.
    pub options: SendOptions,
}

/// The same to each of several rooms, with an ID for each.
#[derive(Debug, Clone)]
pub struct SendRooms {
    /// The sender, as in [`SendRoom`].
    pub from: UserId,
    /// The rooms, at most [`room::ROOMS`]. One that stands here twice gets it once.
    pub rooms: Vec<RoomId>,
    /// What to send: not empty, at most the app's limit.
    pub payload: Bytes,
    /// Only for these of their members; empty for all.
    pub only_for: Vec<UserId>,
    /// How it is treated.
    pub options: SendOptions,
}

/// A room message that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentRoom {
    /// Its number.
    pub id: MessageId,
    /// When the server took it: Unix time in milliseconds.
    pub sent_at_ms: u64,
}

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The payload has no bytes.
    #[error("the payload is empty")]
    PayloadEmpty,
    /// The payload has more than `max` bytes.
    #[error("the payload is larger than {max} bytes")]
    PayloadTooLarge {
        /// The app's limit in bytes.
        max: usize,
    },
    /// More receivers, groups or members than one command may have.
    #[error("more than {max} receivers")]
    TooMany {
        /// The limit.
        max: usize,
    },
    /// The app's gate did not let it pass. The text is for the client.
    #[error("{0}")]
    Denied(String),
    /// A client may only send to rooms and groups that it is in.
    #[error("not in the room")]
    NotInRoom,
    /// The directory forbids it to this client.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// A rate is used up.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// It was to be kept and could not be.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Node {
    pub(crate) fn check_payload(app: &App, payload: &Bytes) -> Result<(), SendError> {
        let max = app.policy().payload_bytes;
        match payload.len() {
            0 => Err(SendError::PayloadEmpty),
            bytes if bytes > max => Err(SendError::PayloadTooLarge { max }),
            _ => Ok(()),
        }
    }

    fn check_count(count: usize, max: usize) -> Result<(), SendError> {
        if count > max { Err(SendError::TooMany { max }) } else { Ok(()) }
    }

    /// Takes one message under the rate that applies to its origin.
    fn limit_send(&self, app: &App, origin: Origin<'_>, backend: Rule) -> Result<(), Limited> {
        self.limit_sends(app, origin, backend, 1)
    }

    /// Takes several messages under the rate that applies to their origin, or refuses them all.
    fn limit_sends(&self, app: &App, origin: Origin<'_>, backend: Rule, messages: usize) -> Result<(), Limited> {
        let now_us = self.clock().monotonic_us();
        match origin {
            Origin::Backend => app.limit_many(backend, now_us, messages),
            Origin::Client(session) => app.limit_client_many(session, Rule::ClientSends, now_us, messages),
        }
    }
}
