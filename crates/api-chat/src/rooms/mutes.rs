//! `chatrooms/{chatroom_id}/mute…` and `…/ban`: members who may not send, and whether all may not.

use axum::response::Response;
use serde_json::{Value, json};
use stentor_core::id::UserId;

use super::asked::{Asked, Family, RoomCall};
use super::refusals;
use super::rights::Right;
use crate::body::{Object, RawBody};
use crate::error::ChatError;

/// Users in one request.
pub(super) const MAX_USERS: usize = 60;
/// Muted members in one reply.
pub(super) const MAX_LISTED: usize = 10_000;
/// When a mute for ever ends, in replies: in the year 2117. Clients compare it with the time.
const FOR_EVER_MS: u64 = 4_638_873_600_000;

/// List the muted members of a room
#[utoipa::path(
    get,
    path = "/chatrooms/{chatroom_id}/mute",
    operation_id = "listRoomMutes",
    tag = "rooms",
    params(("chatroom_id" = String, Path, description = "The room")),
    responses((status = 200, description = "The muted members, and until when", body = serde_json::Value)),
)]
pub(super) async fn list(call: RoomCall) -> Result<Response, ChatError> {
    muted(&Asked::of_room(call)).await
}

/// Mute members of a room
#[utoipa::path(
    post,
    path = "/chatrooms/{chatroom_id}/mute",
    operation_id = "muteRoomMembers",
    tag = "rooms",
    params(("chatroom_id" = String, Path, description = "The room")),
    request_body(content = serde_json::Value, example = json!({"usernames": ["user2"], "mute_duration": 86_400_000})),
    responses((status = 200, description = "Until when each is muted", body = serde_json::Value)),
)]
pub(super) async fn add(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    mute(&Asked::of_room(call), &body.object()?).await
}

/// Let muted members of a room send again
#[utoipa::path(
    delete,
    path = "/chatrooms/{chatroom_id}/mute/{usernames}",
    operation_id = "unmuteRoomMembers",
    tag = "rooms",
    params(
        ("chatroom_id" = String, Path, description = "The room"),
        ("usernames" = String, Path, description = "One member, or up to 60, separated by commas"),
    ),
    responses((status = 200, description = "They may send again", body = serde_json::Value)),
)]
pub(super) async fn remove(call: RoomCall) -> Result<Response, ChatError> {
    unmute(&Asked::of_room(call)).await
}

/// Mute all members of a room
#[utoipa::path(
    post,
    path = "/chatrooms/{chatroom_id}/ban",
    operation_id = "muteRoom",
    tag = "rooms",
    params(("chatroom_id" = String, Path, description = "The room")),
    responses((status = 200, description = "Only owner, admins and the allow list may send", body = serde_json::Value)),
)]
pub(super) async fn ban(call: RoomCall) -> Result<Response, ChatError> {
    mute_all(&Asked::of_room(call), true).await
}

/// Let all members of a room send again
#[utoipa::path(
    delete,
    path = "/chatrooms/{chatroom_id}/ban",
    operation_id = "unmuteRoom",
    tag = "rooms",
    params(("chatroom_id" = String, Path, description = "The room")),
    responses((status = 200, description = "All may send", body = serde_json::Value)),
)]
pub(super) async fn unban(call: RoomCall) -> Result<Response, ChatError> {
    mute_all(&Asked::of_room(call), false).await
}

/// The muted members.
pub(crate) async fn muted(asked: &Asked) -> Result<Response, ChatError> {
    let room = asked.room_for(Right::Manage).await?;
    asked.limit_rooms()?;
    let muted = asked.node().muted_members(&asked.app, &room.room_id(), MAX_LISTED).await?;
    let view = |(user, until_ms): &(UserId, u64)| json!({ "expire": expire(*until_ms), "user": user.as_str() });
    let views: Vec<_> = muted.iter().map(view).collect();
    Ok(asked.answer(views).count(muted.len()).send())
}

/// Mutes members for a while.
pub(crate) async fn mute(asked: &Asked, body: &Object) -> Result<Response, ChatError> {
    let room = asked.room_for(Right::Manage).await?;
    asked.limit_rooms()?;
    let too_many = format!("userNames size is more than max limit : {MAX_USERS}");
    let users = Asked::users_in_body(body, MAX_USERS, &too_many)?;
    let until_ms = match body.integer("mute_duration")? {
        None | Some(-1) => u64::MAX,
        Some(duration_ms) => match u64::try_from(duration_ms) {
            Ok(duration_ms) => asked.now_ms().saturating_add(duration_ms),
            // Ours: no document says what is answered.
            Err(_) => return Err(refusals::invalid_parameter("mute_duration is invalid")),
        },
    };
    let muted = asked.node().mute_members(&asked.app, asked.kind(), &room.room_id(), &users, until_ms).await;
    muted.map_err(|error| asked.refused(error))?;
    let view = |user: &UserId| json!({ "result": true, "expire": expire(until_ms), "user": user.as_str() });
    Ok(asked.answer(users.iter().map(view).collect::<Vec<_>>()).send())
}

fn expire(until_ms: u64) -> Value {
    json!(until_ms.min(FOR_EVER_MS))
}

/// Ends mutes.
pub(crate) async fn unmute(asked: &Asked) -> Result<Response, ChatError> {
    let room = asked.room_for(Right::Manage).await?;
    asked.limit_rooms()?;
    let (users, _) = asked.users_in_path()?;
    if users.len() > MAX_USERS {
        // Two spaces, as documented.
        let text = format!("removeMute member size more than max limit :  {MAX_USERS}");
        return Err(refusals::invalid_parameter(text));
    }
    let unmuted = asked.node().unmute_members(&asked.app, asked.kind(), &room.room_id(), &users).await;
    unmuted.map_err(|error| asked.refused(error))?;
    let view = |user: &UserId| json!({ "result": true, "user": user.as_str() });
    Ok(asked.answer(users.iter().map(view).collect::<Vec<_>>()).send())
}

/// Mutes all, or lets all send again.
pub(crate) async fn mute_all(asked: &Asked, muted: bool) -> Result<Response, ChatError> {
    let room = asked.room_for(Right::Manage).await?;
    asked.limit_rooms()?;
    let done = asked.node().mute_all(&asked.app, asked.kind(), &room.room_id(), muted).await;
    done.map_err(|error| asked.refused(error))?;
    let reply = asked.answer(json!({ "mute": muted }));
    // Rooms answer a POST with another verb.
    Ok(if muted && asked.family == Family::Room { reply.action("put") } else { reply }.send())
}
