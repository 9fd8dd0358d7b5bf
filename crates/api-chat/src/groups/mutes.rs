//! `chatgroups/{group_id}/mute…` and `…/ban`: members who may not send, and whether all may not.

use axum::response::Response;

use crate::body::RawBody;
use crate::error::ChatError;
use crate::rooms::asked::{Asked, RoomCall};
use crate::rooms::mutes::{mute, mute_all, muted, unmute};

/// List the muted members of a group
#[utoipa::path(
    get,
    path = "/chatgroups/{group_id}/mute",
    operation_id = "listGroupMutes",
    tag = "groups",
    params(("group_id" = String, Path, description = "The group")),
    responses((status = 200, description = "The muted members, and until when", body = serde_json::Value)),
)]
pub(super) async fn list(call: RoomCall) -> Result<Response, ChatError> {
    muted(&Asked::of_group(call)).await
}

/// Mute members of a group
#[utoipa::path(
    post,
    path = "/chatgroups/{group_id}/mute",
    operation_id = "muteGroupMembers",
    tag = "groups",
    params(("group_id" = String, Path, description = "The group")),
    request_body(content = serde_json::Value, example = json!({"usernames": ["user2"], "mute_duration": 86_400_000})),
    responses((status = 200, description = "Until when each is muted", body = serde_json::Value)),
)]
pub(super) async fn add(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    mute(&Asked::of_group(call), &body.object()?).await
}

/// Let muted members of a group send again
#[utoipa::path(
    delete,
    path = "/chatgroups/{group_id}/mute/{usernames}",
    operation_id = "unmuteGroupMembers",
    tag = "groups",
    params(
        ("group_id" = String, Path, description = "The group"),
        ("usernames" = String, Path, description = "One member, or up to 60, separated by commas"),
    ),
    responses((status = 200, description = "They may send again", body = serde_json::Value)),
)]
pub(super) async fn remove(call: RoomCall) -> Result<Response, ChatError> {
    unmute(&Asked::of_group(call)).await
}

/// Mute all members of a group
#[utoipa::path(
    post,
    path = "/chatgroups/{group_id}/ban",
    operation_id = "muteGroup",
    tag = "groups",
    params(("group_id" = String, Path, description = "The group")),
    responses((status = 200, description = "Only owner, admins and the allow list may send", body = serde_json::Value)),
)]
pub(super) async fn ban(call: RoomCall) -> Result<Response, ChatError> {
    mute_all(&Asked::of_group(call), true).await
}

/// Let all members of a group send again
#[utoipa::path(
    delete,
    path = "/chatgroups/{group_id}/ban",
    operation_id = "unmuteGroup",
    tag = "groups",
    params(("group_id" = String, Path, description = "The group")),
    responses((status = 200, description = "All may send", body = serde_json::Value)),
)]
pub(super) async fn unban(call: RoomCall) -> Result<Response, ChatError> {
    mute_all(&Asked::of_group(call), false).await
}
