//! `chatgroups/{group_id}/white/users…`: members who may send although all are muted.

use axum::response::Response;

use crate::body::RawBody;
use crate::error::ChatError;
use crate::rooms::allow_list::{allow_user, allow_users, allowed, disallow};
use crate::rooms::asked::{Asked, RoomCall};

/// List the allow list of a group
#[utoipa::path(
    get,
    path = "/chatgroups/{group_id}/white/users",
    operation_id = "listGroupAllowList",
    tag = "groups",
    params(("group_id" = String, Path, description = "The group")),
    responses((status = 200, description = "The members on it", body = serde_json::Value)),
)]
pub(super) async fn list(call: RoomCall) -> Result<Response, ChatError> {
    allowed(&Asked::of_group(call)).await
}

/// Put members onto the allow list of a group
#[utoipa::path(
    post,
    path = "/chatgroups/{group_id}/white/users",
    operation_id = "allowGroupMembers",
    tag = "groups",
    params(("group_id" = String, Path, description = "The group")),
    request_body(content = serde_json::Value, example = json!({"usernames": ["user2"]})),
    responses((status = 200, description = "What became of each", body = serde_json::Value)),
)]
pub(super) async fn add_many(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    allow_users(&Asked::of_group(call), &body.object()?).await
}

/// Put a member onto the allow list of a group
#[utoipa::path(
    post,
    path = "/chatgroups/{group_id}/white/users/{usernames}",
    operation_id = "allowGroupMember",
    tag = "groups",
    params(
        ("group_id" = String, Path, description = "The group"),
        ("usernames" = String, Path, description = "The member"),
    ),
    responses((status = 200, description = "The member is on it", body = serde_json::Value)),
)]
pub(super) async fn add(call: RoomCall) -> Result<Response, ChatError> {
    allow_user(&Asked::of_group(call)).await
}

/// Take members off the allow list of a group
#[utoipa::path(
    delete,
    path = "/chatgroups/{group_id}/white/users/{usernames}",
    operation_id = "disallowGroupMembers",
    tag = "groups",
    params(
        ("group_id" = String, Path, description = "The group"),
        ("usernames" = String, Path, description = "One member, or up to 60, separated by commas"),
    ),
    responses((status = 200, description = "What became of each", body = serde_json::Value)),
)]
pub(super) async fn remove(call: RoomCall) -> Result<Response, ChatError> {
    disallow(&Asked::of_group(call)).await
}
