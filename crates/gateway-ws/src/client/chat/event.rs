//! What a Chat client is told.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use stentor_core::id::MessageId;

use super::super::actor::{Event, Told};
use super::super::connect::Greeting;
use super::super::memory::Memory;
use super::super::replies::message_id;

/// The answer to a good login.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ChatWelcome {
    /// The session's number.
    pub session: String,
    /// It is the session that was asked to be resumed.
    pub resumed: bool,
    /// Who the client is.
    pub user: String,
    /// On which device.
    pub device: String,
    /// The rooms it is in.
    pub rooms: Vec<String>,
    /// Unix time in milliseconds.
    pub server_time: u64,
    /// After so long without sending anything, the client pings.
    pub ping_interval_ms: u64,
    /// How long a silent session stays.
    pub grace_ms: u64,
    /// The largest message that the client may send.
    pub max_frame_bytes: usize,
}

impl Greeting for ChatWelcome {
    fn session(&self) -> &str {
        &self.session
    }

    fn rooms(&self) -> &[String] {
        &self.rooms
    }

    fn ping_interval_ms(&self) -> u64 {
        self.ping_interval_ms
    }
}

/// Where a message was sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChatType {
    /// A user.
    Chat,
    /// A group.
    GroupChat,
    /// A room.
    ChatRoom,
}

/// JSON, letter for letter as the server sent it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(Box<RawValue>);

impl Json {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> Value {
        serde_json::from_str(self.0.get()).unwrap_or_default()
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

/// A message to the user, a group of the user's, or a room that the client is in.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ChatMessage {
    /// Where it was sent to.
    pub chat_type: ChatType,
    /// Its number.
    #[serde(deserialize_with = "message_id")]
    pub id: MessageId,
    /// The sender.
    pub from: String,
    /// The user, group or room.
    pub to: String,
    /// `txt`, `img` and so on.
    pub body_type: String,
    /// The body.
    pub body: Json,
    /// The extension.
    pub ext: Json,
    /// `high`, `normal` or `low`.
    pub level: String,
    /// Only for named members of the room or group.
    pub targeted: bool,
    /// Sent to every active room.
    pub broadcast: bool,
    /// When the server took it: Unix time in milliseconds.
    pub ts: u64,
    /// It was kept while the device was away.
    pub from_inbox: bool,
    /// Its sender asks the group who has read it.
    #[serde(default)]
    pub need_group_ack: bool,
}

/// What a Chat client is told.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatEvent {
    /// A message.
    Message(ChatMessage),
    /// How many members a room has.
    MemberCount {
        /// The room.
        room: String,
        /// How many.
        count: usize,
    },
    /// More was sent to a room while the client was away than is replayed.
    RoomMessagesMissed {
        /// The room.
        room: String,
        /// How many were not replayed.
        count: u64,
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
    /// Anything else: a recall, an edit, a read receipt, an event of a room or group, a status.
    Other(Value),
    /// The connection ended.
    Closed {
        /// The close code, unless the connection was lost.
        code: Option<u16>,
    },
}

impl ChatEvent {
    /// What is to be acked when the application has the event: whatever was sent to the user or a group of the user's.
    #[must_use]
    pub fn to_be_acked(&self) -> Option<MessageId> {
        match self {
            Self::Message(message) => (message.chat_type != ChatType::ChatRoom).then_some(message.id),
            Self::Other(other) if other["chat_type"] == "chat" || other["chat_type"] == "groupchat" => {
                other["id"].as_str()?.parse().ok().map(MessageId)
            }
            _ => None,
        }
    }
}

impl ChatEvent {
    /// The room that something with a number was sent to, and its level.
    fn of_room(&self) -> Option<(&str, &str, MessageId)> {
        match self {
            Self::Message(message) => {
                (message.chat_type == ChatType::ChatRoom).then_some((&message.to, &message.level, message.id))
            }
            Self::Other(other) if other["chat_type"] == "chatroom" => {
                let level = other["level"].as_str().unwrap_or("normal");
                Some((other["to"].as_str()?, level, MessageId(other["id"].as_str()?.parse().ok()?)))
            }
            _ => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Known {
    MemberCount { room: String, count: usize },
    RoomMessagesMissed { room: String, count: u64 },
    TokenWillExpire { expires_at: u64 },
    Reconnect { after_ms: u64 },
}

impl From<Known> for ChatEvent {
    fn from(known: Known) -> Self {
        match known {
            Known::MemberCount { room, count } => Self::MemberCount { room, count },
            Known::RoomMessagesMissed { room, count } => Self::RoomMessagesMissed { room, count },
            Known::TokenWillExpire { expires_at } => Self::TokenWillExpire { expires_at },
            Known::Reconnect { after_ms } => Self::Reconnect { after_ms },
        }
    }
}

impl Event for ChatEvent {
    fn read(kind: &str, text: &str, memory: &mut Memory, again: bool) -> Told<Self> {
        let event = if kind == "chat_message" {
            serde_json::from_str(text).map(Self::Message).ok()
        } else {
            let known = serde_json::from_str::<Known>(text).map(Self::from);
            known.or_else(|_| serde_json::from_str(text).map(Self::Other)).ok()
        };
        let Some(event) = event else { return Told::NOTHING };
        let Some(id) = event.to_be_acked() else {
            if let Some((room, level, id)) = event.of_room() {
                memory.levelled_message(room, level, id);
                // A broadcast that a crash interrupted, or what a resume sends of another level.
                if !memory.is_new(id) && !again {
                    return Told::NOTHING;
                }
            }
            return Told::event(event);
        };
        let new = memory.is_new(id) || again;
        Told { ack: Some(id), event: new.then_some(event) }
    }

    fn closed(code: Option<u16>) -> Self {
        Self::Closed { code }
    }
}
