//! What Chat clients are told of rooms and groups that they are in (`docs/gateway-chat.md` section 4).

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use stentor_core::id::{RoomId, UserId};
use stentor_core::room_event::RoomEvent;

use crate::codec::text;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum EventFrame<'a> {
    RoomEvent {
        room: &'a str,
        #[serde(flatten)]
        event: Event<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<&'a str>,
    },
    GroupEvent {
        group: &'a str,
        #[serde(flatten)]
        event: Event<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<&'a str>,
    },
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event<'a> {
    Joined {
        users: Vec<&'a str>,
        count: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        ext: Option<&'a str>,
    },
    Left {
        users: Vec<&'a str>,
        count: u64,
    },
    Removed {
        users: Vec<&'a str>,
        blocked: bool,
        count: u64,
    },
    Unblocked {
        users: Vec<&'a str>,
    },
    Muted {
        users: Vec<&'a str>,
        until: Option<u64>,
    },
    Unmuted {
        users: Vec<&'a str>,
    },
    AllMuted {
        muted: bool,
    },
    Allowed {
        users: Vec<&'a str>,
        allowed: bool,
    },
    Admin {
        user: &'a str,
        admin: bool,
    },
    OwnerChanged {
        from: &'a str,
        to: &'a str,
    },
    Announcement {
        text: &'a str,
    },
    Attributes {
        set: BTreeMap<&'a str, &'a str>,
        removed: &'a [String],
        by: &'a str,
    },
    Info,
    Disabled {
        disabled: bool,
    },
    File {
        id: &'a str,
        name: &'a str,
        shared: bool,
    },
    Deleted,
}

fn names(users: &[UserId]) -> Vec<&str> {
    users.iter().map(UserId::as_str).collect()
}

impl<'a> From<&'a RoomEvent> for Event<'a> {
    fn from(event: &'a RoomEvent) -> Self {
        match event {
            RoomEvent::Joined { users, count, ext } => {
                Self::Joined { users: names(users), count: *count, ext: ext.as_deref() }
            }
            RoomEvent::Left { users, count } => Self::Left { users: names(users), count: *count },
            RoomEvent::Removed { users, blocked, count } => {
                Self::Removed { users: names(users), blocked: *blocked, count: *count }
            }
            RoomEvent::Unblocked { users } => Self::Unblocked { users: names(users) },
            RoomEvent::Muted { users, until_ms } => {
                Self::Muted { users: names(users), until: (*until_ms != u64::MAX).then_some(*until_ms) }
            }
            RoomEvent::Unmuted { users } => Self::Unmuted { users: names(users) },
            RoomEvent::AllMuted { muted } => Self::AllMuted { muted: *muted },
            RoomEvent::Allowed { users, allowed } => Self::Allowed { users: names(users), allowed: *allowed },
            RoomEvent::Admin { user, admin } => Self::Admin { user: user.as_str(), admin: *admin },
            RoomEvent::OwnerChanged { from, to } => Self::OwnerChanged { from: from.as_str(), to: to.as_str() },
            RoomEvent::Announcement { text } => Self::Announcement { text },
            RoomEvent::Attributes { set, removed, by } => Self::Attributes {
                set: set.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect(),
                removed,
                by: by.as_str(),
            },
            RoomEvent::Info => Self::Info,
            RoomEvent::Disabled { disabled } => Self::Disabled { disabled: *disabled },
            RoomEvent::File { id, name, shared, by: _ } => Self::File { id, name, shared: *shared },
            RoomEvent::Deleted => Self::Deleted,
        }
    }
}

/// The complete text frame of an event.
pub(super) fn frame(room: &RoomId, group: bool, event: &RoomEvent, by: Option<&UserId>) -> Bytes {
    let by = match event {
        // Attributes say it themselves.
        RoomEvent::Attributes { .. } => None,
        RoomEvent::File { by, .. } => by.as_ref(),
        _ => by,
    };
    let (id, event, by) = (room.as_str(), Event::from(event), by.map(UserId::as_str));
    let frame = if group {
        EventFrame::GroupEvent { group: id, event, by }
    } else {
        EventFrame::RoomEvent { room: id, event, by }
    };
    text(256, &frame)
}
