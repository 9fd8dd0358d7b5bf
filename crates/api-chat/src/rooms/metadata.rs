//! `metadata/chatroom/{chatroom_id}…`: custom attributes of a room.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};
use stentor_core::directory::room_attributes::{AttributeOutcomes, AttributeRefused, MAX_ATTRIBUTES, SetAttributes};
use stentor_core::directory::room_error::RoomError;
use stentor_core::id::UserId;

use super::asked::{Asked, RoomCall};
use super::refusals;
use crate::body::{Object, RawBody};
use crate::error::ChatError;

/// Attributes in one request.
pub(super) const MAX_BATCH: usize = 10;
/// Characters of a key.
pub(super) const MAX_KEY: usize = 128;
/// Characters of a value.
pub(super) const MAX_VALUE: usize = 4096;

/// Set attributes of a room
#[utoipa::path(
    put,
    path = "/metadata/chatroom/{chatroom_id}/user/{username}",
    operation_id = "setRoomAttributes",
    tag = "rooms",
    params(
        ("chatroom_id" = String, Path, description = "The room"),
        ("username" = String, Path, description = "The member whose they are"),
    ),
    request_body(content = serde_json::Value, example = json!({"metaData": {"key1": "value1"}, "autoDelete": "DELETE"})),
    responses((status = 200, description = "Which were set, and why others were not", body = serde_json::Value)),
)]
pub(super) async fn put(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    set(&Asked::of_room(call), &body.object()?, false).await
}

/// Set attributes of a room, also those of other members
#[utoipa::path(
    put,
    path = "/metadata/chatroom/{chatroom_id}/user/{username}/forced",
    operation_id = "forceRoomAttributes",
    tag = "rooms",
    params(
        ("chatroom_id" = String, Path, description = "The room"),
        ("username" = String, Path, description = "The member whose they become"),
    ),
    request_body(content = serde_json::Value, example = json!({"metaData": {"key1": "value1"}})),
    responses((status = 200, description = "Which were set, and why others were not", body = serde_json::Value)),
)]
pub(super) async fn put_forced(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    set(&Asked::of_room(call), &body.object()?, true).await
}

/// Remove attributes of a room
#[utoipa::path(
    delete,
    path = "/metadata/chatroom/{chatroom_id}/user/{username}",
    operation_id = "removeRoomAttributes",
    tag = "rooms",
    params(
        ("chatroom_id" = String, Path, description = "The room"),
        ("username" = String, Path, description = "The member whose they are"),
    ),
    request_body(content = serde_json::Value, example = json!({"keys": ["key1"]})),
    responses((status = 200, description = "Which were removed, and why others were not", body = serde_json::Value)),
)]
pub(super) async fn delete(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    remove(&Asked::of_room(call), &body.object()?, false).await
}

/// Remove attributes of a room, also those of other members
#[utoipa::path(
    delete,
    path = "/metadata/chatroom/{chatroom_id}/user/{username}/forced",
    operation_id = "forceRemoveRoomAttributes",
    tag = "rooms",
    params(
        ("chatroom_id" = String, Path, description = "The room"),
        ("username" = String, Path, description = "A member"),
    ),
    request_body(content = serde_json::Value, example = json!({"keys": ["key1"]})),
    responses((status = 200, description = "Which were removed, and why others were not", body = serde_json::Value)),
)]
pub(super) async fn delete_forced(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    remove(&Asked::of_room(call), &body.object()?, true).await
}

/// Get attributes of a room
#[utoipa::path(
    post,
    path = "/metadata/chatroom/{chatroom_id}",
    operation_id = "getRoomAttributes",
    tag = "rooms",
    params(("chatroom_id" = String, Path, description = "The room")),
    request_body(content = serde_json::Value, example = json!({"keys": ["key1"]})),
    responses((status = 200, description = "The attributes; without keys, all of them", body = serde_json::Value)),
)]
pub(super) async fn get(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    let asked = Asked::of_room(call);
    let room = asked.room().await?;
    asked.limit_rooms()?;
    let body = body.object()?;
    let keys = keys(&body)?.filter(|keys| !keys.is_empty());
    if keys.as_ref().is_some_and(|keys| keys.len() > MAX_ATTRIBUTES) {
        return Err(batch_too_large(MAX_ATTRIBUTES));
    }
    let found = asked.node().attributes(&asked.app, &room.room_id(), keys.as_deref()).await?;
    let data: Map<_, _> = found.into_iter().map(|(key, value)| (key, Value::String(value))).collect();
    Ok(reply(&asked, Value::Object(data)))
}

/// Who sets or removes: a user only itself.
fn author(asked: &Asked) -> Result<UserId, ChatError> {
    let user = Asked::user(asked.param("username"))?;
    asked.app_or(&user)?;
    asked.limit_rooms()?;
    Ok(user)
}

async fn set(asked: &Asked, body: &Object, forced: bool) -> Result<Response, ChatError> {
    let by = author(asked)?;
    let id = asked.room_id()?;
    let Some(Value::Object(pairs)) = body.0.get("metaData") else {
        return Err(refused(StatusCode::BAD_REQUEST, "metaData must be provided"));
    };
    if pairs.len() > MAX_BATCH {
        return Err(batch_too_large(MAX_BATCH));
    }
    let auto_delete = match body.text("autoDelete")? {
        None | Some("DELETE") => true,
        Some("NO_DELETE") => false,
        Some(_) => return Err(refused(StatusCode::BAD_REQUEST, "autoDelete must be DELETE or NO_DELETE")),
    };
    let (mut good, mut errors) = (Vec::new(), Map::new());
    for (key, value) in pairs {
        match check(key, value) {
            Ok(value) => good.push((key.clone(), value)),
            Err(reason) => drop(errors.insert(key.clone(), Value::String(reason))),
        }
    }
    let set = SetAttributes { by, pairs: good, auto_delete, forced };
    let outcomes = asked.node().set_attributes(&asked.app, &id, set).await;
    answer(asked, outcomes.map_err(|error| not_done(asked, error))?, errors)
}

/// What is wrong with a pair, in the words of the documents where they have any.
fn check(key: &str, value: &Value) -> Result<String, String> {
    if key.chars().count() > MAX_KEY {
        return Err(format!("properties key '{key}' is exceeding maximum limit {MAX_KEY}"));
    }
    let allowed = |character: char| character.is_ascii_alphanumeric() || "_-.".contains(character);
    if key.is_empty() || !key.chars().all(allowed) {
        return Err(format!("properties key '{key}' is illegal"));
    }
    let Value::String(value) = value else { return Err(format!("properties value of key '{key}' is not a string")) };
    if value.chars().count() > MAX_VALUE {
        return Err(format!("properties value of key '{key}' is exceeding maximum limit {MAX_VALUE}"));
    }
    Ok(value.clone())
}

async fn remove(asked: &Asked, body: &Object, forced: bool) -> Result<Response, ChatError> {
    let by = author(asked)?;
    let id = asked.room_id()?;
    let keys = keys(body)?.ok_or_else(|| refused(StatusCode::BAD_REQUEST, "keys must be provided"))?;
    if keys.len() > MAX_BATCH {
        return Err(batch_too_large(MAX_BATCH));
    }
    let outcomes = asked.node().remove_attributes(&asked.app, &id, &by, keys, forced).await;
    answer(asked, outcomes.map_err(|error| not_done(asked, error))?, Map::new())
}

fn keys(body: &Object) -> Result<Option<Vec<String>>, ChatError> {
    Ok(body.texts("keys")?.map(|keys| keys.into_iter().map(str::to_owned).collect()))
}

/// What became of each; refused as a whole if none could be changed because all are somebody else's.
fn answer(asked: &Asked, outcomes: AttributeOutcomes, mut errors: Map<String, Value>) -> Result<Response, ChatError> {
    let of_another =
        |(_, outcome): &(String, Result<(), AttributeRefused>)| *outcome == Err(AttributeRefused::OfAnother);
    if !outcomes.is_empty() && errors.is_empty() && outcomes.iter().all(of_another) {
        return Err(refused(StatusCode::BAD_REQUEST, "others are not allowed to be set"));
    }
    let mut done = Vec::new();
    for (key, outcome) in outcomes {
        let reason = match outcome {
            Ok(()) => {
                done.push(key);
                continue;
            }
            Err(AttributeRefused::OfAnother) => "others are not allowed to be set".to_owned(),
            Err(AttributeRefused::TooMany) => format!("exceed max attribute count {MAX_ATTRIBUTES}"),
        };
        errors.insert(key, Value::String(reason));
    }
    Ok(reply(asked, json!({ "successKeys": done, "errorKeys": errors })))
}

fn reply(asked: &Asked, data: Value) -> Response {
    let uri = asked.url("/metadata/chatroom");
    asked.reply().without_app().uri(uri).status("ok").data(data).send()
}

fn batch_too_large(max: usize) -> ChatError {
    refused(StatusCode::BAD_REQUEST, format!("exceed allowed batch size {max}"))
}

/// A refusal of this service. The documents have its key only with 401.
fn refused(status: StatusCode, text: impl Into<std::borrow::Cow<'static, str>>) -> ChatError {
    ChatError::new(status, "MetadataException", text)
}

fn not_done(asked: &Asked, error: RoomError) -> ChatError {
    match error {
        RoomError::NotMembers(_) => refused(StatusCode::UNAUTHORIZED, "user is not in chatroom"),
        RoomError::NoRoom(_) => refusals::no_room(asked.id_text()),
        other => asked.refused(other),
    }
}
