//! `POST messages/users/import` and `messages/chatgroups/import`: messages of another system, into the history (Easemob
//! import documents).

use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use stentor_chat_content::{Content, ContentError, MAX_BYTES};
use stentor_core::delivery::{Import, ImportError};
use stentor_core::message::Target;

use super::refusal::{not_sent, of_flat_content};
use super::request::{is_printable, present, read, room, sender};
use super::roaming::not_open;
use crate::body::RawBody;
use crate::call::Call;
use crate::error::ChatError;
use crate::names::any_user;
use crate::rates::ChatRule;

/// The body. `is_ack_read` and `need_download` are read and change nothing: the server keeps no unread counts, and it
/// does not fetch what others name (a message's URL stays as it is).
#[derive(Debug, Deserialize)]
struct Imported<'a> {
    from: Option<String>,
    target: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(borrow, default, deserialize_with = "present")]
    body: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    ext: Option<&'a RawValue>,
    #[serde(rename = "is_ack_read")]
    _is_ack_read: Option<bool>,
    #[serde(rename = "need_download")]
    _need_download: Option<bool>,
    msg_timestamp: Option<u64>,
}

/// Import a message between users
#[utoipa::path(
    post,
    path = "/messages/users/import",
    operation_id = "importUserMessage",
    tag = "messages",
    request_body(content = serde_json::Value, example = json!({
        "target": "username2", "type": "txt", "body": { "msg": "import message." }, "ext": { "key1": "value1" },
        "from": "username1", "is_ack_read": true, "msg_timestamp": 1656906628428u64
    })),
    responses((status = 200, description = "The message's ID", body = serde_json::Value)),
)]
pub(super) async fn users_handler(call: Call, body: RawBody) -> Result<Response, ChatError> {
    import(&call, &body, |name| Target::User(any_user(name))).await
}

/// Import a message to a group
#[utoipa::path(
    post,
    path = "/messages/chatgroups/import",
    operation_id = "importGroupMessage",
    tag = "messages",
    request_body(content = serde_json::Value, example = json!({
        "target": "1123376564212", "type": "txt", "body": { "msg": "import message." }, "ext": { "key1": "value1" },
        "from": "username1", "is_ack_read": true, "msg_timestamp": 1656906628428u64
    })),
    responses((status = 200, description = "The message's ID", body = serde_json::Value)),
)]
pub(super) async fn groups_handler(call: Call, body: RawBody) -> Result<Response, ChatError> {
    import(&call, &body, |name| Target::Group(room(name))).await
}

async fn import(call: &Call, body: &RawBody, target: impl FnOnce(&str) -> Target) -> Result<Response, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::Imports)?;
    let request: Imported<'_> = read(body)?;
    let given = |name: &Option<String>, text: &'static str| {
        name.clone().filter(|name| !name.is_empty()).ok_or_else(|| ChatError::illegal_argument(text))
    };
    let from = sender(Some(&given(&request.from, "from can't be empty")?))?;
    let name = given(&request.target, "target can't be empty")?;
    if !is_printable(&name) {
        return Err(ChatError::invalid_request_body());
    }
    let content = Content::parse(request.kind.as_deref(), request.body, request.ext, MAX_BYTES).map_err(of_import)?;
    let command =
        Import { from, to: target(&name), payload: content.into_payload().into(), sent_at_ms: request.msg_timestamp };
    let id = call.node().import(&call.app, command).await.map_err(not_imported)?;
    let data = json!({ "msg_id": id.to_string() });
    Ok(call.reply().path(call.path()).entities(json!([])).data(data).send())
}

fn of_import(error: ContentError) -> ChatError {
    match error {
        ContentError::TypeMissing => ChatError::illegal_argument("type not allow empty"),
        ContentError::BodyMissing => ChatError::illegal_argument("message body not allow empty"),
        error => of_flat_content(error),
    }
}

fn not_imported(error: ImportError) -> ChatError {
    match error {
        ImportError::NoHistory => not_open(),
        ImportError::Send(error) => not_sent(error),
    }
}
