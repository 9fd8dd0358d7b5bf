//! `chatrooms/{chatroom_id}/white/users…`: members who may send although all are muted, and who keep their places.

use axum::response::Response;
use stentor_core::directory::room_error::RoomError;
use stentor_core::directory::rooms::Room;
use stentor_core::id::UserId;

use super::asked::{Asked, IdKeys, RoomCall};
use super::members::each;
use super::refusals;
use super::rights::Right;
use crate::body::{Object, RawBody};
use crate::error::ChatError;

/// Users in one request.
pub(super) const MAX_USERS: usize = 60;
/// Members in one reply.
pub(super) const MAX_LISTED: usize = 10_000;

/// List the allow list of a room
#[utoipa::path(
    get,
    path = "/chatrooms/{chatroom_id}/white/users",
    operation_id = "listRoomAllowList",
    tag = "rooms",
    params(("chatroom_id" = String, Path, description = "The room")),
    responses((status = 200, description = "The members on it", body = serde_json::Value)),
)]
pub(super) async fn list(call: RoomCall) -> Result<Response, ChatError> {
    allowed(&Asked::of_room(call)).await
}

/// Put members onto the allow list of a room
#[utoipa::path(
    post,
    path = "/chatrooms/{chatroom_id}/white/users",
    operation_id = "allowRoomMembers",
    tag = "rooms",
    params(("chatroom_id" = String, Path, description = "The room")),
    request_body(content = serde_json::Value, example = json!({"usernames": ["user2"]})),
    responses((status = 200, description = "What became of each", body = serde_json::Value)),
)]
pub(super) async fn add_many(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    allow_users(&Asked::of_room(call), &body.object()?).await
}

/// Put a member onto the allow list of a room
#[utoipa::path(
    post,
    path = "/chatrooms/{chatroom_id}/white/users/{usernames}",
    operation_id = "allowRoomMember",
    tag = "rooms",
    params(
        ("chatroom_id" = String, Path, description = "The room"),
        ("usernames" = String, Path, description = "The member"),
    ),
    responses((status = 200, description = "The member is on it", body = serde_json::Value)),
)]
pub(super) async fn add(call: RoomCall) -> Result<Response, ChatError> {
    allow_user(&Asked::of_room(call)).await
}

/// Take members off the allow list of a room
#[utoipa::path(
    delete,
    path = "/chatrooms/{chatroom_id}/white/users/{usernames}",
    operation_id = "disallowRoomMembers",
    tag = "rooms",
    params(
        ("chatroom_id" = String, Path, description = "The room"),
        ("usernames" = String, Path, description = "One member, or up to 60, separated by commas"),
    ),
    responses((status = 200, description = "What became of each", body = serde_json::Value)),
)]
pub(super) async fn remove(call: RoomCall) -> Result<Response, ChatError> {
    disallow(&Asked::of_room(call)).await
}

/// The members on the list.
pub(crate) async fn allowed(asked: &Asked) -> Result<Response, ChatError> {
    let room = asked.room_for(Right::Manage).await?;
    asked.limit_rooms()?;
    let allowed = asked.node().allowed_members(&asked.app, &room.room_id(), MAX_LISTED).await?;
    let names: Vec<_> = allowed.iter().map(UserId::as_str).collect();
    let count = names.len();
    Ok(asked.answer(names).count(count).send())
}

/// Puts the users of a body onto the list.
pub(crate) async fn allow_users(asked: &Asked, body: &Object) -> Result<Response, ChatError> {
    let too_many = format!("usernames size is more than max limit : {MAX_USERS}");
    change(asked, Asked::users_in_body(body, MAX_USERS, &too_many).map(|users| (users, false)), true).await
}

/// Puts the user of the path onto the list.
pub(crate) async fn allow_user(asked: &Asked) -> Result<Response, ChatError> {
    change(asked, Asked::user(asked.param("usernames")).map(|user| (vec![user], true)), true).await
}

/// Takes the users of the path off the list.
pub(crate) async fn disallow(asked: &Asked) -> Result<Response, ChatError> {
    let users = asked.users_in_path().and_then(|(users, single)| {
        if users.len() > MAX_USERS {
            let text = format!("removeWhitelist size is more than max limit : {MAX_USERS}");
            return Err(refusals::invalid_parameter(text));
        }
        Ok((users, single))
    });
    change(asked, users, false).await
}

async fn change(
    asked: &Asked,
    users: Result<(Vec<UserId>, bool), ChatError>,
    allowed: bool,
) -> Result<Response, ChatError> {
    let room = asked.room_for(Right::Manage).await?;
    asked.limit_rooms()?;
    let (users, single) = users?;
    let outcomes = change_members(asked, &room, &users, allowed).await?;
    let action = if allowed { "add_user_whitelist" } else { "remove_user_whitelist" };
    each(asked, users.iter().zip(outcomes).collect(), single, action, IdKeys::Both)
}

/// Those who are members, in one step; the others are told so.
async fn change_members(
    asked: &Asked,
    room: &Room,
    users: &[UserId],
    allowed: bool,
) -> Result<Vec<Result<(), RoomError>>, ChatError> {
    let found = asked.node().find_members(&asked.app, &room.room_id(), users).await?;
    let outcome = |(user, found): (&UserId, &Option<_>)| match found {
        Some(_) => Ok(()),
        None => Err(RoomError::NotMembers(vec![user.clone()])),
    };
    let outcomes: Vec<_> = users.iter().zip(&found).map(outcome).collect();
    let members: Vec<_> =
        users.iter().zip(&found).filter(|(_, found)| found.is_some()).map(|(user, _)| user.clone()).collect();
    if !members.is_empty() {
        let done = asked.node().allow_members(&asked.app, asked.kind(), &room.room_id(), &members, allowed).await;
        done.map_err(|error| asked.refused(error))?;
    }
    Ok(outcomes)
}
