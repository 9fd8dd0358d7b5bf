//! `DELETE users/{username}` and `DELETE users`: users go with everything of theirs.

use axum::response::Response;
use stentor_core::records::cursor;

use super::list::page;
use super::view::{user_view, user_views};
use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// Delete a user
#[utoipa::path(
    delete,
    path = "/users/{username}",
    operation_id = "deleteUser",
    tag = "users",
    params(("username" = String, Path, description = "The user ID")),
    responses((status = 200, description = "The user as it was", body = serde_json::Value)),
)]
pub(super) async fn of_one(call: Call) -> Result<Response, ChatError> {
    let name = call.user_param("username")?;
    call.only_app()?;
    call.limit(ChatRule::UserDeletions)?;
    let user = call.node().delete_user(&call.app, &name).await?;
    Ok(call.reply().path("/users").uri(call.url("/users")).entities(vec![user_view(&user)]).send())
}

/// Delete users, the eldest first
#[utoipa::path(
    delete,
    path = "/users",
    operation_id = "deleteUsers",
    tag = "users",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 100; 10 if it is not given"),
        ("cursor" = Option<String>, Query, description = "Of the page before"),
    ),
    responses((status = 200, description = "The users as they were", body = serde_json::Value)),
)]
pub(super) async fn of_many(call: Call) -> Result<Response, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::UserBatchDeletions)?;
    let (limit, after) = page(&call)?;
    let deleted = call.node().delete_users(&call.app, after, limit).await?;
    let reply = call.reply().path("/users").uri(call.url("/users")).params(call.query_params(&["limit", "cursor"]));
    Ok(reply.entities(user_views(&deleted.items)).cursor(deleted.next.as_deref().map(cursor)).send())
}
