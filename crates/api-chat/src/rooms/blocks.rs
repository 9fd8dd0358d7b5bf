//! `chatrooms/{chatroom_id}/blocks/users…`: users who are put out and kept out.

use axum::response::Response;
use stentor_core::id::UserId;

use super::asked::{Asked, IdKeys, Numbered, RoomCall};
use super::members::each;
use super::refusals;
use super::rights::Right;
use crate::body::{Object, RawBody};
use crate::error::ChatError;

/// Users in one request.
pub(super) const MAX_USERS: usize = 60;
/// Users in one reply.
pub(super) const MAX_LISTED: usize = 1000;
/// Users that a page by number may reach.
const MAX_BLOCKED: usize = 100_000;

/// List who is kept out of a room
#[utoipa::path(
    get,
    path = "/chatrooms/{chatroom_id}/blocks/users",
    operation_id = "listRoomBlocks",
    tag = "rooms",
    params(
        ("chatroom_id" = String, Path, description = "The room"),
        ("pagenum" = Option<u32>, Query, description = "From 1"),
        ("pagesize" = Option<u32>, Query, description = "1 to 1000; 1000 if it is not given"),
    ),
    responses((status = 200, description = "Who is kept out", body = serde_json::Value)),
)]
pub(super) async fn list(call: RoomCall) -> Result<Response, ChatError> {
    blocked(&Asked::of_room(call)).await
}

/// Put members out of a room and keep them out
#[utoipa::path(
    post,
    path = "/chatrooms/{chatroom_id}/blocks/users",
    operation_id = "blockRoomMembers",
    tag = "rooms",
    params(("chatroom_id" = String, Path, description = "The room")),
    request_body(content = serde_json::Value, example = json!({"usernames": ["user2"]})),
    responses((status = 200, description = "What became of each", body = serde_json::Value)),
)]
pub(super) async fn add_many(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    block_users(&Asked::of_room(call), &body.object()?).await
}

/// Put a member out of a room and keep it out
#[utoipa::path(
    post,
    path = "/chatrooms/{chatroom_id}/blocks/users/{usernames}",
    operation_id = "blockRoomMember",
    tag = "rooms",
    params(
        ("chatroom_id" = String, Path, description = "The room"),
        ("usernames" = String, Path, description = "The member"),
    ),
    responses((status = 200, description = "The member is out", body = serde_json::Value)),
)]
pub(super) async fn add(call: RoomCall) -> Result<Response, ChatError> {
    block_user(&Asked::of_room(call)).await
}

/// Let users into a room again
#[utoipa::path(
    delete,
    path = "/chatrooms/{chatroom_id}/blocks/users/{usernames}",
    operation_id = "unblockRoomUsers",
    tag = "rooms",
    params(
        ("chatroom_id" = String, Path, description = "The room"),
        ("usernames" = String, Path, description = "One user, or up to 60, separated by commas"),
    ),
    responses((status = 200, description = "They may come in again", body = serde_json::Value)),
)]
pub(super) async fn remove(call: RoomCall) -> Result<Response, ChatError> {
    unblock(&Asked::of_room(call)).await
}

/// Who is kept out.
pub(crate) async fn blocked(asked: &Asked) -> Result<Response, ChatError> {
    let room = asked.room_for(Right::Manage).await?;
    asked.limit_rooms()?;
    let wanted = Numbered::of(asked, MAX_LISTED, MAX_LISTED);
    let page = asked.node().blocked_members(&asked.app, &room.room_id(), None, wanted.end(MAX_BLOCKED)).await?;
    let names: Vec<_> = wanted.take(page.items.iter().map(UserId::as_str));
    let count = names.len();
    Ok(asked.answer(names).params(asked.query_params(&["pagenum", "pagesize"])).count(count).send())
}

/// Blocks the users of a body.
pub(crate) async fn block_users(asked: &Asked, body: &Object) -> Result<Response, ChatError> {
    let too_many = format!("userNames is more than max limit : {MAX_USERS}");
    block(asked, Asked::users_in_body(body, MAX_USERS, &too_many), false).await
}

/// Blocks the user of the path.
pub(crate) async fn block_user(asked: &Asked) -> Result<Response, ChatError> {
    block(asked, Asked::user(asked.param("usernames")).map(|user| vec![user]), true).await
}

async fn block(asked: &Asked, users: Result<Vec<UserId>, ChatError>, single: bool) -> Result<Response, ChatError> {
    let room = asked.room_for(Right::Manage).await?;
    asked.limit_rooms()?;
    let users = users?;
    let outcomes = asked.node().block_members(&asked.app, asked.kind(), &room.room_id(), &users).await;
    let outcomes = outcomes.map_err(|error| asked.refused(error))?;
    each(asked, users.iter().zip(outcomes).collect(), single, "add_blocks", IdKeys::Both)
}

/// Lets the users of the path in again. Who was not kept out may come in, too.
pub(crate) async fn unblock(asked: &Asked) -> Result<Response, ChatError> {
    let room = asked.room_for(Right::Manage).await?;
    asked.limit_rooms()?;
    let (users, single) = asked.users_in_path()?;
    if users.len() > MAX_USERS {
        let text = format!("removeBlacklist: list size more than max limit : {MAX_USERS}");
        return Err(refusals::invalid_parameter(text));
    }
    let freed = asked.node().unblock_members(&asked.app, asked.kind(), &room.room_id(), &users).await;
    freed.map_err(|error| asked.refused(error))?;
    each(asked, users.iter().map(|user| (user, Ok(()))).collect(), single, "remove_blocks", IdKeys::Both)
}
