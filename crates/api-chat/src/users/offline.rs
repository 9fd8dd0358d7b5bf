//! `GET users/{username}/offline_msg_count` and `…/offline_msg_status/{msg_id}`: what waits for a user.

use axum::response::Response;
use serde_json::{Value, json};

use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// How many messages wait for a user
#[utoipa::path(
    get,
    path = "/users/{username}/offline_msg_count",
    operation_id = "countOfflineMessages",
    tag = "users",
    params(("username" = String, Path, description = "The user ID")),
    responses((status = 200, description = "The number, by user ID", body = serde_json::Value)),
)]
pub(super) async fn count(call: Call) -> Result<Response, ChatError> {
    let name = call.user_param("username")?;
    call.app_or(&name)?;
    call.limit(ChatRule::OfflineCounts)?;
    call.node().user(&call.app, &name).await?;
    let count = call.node().offline_messages(&call.app, &name).await?;
    let reply = call.reply().without_app().entities(Vec::<Value>::new()).count(0);
    Ok(reply.data(json!({ name.as_str(): count })).send())
}

/// Whether a message waits for a user
#[utoipa::path(
    get,
    path = "/users/{username}/offline_msg_status/{msg_id}",
    operation_id = "getOfflineMessageStatus",
    tag = "users",
    params(
        ("username" = String, Path, description = "The user ID"),
        ("msg_id" = String, Path, description = "The message ID"),
    ),
    responses((status = 200, description = "`delivered` or `undelivered`, by message ID", body = serde_json::Value)),
)]
pub(super) async fn status(call: Call) -> Result<Response, ChatError> {
    let name = call.user_param("username")?;
    call.app_or(&name)?;
    call.limit(ChatRule::OfflineStatus)?;
    call.node().user(&call.app, &name).await?;
    let id = call.param("msg_id");
    // A message that nobody knows does not wait (the example in the documents).
    let waits = match id.parse() {
        Ok(id) => call.node().is_undelivered(&call.app, &name, id).await?,
        Err(_) => false,
    };
    let reply = call.reply().without_app().entities(Vec::<Value>::new()).count(0);
    Ok(reply.data(json!({ id: if waits { "undelivered" } else { "delivered" } })).send())
}
