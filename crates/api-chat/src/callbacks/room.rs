//! What is told of rooms and groups: `group_op_event` (Easemob documents `callback_group_room_*`, 2024). The older `muc`
//! events are no longer maintained there, and are not told.

use serde::Serialize;
use serde_json::{Map, Value, json};
use stentor_core::directory::rooms::{Room, RoomKind};
use stentor_core::id::UserId;
use stentor_core::observer::{RoomNews, RoomObserved};
use stentor_core::room_event::RoomEvent;
use stentor_core::store::Change;

use super::filter::{CallbackEvent, Filter};
use super::{Inner, Told};

/// Who did what the backend did (documented).
const APP_ADMIN: &str = "@ppAdmin";

/// Members in one callback about a room that is gone; a larger one is told in several.
const MEMBERS: usize = 500;

/// An expiry that never comes, as the documents print it.
const NEVER_MS: u64 = 4_638_873_600_000;

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "callId")]
    call_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a Value>,
    appkey: &'a str,
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    event: &'static str,
    operation: &'static str,
    operator: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    member_count: Option<u64>,
    timestamp: u64,
}

/// One thing to tell.
struct Operation {
    operation: &'static str,
    payload: Option<Value>,
    member_count: Option<u64>,
}

impl Operation {
    fn new(operation: &'static str, payload: Value) -> Self {
        Self { operation, payload: Some(payload), member_count: None }
    }
}

impl Inner {
    pub(super) fn of_room(&self, observed: &RoomObserved<'_>) -> Vec<Change> {
        let RoomObserved { room, news, by, at_ms } = observed;
        let event = match room.kind {
            RoomKind::Room => CallbackEvent::Room,
            RoomKind::Group => CallbackEvent::Group,
        };
        let operator = operator(news, *by);
        let wanted = |filter: &Filter| {
            filter.wants(event) && filter.allows_from(operator) && filter.allows_group(Some(&room.id))
        };
        if !self.filters.iter().any(wanted) {
            return Vec::new();
        }
        let told = |operation: &Operation| self.operation(room, operation, operator, *at_ms);
        self.operations(room, news).iter().flat_map(|operation| self.queue(wanted, || told(operation))).collect()
    }

    fn operation(&self, room: &Room, operation: &Operation, operator: &str, at_ms: u64) -> Option<Told> {
        let call_id = self.fresh_id();
        let body = Body {
            call_id: &call_id,
            payload: operation.payload.as_ref(),
            appkey: &self.app_key,
            id: &room.id,
            kind: match room.kind {
                RoomKind::Room => "CHATROOM",
                RoomKind::Group => "GROUP",
            },
            event: "group_op_event",
            operation: operation.operation,
            operator,
            member_count: operation.member_count,
            timestamp: at_ms,
        };
        Self::tell(&call_id, at_ms, &body)
    }

    fn operations(&self, room: &Room, news: &RoomNews<'_>) -> Vec<Operation> {
        match news {
            RoomNews::Created { members } => vec![self.created(room, members)],
            RoomNews::Changed(event) => self.changed(room, event),
            RoomNews::Deleted { members } => {
                let leave = |users: &[UserId]| leave(users, "DELETE");
                let deleted = Operation { operation: "DELETE", payload: None, member_count: None };
                members.chunks(MEMBERS).map(leave).chain([deleted]).collect()
            }
        }
    }

    fn created(&self, room: &Room, members: &[UserId]) -> Operation {
        let others: Vec<_> = members.iter().map(UserId::as_str).filter(|user| *user != room.owner).collect();
        let role: Map<_, _> = [(room.owner.clone(), Value::from("owner"))].into_iter().collect();
        Operation::new("CREATE", json!({ "role": role, "member": others, "info": self.info(room) }))
    }

    fn changed(&self, room: &Room, event: &RoomEvent) -> Vec<Operation> {
        let update = |payload| vec![Operation::new("UPDATE", payload)];
        match event {
            RoomEvent::Joined { users, count, ext: _ } => {
                // The owner is in it from the beginning.
                let others: Vec<_> = users.iter().map(UserId::as_str).filter(|user| *user != room.owner).collect();
                let payload = json!({ "member": others, "type": "DIRECT" });
                let joined = Operation { member_count: Some(*count), ..Operation::new("JOIN", payload) };
                if others.is_empty() { Vec::new() } else { vec![joined] }
            }
            RoomEvent::Left { users, .. } => vec![leave(users, "QUIT")],
            RoomEvent::Removed { users, blocked: false, .. } => vec![leave(users, "KICK")],
            RoomEvent::Removed { users, blocked: true, .. } => {
                let payload = json!({ "member": names(users), "expire_timestamp": NEVER_MS, "type": "ADD" });
                vec![Operation::new("BLOCK", payload), leave(users, "BLOCK")]
            }
            RoomEvent::Unblocked { users } => vec![listed("BLOCK", users, false)],
            RoomEvent::Muted { users, until_ms } => {
                let until_ms = (*until_ms).min(NEVER_MS);
                let payload = json!({ "member": names(users), "expire_timestamp": until_ms, "type": "ADD" });
                vec![Operation::new("MUTE", payload)]
            }
            RoomEvent::Unmuted { users } => vec![listed("MUTE", users, false)],
            RoomEvent::AllMuted { muted } => update(json!({ "mute": muted, "type": "MUTE" })),
            RoomEvent::Allowed { users, allowed } => vec![listed("WHITE", users, *allowed)],
            RoomEvent::Admin { user, admin } => {
                let payload = json!({ "admin": [user.as_str()], "type": added(*admin) });
                vec![Operation::new("ADMIN", payload)]
            }
            RoomEvent::OwnerChanged { from, to } => {
                update(json!({ "owner": from.as_str(), "new_owner": to.as_str(), "type": "OWNER" }))
            }
            RoomEvent::Announcement { text } if text.is_empty() => update(json!({ "type": "ANNOUNCEMENT" })),
            RoomEvent::Announcement { text } => update(json!({ "type": "ANNOUNCEMENT", "announcement": text })),
            RoomEvent::Info => update(json!({ "type": "INFO", "info": self.info(room) })),
            RoomEvent::Disabled { disabled } => update(json!({ "disable": disabled, "type": "DISABLE" })),
            RoomEvent::File { id, shared, .. } => {
                vec![Operation::new("SHARE_FILE", json!({ "share_file": [id], "type": added(*shared) }))]
            }
            // No document has attributes among these; a room that is gone is told otherwise.
            RoomEvent::Attributes { .. } | RoomEvent::Deleted => Vec::new(),
        }
    }

    /// What a room is, in the documents' types: nearly everything is text.
    fn info(&self, room: &Room) -> Value {
        json!({
            "owner": format!("{}_{}", self.app_key, room.owner),
            "created": room.created_ms.to_string(),
            "custom": room.custom,
            "description": room.description,
            "mute": room.muted_all.to_string(),
            "mute_duration": if room.muted_all { -1 } else { 0 },
            "avatar": room.avatar,
            "title": room.name,
            "max_users": room.max_users.to_string(),
            "invite_need_confirm": room.invite_need_confirm.to_string(),
            "public": room.public.to_string(),
            "allow_user_invites": room.allow_invites.to_string(),
            "disabled": room.disabled.to_string(),
            "last_modified": room.modified_ms.to_string(),
        })
    }
}

/// Who did it: the client, who leaves by itself or by staying away, or the backend.
fn operator<'a>(news: &RoomNews<'a>, by: Option<&'a UserId>) -> &'a str {
    let left = match news {
        RoomNews::Changed(RoomEvent::Left { users, .. }) => users.first(),
        _ => None,
    };
    by.or(left).map_or(APP_ADMIN, UserId::as_str)
}

fn names(users: &[UserId]) -> Vec<&str> {
    users.iter().map(UserId::as_str).collect()
}

fn added(added: bool) -> &'static str {
    if added { "ADD" } else { "REMOVE" }
}

fn listed(operation: &'static str, users: &[UserId], on: bool) -> Operation {
    Operation::new(operation, json!({ "member": names(users), "type": added(on) }))
}

fn leave(users: &[UserId], how: &'static str) -> Operation {
    Operation::new("LEAVE", json!({ "member": names(users), "type": how }))
}
