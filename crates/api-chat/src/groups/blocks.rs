//! `chatgroups/{group_id}/blocks/users…`: users who are put out and kept out.

use axum::response::Response;

use crate::body::RawBody;
use crate::error::ChatError;
use crate::rooms::asked::{Asked, RoomCall};
use crate::rooms::blocks::{block_user, block_users, blocked, unblock};

/// List who is kept out of a group
#[utoipa::path(
    get,
    path = "/chatgroups/{group_id}/blocks/users",
    operation_id = "listGroupBlocks",
    tag = "groups",
    params(
        ("group_id" = String, Path, description = "The group"),
        ("pagenum" = Option<u32>, Query, description = "From 1"),
        ("pagesize" = Option<u32>, Query, description = "1 to 1000; 1000 if it is not given"),
    ),
    responses((status = 200, description = "Who is kept out", body = serde_json::Value)),
)]
pub(super) async fn list(call: RoomCall) -> Result<Response, ChatError> {
    blocked(&Asked::of_group(call)).await
}

/// Put members out of a group and keep them out
#[utoipa::path(
    post,
    path = "/chatgroups/{group_id}/blocks/users",
    operation_id = "blockGroupMembers",
    tag = "groups",
    params(("group_id" = String, Path, description = "The group")),
    request_body(content = serde_json::Value, example = json!({"usernames": ["user2"]})),
    responses((status = 200, description = "What became of each", body = serde_json::Value)),
)]
pub(super) async fn add_many(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    block_users(&Asked::of_group(call), &body.object()?).await
}

/// Put a member out of a group and keep it out
#[utoipa::path(
    post,
    path = "/chatgroups/{group_id}/blocks/users/{usernames}",
    operation_id = "blockGroupMember",
    tag = "groups",
    params(
        ("group_id" = String, Path, description = "The group"),
        ("usernames" = String, Path, description = "The member"),
    ),
    responses((status = 200, description = "The member is out", body = serde_json::Value)),
)]
pub(super) async fn add(call: RoomCall) -> Result<Response, ChatError> {
    block_user(&Asked::of_group(call)).await
}

/// Let users into a group again
#[utoipa::path(
    delete,
    path = "/chatgroups/{group_id}/blocks/users/{usernames}",
    operation_id = "unblockGroupUsers",
    tag = "groups",
    params(
        ("group_id" = String, Path, description = "The group"),
        ("usernames" = String, Path, description = "One user, or up to 60, separated by commas"),
    ),
    responses((status = 200, description = "They may come in again", body = serde_json::Value)),
)]
pub(super) async fn remove(call: RoomCall) -> Result<Response, ChatError> {
    unblock(&Asked::of_group(call)).await
}
