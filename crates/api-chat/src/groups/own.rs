//! `chatgroups/{group_id}/quit`, and `sdk/chatgroups/{group_id}/mute/{username}`: what clients ask with a user's own token,
//! and backends by other ways.

use axum::response::Response;

use crate::error::ChatError;
use crate::rooms::asked::{Asked, RoomCall};
use crate::rooms::own::{allowed, leave, muted};

/// Leave a group
#[utoipa::path(
    delete,
    path = "/chatgroups/{group_id}/quit",
    operation_id = "leaveGroup",
    tag = "groups",
    params(("group_id" = String, Path, description = "The group")),
    responses((status = 200, description = "The user whose token it is is no member", body = serde_json::Value)),
)]
pub(super) async fn quit(call: RoomCall) -> Result<Response, ChatError> {
    leave(&Asked::of_group(call)).await
}

/// Say whether a member of a group is muted
#[utoipa::path(
    get,
    path = "/sdk/chatgroups/{group_id}/mute/{username}",
    operation_id = "isGroupMemberMuted",
    tag = "groups",
    params(
        ("group_id" = String, Path, description = "The group"),
        ("username" = String, Path, description = "The member"),
    ),
    responses((status = 200, description = "Whether it is", body = serde_json::Value)),
)]
pub(super) async fn is_muted(call: RoomCall) -> Result<Response, ChatError> {
    muted(&Asked::of_group(call)).await
}

/// Say whether a member is on the allow list of a group
#[utoipa::path(
    get,
    path = "/chatgroups/{group_id}/white/users/{usernames}",
    operation_id = "isGroupMemberAllowed",
    tag = "groups",
    params(
        ("group_id" = String, Path, description = "The group"),
        ("usernames" = String, Path, description = "The member"),
    ),
    responses((status = 200, description = "Whether it is", body = serde_json::Value)),
)]
pub(super) async fn is_allowed(call: RoomCall) -> Result<Response, ChatError> {
    allowed(&Asked::of_group(call)).await
}
