//! `POST messages/msg_recall`, `…/batch_recall` and `…/recall`: takes messages back (Easemob recall documents; the last
//! is what the vendor's first server SDK calls).

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use stentor_chat_content::recall_payload;
use stentor_core::delivery::{Origin, Recall, RecallError};
use stentor_core::id::MessageId;
use stentor_core::message::Target;

use super::refusal::{not_sent, unopened};
use super::request::{is_printable, read, room, sender};
use crate::body::RawBody;
use crate::call::Call;
use crate::error::ChatError;
use crate::names::any_user;
use crate::rates::ChatRule;

/// Messages in one request (Easemob recall documents).
pub(super) const MAX_MESSAGES: usize = 30;

/// One message to take back.
#[derive(Debug, Deserialize)]
struct Wanted {
    msg_id: Option<String>,
    to: Option<String>,
    chat_type: Option<String>,
    from: Option<String>,
    /// Absent is false (the older documents have it optional); `null` is refused as empty.
    #[serde(default, deserialize_with = "nullable")]
    force: Option<Option<bool>>,
    sync_device: Option<bool>,
    #[serde(rename = "recallMessageExtensionInfo")]
    ext: Option<String>,
}

/// Tells `null` from absent.
fn nullable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<bool>>, D::Error> {
    Option::<bool>::deserialize(deserializer).map(Some)
}

/// The body of the endpoints for several.
#[derive(Debug, Deserialize)]
struct Several {
    msgs: Option<Vec<Wanted>>,
    #[serde(rename = "recallMessageExtensionInfo")]
    ext: Option<String>,
}

/// Take a message back
#[utoipa::path(
    post,
    path = "/messages/msg_recall",
    operation_id = "recallMessage",
    tag = "messages",
    request_body(content = serde_json::Value, example = json!({
        "msg_id": "1028442084794698104", "to": "user2", "from": "user1", "chat_type": "chat", "force": true
    })),
    responses((status = 200, description = "What was taken back", body = serde_json::Value)),
)]
pub(super) async fn handler(call: Call, body: RawBody) -> Result<Response, ChatError> {
    allowed(&call)?;
    let wanted: Wanted = read(&body)?;
    let wanted = wanted.checked(&call, None)?;
    wanted.take_back(&call).await.map_err(refused)?;
    Ok(call.reply().path(call.path()).data(wanted.answer("yes")).send())
}

/// Take several messages back
#[utoipa::path(
    post,
    path = "/messages/batch_recall",
    operation_id = "recallMessages",
    tag = "messages",
    request_body(content = serde_json::Value, example = json!({
        "msgs": [{ "msg_id": "7126", "to": "185145305923585", "from": "user1", "chat_type": "chatroom", "force": false }]
    })),
    responses((status = 200, description = "What became of each", body = serde_json::Value)),
)]
pub(super) async fn batch_handler(call: Call, body: RawBody) -> Result<Response, ChatError> {
    let answers = several(&call, &body).await?;
    Ok(call.reply().path(call.path()).data(answers).send())
}

/// Take several messages back, the way of before
#[utoipa::path(
    post,
    path = "/messages/recall",
    operation_id = "recallMessagesLegacy",
    tag = "messages",
    request_body(content = serde_json::Value, example = json!({
        "msgs": [{ "msg_id": "673296835082717140", "to": "user2", "chat_type": "chat" }]
    })),
    responses((status = 200, description = "What became of each", body = serde_json::Value)),
)]
pub(super) async fn legacy_handler(call: Call, body: RawBody) -> Result<Response, ChatError> {
    let answers = several(&call, &body).await?;
    Ok(call.reply().path(call.path()).data(json!({ "msgs": answers })).send())
}

fn allowed(call: &Call) -> Result<(), ChatError> {
    call.only_app()?;
    if !call.chat.features.recall {
        return Err(unopened("message recall service is unopened"));
    }
    call.limit(ChatRule::Recalls)
}

/// Takes back each; nothing, if a request is malformed. Why one of them was not taken back stands in its answer.
async fn several(call: &Call, body: &RawBody) -> Result<Vec<Value>, ChatError> {
    allowed(call)?;
    let Several { msgs, ext } = read(body)?;
    let msgs = msgs.unwrap_or_default();
    if msgs.is_empty() {
        return Err(bad("param msgs can't be empty"));
    }
    if msgs.len() > MAX_MESSAGES {
        return Err(bad("params msgs's size can't exceed limit 30"));
    }
    let wanted: Vec<_> =
        msgs.into_iter().map(|wanted| wanted.checked(call, ext.as_deref())).collect::<Result<_, _>>()?;
    let mut answers = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let word = match wanted.take_back(call).await {
            Ok(()) => "yes",
            Err(error) => word(&error).ok_or_else(|| refused(error))?,
        };
        answers.push(wanted.answer(word));
    }
    Ok(answers)
}

/// A request that has everything it must have.
struct Checked {
    id: String,
    to: String,
    chat_type: &'static str,
    recall: Recall,
}

impl Wanted {
    /// `ext`: what is said of all, unless this one says something else.
    fn checked(self, call: &Call, ext: Option<&str>) -> Result<Checked, ChatError> {
        let given = |value: Option<String>, empty: &'static str| {
            value.filter(|value| !value.is_empty()).ok_or_else(|| bad(empty))
        };
        let id = given(self.msg_id, "param msg_id can't be empty")?;
        let to = given(self.to, "param to can't be empty")?;
        if !is_printable(&to) {
            return Err(ChatError::invalid_request_body());
        }
        let (chat_type, target) = match given(self.chat_type, "param chat_type can't be empty")?.as_str() {
            "chat" => ("chat", Target::User(any_user(&to))),
            "groupchat" => ("groupchat", Target::Group(room(&to))),
            "chatroom" => ("chatroom", Target::Room(room(&to))),
            _ => return Err(bad("param chat_type is invalid")),
        };
        let force = match self.force {
            Some(None) => return Err(bad("param force can't be empty")),
            force => force.flatten().unwrap_or(false),
        };
        let by = sender(self.from.as_deref().filter(|name| !name.is_empty()))?;
        let ext = self.ext.as_deref().or(ext);
        let recall = Recall {
            // What is no number was never the number of a message.
            id: id.parse().unwrap_or(MessageId::ZERO),
            to: target,
            payload: recall_payload(&id, by.as_str(), ext).into(),
            by,
            if_silenced: None,
            within_ms: (!force).then_some(call.chat.recall_within_ms),
            even_if_gone: force,
            sync_sender: self.sync_device.unwrap_or(true),
        };
        Ok(Checked { id, to, chat_type, recall })
    }
}

impl Checked {
    async fn take_back(&self, call: &Call) -> Result<(), RecallError> {
        call.node().recall(&call.app, Origin::Backend, self.recall.clone()).await.map(drop)
    }

    fn answer(&self, recalled: &str) -> Value {
        let Self { id, to, chat_type, recall } = self;
        json!({ "recalled": recalled, "chattype": chat_type, "from": recall.by.as_str(), "to": to, "msg_id": id })
    }
}

fn bad(text: &'static str) -> ChatError {
    ChatError::new(StatusCode::BAD_REQUEST, "message_recall_error", text)
}

/// What the documents call a reason; `None` for those that they do not have.
fn word(error: &RecallError) -> Option<&'static str> {
    match error {
        RecallError::NotFound => Some("not_found msg"),
        RecallError::OtherTarget => Some("can’t find msg to"),
        RecallError::TooOld { .. } => Some("exceed recall time limit"),
        RecallError::NotSender | RecallError::Send(_) => None,
    }
}

fn refused(error: RecallError) -> ChatError {
    match (word(&error), error) {
        (Some(text), RecallError::OtherTarget) => bad(text),
        (Some(text), _) => ChatError::new(StatusCode::FORBIDDEN, "message_recall_error", text),
        (None, RecallError::Send(error)) => not_sent(error),
        (None, _) => ChatError::internal(),
    }
}
