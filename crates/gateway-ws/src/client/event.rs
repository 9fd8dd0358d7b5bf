//! What an RTM client is told.

use serde::Deserialize;
use stentor_core::id::MessageId;

use super::actor::{Event, Told};
use super::memory::Memory;
use super::replies::message_id;

/// The answer to a good login.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Welcome {
    /// The session's number.
    pub session: String,
    /// It is the session that was asked to be resumed.
    pub resumed: bool,
    /// The channels it is in.
    pub channels: Vec<String>,
    /// Unix time in milliseconds.
    pub server_time: u64,
    /// After so long without sending anything, the client pings.
    pub ping_interval_ms: u64,
    /// How long a silent session stays.
    pub grace_ms: u64,
    /// How long a sender waits for an ack.
    pub ack_timeout_ms: u64,
    /// The largest message that the client may send.
    pub max_frame_bytes: usize,
}

/// A message to this user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PeerMessage {
    /// The sender.
    pub from: String,
    /// What was sent.
    pub payload: String,
    /// When the server took it: Unix time in milliseconds.
    pub ts: u64,
    /// Its number.
    #[serde(deserialize_with = "message_id")]
    pub message_id: MessageId,
    /// It was kept while the user was away.
    pub from_inbox: bool,
}

/// A message to a channel that the client is in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ChannelMessage {
    /// The channel.
    pub channel: String,
    /// The sender.
    pub from: String,
    /// What was sent.
    pub payload: String,
    /// When the server took it: Unix time in milliseconds.
    pub ts: u64,
    /// Its number.
    #[serde(deserialize_with = "message_id")]
    pub message_id: MessageId,
}

/// A user's state.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct UserState {
    /// Who.
    pub user: String,
    /// `online`, `unreachable` or `offline`.
    pub state: String,
}

/// An attribute of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Attribute {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// Who wrote it last.
    pub updated_by: String,
    /// When: Unix time in milliseconds.
    pub updated_at: u64,
}

/// What a client is told.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientEvent {
    /// A message to this user.
    PeerMessage(PeerMessage),
    /// A message to a channel.
    ChannelMessage(ChannelMessage),
    /// More was sent to a channel while the client was away than is replayed.
    ChannelMessagesMissed {
        /// The channel.
        channel: String,
        /// How many were not replayed.
        count: u64,
    },
    /// Somebody joined a channel.
    MemberJoined {
        /// The channel.
        channel: String,
        /// Who.
        user: String,
    },
    /// Somebody left a channel.
    MemberLeft {
        /// The channel.
        channel: String,
        /// Who.
        user: String,
    },
    /// How many members a channel has.
    MemberCount {
        /// The channel.
        channel: String,
        /// How many.
        count: usize,
    },
    /// Watched users changed state.
    Presence {
        /// The new states.
        states: Vec<UserState>,
    },
    /// A channel's attributes were changed.
    ChannelAttributes {
        /// The channel.
        channel: String,
        /// All of them.
        attributes: Vec<Attribute>,
    },
    /// The token expires soon.
    TokenWillExpire {
        /// When: Unix time in milliseconds.
        expires_at: u64,
    },
    /// The server goes down.
    Reconnect {
        /// Come back after so many milliseconds.
        after_ms: u64,
    },
    /// The connection ended.
    #[serde(skip)]
    Closed {
        /// The close code, unless the connection was lost.
        code: Option<u16>,
    },
    /// A [`super::ResilientClient`] is back.
    #[serde(skip)]
    Reconnected {
        /// It is the session of before.
        resumed: bool,
    },
}

impl Event for ClientEvent {
    fn read(kind: &str, text: &str, memory: &mut Memory, again: bool) -> Told<Self> {
        match kind {
            "peer_message" => {
                let Ok(message) = serde_json::from_str::<PeerMessage>(text) else { return Told::NOTHING };
                let id = message.message_id;
                let new = memory.is_new(id) || again;
                Told { ack: Some(id), event: new.then_some(Self::PeerMessage(message)) }
            }
            "channel_message" => {
                let Ok(message) = serde_json::from_str::<ChannelMessage>(text) else { return Told::NOTHING };
                memory.room_message(&message.channel, message.message_id);
                Told::event(Self::ChannelMessage(message))
            }
            _ => serde_json::from_str(text).map_or(Told::NOTHING, Told::event),
        }
    }

    fn closed(code: Option<u16>) -> Self {
        Self::Closed { code }
    }
}
