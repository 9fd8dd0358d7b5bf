//! `mutes`: users who may not send to users, groups or rooms, for a time or for good, whatever they send with.

use axum::response::Response;
use serde_json::{Value, json};
use stentor_core::directory::DirectoryError;
use stentor_core::directory::mutes::{Mute, MuteScope, MuteTime};
use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

use crate::body::{Object, RawBody};
use crate::call::Call;
use crate::error::ChatError;
use crate::names::user_id;
use crate::rates::ChatRule;
use crate::sizes::{Size, size};
use crate::state::ChatState;

/// The scopes and their names.
const SCOPES: [(MuteScope, &str); 3] =
    [(MuteScope::Users, "chat"), (MuteScope::Groups, "groupchat"), (MuteScope::Rooms, "chatroom")];

/// The longest time but for good, in seconds (Easemob account documents).
const MAX_SECONDS: i64 = 2_147_483_647;

/// Users on a page (Easemob account documents).
const MAX_PAGE: usize = 50;
/// Users on a page when nobody says how many.
const DEFAULT_PAGE: usize = 10;
/// The last page there is: what is behind it is not counted off.
const LAST_PAGE: usize = 100_000;

/// What is limited of global mutes, for `docs/limits.md`.
pub(crate) fn sizes() -> Vec<Size> {
    vec![
        size("Seconds of a global mute", MAX_SECONDS, "400"),
        size("Globally muted users on a page", format!("{MAX_PAGE}, {DEFAULT_PAGE} if nothing is said"), "so many"),
    ]
}

/// The endpoints of this family.
pub(crate) fn endpoints() -> Vec<UtoipaMethodRouter<ChatState>> {
    vec![routes!(set, list), routes!(get)]
}

/// Mute a user, or lift it
#[utoipa::path(
    post,
    path = "/mutes",
    operation_id = "muteUser",
    tag = "mutes",
    request_body(content = serde_json::Value, description = "Seconds; -1 for good, 0 to lift it", example = json!({"username": "user1", "chat": 100, "groupchat": 0, "chatroom": -1})),
    responses((status = 200, description = "Done", body = serde_json::Value)),
)]
async fn set(call: Call, body: RawBody) -> Result<Response, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::Mutes)?;
    let body = body.object()?;
    let name = body.text("username")?.filter(|name| !name.is_empty()).ok_or_else(ChatError::user_property)?;
    let mut changes = Vec::new();
    for (scope, field) in SCOPES {
        if let Some(time) = time(&body, field)? {
            changes.push((scope, time));
        }
    }
    if changes.is_empty() {
        // Each is optional; none of them asks for nothing. The text is the push settings'.
        return Err(ChatError::illegal_argument("parameters is invalid : chat"));
    }
    let user = user_id(name).map_err(|_| ChatError::user_property())?;
    call.node().mute_user(&call.app, &user, &changes).await.map_err(refused)?;
    Ok(call.reply().path("/mutes").data(json!({ "result": "ok" })).send())
}

fn time(body: &Object, field: &'static str) -> Result<Option<MuteTime>, ChatError> {
    let invalid = || ChatError::illegal_argument(format!("parameters is invalid : {field}"));
    match body.integer(field)? {
        None => Ok(None),
        Some(-1) => Ok(Some(MuteTime::Forever)),
        Some(0) => Ok(Some(MuteTime::None)),
        Some(seconds) if seconds > MAX_SECONDS => Err(invalid()),
        Some(seconds) => u32::try_from(seconds).map(|seconds| Some(MuteTime::Seconds(seconds))).map_err(|_| invalid()),
    }
}

fn refused(error: DirectoryError) -> ChatError {
    match error {
        DirectoryError::NoUser(_) => ChatError::user_property(),
        other => other.into(),
    }
}

/// How long a user is muted
#[utoipa::path(
    get,
    path = "/mutes/{username}",
    operation_id = "getMute",
    tag = "mutes",
    params(("username" = String, Path, description = "The user ID")),
    responses((status = 200, description = "Seconds that are left; -1 for good, 0 for not at all", body = serde_json::Value)),
)]
async fn get(call: Call) -> Result<Response, ChatError> {
    let user = call.user_param("username").map_err(|_| ChatError::user_property())?;
    call.app_or(&user)?;
    call.limit(ChatRule::Mutes)?;
    let mute = call.node().mute(&call.app, &user).await.map_err(refused)?;
    let now_ms = call.now_ms();
    let mut data = json!({ "userid": format!("{}_{user}", call.chat.key()), "unixtime": now_ms / 1000 });
    for (scope, field) in SCOPES {
        data[field] = seconds(mute.left(scope, now_ms)).into();
    }
    Ok(call.reply().path("/mutes").data(data).send())
}

fn seconds(time: MuteTime) -> i64 {
    match time {
        MuteTime::None => 0,
        MuteTime::Seconds(seconds) => i64::from(seconds),
        MuteTime::Forever => -1,
    }
}

/// List muted users
#[utoipa::path(
    get,
    path = "/mutes",
    operation_id = "listMutes",
    tag = "mutes",
    params(
        ("pageNum" = Option<u32>, Query, description = "From 1"),
        ("pageSize" = Option<u32>, Query, description = "Users on a page, 1 to 50; 10 if it is not given"),
    ),
    responses((status = 200, description = "Who is muted where, for how many seconds", body = serde_json::Value)),
)]
async fn list(call: Call) -> Result<Response, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::Mutes)?;
    let size = call.query_number("pageSize", DEFAULT_PAGE, MAX_PAGE);
    let page = call.query_number("pageNum", 1, LAST_PAGE);
    let muted = call.node().mutes(&call.app, (page - 1) * size, size).await?;
    let now_ms = call.now_ms();
    let rows: Vec<_> = muted.iter().flat_map(|(user, mute)| rows(user.as_str(), mute, now_ms)).collect();
    Ok(call.reply().path("/mutes").data(json!({ "data": rows, "unixtime": now_ms / 1000 })).send())
}

/// One row for each scope in which a user is muted.
fn rows(user: &str, mute: &Mute, now_ms: u64) -> Vec<Value> {
    let in_force = SCOPES.iter().map(|(scope, field)| (*field, mute.left(*scope, now_ms)));
    in_force
        .filter(|(_, left)| *left != MuteTime::None)
        .map(|(field, left)| json!({ "username": user, field: seconds(left) }))
        .collect()
}
