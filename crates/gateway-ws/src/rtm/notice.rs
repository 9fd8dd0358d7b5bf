//! What RTM clients are told (`docs/gateway.md` section 4).

use bytes::Bytes;
use serde::Serialize;
use stentor_core::attributes::RoomAttribute;
use stentor_core::id::UserId;
use stentor_core::notice::Notice;
use stentor_core::presence::Presence;

use crate::codec::{DecimalId, text};

/// The complete text frame of a notice; empty for what RTM clients are not told.
pub(crate) fn notice(notice: &Notice) -> Bytes {
    match notice {
        Notice::PeerMessage { message, from_inbox } => {
            let payload = String::from_utf8_lossy(&message.payload);
            let frame = NoticeFrame::PeerMessage {
                from: message.from.as_str(),
                payload: &payload,
                ts: message.sent_at_ms,
                message_id: DecimalId(message.id),
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
                message_id: DecimalId(message.id),
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
        // Of Chat.
        Notice::Status(_) | Notice::RoomEvent { .. } => Bytes::new(),
        Notice::RoomAttributes { room, attributes } => {
            let attributes = attributes.iter().map(Attribute::from).collect();
            text(0, &NoticeFrame::ChannelAttributes { channel: room.as_str(), attributes })
        }
        Notice::RoomMessagesMissed { room, count } => {
            text(0, &NoticeFrame::ChannelMessagesMissed { channel: room.as_str(), count: *count })
        }
        Notice::CredentialExpiring { expires_at_ms } => {
            text(0, &NoticeFrame::TokenWillExpire { expires_at: *expires_at_ms })
        }
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum NoticeFrame<'a> {
    PeerMessage { from: &'a str, payload: &'a str, ts: u64, message_id: DecimalId, from_inbox: bool },
    ChannelMessage { channel: &'a str, from: &'a str, payload: &'a str, ts: u64, message_id: DecimalId },
    ChannelMessagesMissed { channel: &'a str, count: u64 },
    MemberJoined { channel: &'a str, user: &'a str },
    MemberLeft { channel: &'a str, user: &'a str },
    MemberCount { channel: &'a str, count: usize },
    Presence { states: Vec<UserState<'a>> },
    ChannelAttributes { channel: &'a str, attributes: Vec<Attribute<'a>> },
    TokenWillExpire { expires_at: u64 },
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
