//! Rooms, groups and members as replies show them.

use serde_json::{Map, Value, json};
use stentor_core::directory::members::{Member, Role};
use stentor_core::directory::rooms::{Room, RoomDetail};
use stentor_core::id::UserId;

use super::asked::Family;
use crate::app::ChatApp;

/// A member: `owner`, `member`, and where admins are told apart, `admin`.
pub(crate) fn member_view(user: &UserId, member: &Member, admins: bool) -> Map<String, Value> {
    let role = match member.role {
        Role::Owner => "owner",
        Role::Admin if admins => "admin",
        Role::Admin | Role::Member => "member",
    };
    Map::from_iter([(role.to_owned(), json!(user.as_str()))])
}

/// Everything about a room or group.
pub(crate) fn detail_view(family: Family, detail: &RoomDetail, affiliations: &[Value]) -> Value {
    let room = &detail.room;
    let mut view = json!({
        "id": room.id,
        "name": room.name,
        "description": room.description,
        "membersonly": room.members_only,
        "allowinvites": room.allow_invites,
        "maxusers": room.max_users,
        "owner": room.owner,
        "created": room.created_ms,
        "custom": room.custom,
        "mute": room.muted_all,
        "affiliations_count": detail.members,
        "affiliations": affiliations,
        "public": room.public,
    });
    if family == Family::Group {
        view["avatar"] = json!(room.avatar);
        view["disabled"] = json!(room.disabled);
        view["invite_need_confirm"] = json!(room.invite_need_confirm);
    }
    view
}

/// The owner as lists of groups have it: `org#app_user`.
pub(crate) fn full_owner(chat: &ChatApp, room: &Room) -> String {
    format!("{}_{}", chat.key(), room.owner)
}
