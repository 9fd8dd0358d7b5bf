//! `POST messages/users`: to users, a message of its own for each.

use axum::response::Response;
use serde_json::{Map, Value};
use stentor_core::delivery::{Origin, SendOptions, SendUsers};

use super::refusal::not_sent;
use super::request::{Outer, at_most, read, users};
use crate::body::RawBody;
use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// Users in one request (Easemob message documents).
pub(super) const MAX_USERS: usize = 600;

/// Send a message to users
#[utoipa::path(
    post,
    path = "/messages/users",
    operation_id = "sendUserMessage",
    tag = "messages",
    request_body(content = serde_json::Value, example = json!({
        "from": "user1", "to": ["user2"], "type": "txt", "body": { "msg": "testmessages" }
    })),
    responses((status = 200, description = "User IDs with message IDs", body = serde_json::Value)),
)]
pub(super) async fn handler(call: Call, body: RawBody) -> Result<Response, ChatError> {
    call.only_app()?;
    let request: Outer<'_> = read(&body)?;
    call.limit(ChatRule::UserMessages)?;
    let from = request.sender()?;
    let receivers = request.receivers()?;
    let payload = request.content()?;
    if receivers.len() > MAX_USERS {
        return Err(at_most("to", MAX_USERS));
    }
    let to = users(&receivers);
    let command = SendUsers { from, to, payload, options: options(&request)? };
    let sent = call.node().send_users(&call.app, Origin::Backend, command).await.map_err(not_sent)?;
    let data: Map<String, Value> =
        receivers.into_iter().zip(sent).map(|(name, sent)| (name, sent.id.to_string().into())).collect();
    Ok(call.reply().path(call.path()).data(data).send())
}

/// How a message to users or groups is treated: kept until acked, and for roaming, unless it is only for who is there.
pub(super) fn options(request: &Outer<'_>) -> Result<SendOptions, ChatError> {
    Ok(SendOptions {
        keep: true,
        history: true,
        hidden_from: request.hidden_from()?,
        sync_sender: request.sync_device(),
        online_only: request.online_only(),
        ..SendOptions::default()
    })
}
