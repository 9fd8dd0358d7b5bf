//! `GET users/{username}/disconnect`, POST, which another document has, and `DELETE …/disconnect/{resource}`: logs a
//! user out, everywhere or on one device.

use axum::response::Response;
use serde_json::json;
use stentor_core::directory::users::UserChange;
use stentor_core::id::DeviceId;
use stentor_core::session::LogoutReason;

use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// Log a user out
#[utoipa::path(
    get,
    path = "/users/{username}/disconnect",
    operation_id = "disconnectUser",
    tag = "users",
    params(("username" = String, Path, description = "The user ID")),
    responses((status = 200, description = "Done", body = serde_json::Value)),
)]
pub(super) async fn get(call: Call) -> Result<Response, ChatError> {
    everywhere(call).await
}

/// Log a user out
#[utoipa::path(
    post,
    path = "/users/{username}/disconnect",
    operation_id = "disconnectUserByPost",
    tag = "users",
    params(("username" = String, Path, description = "The user ID")),
    responses((status = 200, description = "Done", body = serde_json::Value)),
)]
pub(super) async fn post(call: Call) -> Result<Response, ChatError> {
    everywhere(call).await
}

/// The tokens are void as well: the user has to log in anew.
async fn everywhere(call: Call) -> Result<Response, ChatError> {
    let name = call.user_param("username")?;
    call.only_app()?;
    call.limit(ChatRule::Disconnects)?;
    let change = UserChange { revoke_tokens: true, ..UserChange::default() };
    call.node().change_user(&call.app, &name, &change).await?;
    let reply = call.reply().without_app().entities(Vec::<serde_json::Value>::new()).count(0);
    Ok(reply.data(json!({ "result": true })).send())
}

/// Log a user out on one device
#[utoipa::path(
    delete,
    path = "/users/{username}/disconnect/{resource}",
    operation_id = "disconnectDevice",
    tag = "users",
    params(
        ("username" = String, Path, description = "The user ID"),
        ("resource" = String, Path, description = "The device, as GET resources names it"),
    ),
    responses((status = 200, description = "Whether the user was logged in there", body = serde_json::Value)),
)]
pub(super) async fn of_device(call: Call) -> Result<Response, ChatError> {
    let name = call.user_param("username")?;
    call.app_or(&name)?;
    call.limit(ChatRule::DeviceDisconnects)?;
    call.node().user(&call.app, &name).await?;
    let device = DeviceId::from_trusted(call.param("resource"));
    let ended = call.node().disconnect(&call.app, &name, Some(&device), LogoutReason::Forced).await;
    let reply = call.reply().uri(call.url("")).entities(Vec::<serde_json::Value>::new());
    Ok(reply.data(json!({ "result": ended > 0 })).send())
}
