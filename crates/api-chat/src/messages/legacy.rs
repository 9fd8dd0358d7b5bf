//! `POST messages`: the endpoint of before, for users, groups and rooms alike (Easemob message documents, 2022 and
//! earlier).

use axum::response::Response;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use stentor_chat_content::{Content, MAX_BYTES};
use stentor_core::delivery::{Origin, SendGroups, SendOptions, SendRooms, SendUsers};
use stentor_core::id::UserId;

use super::refusal::{not_sent, of_flat_content};
use super::request::{at_most, present, read, room, sender, users};
use crate::body::RawBody;
use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// The body.
#[derive(Debug, Deserialize)]
struct Legacy<'a> {
    target_type: Option<String>,
    target: Option<Vec<String>>,
    from: Option<String>,
    #[serde(borrow, default, deserialize_with = "present")]
    msg: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    ext: Option<&'a RawValue>,
}

/// Send a message, the way of before
#[utoipa::path(
    post,
    path = "/messages",
    operation_id = "sendMessageLegacy",
    tag = "messages",
    params(("useMsgId" = Option<bool>, Query, description = "Answer with message IDs instead of \"success\"")),
    request_body(content = serde_json::Value, example = json!({
        "target_type": "users", "target": ["user2"], "msg": { "type": "txt", "msg": "testmessage" }, "from": "user1"
    })),
    responses((status = 200, description = "Targets with `success`, or with message IDs", body = serde_json::Value)),
)]
pub(super) async fn handler(call: Call, body: RawBody) -> Result<Response, ChatError> {
    call.only_app()?;
    let request: Legacy<'_> = read(&body)?;
    let (rule, max) = match request.target_type.as_deref() {
        Some("users") => (ChatRule::UserMessages, 600),
        Some("chatgroups") => (ChatRule::GroupMessages, 3),
        Some("chatrooms") => (ChatRule::RoomMessages, 10),
        _ => {
            let text = "target_type can only be 'users' or 'chatgroups' or 'chatrooms'";
            return Err(ChatError::illegal_argument(text));
        }
    };
    call.limit(rule)?;
    if request.from.as_deref() == Some("") {
        return Err(ChatError::illegal_argument("from can't be empty"));
    }
    let targets = distinct(request.target.unwrap_or_default());
    if targets.is_empty() || targets.iter().any(String::is_empty) {
        return Err(ChatError::illegal_argument("target can't be empty"));
    }
    if targets.len() > max {
        return Err(at_most("target", max));
    }
    let from = sender(request.from.as_deref())?;
    let content = Content::parse_flat(request.msg, request.ext, MAX_BYTES).map_err(of_flat_content)?;
    let sent = send(&call, rule, &targets, from, content.into_payload().into()).await?;
    let with_ids = call.query("useMsgId").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let answer = |id: String| if with_ids { id } else { "success".to_owned() };
    let data: Map<String, Value> = targets.into_iter().zip(sent.into_iter().map(answer).map(Value::from)).collect();
    Ok(call.reply().path("/messages").data(data).send())
}

/// Sends to targets of the kind that the rule is about. Answers with message IDs, in order.
async fn send(
    call: &Call,
    rule: ChatRule,
    targets: &[String],
    from: UserId,
    payload: Bytes,
) -> Result<Vec<String>, ChatError> {
    let (node, app) = (call.node(), &call.app);
    let options = SendOptions { keep: true, history: true, ..SendOptions::default() };
    let named: Vec<_> = targets.iter().map(|name| room(name)).collect();
    let ids: Vec<_> = match rule {
        ChatRule::UserMessages => {
            let command = SendUsers { from, to: users(targets), payload, options };
            let sent = node.send_users(app, Origin::Backend, command).await.map_err(not_sent)?;
            sent.iter().map(|sent| sent.id).collect()
        }
        ChatRule::GroupMessages => {
            let command = SendGroups { from, groups: named, payload, only_for: Vec::new(), options };
            let sent = node.send_groups(app, Origin::Backend, command).await.map_err(not_sent)?;
            sent.iter().map(|sent| sent.id).collect()
        }
        _ => {
            let command = SendRooms { from, rooms: named, payload, only_for: Vec::new(), options };
            let sent = node.send_rooms(app, Origin::Backend, command).await.map_err(not_sent)?;
            sent.iter().map(|(_, sent)| sent.id).collect()
        }
    };
    Ok(ids.iter().map(ToString::to_string).collect())
}

fn distinct(names: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    names.into_iter().filter(|name| seen.insert(name.clone())).collect()
}
