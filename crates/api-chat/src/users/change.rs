//! `PUT users/{username}`: changes what the body names, and leaves the rest as it is.
//!
//! The same URL takes several kinds of settings; each has a reader in [`SETTINGS`]. Keys that none of them knows are
//! ignored, and a body in which none of them finds anything is refused.

use axum::response::Response;
use stentor_core::directory::users::UserChange;

use super::MAX_NICKNAME;
use super::view::user_view;
use crate::body::{Object, RawBody};
use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// Reads one kind of settings into a change. `false` if the body names none of it.
type Setting = fn(&Object, &mut UserChange) -> Result<bool, ChatError>;

/// Every kind of settings.
const SETTINGS: [Setting; 1] = [nickname];

/// Change a user
#[utoipa::path(
    put,
    path = "/users/{username}",
    operation_id = "changeUser",
    tag = "users",
    params(("username" = String, Path, description = "The user ID")),
    request_body(content = serde_json::Value, description = "What to change", example = json!({"nickname": "testuser"})),
    responses((status = 200, description = "The user as it is now", body = serde_json::Value)),
)]
pub(super) async fn handler(call: Call, body: RawBody) -> Result<Response, ChatError> {
    let name = call.user_param("username")?;
    call.app_or(&name)?;
    call.limit(ChatRule::Registrations)?;
    let body = body.object()?;
    let mut change = UserChange::default();
    let mut named = false;
    for setting in SETTINGS {
        named |= setting(&body, &mut change)?;
    }
    if !named {
        // The documents require nothing and say nothing of a body without anything; key and text are theirs for bad
        // parameters.
        return Err(ChatError::illegal_argument("parameters is invalid : nickname"));
    }
    let user = call.node().change_user(&call.app, &name, &change).await?;
    Ok(call.reply().path("/users").uri(call.url("/users")).entities(vec![user_view(&user)]).send())
}

/// The name that pushes show; empty for none.
fn nickname(body: &Object, change: &mut UserChange) -> Result<bool, ChatError> {
    let Some(nickname) = body.text("nickname")? else { return Ok(false) };
    if nickname.chars().count() > MAX_NICKNAME {
        return Err(ChatError::illegal_argument("NICKNAME_TOO_LONG"));
    }
    change.nickname = Some(nickname.to_owned());
    Ok(true)
}
