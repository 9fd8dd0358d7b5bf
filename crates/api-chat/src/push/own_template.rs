//! `users/{username}/notification/template`: the template that a user's pushes are to be made with (push documents).

use axum::response::Response;
use serde_json::json;

use super::template::is_name;
use super::{invalid, owner, refused};
use crate::body::RawBody;
use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// Get a user's template
#[utoipa::path(
    get,
    path = "/users/{username}/notification/template",
    operation_id = "getOwnPushTemplate",
    tag = "push",
    params(("username" = String, Path, description = "The user ID")),
    responses((status = 200, description = "The name of the template; empty for none", body = serde_json::Value)),
)]
pub(super) async fn get(call: Call) -> Result<Response, ChatError> {
    let user = owner(&call)?;
    call.limit(ChatRule::PushTemplateChoices)?;
    let push = call.node().push_preferences(&call.app, &user).await.map_err(refused)?;
    Ok(reply(&call, push.template.as_deref()))
}

/// Choose a user's template
#[utoipa::path(
    put,
    path = "/users/{username}/notification/template",
    operation_id = "setOwnPushTemplate",
    tag = "push",
    params(("username" = String, Path, description = "The user ID")),
    request_body(content = serde_json::Value, description = "Empty for none", example = json!({"templateName": "hello"})),
    responses((status = 200, description = "The name of the template", body = serde_json::Value)),
)]
pub(super) async fn put(call: Call, body: RawBody) -> Result<Response, ChatError> {
    let user = owner(&call)?;
    call.limit(ChatRule::PushTemplateChoices)?;
    let body = body.object()?;
    let name = body.text("templateName")?.filter(|name| name.is_empty() || is_name(name));
    let name = name.ok_or_else(|| invalid("templateName"))?;
    let push = call.node().set_push_template(&call.app, &user, name).await.map_err(refused)?;
    Ok(reply(&call, push.template.as_deref()))
}

fn reply(call: &Call, name: Option<&str>) -> Response {
    call.reply().path("/users").data(json!({ "templateName": name.unwrap_or_default() })).send()
}
