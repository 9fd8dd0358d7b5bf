//! `notification/template`: the app's templates of pushes.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use stentor_core::directory::DirectoryError;
use stentor_core::push::PushTemplate;
use stentor_core::records::{cursor, from_cursor};

use super::invalid;
use crate::body::{Object, RawBody};
use crate::call::Call;
use crate::error::{ChatError, exception};
use crate::rates::ChatRule;

/// Characters of a name (push documents).
pub(super) const MAX_NAME: usize = 64;
/// Bytes of a pattern. Ours: no provider shows more.
pub(super) const MAX_PATTERN: usize = 4096;
/// On a page, and when nobody says how many.
pub(super) const PAGE: (usize, usize) = (100, 10);

/// Whether a template may have this name.
pub(super) fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Create a template
#[utoipa::path(
    post,
    path = "/notification/template",
    operation_id = "createPushTemplate",
    tag = "push",
    request_body(content = serde_json::Value, example = json!({
        "name": "test7", "title_pattern": "Hello,{0}", "content_pattern": "Test,{0}"
    })),
    responses((status = 200, description = "The template", body = serde_json::Value)),
)]
pub(super) async fn create(call: Call, body: RawBody) -> Result<Response, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::PushTemplateCreations)?;
    let body = body.object()?;
    let name = body.text("name")?.filter(|name| is_name(name)).ok_or_else(|| invalid("name"))?;
    let title = pattern(&body, "title_pattern")?.ok_or_else(|| invalid("title_pattern"))?;
    let content = pattern(&body, "content_pattern")?.ok_or_else(|| invalid("content_pattern"))?;
    // A name that is there already is no error: the template is changed (ours: no document says).
    let put = call.node().put_push_template(&call.app, name, (Some(title), Some(content)), false);
    reply(&call, name, put.await.map_err(refused)?)
}

/// List templates
#[utoipa::path(
    get,
    path = "/notification/template",
    operation_id = "listPushTemplates",
    tag = "push",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 100; 10 if it is not given"),
        ("cursor" = Option<String>, Query, description = "Of the page before"),
    ),
    responses((status = 200, description = "A page of templates", body = serde_json::Value)),
)]
pub(super) async fn list(call: Call) -> Result<Response, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::PushTemplateReads)?;
    let limit = call.query_number("limit", PAGE.1, PAGE.0);
    let after = match call.cursor() {
        Some(text) => Some(from_cursor(&text).ok_or_else(|| invalid("cursor"))?),
        None => None,
    };
    let page = call.node().push_templates(&call.app, after, limit).await?;
    let data: Vec<_> = page.items.iter().map(view).collect();
    Ok(call.reply().data(data).cursor(page.next.as_deref().map(cursor)).send())
}

/// Not served: a template is deleted by its name
#[utoipa::path(
    delete,
    path = "/notification/template",
    operation_id = "deletePushTemplates",
    tag = "push",
    responses((status = 404, description = "`url is invalid`: never all templates at once", body = serde_json::Value)),
)]
pub(super) async fn delete_all(_: Call) -> Result<Response, ChatError> {
    Err(ChatError::no_route())
}

/// Get a template
#[utoipa::path(
    get,
    path = "/notification/template/{name}",
    operation_id = "getPushTemplate",
    tag = "push",
    params(("name" = String, Path, description = "The name of the template")),
    responses((status = 200, description = "The template", body = serde_json::Value)),
)]
pub(super) async fn get(call: Call) -> Result<Response, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::PushTemplateReads)?;
    let name = call.param("name");
    reply(&call, name, call.node().push_template(&call.app, name).await?)
}

/// Change a template
#[utoipa::path(
    put,
    path = "/notification/template/{name}",
    operation_id = "changePushTemplate",
    tag = "push",
    params(("name" = String, Path, description = "The name of the template")),
    request_body(content = serde_json::Value, example = json!({ "title_pattern": "Hello,{0}" })),
    responses((status = 200, description = "The template as it is now", body = serde_json::Value)),
)]
pub(super) async fn change(call: Call, body: RawBody) -> Result<Response, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::PushTemplateCreations)?;
    let body = body.object()?;
    let patterns = (pattern(&body, "title_pattern")?, pattern(&body, "content_pattern")?);
    if patterns == (None, None) {
        return Err(invalid("title_pattern"));
    }
    let name = call.param("name");
    let put = call.node().put_push_template(&call.app, name, patterns, true);
    reply(&call, name, put.await.map_err(refused)?)
}

/// Delete a template
#[utoipa::path(
    delete,
    path = "/notification/template/{name}",
    operation_id = "deletePushTemplate",
    tag = "push",
    params(("name" = String, Path, description = "The name of the template")),
    responses((status = 200, description = "The template as it was", body = serde_json::Value)),
)]
pub(super) async fn delete(call: Call) -> Result<Response, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::PushTemplateDeletions)?;
    let name = call.param("name");
    reply(&call, name, call.node().delete_push_template(&call.app, name).await?)
}

fn pattern<'a>(body: &'a Object, name: &'static str) -> Result<Option<&'a str>, ChatError> {
    let pattern = body.text(name)?;
    if pattern.is_some_and(|pattern| pattern.is_empty() || pattern.len() > MAX_PATTERN) {
        return Err(invalid(name));
    }
    Ok(pattern)
}

fn refused(error: DirectoryError) -> ChatError {
    match error {
        DirectoryError::TooMany { .. } => ChatError::exceed_limit("the number of push templates exceeds the limit"),
        other => other.into(),
    }
}

fn reply(call: &Call, name: &str, template: Option<PushTemplate>) -> Result<Response, ChatError> {
    match template {
        Some(template) => Ok(call.reply().data(view(&template)).send()),
        None => {
            let text = format!("{name} template is not exist");
            Err(ChatError::new(StatusCode::BAD_REQUEST, "entity_not_found", text).with(exception::ENTITY_NOT_FOUND))
        }
    }
}

fn view(template: &PushTemplate) -> Value {
    json!({
        "name": template.name,
        "createAt": template.created_ms,
        "updateAt": template.updated_ms,
        "title_pattern": template.title,
        "content_pattern": template.content,
    })
}
