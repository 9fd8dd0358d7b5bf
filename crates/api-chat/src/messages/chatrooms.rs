//! `POST messages/chatrooms`, `…/users` and `…/broadcast`: to rooms, to named members of one, and to all active ones
//! (room message documents, seed).

use axum::response::Response;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use stentor_chat_content::{Content, MAX_BYTES};
use stentor_core::delivery::{BroadcastError, Origin, SendBroadcast, SendOptions, SendRooms};
use stentor_core::message::Marks;

use super::refusal::{not_sent, of_flat_content, unopened};
use super::request::{Outer, at_most, present, priority, read, room, sender, users};
use crate::body::RawBody;
use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// Rooms in one request.
pub(super) const MAX_ROOMS: usize = 10;
/// Named members in one request.
pub(super) const MAX_USERS: usize = 20;

/// Send a message to rooms
#[utoipa::path(
    post,
    path = "/messages/chatrooms",
    operation_id = "sendRoomMessage",
    tag = "messages",
    request_body(content = serde_json::Value, example = json!({
        "from": "user1", "to": ["185145305923585"], "type": "txt", "body": { "msg": "testmessages" }
    })),
    responses((status = 200, description = "Room IDs with message IDs", body = serde_json::Value)),
)]
pub(super) async fn handler(call: Call, body: RawBody) -> Result<Response, ChatError> {
    call.only_app()?;
    let request: Outer<'_> = read(&body)?;
    // The documents' own example of a targeted message goes here (D-7).
    if !request.users().is_empty() {
        return targeted(&call, &request).await;
    }
    call.limit(ChatRule::RoomMessages)?;
    send(&call, &request, MAX_ROOMS).await
}

/// Send a message to named members of a room
#[utoipa::path(
    post,
    path = "/messages/chatrooms/users",
    operation_id = "sendTargetedRoomMessage",
    tag = "messages",
    request_body(content = serde_json::Value, example = json!({
        "from": "user1", "to": ["185145305923585"], "type": "txt", "body": { "msg": "testmessages" },
        "users": ["user2", "user3"]
    })),
    responses((status = 200, description = "The room ID with the message ID", body = serde_json::Value)),
)]
pub(super) async fn targeted_handler(call: Call, body: RawBody) -> Result<Response, ChatError> {
    call.only_app()?;
    let request: Outer<'_> = read(&body)?;
    targeted(&call, &request).await
}

/// Only the messages are counted, by the core: too many are 403 here, never 429 (documents of targeted messages).
async fn targeted(call: &Call, request: &Outer<'_>) -> Result<Response, ChatError> {
    request.check_named(MAX_USERS)?;
    send(call, request, 1).await
}

async fn send(call: &Call, request: &Outer<'_>, max_rooms: usize) -> Result<Response, ChatError> {
    let from = request.sender()?;
    let receivers = request.receivers()?;
    let payload = request.content()?;
    if receivers.len() > max_rooms {
        return Err(at_most("to", max_rooms));
    }
    let options = SendOptions {
        marks: Marks { priority: request.priority(), ..Marks::default() },
        // What only some may see is nobody's history (targeted messages are not in the roaming one).
        history: request.users().is_empty() && !request.online_only(),
        hidden_from: request.hidden_from()?,
        sync_sender: request.sync_device(),
        ..SendOptions::default()
    };
    let rooms = receivers.iter().map(|name| room(name)).collect();
    let command = SendRooms { from, rooms, payload, only_for: users(request.users()), options };
    let sent = call.node().send_rooms(&call.app, Origin::Backend, command).await.map_err(not_sent)?;
    let data: Map<String, Value> =
        sent.into_iter().map(|(room, sent)| (room.as_str().to_owned(), sent.id.to_string().into())).collect();
    Ok(call.reply().path(call.path()).data(data).send())
}

/// The body of a broadcast: flat, without an inner `body`.
#[derive(Debug, Deserialize)]
struct Broadcast<'a> {
    from: Option<String>,
    chatroom_msg_level: Option<String>,
    #[serde(borrow, default, deserialize_with = "present")]
    msg: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    ext: Option<&'a RawValue>,
    sync_device: Option<bool>,
}

/// Send a message to every active room
#[utoipa::path(
    post,
    path = "/messages/chatrooms/broadcast",
    operation_id = "broadcastToRooms",
    tag = "messages",
    request_body(content = serde_json::Value, example = json!({
        "msg": { "type": "txt", "msg": "send broadcast to all chatroom" }, "from": "admin",
        "ext": { "extKey": "extValue" }, "chatroom_msg_level": "low"
    })),
    responses((status = 200, description = "The broadcast's ID", body = serde_json::Value)),
)]
pub(super) async fn broadcast_handler(call: Call, body: RawBody) -> Result<Response, ChatError> {
    call.only_app()?;
    if !call.chat.features.broadcast {
        return Err(unopened("message broadcast service is unopened"));
    }
    let request: Broadcast<'_> = read(&body)?;
    if request.from.as_deref() == Some("") {
        return Err(ChatError::illegal_argument("from can't be empty"));
    }
    let from = sender(request.from.as_deref())?;
    let content = Content::parse_flat(request.msg, request.ext, MAX_BYTES).map_err(of_flat_content)?;
    let command = SendBroadcast {
        from,
        payload: content.into_payload().into(),
        priority: priority(request.chatroom_msg_level.as_deref()),
        history: true,
        sync_sender: request.sync_device.unwrap_or(false),
    };
    let id = call.node().broadcast(&call.app, command).await.map_err(not_broadcast)?;
    // A number, beyond what JavaScript keeps exact, as documented (D-10).
    Ok(call.reply().path(call.path()).data(json!({ "id": id.0 })).send())
}

fn not_broadcast(error: BroadcastError) -> ChatError {
    match error {
        BroadcastError::Off => unopened("message broadcast service is unopened"),
        BroadcastError::PerSecond { .. } | BroadcastError::PerMinute { .. } => ChatError::reach_limit(),
        BroadcastError::PerDay { .. } => unopened("chatroom broadcast limit exceeded"),
        BroadcastError::Waiting { .. } => ChatError::unavailable(),
        BroadcastError::Send(error) => not_sent(error),
    }
}
