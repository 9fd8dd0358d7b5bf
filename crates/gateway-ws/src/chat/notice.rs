//! What Chat clients are told (`docs/gateway-chat.md` section 4).

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use stentor_core::directory::status::PublishedStatus;
use stentor_core::notice::Notice;

use crate::codec::text;

/// The complete text frame of a notice; empty for what Chat clients are not told.
pub(crate) fn notice(notice: &Notice) -> Bytes {
    match notice {
        Notice::PeerMessage { .. } | Notice::RoomMessage { .. } => Bytes::new(),
        Notice::MemberJoined { room, user } => {
            text(0, &NoticeFrame::MemberJoined { room: room.as_str(), user: user.as_str() })
        }
        Notice::MemberLeft { room, user } => {
            text(0, &NoticeFrame::MemberLeft { room: room.as_str(), user: user.as_str() })
        }
        Notice::MemberCount { room, count } => {
            text(0, &NoticeFrame::MemberCount { room: room.as_str(), count: *count })
        }
        Notice::RoomMessagesMissed { room, count } => {
            text(0, &NoticeFrame::RoomMessagesMissed { room: room.as_str(), count: *count })
        }
        Notice::CredentialExpiring { expires_at_ms } => {
            text(0, &NoticeFrame::TokenWillExpire { expires_at: *expires_at_ms })
        }
        Notice::Status(status) => text(status.ext.len(), &status_frame(status)),
        // Rendered with the events of the directory.
        Notice::RoomEvent { .. } => Bytes::new(),
        // Of RTM: nobody asks for them here.
        Notice::Presence { .. } | Notice::RoomAttributes { .. } => Bytes::new(),
    }
}

fn status_frame(status: &PublishedStatus) -> NoticeFrame<'_> {
    let devices = status.devices.iter().map(|(device, status)| (device.as_str(), *status)).collect();
    NoticeFrame::Status { user: status.user.as_str(), devices, ext: &status.ext, ts: status.changed_ms }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum NoticeFrame<'a> {
    RoomMessagesMissed { room: &'a str, count: u64 },
    MemberJoined { room: &'a str, user: &'a str },
    MemberLeft { room: &'a str, user: &'a str },
    MemberCount { room: &'a str, count: usize },
    Status { user: &'a str, devices: BTreeMap<&'a str, i32>, ext: &'a str, ts: u64 },
    TokenWillExpire { expires_at: u64 },
}
