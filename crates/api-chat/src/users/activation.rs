//! `POST users/{username}/deactivate` and `…/activate`: whether a user may log in. A user who is deactivated is logged
//! out, and its tokens are void.

use axum::response::Response;
use stentor_core::directory::users::{User, UserChange};

use super::view::user_view;
use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// Deactivate a user
#[utoipa::path(
    post,
    path = "/users/{username}/deactivate",
    operation_id = "deactivateUser",
    tag = "users",
    params(("username" = String, Path, description = "The user ID")),
    responses((status = 200, description = "The user as it is now", body = serde_json::Value)),
)]
pub(super) async fn deactivate(call: Call) -> Result<Response, ChatError> {
    let user = set(&call, false).await?;
    Ok(call.reply().action("Deactivate user").entities(vec![user_view(&user)]).brief().send())
}

/// Activate a user
#[utoipa::path(
    post,
    path = "/users/{username}/activate",
    operation_id = "activateUser",
    tag = "users",
    params(("username" = String, Path, description = "The user ID")),
    responses((status = 200, description = "Done", body = serde_json::Value)),
)]
pub(super) async fn activate(call: Call) -> Result<Response, ChatError> {
    set(&call, true).await?;
    Ok(call.reply().action("activate user").brief().send())
}

async fn set(call: &Call, active: bool) -> Result<User, ChatError> {
    let name = call.user_param("username")?;
    call.only_app()?;
    call.limit(if active { ChatRule::Activations } else { ChatRule::Deactivations })?;
    let change = UserChange { active: Some(active), ..UserChange::default() };
    Ok(call.node().change_user(&call.app, &name, &change).await?)
}
