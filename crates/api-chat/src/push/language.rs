//! `users/{username}/notification/language`: the language that pushes are to be in.

use axum::response::Response;
use serde_json::json;

use super::{invalid, owner, refused};
use crate::body::RawBody;
use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// Characters of a language's code. Ours: the longest that is in use has half of them.
pub(super) const MAX_CODE: usize = 35;

/// Get the language of pushes
#[utoipa::path(
    get,
    path = "/users/{username}/notification/language",
    operation_id = "getPushLanguage",
    tag = "push",
    params(("username" = String, Path, description = "The user ID")),
    responses((status = 200, description = "The language", body = serde_json::Value)),
)]
pub(super) async fn get(call: Call) -> Result<Response, ChatError> {
    let user = owner(&call)?;
    call.limit(ChatRule::PushLanguageReads)?;
    let push = call.node().push_preferences(&call.app, &user).await.map_err(refused)?;
    Ok(reply(&call, &push.language))
}

/// Set the language of pushes
#[utoipa::path(
    put,
    path = "/users/{username}/notification/language",
    operation_id = "setPushLanguage",
    tag = "push",
    params(("username" = String, Path, description = "The user ID")),
    request_body(content = serde_json::Value, example = json!({"translationLanguage": "EU"})),
    responses((status = 200, description = "The language", body = serde_json::Value)),
)]
pub(super) async fn put(call: Call, body: RawBody) -> Result<Response, ChatError> {
    let user = owner(&call)?;
    call.limit(ChatRule::PushLanguageChanges)?;
    let body = body.object()?;
    // The reply's name for it is taken as well.
    let language = body.text("translationLanguage")?.or(body.text("language")?);
    let language = language.filter(|code| {
        code.len() <= MAX_CODE && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    });
    let language = language.ok_or_else(|| invalid("translationLanguage"))?;
    let push = call.node().set_push_language(&call.app, &user, language).await.map_err(refused)?;
    Ok(reply(&call, &push.language))
}

fn reply(call: &Call, language: &str) -> Response {
    let uri = call.url("/users/notification/language");
    call.reply().path("/users").uri(uri).data(json!({ "language": language })).send()
}
