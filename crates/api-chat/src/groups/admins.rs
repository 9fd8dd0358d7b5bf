//! `chatgroups/{group_id}/admin…`: members who help the owner.

use axum::response::Response;

use crate::body::RawBody;
use crate::error::ChatError;
use crate::rooms::admins::{admins, appoint, dismiss};
use crate::rooms::asked::{Asked, RoomCall};

/// List the admins of a group
#[utoipa::path(
    get,
    path = "/chatgroups/{group_id}/admin",
    operation_id = "listGroupAdmins",
    tag = "groups",
    params(("group_id" = String, Path, description = "The group")),
    responses((status = 200, description = "The admins", body = serde_json::Value)),
)]
pub(super) async fn list(call: RoomCall) -> Result<Response, ChatError> {
    admins(&Asked::of_group(call)).await
}

/// Make a member of a group an admin
#[utoipa::path(
    post,
    path = "/chatgroups/{group_id}/admin",
    operation_id = "addGroupAdmin",
    tag = "groups",
    params(("group_id" = String, Path, description = "The group")),
    request_body(content = serde_json::Value, example = json!({"newadmin": "user2"})),
    responses((status = 200, description = "The member is an admin", body = serde_json::Value)),
)]
pub(super) async fn add(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    appoint(&Asked::of_group(call), &body.object()?).await
}

/// Make an admin of a group a member like others
#[utoipa::path(
    delete,
    path = "/chatgroups/{group_id}/admin/{username}",
    operation_id = "removeGroupAdmin",
    tag = "groups",
    params(
        ("group_id" = String, Path, description = "The group"),
        ("username" = String, Path, description = "The admin"),
    ),
    responses((status = 200, description = "The admin is none any more", body = serde_json::Value)),
)]
pub(super) async fn remove(call: RoomCall) -> Result<Response, ChatError> {
    dismiss(&Asked::of_group(call)).await
}
