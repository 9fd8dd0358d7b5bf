//! `chatrooms/{chatroom_id}/admin…`: members who help the owner.

use axum::response::Response;
use serde_json::json;
use stentor_core::id::UserId;

use super::asked::{Asked, Family, RoomCall};
use super::rights::Right;
use crate::body::{Object, RawBody};
use crate::error::ChatError;

/// List the admins of a room
#[utoipa::path(
    get,
    path = "/chatrooms/{chatroom_id}/admin",
    operation_id = "listRoomAdmins",
    tag = "rooms",
    params(("chatroom_id" = String, Path, description = "The room")),
    responses((status = 200, description = "The admins", body = serde_json::Value)),
)]
pub(super) async fn list(call: RoomCall) -> Result<Response, ChatError> {
    admins(&Asked::of_room(call)).await
}

/// Make a member of a room an admin
#[utoipa::path(
    post,
    path = "/chatrooms/{chatroom_id}/admin",
    operation_id = "addRoomAdmin",
    tag = "rooms",
    params(("chatroom_id" = String, Path, description = "The room")),
    request_body(content = serde_json::Value, example = json!({"newadmin": "user2"})),
    responses((status = 200, description = "The member is an admin", body = serde_json::Value)),
)]
pub(super) async fn add(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    appoint(&Asked::of_room(call), &body.object()?).await
}

/// Make an admin of a room a member like others
#[utoipa::path(
    delete,
    path = "/chatrooms/{chatroom_id}/admin/{username}",
    operation_id = "removeRoomAdmin",
    tag = "rooms",
    params(
        ("chatroom_id" = String, Path, description = "The room"),
        ("username" = String, Path, description = "The admin"),
    ),
    responses((status = 200, description = "The admin is none any more", body = serde_json::Value)),
)]
pub(super) async fn remove(call: RoomCall) -> Result<Response, ChatError> {
    dismiss(&Asked::of_room(call)).await
}

/// The admins.
pub(crate) async fn admins(asked: &Asked) -> Result<Response, ChatError> {
    let room = asked.room().await?;
    if asked.family == Family::Group {
        asked.may(&room, Right::Member).await?;
    }
    asked.limit_rooms()?;
    let admins = asked.node().admins(&asked.app, &room.room_id()).await?;
    let names: Vec<_> = admins.iter().map(UserId::as_str).collect();
    let count = names.len();
    Ok(asked.answer(names).count(count).send())
}

/// Makes a member an admin.
pub(crate) async fn appoint(asked: &Asked, body: &Object) -> Result<Response, ChatError> {
    let user = change(asked, Some(body)).await?;
    Ok(asked.answer(json!({ "result": "success", "newadmin": user.as_str() })).send())
}

/// Makes an admin a member like others.
pub(crate) async fn dismiss(asked: &Asked) -> Result<Response, ChatError> {
    let user = change(asked, None).await?;
    Ok(asked.answer(json!({ "result": "success", "oldadmin": user.as_str() })).send())
}

async fn change(asked: &Asked, body: Option<&Object>) -> Result<UserId, ChatError> {
    let room = asked.room_for(Right::Own).await?;
    asked.limit_rooms()?;
    let user = match body {
        Some(body) => Asked::user_field(body, "newadmin")?,
        None => Asked::user(asked.param("username"))?,
    };
    let made = asked.node().make_admin(&asked.app, asked.kind(), &room.room_id(), &user, body.is_some()).await;
    made.map_err(|error| asked.refused(error))?;
    Ok(user)
}
