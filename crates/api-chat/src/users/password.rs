//! `PUT users/{username}/password`, and POST, which another document has: another password, without the one before.
//! Sessions end and tokens are void.

use axum::http::StatusCode;
use axum::response::Response;
use stentor_core::directory::DirectoryError;
use stentor_core::directory::users::UserChange;

use super::MAX_PASSWORD;
use crate::body::RawBody;
use crate::call::Call;
use crate::error::{ChatError, exception};
use crate::rates::ChatRule;

/// Change a password
#[utoipa::path(
    put,
    path = "/users/{username}/password",
    operation_id = "changePassword",
    tag = "users",
    params(("username" = String, Path, description = "The user ID")),
    request_body(content = serde_json::Value, example = json!({"newpassword": "secret"})),
    responses((status = 200, description = "Done", body = serde_json::Value)),
)]
pub(super) async fn put(call: Call, body: RawBody) -> Result<Response, ChatError> {
    change(call, body).await
}

/// Change a password
#[utoipa::path(
    post,
    path = "/users/{username}/password",
    operation_id = "changePasswordByPost",
    tag = "users",
    params(("username" = String, Path, description = "The user ID")),
    request_body(content = serde_json::Value, example = json!({"newpassword": "secret"})),
    responses((status = 200, description = "Done", body = serde_json::Value)),
)]
pub(super) async fn post(call: Call, body: RawBody) -> Result<Response, ChatError> {
    change(call, body).await
}

async fn change(call: Call, body: RawBody) -> Result<Response, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::Passwords)?;
    let name = call.user_param("username").map_err(|_| no_user())?;
    let body = body.object()?;
    let password = body.text("newpassword")?.filter(|password| !password.is_empty());
    let password = password.ok_or_else(|| ChatError::illegal_argument("newpassword is required"))?;
    if password.chars().count() > MAX_PASSWORD {
        return Err(ChatError::illegal_argument("PASSWORD_TOO_LONG"));
    }
    // Before the hash, which costs much.
    call.node().user(&call.app, &name).await.map_err(refused)?;
    let password_hash = Some(call.state.passwords().hash(password).await?);
    let change = UserChange { password_hash, ..UserChange::default() };
    call.node().change_user(&call.app, &name, &change).await.map_err(refused)?;
    Ok(call.reply().action("set user password").brief().send())
}

fn refused(error: DirectoryError) -> ChatError {
    match error {
        DirectoryError::NoUser(_) => no_user(),
        other => other.into(),
    }
}

/// 404, as this endpoint says it.
fn no_user() -> ChatError {
    ChatError::new(StatusCode::NOT_FOUND, "entity_not_found", "User null not found").with(exception::ENTITY_NOT_FOUND)
}
