//! `POST users/{username}/presence/{expiry}`, `DELETE users/{username}/presence` and `GET …/presence/sublist`: of whose
//! status a user is told.

use axum::response::Response;
use serde_json::{Value, json};
use stentor_core::directory::DirectoryError;

use super::view::status_view;
use super::{MAX_USERS, begin, illegal, result, users};
use crate::body::RawBody;
use crate::call::Call;
use crate::error::ChatError;

/// Seconds of a subscription: 30 days (Easemob presence documents).
pub(super) const MAX_SECONDS: u32 = 2_592_000;
/// Subscriptions on a page (Easemob presence documents; 100 in newer ones).
pub(super) const MAX_PAGE: usize = 500;
/// Subscriptions on a page when nobody says how many.
const DEFAULT_PAGE: usize = 1;

/// Be told of the statuses of up to 100 users, for a time
#[utoipa::path(
    post,
    path = "/users/{username}/presence/{expiry}",
    operation_id = "subscribePresence",
    tag = "presence",
    params(
        ("username" = String, Path, description = "The user ID"),
        ("expiry" = u32, Path, description = "Seconds, up to 30 days"),
    ),
    request_body(content = serde_json::Value, example = json!({"usernames": ["user2"]})),
    responses((status = 200, description = "The statuses", body = serde_json::Value)),
)]
pub(super) async fn subscribe(call: Call, body: RawBody) -> Result<Response, ChatError> {
    let user = begin(&call)?;
    let seconds = call.param("expiry").parse().ok().filter(|seconds| (1..=MAX_SECONDS).contains(seconds));
    let seconds = seconds.ok_or_else(|| illegal("parameters is invalid : expiry"))?;
    let body = body.object()?;
    let names = super::usernames(&body)?;
    if names.len() > MAX_USERS {
        return Err(illegal("too many sub presence"));
    }
    let watched = users(&names);
    if watched.contains(&user) {
        return Err(illegal("you can't sub yourself"));
    }
    let subscribed = call.node().watch_statuses(&call.app, &user, &watched, seconds).await;
    let (statuses, expires_ms) = subscribed.map_err(|error| match error {
        // The documents say how many there may be, and give no other text.
        DirectoryError::TooMany { .. } => illegal("too many sub presence"),
        other => other.into(),
    })?;
    Ok(result(statuses.iter().map(|status| status_view(status, Some(expires_ms))).collect::<Vec<_>>()))
}

/// Not be told of the statuses of up to 100 users any more
#[utoipa::path(
    delete,
    path = "/users/{username}/presence",
    operation_id = "unsubscribePresence",
    tag = "presence",
    params(("username" = String, Path, description = "The user ID")),
    request_body(content = serde_json::Value, description = "A list of user IDs, or an object with it in `users`", example = json!(["user2"])),
    responses((status = 200, description = "Done", body = serde_json::Value)),
)]
pub(super) async fn unsubscribe(call: Call, body: RawBody) -> Result<Response, ChatError> {
    let user = begin(&call)?;
    let body = if body.0.is_empty() { Value::Null } else { body.value()? };
    let names = listed(&body).filter(|names| !names.is_empty()).ok_or_else(|| illegal("usernames cannot be null"))?;
    if names.len() > MAX_USERS {
        return Err(illegal("too many unsub presences"));
    }
    call.node().unwatch_statuses(&call.app, &user, &users(&names)).await?;
    Ok(result("ok"))
}

/// The example of the documents is a list, their table an object with `users`; `usernames` is what the other endpoints
/// have.
fn listed(body: &Value) -> Option<Vec<&str>> {
    match body {
        Value::Array(names) => names.iter().map(Value::as_str).collect(),
        Value::Object(object) => {
            let list = object.get("users").or_else(|| object.get("usernames"))?;
            list.as_array()?.iter().map(Value::as_str).collect()
        }
        _ => None,
    }
}

/// List of whose status a user is told
#[utoipa::path(
    get,
    path = "/users/{username}/presence/sublist",
    operation_id = "listPresenceSubscriptions",
    tag = "presence",
    params(
        ("username" = String, Path, description = "The user ID"),
        ("pageNum" = Option<u32>, Query, description = "From 1"),
        ("pageSize" = Option<u32>, Query, description = "1 to 500; 1 if it is not given"),
    ),
    responses((status = 200, description = "How many there are, and those of the page", body = serde_json::Value)),
)]
pub(super) async fn list(call: Call) -> Result<Response, ChatError> {
    let user = begin(&call)?;
    let size = call.query_number("pageSize", DEFAULT_PAGE, MAX_PAGE);
    let page = call.query_number("pageNum", 1, usize::MAX);
    let watches = call.node().status_watches(&call.app, &user).await?;
    let skipped = watches.iter().skip((page - 1).saturating_mul(size));
    let sublist: Vec<_> = skipped
        .take(size)
        .map(|watch| json!({ "uid": watch.user.as_str(), "expiry": (watch.expires_ms / 1000).to_string() }))
        .collect();
    Ok(result(json!({ "totalnum": watches.len().to_string(), "sublist": sublist })))
}
