//! `metadata/user…`: attributes of users. A service of its own at the vendor's: its replies are short, its refusals have
//! keys of their own, and say their text in `desc` as well.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value};
use stentor_core::directory::profiles::{Attributes, ProfileError};
use stentor_core::id::UserId;
use stentor_http_kit::percent::decode_query;
use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

use crate::auth::Principal;
use crate::body::RawBody;
use crate::call::Call;
use crate::error::ChatError;
use crate::names::user_id;
use crate::policy::ChatLimits;
use crate::rates::ChatRule;
use crate::sizes::{Size, size};
use crate::state::ChatState;

/// Users in one request (Easemob user attribute documents).
const MAX_USERS: usize = 100;

/// Characters of the attributes that the vendor's clients know.
const LENGTHS: [(&str, usize); 6] =
    [("nickname", 64), ("avatarurl", 256), ("phone", 32), ("mail", 64), ("sign", 256), ("birth", 64)];

/// What is limited of attributes, for `docs/limits.md`.
pub(crate) fn sizes(limits: &ChatLimits) -> Vec<Size> {
    let lengths: Vec<_> = LENGTHS.iter().map(|(name, length)| format!("`{name}` {length}")).collect();
    vec![
        size("Attributes of a user", format!("{} bytes, names and values", limits.directory.profile_bytes), "403")
            .by(&["attribute_bytes"]),
        size("Attributes of all users", format!("{} bytes", limits.directory.profiles_bytes), "403")
            .by(&["attribute_bytes_total"]),
        size("Characters of known attributes", lengths.join(", "), "403"),
        size("Users whose attributes are asked for at once", MAX_USERS, "400"),
    ]
}

/// The endpoints of this family.
pub(crate) fn endpoints() -> Vec<UtoipaMethodRouter<ChatState>> {
    vec![routes!(get, set, clear), routes!(of_many), routes!(capacity)]
}

/// A refusal of this service.
fn refusal(status: StatusCode, error: &'static str, text: impl Into<std::borrow::Cow<'static, str>>) -> ChatError {
    ChatError::new(status, error, text).also_in("desc")
}

fn forbidden(text: String) -> ChatError {
    refusal(StatusCode::FORBIDDEN, "FORBIDDEN", text)
}

/// Takes a call, if the app has attributes.
fn opened(call: &Call) -> Result<(), ChatError> {
    call.limit(ChatRule::Metadata)?;
    if call.chat.features.metadata {
        Ok(())
    } else {
        Err(forbidden(format!("{} user metadata service not allow", call.chat.key())))
    }
}

/// The user of the path, who must be the caller, if that is a user.
fn own(call: &Call) -> Result<Option<UserId>, ChatError> {
    let user = call.user_param("username").ok();
    match call.principal() {
        Principal::User(own) if Some(own) != user.as_ref() => {
            Err(refusal(StatusCode::UNAUTHORIZED, "metadata_error", "auth error"))
        }
        _ => Ok(user),
    }
}

/// Get a user's attributes
#[utoipa::path(
    get,
    path = "/metadata/user/{username}",
    operation_id = "getAttributes",
    tag = "attributes",
    params(("username" = String, Path, description = "The user ID")),
    responses((status = 200, description = "All attributes; none for a user that is not there", body = serde_json::Value)),
)]
async fn get(call: Call) -> Result<Response, ChatError> {
    opened(&call)?;
    let attributes = match own(&call)? {
        Some(user) => call.node().profile(&call.app, &user).await?,
        None => Attributes::new(),
    };
    reply(&call, object(attributes))
}

/// Set attributes of a user
#[utoipa::path(
    put,
    path = "/metadata/user/{username}",
    operation_id = "setAttributes",
    tag = "attributes",
    params(("username" = String, Path, description = "The user ID")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "Attributes; a JSON object is taken as well", example = "nickname=N&ext=e"),
    responses((status = 200, description = "The attributes that were set", body = serde_json::Value)),
)]
async fn set(call: Call, body: RawBody) -> Result<Response, ChatError> {
    opened(&call)?;
    let user = own(&call)?.ok_or_else(ChatError::user_not_found)?;
    let attributes = read(&body)?;
    for (name, max) in LENGTHS {
        if attributes.get(name).is_some_and(|value| value.chars().count() > max) {
            let text =
                format!("size of metadata for this single user exceeds the current mysql column size, {max}Bytes");
            return Err(forbidden(text));
        }
    }
    call.node().set_profile(&call.app, &user, &attributes).await.map_err(refused)?;
    reply(&call, object(attributes))
}

fn refused(error: ProfileError) -> ChatError {
    let exceeds = |what: &str, max| forbidden(format!("{what} exceeds the user defined limit, {max}Bytes"));
    match error {
        ProfileError::UserFull { max } => exceeds("size of metadata for this single user", max),
        ProfileError::AppFull { max } => exceeds("total size of user metadata for this app", max),
        ProfileError::Directory(error) => error.into(),
    }
}

/// The attributes of a body: those of a JSON object if it begins as one, otherwise those of a form. The vendor's service
/// refuses everything but forms; its client libraries send both.
fn read(body: &RawBody) -> Result<Attributes, ChatError> {
    let attributes = if body.0.trim_ascii_start().first() == Some(&b'{') {
        body.object()?.0.into_iter().map(|(name, value)| Ok((name, text(value)?))).collect::<Result<_, ChatError>>()?
    } else {
        form(&body.0).ok_or_else(invalid)?
    };
    if attributes.is_empty() || attributes.contains_key("") { Err(invalid()) } else { Ok(attributes) }
}

/// 400: nothing that could be set. Key and text are ours.
fn invalid() -> ChatError {
    refusal(StatusCode::BAD_REQUEST, "BAD_REQUEST", "request body is illegal")
}

fn text(value: Value) -> Result<String, ChatError> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(invalid()),
    }
}

/// The fields of a form; of a repeated one the last. `None` if it cannot be decoded.
fn form(body: &[u8]) -> Option<Attributes> {
    let pairs = std::str::from_utf8(body).ok()?.trim().split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode_query(name).ok()?.into_owned(), decode_query(value).ok()?.into_owned()))
        })
        .collect()
}

/// Remove a user's attributes
#[utoipa::path(
    delete,
    path = "/metadata/user/{username}",
    operation_id = "clearAttributes",
    tag = "attributes",
    params(("username" = String, Path, description = "The user ID")),
    responses((status = 200, description = "Done, whether there were any or not", body = serde_json::Value)),
)]
async fn clear(call: Call) -> Result<Response, ChatError> {
    opened(&call)?;
    if let Some(user) = own(&call)? {
        call.node().clear_profile(&call.app, &user).await?;
    }
    reply(&call, true)
}

/// Get some attributes of up to 100 users
#[utoipa::path(
    post,
    path = "/metadata/user/get",
    operation_id = "getAttributesOfUsers",
    tag = "attributes",
    request_body(content = serde_json::Value, example = json!({"targets": ["user1"], "properties": ["nickname"]})),
    responses((status = 200, description = "The attributes, by user ID", body = serde_json::Value)),
)]
async fn of_many(call: Call, body: RawBody) -> Result<Response, ChatError> {
    opened(&call)?;
    let body = body.object()?;
    let targets = body.texts("targets").ok().flatten().ok_or_else(invalid)?;
    let properties = body.texts("properties").map_err(|_| invalid())?;
    if targets.len() > MAX_USERS {
        let text = format!("exceed allowed batch size {MAX_USERS}");
        return Err(refusal(StatusCode::BAD_REQUEST, "BAD_REQUEST", text));
    }
    let named: Vec<_> = targets.iter().filter_map(|name| Some((*name, user_id(name).ok()?))).collect();
    let users: Vec<_> = named.iter().map(|(_, user)| user.clone()).collect();
    let found = call.node().profiles(&call.app, &users).await?;
    let mut data: Map<_, _> = targets.iter().map(|name| ((*name).to_owned(), object(Attributes::new()))).collect();
    for ((name, _), mut attributes) in named.into_iter().zip(found) {
        if let Some(properties) = &properties {
            attributes.retain(|attribute, _| properties.contains(&attribute.as_str()));
        }
        data.insert(name.to_owned(), object(attributes));
    }
    reply(&call, data)
}

/// How large the attributes of all users are
#[utoipa::path(
    get,
    path = "/metadata/user/capacity",
    operation_id = "getAttributesSize",
    tag = "attributes",
    responses((status = 200, description = "Bytes", body = serde_json::Value)),
)]
async fn capacity(call: Call) -> Result<Response, ChatError> {
    opened(&call)?;
    if *call.principal() != Principal::App {
        return Err(refusal(StatusCode::UNAUTHORIZED, "unauthorized", "unauthorized"));
    }
    reply(&call, call.node().profile_bytes(&call.app).await?)
}

fn object(attributes: Attributes) -> Value {
    Value::Object(attributes.into_iter().map(|(name, value)| (name, Value::String(value))).collect())
}

/// The reply: when, what, and how long it took.
#[expect(clippy::unnecessary_wraps, reason = "the last line of every handler")]
fn reply(call: &Call, data: impl Into<Value>) -> Result<Response, ChatError> {
    Ok(call.reply().data(data).brief().without_action().send())
}
