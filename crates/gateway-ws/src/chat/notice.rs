//! What Chat clients are told (`docs/gateway-chat.md` section 4).

use std::collections::BTreeMap;
use std::io::Write as _;

use bytes::Bytes;
use serde::Serialize;
use stentor_chat_content::ContentView;
use stentor_core::directory::status::PublishedStatus;
use stentor_core::message::{Message, MessageKind, Priority, Target};
use stentor_core::notice::Notice;

use super::event;
use crate::codec::{DecimalId, text};
use crate::frame;

/// The complete text frame of a notice; empty for what Chat clients are not told.
pub(crate) fn notice(notice: &Notice) -> Bytes {
    match notice {
        Notice::PeerMessage { message, from_inbox } => message_frame(message, *from_inbox),
        Notice::RoomMessage { message, .. } => message_frame(message, false),
        Notice::RoomEvent { room, group, event, by } => event::frame(room, *group, event, by.as_ref()),
        Notice::MemberCount { room, count } => {
            text(0, &NoticeFrame::MemberCount { room: room.as_str(), count: *count })
        }
        Notice::RoomMessagesMissed { room, count } => {
            text(0, &NoticeFrame::RoomMessagesMissed { room: room.as_str(), count: *count })
        }
        Notice::Status(status) => text(status.ext.len(), &status_frame(status)),
        Notice::CredentialExpiring { expires_at_ms } => {
            text(0, &NoticeFrame::TokenWillExpire { expires_at: *expires_at_ms })
        }
        // Of rooms that nobody registered, and of what nobody asks for here.
        Notice::MemberJoined { .. }
        | Notice::MemberLeft { .. }
        | Notice::Presence { .. }
        | Notice::RoomAttributes { .. } => Bytes::new(),
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum NoticeFrame<'a> {
    RoomMessagesMissed { room: &'a str, count: u64 },
    MemberCount { room: &'a str, count: usize },
    Status { user: &'a str, devices: BTreeMap<&'a str, i32>, ext: &'a str, ts: u64 },
    TokenWillExpire { expires_at: u64 },
}

fn status_frame(status: &PublishedStatus) -> NoticeFrame<'_> {
    let devices = status.devices.iter().map(|(device, status)| (device.as_str(), *status)).collect();
    NoticeFrame::Status { user: status.user.as_str(), devices, ext: &status.ext, ts: status.changed_ms }
}

/// What every message begins with.
#[derive(Serialize)]
struct Head<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    chat_type: &'static str,
    id: DecimalId,
    from: &'a str,
    to: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_type: Option<&'static str>,
}

fn message_frame(message: &Message, from_inbox: bool) -> Bytes {
    let kind = match message.marks.kind {
        MessageKind::Content => return content_frame(message, from_inbox),
        MessageKind::Recall => "recall",
        MessageKind::Edit => "edit",
        MessageKind::Read => "read",
        MessageKind::Notice => "notice",
    };
    // What was taken back, read and so on is a JSON object that the server wrote.
    let fields = std::str::from_utf8(&message.payload).ok();
    let fields = fields.and_then(|json| json.strip_prefix('{')?.strip_suffix('}'));
    let Some(fields) = fields else { return unreadable(message) };
    frame::text(256 + fields.len(), |out| {
        begin(out, &head(kind, message, None));
        let comma = if fields.is_empty() { "" } else { "," };
        let _ = write!(
            out,
            "{comma}{fields},\"level\":\"{}\",\"ts\":{},\"from_inbox\":{from_inbox}}}",
            level(message),
            message.sent_at_ms
        );
    })
}

/// Body and extension stand in the payload as they are to be delivered: they are copied, not written anew.
fn content_frame(message: &Message, from_inbox: bool) -> Bytes {
    let Ok(content) = ContentView::decode(&message.payload) else { return unreadable(message) };
    let (body, ext) = (content.body(), content.ext().unwrap_or("{}"));
    let marks = message.marks;
    let level = level(message);
    frame::text(320 + body.len() + ext.len(), |out| {
        begin(out, &head("chat_message", message, Some(content.kind().as_str())));
        let _ = write!(
            out,
            ",\"body\":{body},\"ext\":{ext},\"level\":\"{level}\",\"targeted\":{},\"broadcast\":{},\"ts\":{},\"from_inbox\":{from_inbox}}}",
            marks.targeted, marks.broadcast, message.sent_at_ms,
        );
        if marks.receipt {
            out.pop();
            out.extend_from_slice(b",\"need_group_ack\":true}");
        }
    })
}

fn level(message: &Message) -> &'static str {
    match message.marks.priority {
        Priority::High => "high",
        Priority::Normal => "normal",
        Priority::Low => "low",
    }
}

fn head<'a>(kind: &'static str, message: &'a Message, body_type: Option<&'static str>) -> Head<'a> {
    let chat_type = match message.to {
        Target::User(_) => "chat",
        Target::Group(_) => "groupchat",
        Target::Room(_) => "chatroom",
    };
    Head { kind, chat_type, id: DecimalId(message.id), from: message.from.as_str(), to: message.to.name(), body_type }
}

/// An object without its end.
fn begin(out: &mut Vec<u8>, head: &Head<'_>) {
    let written = serde_json::to_writer(&mut *out, head);
    debug_assert!(written.is_ok(), "strings always serialise, and a Vec takes them");
    out.pop();
}

/// A payload that no version of the server wrote: the client is better off without it.
fn unreadable(message: &Message) -> Bytes {
    tracing::error!(message = %message.id, "a message with a damaged payload is not delivered");
    Bytes::new()
}
