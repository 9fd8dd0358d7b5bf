//! `chatgroups/{group_id}/announcement`.

use axum::response::Response;

use crate::body::RawBody;
use crate::error::ChatError;
use crate::rooms::announcement::{announce, announcement};
use crate::rooms::asked::{Asked, RoomCall};

/// Get the announcement of a group
#[utoipa::path(
    get,
    path = "/chatgroups/{group_id}/announcement",
    operation_id = "getGroupAnnouncement",
    tag = "groups",
    params(("group_id" = String, Path, description = "The group")),
    responses((status = 200, description = "The announcement", body = serde_json::Value)),
)]
pub(super) async fn get(call: RoomCall) -> Result<Response, ChatError> {
    announcement(&Asked::of_group(call)).await
}

/// Change the announcement of a group
#[utoipa::path(
    post,
    path = "/chatgroups/{group_id}/announcement",
    operation_id = "changeGroupAnnouncement",
    tag = "groups",
    params(("group_id" = String, Path, description = "The group")),
    request_body(content = serde_json::Value, example = json!({"announcement": "Tonight at eight"})),
    responses((status = 200, description = "It was changed", body = serde_json::Value)),
)]
pub(super) async fn post(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    announce(&Asked::of_group(call), &body.object()?).await
}
