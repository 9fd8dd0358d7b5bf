//! `DELETE users/{username}/user_channel`: a user lets go of a conversation (Easemob conversation documents). Clients call
//! it as `user/{username}/user_channel`. The server keeps no list of conversations: what there is to delete is the
//! user's view of the history; the user's devices that are connected are told.

use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use stentor_core::history::Hide;

use super::request::{is_printable, read};
use super::roaming::{conversations, in_groups, with_user};
use crate::body::RawBody;
use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// The body.
#[derive(Debug, Deserialize)]
struct Channel {
    channel: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    delete_roam: Option<bool>,
}

/// Delete a conversation for one side
#[utoipa::path(
    delete,
    path = "/users/{username}/user_channel",
    operation_id = "deleteConversation",
    tag = "messages",
    params(("username" = String, Path, description = "The user ID")),
    request_body(content = serde_json::Value, example = json!({
        "channel": "u2", "type": "chat", "delete_roam": true
    })),
    responses((status = 200, description = "`ok`", body = serde_json::Value)),
)]
pub(super) async fn handler(call: Call, body: RawBody) -> Result<Response, ChatError> {
    delete(&call, &body).await
}

/// Delete a conversation for one side, as clients do
#[utoipa::path(
    delete,
    path = "/user/{username}/user_channel",
    operation_id = "deleteOwnConversation",
    tag = "messages",
    params(("username" = String, Path, description = "The user ID")),
    request_body(content = serde_json::Value, example = json!({
        "channel": "u2", "type": "chat", "delete_roam": true
    })),
    responses((status = 200, description = "`ok`", body = serde_json::Value)),
)]
pub(super) async fn client_handler(call: Call, body: RawBody) -> Result<Response, ChatError> {
    delete(&call, &body).await
}

async fn delete(call: &Call, body: &RawBody) -> Result<Response, ChatError> {
    let user = call.user_param("username")?;
    call.app_or(&user)?;
    call.limit(ChatRule::RoamingDeletions)?;
    let request: Channel = read(body)?;
    let given = |value: Option<String>, text: &'static str| {
        value.filter(|value| !value.is_empty()).ok_or_else(|| ChatError::illegal_argument(text))
    };
    let channel = given(request.channel, "field channel cannot be null or empty")?;
    let kind = given(request.kind, "field type cannot be null or empty")?;
    let delete_roam =
        request.delete_roam.ok_or_else(|| ChatError::illegal_argument("field delete_roam cannot be null"))?;
    if !is_printable(&channel) {
        return Err(ChatError::invalid_request_body());
    }
    let what = match kind.as_str() {
        "chat" => vec![with_user(&channel)],
        "groupchat" | "chatroom" => in_groups(&channel),
        _ => return Err(ChatError::illegal_argument("field type is invalid")),
    };
    call.chat.limit_conversations(&user, call.node().clock().monotonic_us())?;
    if delete_roam {
        conversations(call, &user, &what, &Hide::UpTo(call.now_ms())).await?;
    }
    let mut news = json!({ "event": "conversation_deleted", "with": channel, "group": kind != "chat" });
    if let Some(device) = call.query("resource") {
        news["device"] = device.into();
    }
    call.node().tell_devices(&call.app, &user, news.to_string().into()).await?;
    Ok(call.reply().path("/users/user_channel").entities(json!([])).data(json!({ "result": "ok" })).send())
}
