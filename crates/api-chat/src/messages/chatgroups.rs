//! `POST messages/chatgroups` and `…/users`: to groups, and to named members of one.

use axum::response::Response;
use serde_json::{Map, Value};
use stentor_core::delivery::{Origin, SendGroups, SendOptions};
use stentor_core::message::Marks;

use super::refusal::not_sent;
use super::request::{Outer, at_most, read, room, users};
use super::users::options;
use crate::body::RawBody;
use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// Groups in one request (Easemob message documents).
pub(super) const MAX_GROUPS: usize = 3;
/// Named members in one request.
pub(super) const MAX_USERS: usize = 20;

/// Send a message to groups
#[utoipa::path(
    post,
    path = "/messages/chatgroups",
    operation_id = "sendGroupMessage",
    tag = "messages",
    request_body(content = serde_json::Value, example = json!({
        "from": "user1", "to": ["184524748161025"], "type": "txt", "body": { "msg": "testmessages" }
    })),
    responses((status = 200, description = "Group IDs with message IDs", body = serde_json::Value)),
)]
pub(super) async fn handler(call: Call, body: RawBody) -> Result<Response, ChatError> {
    call.only_app()?;
    let request: Outer<'_> = read(&body)?;
    call.limit(ChatRule::GroupMessages)?;
    let marks = Marks { receipt: request.need_group_ack(), ..Marks::default() };
    send(&call, &request, MAX_GROUPS, SendOptions { marks, ..options(&request)? }).await
}

/// Send a message to named members of a group
#[utoipa::path(
    post,
    path = "/messages/chatgroups/users",
    operation_id = "sendTargetedGroupMessage",
    tag = "messages",
    request_body(content = serde_json::Value, example = json!({
        "from": "user1", "to": ["184524748161025"], "type": "txt", "body": { "msg": "testmessages" },
        "users": ["user2", "user3"]
    })),
    responses((status = 200, description = "The group ID with the message ID", body = serde_json::Value)),
)]
pub(super) async fn targeted_handler(call: Call, body: RawBody) -> Result<Response, ChatError> {
    call.only_app()?;
    let request: Outer<'_> = read(&body)?;
    call.limit(ChatRule::GroupTargeted)?;
    request.check_named(MAX_USERS)?;
    // Not in the roaming history; the sender's own devices get it (Easemob documents of targeted group messages).
    let options = SendOptions {
        history: false,
        sync_sender: true,
        marks: Marks { targeted: true, receipt: request.need_group_ack(), ..Marks::default() },
        ..options(&request)?
    };
    send(&call, &request, 1, options).await
}

async fn send(
    call: &Call,
    request: &Outer<'_>,
    max_groups: usize,
    options: SendOptions,
) -> Result<Response, ChatError> {
    let from = request.sender()?;
    let receivers = request.receivers()?;
    let payload = request.content()?;
    if receivers.len() > max_groups {
        return Err(at_most("to", max_groups));
    }
    let command = SendGroups {
        from,
        groups: receivers.iter().map(|name| room(name)).collect(),
        payload,
        only_for: users(request.users()),
        options,
    };
    let sent = call.node().send_groups(&call.app, Origin::Backend, command).await.map_err(not_sent)?;
    let data: Map<String, Value> =
        receivers.into_iter().zip(sent).map(|(name, sent)| (name, sent.id.to_string().into())).collect();
    Ok(call.reply().path(call.path()).data(data).send())
}
