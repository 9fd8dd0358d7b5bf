//! The message: what a sender gave us, stamped with an ID and a time.

use bytes::Bytes;

use crate::id::{MessageId, RoomId, UserId};

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// To one user: a peer message.
    User(UserId),
    /// To the members of a room.
    Room(RoomId),
}

impl Target {
    /// The user's or the room's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::User(user) => user.as_str(),
            Self::Room(room) => room.as_str(),
        }
    }
}

/// A message that was taken: immutable and shared from here on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number, ordered by time.
    pub id: MessageId,
    /// The sender, as authenticated.
    pub from: UserId,
    /// The receiver.
    pub to: Target,
    /// What was sent: opaque to the core, valid UTF-8 for dialects that promise text.
    pub payload: Bytes,
    /// When the server took it: Unix time in milliseconds.
    pub sent_at_ms: u64,
}
