//! `chatrooms/{chatroom_id}/apply` and `…/quit`, and `sdk/chatrooms/{chatroom_id}/mute/{username}`: what clients ask with
//! a user's own token, and backends by other ways.

use axum::response::Response;
use serde_json::{Value, json};
use stentor_core::directory::members::Member;
use stentor_core::directory::room_error::RoomError;
use stentor_core::id::UserId;

use super::asked::{Asked, Family, IdKeys, RoomCall};
use super::rights::Right;
use crate::error::ChatError;

/// Join a room
#[utoipa::path(
    post,
    path = "/chatrooms/{chatroom_id}/apply",
    operation_id = "joinRoom",
    tag = "rooms",
    params(("chatroom_id" = String, Path, description = "The room")),
    responses((status = 200, description = "The user whose token it is is a member", body = serde_json::Value)),
)]
pub(super) async fn apply(call: RoomCall) -> Result<Response, ChatError> {
    come_in(&Asked::of_room(call)).await
}

/// Leave a room
#[utoipa::path(
    delete,
    path = "/chatrooms/{chatroom_id}/quit",
    operation_id = "leaveRoom",
    tag = "rooms",
    params(("chatroom_id" = String, Path, description = "The room")),
    responses((status = 200, description = "The user whose token it is is no member", body = serde_json::Value)),
)]
pub(super) async fn quit(call: RoomCall) -> Result<Response, ChatError> {
    leave(&Asked::of_room(call)).await
}

/// Say whether a member of a room is muted
#[utoipa::path(
    get,
    path = "/sdk/chatrooms/{chatroom_id}/mute/{username}",
    operation_id = "isRoomMemberMuted",
    tag = "rooms",
    params(
        ("chatroom_id" = String, Path, description = "The room"),
        ("username" = String, Path, description = "The member"),
    ),
    responses((status = 200, description = "Whether it is", body = serde_json::Value)),
)]
pub(super) async fn is_muted(call: RoomCall) -> Result<Response, ChatError> {
    muted(&Asked::of_room(call)).await
}

/// Say whether a member is on the allow list of a room
#[utoipa::path(
    get,
    path = "/chatrooms/{chatroom_id}/white/users/{usernames}",
    operation_id = "isRoomMemberAllowed",
    tag = "rooms",
    params(
        ("chatroom_id" = String, Path, description = "The room"),
        ("usernames" = String, Path, description = "The member"),
    ),
    responses((status = 200, description = "Whether it is", body = serde_json::Value)),
)]
pub(super) async fn is_allowed(call: RoomCall) -> Result<Response, ChatError> {
    allowed(&Asked::of_room(call)).await
}

/// The user whose token it is: the backend has other ways.
pub(crate) fn own(asked: &Asked) -> Result<&UserId, ChatError> {
    asked.principal().user().ok_or_else(|| asked.no_permission())
}

/// The user comes in, where anybody may.
pub(crate) async fn come_in(asked: &Asked) -> Result<Response, ChatError> {
    let user = own(asked)?;
    let room = asked.room().await?;
    let users = std::slice::from_ref(user);
    asked.may_add(&room, users).await?;
    asked.limit_rooms()?;
    let added = asked.node().add_members(&asked.app, asked.kind(), &room.room_id(), users).await;
    let added = added.map_err(|error| asked.refused(error))?;
    if added.is_empty() && asked.family == Family::Group {
        return Err(asked.refused(RoomError::AlreadyMember(user.clone())));
    }
    let data = json!({ "result": true, "action": "apply", "user": user.as_str() });
    Ok(asked.answer(asked.with_id(data, IdKeys::One)).send())
}

/// The user leaves.
pub(crate) async fn leave(asked: &Asked) -> Result<Response, ChatError> {
    let user = own(asked)?;
    let room = asked.room().await?;
    asked.limit_rooms()?;
    let left = asked.node().leave_room(&asked.app, asked.kind(), &room.room_id(), user).await;
    left.map_err(|error| asked.refused(error))?;
    let data = json!({ "result": true, "action": "quit", "user": user.as_str() });
    Ok(asked.answer(asked.with_id(data, IdKeys::One)).send())
}

/// Whether a member is muted, as the member itself and who manages may know.
pub(crate) async fn muted(asked: &Asked) -> Result<Response, ChatError> {
    let user = Asked::user(asked.param("username"))?;
    let member = about(asked, &user).await?;
    Ok(asked.answer(member.is_some_and(|member| member.is_muted(asked.now_ms()))).send())
}

/// Whether a member is on the allow list.
pub(crate) async fn allowed(asked: &Asked) -> Result<Response, ChatError> {
    let user = Asked::user(asked.param("usernames"))?;
    let member = about(asked, &user).await?;
    let white = member.is_some_and(|member| member.allowed);
    let data: Value = json!({ "white": white, "user": user.as_str() });
    Ok(asked.answer(asked.with_id(data, IdKeys::Both)).send())
}

/// What is known of somebody in a room: the user itself asks, or who manages it.
async fn about(asked: &Asked, user: &UserId) -> Result<Option<Member>, ChatError> {
    let room = asked.room().await?;
    if asked.principal().user() != Some(user) {
        asked.may(&room, Right::Manage).await?;
    }
    asked.limit_rooms()?;
    Ok(asked.node().find_member(&asked.app, &room.room_id(), user).await?)
}
