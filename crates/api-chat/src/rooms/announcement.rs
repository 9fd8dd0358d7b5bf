//! `chatrooms/{chatroom_id}/announcement`.

use axum::response::Response;
use serde_json::json;

use super::asked::{Asked, Family, RoomCall};
use super::refusals;
use super::rights::Right;
use crate::body::{Object, RawBody};
use crate::error::ChatError;

/// Characters of an announcement.
pub(super) const MAX_CHARACTERS: usize = 512;

/// Get the announcement of a room
#[utoipa::path(
    get,
    path = "/chatrooms/{chatroom_id}/announcement",
    operation_id = "getRoomAnnouncement",
    tag = "rooms",
    params(("chatroom_id" = String, Path, description = "The room")),
    responses((status = 200, description = "The announcement", body = serde_json::Value)),
)]
pub(super) async fn get(call: RoomCall) -> Result<Response, ChatError> {
    announcement(&Asked::of_room(call)).await
}

/// Change the announcement of a room
#[utoipa::path(
    post,
    path = "/chatrooms/{chatroom_id}/announcement",
    operation_id = "changeRoomAnnouncement",
    tag = "rooms",
    params(("chatroom_id" = String, Path, description = "The room")),
    request_body(content = serde_json::Value, example = json!({"announcement": "Tonight at eight"})),
    responses((status = 200, description = "It was changed", body = serde_json::Value)),
)]
pub(super) async fn post(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    announce(&Asked::of_room(call), &body.object()?).await
}

/// The announcement.
pub(crate) async fn announcement(asked: &Asked) -> Result<Response, ChatError> {
    let room = asked.room().await?;
    if asked.family == Family::Group {
        asked.may(&room, Right::Member).await?;
    }
    asked.limit_rooms()?;
    Ok(asked.answer(json!({ "announcement": room.announcement })).send())
}

/// Another announcement.
pub(crate) async fn announce(asked: &Asked, body: &Object) -> Result<Response, ChatError> {
    let room = asked.room_for(Right::Manage).await?;
    asked.limit_rooms()?;
    let text = body.text("announcement")?.ok_or_else(|| ChatError::illegal_argument("announcement is null"))?;
    if text.chars().count() > MAX_CHARACTERS {
        return Err(refusals::forbidden("announce info length exceeds limit!"));
    }
    let done = asked.node().announce_in_room(&asked.app, asked.kind(), &room.room_id(), text.to_owned()).await;
    done.map_err(|error| asked.refused(error))?;
    Ok(asked.answer(json!({ "id": asked.id_text(), "result": true })).send())
}
