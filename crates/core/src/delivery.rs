//! The ways to send: [`peer`] to one user, [`room`] to the members of rooms, [`broadcast`] to every active room.
//! Their commands and outcomes.

use bytes::Bytes;

use crate::app::App;
use crate::id::{MessageId, UserId};
use crate::limits::{Limited, Rule};
use crate::node::Node;
use crate::session::Session;
use crate::store::StoreError;

pub mod broadcast;
pub mod draft;
pub mod peer;
pub mod room;

pub use broadcast::{BroadcastError, SendBroadcast};
pub use draft::{Alongside, Draft};
pub use room::{SendRoom, SendRooms, SentRoom};

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
    /// Keep it in the receiver's inbox until acked.
    pub keep: bool,
    /// Keep it for history queries.
    pub history: bool,
    /// Answer only when it was acked, or will not be.
    pub wait_for_ack: bool,
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
    /// A client may only send to rooms that it is in.
    #[error("not in the room")]
    NotInRoom,
    /// A rate is used up.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// It was to be kept and could not be.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Node {
    fn check_payload(app: &App, payload: &Bytes) -> Result<(), SendError> {
        let max = app.policy().payload_bytes;
        match payload.len() {
            0 => Err(SendError::PayloadEmpty),
            bytes if bytes > max => Err(SendError::PayloadTooLarge { max }),
            _ => Ok(()),
        }
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
