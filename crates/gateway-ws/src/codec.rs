//! The frames of `docs/gateway.md` and their JSON: [`request`] for what clients send, [`reply`] for the answers,
//! and the notices here. Pure: knows neither sockets nor the node.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Serialize, Serializer};
use stentor_core::attributes::RoomAttribute;
use stentor_core::directory::status::PublishedStatus;
use stentor_core::id::{MessageId, UserId};
use stentor_core::notice::{CodecSlot, Notice};
use stentor_core::presence::Presence;

use crate::frame;

pub mod reply;
pub mod request;

/// The slot of this codec: of every notice it keeps one complete frame, WebSocket header included, that all
/// receivers share.
pub(crate) const SLOT: CodecSlot = match CodecSlot::new(0) {
    Some(slot) => slot,
    None => panic!("slot 0 is below the number of codecs"),
};

/// The complete text frame of a notice.
#[must_use]
pub fn notice(notice: &Notice) -> Bytes {
    match notice {
        Notice::PeerMessage { message, from_inbox } => {
            let payload = String::from_utf8_lossy(&message.payload);
            let frame = NoticeFrame::PeerMessage {
                from: message.from.as_str(),
                payload: &payload,
                ts: message.sent_at_ms,
                message_id: Decimal(message.id),
                from_inbox: *from_inbox,
            };
            text(payload.len(), &frame)
        }
        Notice::RoomMessage { room, message } => {
            let payload = String::from_utf8_lossy(&message.payload);
            let frame = NoticeFrame::ChannelMessage {
                channel: room.as_str(),
                from: message.from.as_str(),
                payload: &payload,
                ts: message.sent_at_ms,
                message_id: Decimal(message.id),
            };
            text(payload.len(), &frame)
        }
        Notice::MemberJoined { room, user } => {
            text(0, &NoticeFrame::MemberJoined { channel: room.as_str(), user: user.as_str() })
        }
        Notice::MemberLeft { room, user } => {
            text(0, &NoticeFrame::MemberLeft { channel: room.as_str(), user: user.as_str() })
        }
        Notice::MemberCount { room, count } => {
            text(0, &NoticeFrame::MemberCount { channel: room.as_str(), count: *count })
        }
        Notice::Presence { states } => text(0, &NoticeFrame::Presence { states: user_states(states) }),
        Notice::Status(status) => text(0, &status_frame(status)),
        Notice::RoomAttributes { room, attributes } => {
            let attributes = attributes.iter().map(Attribute::from).collect();
            text(0, &NoticeFrame::ChannelAttributes { channel: room.as_str(), attributes })
        }
        // Apps of this protocol have no registered rooms.
        Notice::RoomEvent { .. } => Bytes::new(),
        Notice::RoomMessagesMissed { room, count } => {
            text(0, &NoticeFrame::ChannelMessagesMissed { channel: room.as_str(), count: *count })
        }
        Notice::CredentialExpiring { expires_at_ms } => {
            text(0, &NoticeFrame::TokenWillExpire { expires_at: *expires_at_ms })
        }
    }
}

fn status_frame(status: &PublishedStatus) -> NoticeFrame<'_> {
    let devices = status.devices.iter().map(|(device, status)| (device.as_str(), status.to_string())).collect();
    NoticeFrame::Status { user: status.user.as_str(), devices, ext: &status.ext, ts: status.changed_ms }
}

/// The frame that tells a client when to come back after the server went down.
#[must_use]
pub fn reconnect(after_ms: u64) -> Bytes {
    text(0, &NoticeFrame::Reconnect { after_ms })
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum NoticeFrame<'a> {
    PeerMessage { from: &'a str, payload: &'a str, ts: u64, message_id: Decimal, from_inbox: bool },
    ChannelMessage { channel: &'a str, from: &'a str, payload: &'a str, ts: u64, message_id: Decimal },
    ChannelMessagesMissed { channel: &'a str, count: u64 },
    MemberJoined { channel: &'a str, user: &'a str },
    MemberLeft { channel: &'a str, user: &'a str },
    MemberCount { channel: &'a str, count: usize },
    Presence { states: Vec<UserState<'a>> },
    Status { user: &'a str, devices: BTreeMap<&'a str, String>, ext: &'a str, ts: u64 },
    ChannelAttributes { channel: &'a str, attributes: Vec<Attribute<'a>> },
    TokenWillExpire { expires_at: u64 },
    Reconnect { after_ms: u64 },
}

/// A message ID: a decimal string, because JavaScript's numbers end at 2^53.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decimal(pub(crate) MessageId);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct UserState<'a> {
    user: &'a str,
    state: &'static str,
}

pub(crate) fn user_states(states: &[(UserId, Presence)]) -> Vec<UserState<'_>> {
    let state = |presence| match presence {
        Presence::Online => "online",
        Presence::Unreachable => "unreachable",
        Presence::Offline => "offline",
    };
    states.iter().map(|(user, presence)| UserState { user: user.as_str(), state: state(*presence) }).collect()
}

#[derive(Debug, Serialize)]
pub(crate) struct Attribute<'a> {
    key: &'a str,
    value: &'a str,
    updated_by: &'a str,
    updated_at: u64,
}

impl<'a> From<&'a RoomAttribute> for Attribute<'a> {
    fn from(attribute: &'a RoomAttribute) -> Self {
        Self {
            key: &attribute.key,
            value: &attribute.value,
            updated_by: attribute.updated_by.as_str(),
            updated_at: attribute.updated_at_ms,
        }
    }
}

/// A complete text frame of a JSON value that holds about `payload` bytes of text.
pub(crate) fn text(payload: usize, value: &impl Serialize) -> Bytes {
    // Room for the other fields, and for the escapes of an ordinary payload, so that the buffer does not grow.
    let capacity = 224 + payload + payload / 8;
    frame::text(capacity, |out| {
        let written = serde_json::to_writer(out, value);
        debug_assert!(written.is_ok(), "strings and numbers always serialise, and a Vec takes them");
    })
}

#[cfg(test)]
mod tests;
