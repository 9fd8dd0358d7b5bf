//! `GET users/{username}`: one user.

use axum::response::Response;

use super::view::bound_user_views;
use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// Get a user
#[utoipa::path(
    get,
    path = "/users/{username}",
    operation_id = "getUser",
    tag = "users",
    params(("username" = String, Path, description = "The user ID")),
    responses((status = 200, description = "The user", body = serde_json::Value)),
)]
pub(super) async fn handler(call: Call) -> Result<Response, ChatError> {
    let name = call.user_param("username")?;
    call.app_or(&name)?;
    call.limit(ChatRule::UserReads)?;
    let user = call.node().user(&call.app, &name).await?;
    let views = bound_user_views(&call, &[user]).await?;
    Ok(call.reply().path("/users").entities(views).count(1).send())
}
