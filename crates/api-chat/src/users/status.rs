//! `GET users/{username}/status` and `POST users/batch/status`: who is online.

use axum::response::Response;
use serde_json::{Value, json};

use crate::body::RawBody;
use crate::call::{Call, Visit};
use crate::error::ChatError;
use crate::names::user_id;
use crate::rates::ChatRule;

/// Users in one request (Easemob account documents).
pub(super) const MAX_USERS: usize = 100;

/// Whether a user is online
#[utoipa::path(
    get,
    path = "/users/{username}/status",
    operation_id = "getUserStatus",
    tag = "users",
    params(("username" = String, Path, description = "The user ID")),
    responses((status = 200, description = "`online` or `offline`, by user ID", body = serde_json::Value)),
)]
pub(super) async fn of_one(call: Call) -> Result<Response, ChatError> {
    let name = call.user_param("username")?;
    call.app_or(&name)?;
    call.limit(ChatRule::UserStatus)?;
    call.node().user(&call.app, &name).await?;
    let reply = call.reply().without_app().entities(Vec::<Value>::new()).count(0);
    Ok(reply.data(json!({ name.as_str(): status(&call, name.as_str()) })).send())
}

/// Which of up to 100 users are online
#[utoipa::path(
    post,
    path = "/users/batch/status",
    operation_id = "getUserStatuses",
    tag = "users",
    request_body(content = serde_json::Value, example = json!({"usernames": ["user1", "user2"]})),
    responses((status = 200, description = "`online` or `offline`, by user ID", body = serde_json::Value)),
)]
pub(super) async fn of_many(call: Call, body: RawBody) -> Result<Response, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::UserBatchStatus)?;
    let body = body.object()?;
    let names = body.texts("usernames")?;
    let names = names.ok_or_else(|| ChatError::illegal_argument("parameters is invalid : usernames"))?;
    if names.len() > MAX_USERS {
        let text = format!("request body exceeds maximum limit, maximum limit is {MAX_USERS}");
        return Err(ChatError::illegal_argument(text));
    }
    // Nobody looks whether they are registered.
    let statuses: Vec<_> = names.iter().map(|name| json!({ *name: status(&call, name) })).collect();
    Ok(call.reply().action("get batch user status").data(statuses).brief().send())
}

fn status(visit: &Visit, name: &str) -> &'static str {
    let online = user_id(name).is_ok_and(|user| visit.node().is_online(&visit.app, &user));
    if online { "online" } else { "offline" }
}
