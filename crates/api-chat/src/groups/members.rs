//! `chatgroups/{group_id}/users…`: who is in, coming in and being put out.

use axum::response::Response;

use crate::body::RawBody;
use crate::error::ChatError;
use crate::rooms::asked::{Asked, RoomCall};
use crate::rooms::members::{add_user, add_users, page, remove_users};

/// List the members of a group
#[utoipa::path(
    get,
    path = "/chatgroups/{group_id}/users",
    operation_id = "listGroupMembers",
    tag = "groups",
    params(
        ("group_id" = String, Path, description = "The group"),
        ("pagenum" = Option<u32>, Query, description = "From 1"),
        ("pagesize" = Option<u32>, Query, description = "1 to 1000; 1000 if it is not given"),
        ("limit" = Option<u32>, Query, description = "With a cursor: 1 to 1000"),
        ("cursor" = Option<String>, Query, description = "Of the page before, instead of its number"),
        ("joined_time" = Option<bool>, Query, description = "With admins told apart, and since when each is in"),
    ),
    responses((status = 200, description = "A page of members", body = serde_json::Value)),
)]
pub(super) async fn list(call: RoomCall) -> Result<Response, ChatError> {
    page(&Asked::of_group(call)).await
}

/// Add users to a group
#[utoipa::path(
    post,
    path = "/chatgroups/{group_id}/users",
    operation_id = "addGroupMembers",
    tag = "groups",
    params(("group_id" = String, Path, description = "The group")),
    request_body(content = serde_json::Value, example = json!({"usernames": ["user2", "user3"]})),
    responses((status = 200, description = "Who is a member now and was none", body = serde_json::Value)),
)]
pub(super) async fn add_many(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    add_users(&Asked::of_group(call), &body.object()?).await
}

/// Add a user to a group
#[utoipa::path(
    post,
    path = "/chatgroups/{group_id}/users/{usernames}",
    operation_id = "addGroupMember",
    tag = "groups",
    params(
        ("group_id" = String, Path, description = "The group"),
        ("usernames" = String, Path, description = "The user"),
    ),
    responses((status = 200, description = "The user is a member", body = serde_json::Value)),
)]
pub(super) async fn add(call: RoomCall) -> Result<Response, ChatError> {
    add_user(&Asked::of_group(call)).await
}

/// Put members out of a group
#[utoipa::path(
    delete,
    path = "/chatgroups/{group_id}/users/{usernames}",
    operation_id = "removeGroupMembers",
    tag = "groups",
    params(
        ("group_id" = String, Path, description = "The group"),
        ("usernames" = String, Path, description = "One member, or up to 60, separated by commas"),
    ),
    responses((status = 200, description = "What became of each", body = serde_json::Value)),
)]
pub(super) async fn remove(call: RoomCall) -> Result<Response, ChatError> {
    remove_users(&Asked::of_group(call)).await
}
