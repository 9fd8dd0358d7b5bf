//! What a session is told. A gateway's codec turns it into frames, once per codec and not once per receiver.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::attributes::RoomAttribute;
use crate::directory::status::PublishedStatus;
use crate::id::{RoomId, UserId};
use crate::message::{Message, Priority};
use crate::presence::Presence;
use crate::room_event::RoomEvent;

/// One thing that a session is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A message to this user, to a group of his, or a copy of what he sent from elsewhere. The client acks it.
    PeerMessage {
        /// The message.
        message: Arc<Message>,
        /// It was kept for the user and comes from the inbox.
        from_inbox: bool,
    },
    /// A message to a room that this session is in. Not acked.
    RoomMessage {
        /// The room.
        room: RoomId,
        /// The message.
        message: Arc<Message>,
    },
    /// Somebody came into a room that this session is in.
    MemberJoined {
        /// The room.
        room: RoomId,
        /// Who.
        user: UserId,
    },
    /// Somebody left a room that this session is in.
    MemberLeft {
        /// The room.
        room: RoomId,
        /// Who.
        user: UserId,
    },
    /// The number of members of a room that this session is in.
    MemberCount {
        /// The room.
        room: RoomId,
        /// Members now.
        count: usize,
    },
    /// Users that this session watches changed state.
    Presence {
        /// The new states.
        states: Vec<(UserId, Presence)>,
    },
    /// A user whose status this session's user is told of published another one, came, or went.
    Status(Arc<PublishedStatus>),
    /// The attributes of a room that this session is in were changed, and its members are to be told.
    RoomAttributes {
        /// The room.
        room: RoomId,
        /// All of them, as they are now.
        attributes: Vec<RoomAttribute>,
    },
    /// A registered room or group that the session's user is in, or was in until now, changed.
    RoomEvent {
        /// The room or group.
        room: RoomId,
        /// Whether it is a group.
        group: bool,
        /// What happened.
        event: RoomEvent,
        /// The user whose doing it was; `None` for the app's backend, for what happens by itself, and where `event` says it.
        by: Option<UserId>,
    },
    /// More room messages were sent while the client was away than are replayed.
    RoomMessagesMissed {
        /// The room.
        room: RoomId,
        /// How many were not replayed.
        count: u64,
    },
    /// The credential that the session was opened with expires soon.
    CredentialExpiring {
        /// When: Unix time in milliseconds.
        expires_at_ms: u64,
    },
}

/// How many codecs there may be.
pub const CODEC_COUNT: usize = 8;

/// A codec's slot in an [`Envelope`]. Each gateway takes one: JSON over WebSocket 0, the others are free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodecSlot(usize);

impl CodecSlot {
    /// A slot below [`CODEC_COUNT`].
    #[must_use]
    pub const fn new(slot: usize) -> Option<Self> {
        if slot < CODEC_COUNT { Some(Self(slot)) } else { None }
    }
}

/// A notice on its way to one session or many, with the frames it was encoded to.
#[derive(Debug)]
pub struct Envelope {
    /// What is told.
    pub notice: Notice,
    encoded: [OnceLock<Bytes>; CODEC_COUNT],
}

impl Envelope {
    /// An envelope that nobody has encoded yet.
    #[must_use]
    pub fn new(notice: Notice) -> Arc<Self> {
        Arc::new(Self { notice, encoded: Default::default() })
    }

    /// The frame of a codec: encoded by the first who asks, shared by all others.
    pub fn encoded(&self, codec: CodecSlot, encode: impl FnOnce(&Notice) -> Bytes) -> Bytes {
        self.encoded[codec.0].get_or_init(|| encode(&self.notice)).clone()
    }

    /// The room and the level of a room message; `None` for everything else.
    pub(crate) fn room_level(&self) -> Option<(&RoomId, Priority)> {
        match &self.notice {
            Notice::RoomMessage { room, message } => Some((room, message.marks.priority)),
            _ => None,
        }
    }

    /// What this counts against a mailbox's bound, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        const OVERHEAD: usize = 256;
        match &self.notice {
            Notice::PeerMessage { message, .. } | Notice::RoomMessage { message, .. } => {
                OVERHEAD + message.payload.len()
            }
            Notice::RoomEvent { event, .. } => OVERHEAD + event.size_bytes(),
            _ => OVERHEAD,
        }
    }
}
