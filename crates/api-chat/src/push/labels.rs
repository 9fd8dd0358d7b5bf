//! `push/label`, `push/label/{name}` and `push/label/{name}/user`: labels that users have for direct pushes (push label
//! documents).

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};
use stentor_core::push::{LabelError, PushLabel};
use stentor_core::records::{cursor, from_cursor};

use super::direct::{brief, limit_request};
use super::invalid;
use crate::body::RawBody;
use crate::call::Call;
use crate::error::{ChatError, exception};
use crate::names::user_id;
use crate::rates::ChatRule;

/// Characters of a name, and of a description (documented).
pub(super) const MAX_NAME: usize = 64;
/// See [`MAX_NAME`].
pub(super) const MAX_DESCRIPTION: usize = 255;
/// Users in one request (documented).
pub(super) const MAX_USERS: usize = 100;
/// On a page, and when nobody says how many (documented).
pub(super) const PAGE: (usize, usize) = (100, 100);

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(allowed)
}

/// Create a label
#[utoipa::path(
    post,
    path = "/push/label",
    operation_id = "createPushLabel",
    tag = "push",
    request_body(content = serde_json::Value, example = json!({"name": "post-90s", "description": "hah"})),
    responses((status = 200, description = "The label", body = serde_json::Value)),
)]
pub(super) async fn create(call: Call, body: RawBody) -> Result<Response, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::PushLabels)?;
    let body = body.object()?;
    let name = body.text("name")?.filter(|name| is_name(name)).ok_or_else(|| invalid("name"))?;
    let description = body.text("description")?.unwrap_or_default();
    if description.chars().count() > MAX_DESCRIPTION {
        return Err(invalid("description"));
    }
    let label = call.node().create_push_label(&call.app, name, description).await.map_err(refused)?;
    Ok(brief(&call).data(view(&label, None)).send())
}

/// List labels
#[utoipa::path(
    get,
    path = "/push/label",
    operation_id = "listPushLabels",
    tag = "push",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 100; 100 if it is not given"),
        ("cursor" = Option<String>, Query, description = "Of the page before"),
    ),
    responses((status = 200, description = "A page of labels", body = serde_json::Value)),
)]
pub(super) async fn list(call: Call) -> Result<Response, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::PushLabels)?;
    let limit = call.query_number("limit", PAGE.1, PAGE.0);
    let page = call.node().push_labels(&call.app, after(&call)?, limit).await?;
    let data: Vec<_> = page.items.iter().map(|(label, count)| view(label, Some(*count))).collect();
    Ok(brief(&call).data(data).cursor(page.next.as_deref().map(cursor)).send())
}

/// Get a label
#[utoipa::path(
    get,
    path = "/push/label/{labelname}",
    operation_id = "getPushLabel",
    tag = "push",
    params(("labelname" = String, Path, description = "The name of the label")),
    responses((status = 200, description = "The label and the number of its users", body = serde_json::Value)),
)]
pub(super) async fn get(call: Call) -> Result<Response, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::PushLabels)?;
    let name = call.param("labelname");
    let found = call.node().push_label(&call.app, name).await?;
    let (label, count) = found.ok_or_else(|| no_label(name))?;
    Ok(brief(&call).data(view(&label, Some(count))).send())
}

/// Delete a label
#[utoipa::path(
    delete,
    path = "/push/label/{labelname}",
    operation_id = "deletePushLabel",
    tag = "push",
    params(("labelname" = String, Path, description = "The name of the label")),
    responses((status = 200, description = "Done: its users do not have it any more", body = serde_json::Value)),
)]
pub(super) async fn delete(call: Call) -> Result<Response, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::PushLabels)?;
    let name = call.param("labelname");
    if !call.node().delete_push_label(&call.app, name).await? {
        return Err(no_label(name));
    }
    Ok(brief(&call).data("success").send())
}

/// Give a label to users
#[utoipa::path(
    post,
    path = "/push/label/{labelname}/user",
    operation_id = "addPushLabelUsers",
    tag = "push",
    params(("labelname" = String, Path, description = "The name of the label")),
    request_body(content = serde_json::Value, example = json!({"usernames": ["hx1", "hx2"]})),
    responses((status = 200, description = "Who has it now, and who cannot have it and why", body = serde_json::Value)),
)]
pub(super) async fn add(call: Call, body: RawBody) -> Result<Response, ChatError> {
    let names = names(&call, &body)?;
    let users: Vec<_> = names.iter().filter_map(|name| user_id(name).ok()).collect();
    let label = call.param("labelname");
    let added = call.node().add_push_label_users(&call.app, label, &users).await.map_err(refused)?;
    let added = users.iter().zip(added).filter(|(_, added)| *added).map(|(user, _)| user.as_str());
    Ok(outcome(&call, &names, &added.collect::<Vec<_>>(), "appUser not exists"))
}

/// Take a label from users
#[utoipa::path(
    delete,
    path = "/push/label/{labelname}/user",
    operation_id = "removePushLabelUsers",
    tag = "push",
    params(("labelname" = String, Path, description = "The name of the label")),
    request_body(content = serde_json::Value, example = json!({"usernames": ["hx1", "hx2"]})),
    responses((status = 200, description = "Who had it, and who had not", body = serde_json::Value)),
)]
pub(super) async fn remove(call: Call, body: RawBody) -> Result<Response, ChatError> {
    let names = names(&call, &body)?;
    let users: Vec<_> = names.iter().filter_map(|name| user_id(name).ok()).collect();
    let label = call.param("labelname");
    let had = call.node().remove_push_label_users(&call.app, label, &users).await.map_err(refused)?;
    let had = users.iter().zip(had).filter(|(_, had)| *had).map(|(user, _)| user.as_str());
    Ok(outcome(&call, &names, &had.collect::<Vec<_>>(), "user has no such label"))
}

/// List the users of a label
#[utoipa::path(
    get,
    path = "/push/label/{labelname}/user",
    operation_id = "listPushLabelUsers",
    tag = "push",
    params(
        ("labelname" = String, Path, description = "The name of the label"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 100 if it is not given"),
        ("cursor" = Option<String>, Query, description = "Of the page before"),
    ),
    responses((status = 200, description = "A page of users", body = serde_json::Value)),
)]
pub(super) async fn users(call: Call) -> Result<Response, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::PushLabelUsers)?;
    let label = call.param("labelname");
    if call.node().push_label(&call.app, label).await?.is_none() {
        return Err(no_label(label));
    }
    let limit = call.query_number("limit", PAGE.1, PAGE.0);
    let page = call.node().push_label_users(&call.app, label, after(&call)?.as_deref(), limit).await?;
    let user =
        |(user, since_ms): &(stentor_core::id::UserId, u64)| json!({ "username": user.as_str(), "created": since_ms });
    let data: Vec<_> = page.items.iter().map(user).collect();
    Ok(brief(&call).data(data).cursor(page.next.as_deref().map(cursor)).send())
}

/// See whether a user has a label
#[utoipa::path(
    get,
    path = "/push/label/{labelname}/user/{username}",
    operation_id = "getPushLabelUser",
    tag = "push",
    params(
        ("labelname" = String, Path, description = "The name of the label"),
        ("username" = String, Path, description = "The user ID"),
    ),
    responses((status = 200, description = "The user and since when; nothing if it has not", body = serde_json::Value)),
)]
pub(super) async fn user(call: Call) -> Result<Response, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::PushLabelUsers)?;
    let (label, name) = (call.param("labelname"), call.param("username"));
    let since_ms = match user_id(name) {
        Ok(user) => call.node().push_label_user(&call.app, label, &user).await?,
        Err(_) => None,
    };
    let data = since_ms.map_or_else(|| json!({}), |since_ms| json!({ "username": name, "created": since_ms }));
    Ok(brief(&call).data(data).send())
}

/// The users that a body names, each once.
fn names(call: &Call, body: &RawBody) -> Result<Vec<String>, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::PushLabelUsers)?;
    let body = body.object()?;
    let names = body.texts("usernames")?.filter(|names| (1..=MAX_USERS).contains(&names.len()));
    let mut names: Vec<_> = names.ok_or_else(|| invalid("usernames"))?.into_iter().map(str::to_owned).collect();
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.to_ascii_lowercase()));
    Ok(names)
}

/// Names as they were written, of users by their IDs.
fn outcome(call: &Call, names: &[String], done: &[&str], why_not: &str) -> Response {
    let is_done = |name: &String| user_id(name).is_ok_and(|user| done.contains(&user.as_str()));
    let (success, fail): (Vec<_>, Vec<_>) = names.iter().partition(|name| is_done(name));
    let fail: Map<_, _> = fail.into_iter().map(|name| (name.clone(), Value::from(why_not))).collect();
    brief(call).data(json!({ "success": success, "fail": fail })).send()
}

fn after(call: &Call) -> Result<Option<String>, ChatError> {
    match call.query("cursor").filter(|text| !text.is_empty()) {
        Some(text) => from_cursor(&text).map(Some).ok_or_else(|| invalid("cursor")),
        None => Ok(None),
    }
}

fn view(label: &PushLabel, count: Option<u64>) -> Value {
    let mut shown = json!({ "name": label.name, "description": label.description, "createdAt": label.created_ms });
    if let Some(count) = count {
        shown["count"] = count.into();
    }
    shown
}

/// 400. No document has a text; it is like that of templates.
pub(super) fn no_label(name: &str) -> ChatError {
    let text = format!("{name} label is not exist");
    ChatError::new(StatusCode::BAD_REQUEST, "entity_not_found", text).with(exception::ENTITY_NOT_FOUND)
}

fn refused(error: LabelError) -> ChatError {
    match error {
        LabelError::NoLabel(name) => no_label(&name),
        LabelError::Exists(name) => ChatError::illegal_argument(format!("{name} label already exists")),
        LabelError::TooMany { .. } => limit_request(),
        LabelError::Store(error) => error.into(),
    }
}
