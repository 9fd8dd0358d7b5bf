//! `PUT messages/rewrite/{msg_id}`: changes a message that was sent (Easemob message edit documents).

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::value::RawValue;
use stentor_chat_content::{Content, ContentError, ContentType, ContentView, MAX_BYTES, Replacement, edit_payload};
use stentor_core::delivery::{Edit, EditError, Edited, Origin};
use stentor_core::message::Message;

use super::refusal::{not_sent, of_content};
use super::request::{present, read, sender};
use crate::body::RawBody;
use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// The body.
#[derive(Debug, Deserialize)]
struct Rewrite<'a> {
    user: Option<String>,
    #[serde(borrow)]
    new_msg: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    new_ext: Option<&'a RawValue>,
    is_combine_ext: Option<bool>,
}

/// What of `new_msg` is needed to read the rest.
#[derive(Debug, Deserialize)]
struct Typed {
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// Change a message
#[utoipa::path(
    put,
    path = "/messages/rewrite/{msg_id}",
    operation_id = "rewriteMessage",
    tag = "messages",
    params(("msg_id" = String, Path, description = "The message")),
    request_body(content = serde_json::Value, example = json!({
        "user": "user1", "new_msg": { "type": "txt", "msg": "update message content" },
        "new_ext": { "key1": "value1" }, "is_combine_ext": true
    })),
    responses((status = 200, description = "`success`", body = serde_json::Value)),
)]
pub(super) async fn handler(call: Call, body: RawBody) -> Result<Response, ChatError> {
    call.only_app()?;
    if !call.chat.features.rewrite {
        return Err(refusal(StatusCode::FORBIDDEN, "The rewrite message feature is not open."));
    }
    call.limit(ChatRule::Rewrites)?;
    let id = call.param("msg_id").to_owned();
    let number = id.parse().map_err(|_| bad_id())?;
    let request: Rewrite<'_> = read(&body)?;
    let fields = request.new_msg.ok_or_else(|| ChatError::illegal_argument("new_msg is required"))?;
    let kind = kind_of(fields)?;
    let by = sender(request.user.as_deref().filter(|user| !user.is_empty()))?;
    let new =
        Replacement { fields: Some(fields), ext: request.new_ext, combine_ext: request.is_combine_ext.unwrap_or(true) };
    let edit = Edit { id: number, to: None, by: by.clone() };
    let change = |message: &Message, edits: u8| {
        let old = ContentView::decode(&message.payload).map_err(|_| unsupported())?;
        if old.kind() != kind {
            return Err(unsupported());
        }
        let content = Content::edited(old, new, MAX_BYTES).map_err(of_edit)?;
        let sender = message.from.as_str();
        let news = edit_payload(&id, by.as_str(), sender, edits.into(), content.view()).into();
        Ok(Edited { payload: content.into_payload().into(), news })
    };
    call.node().edit(&call.app, Origin::Backend, edit, change).await.map_err(refused)?;
    Ok(call.reply().path(call.path()).data("success").send())
}

/// The type that the message is said to have. The documents' own example says `image` for `img`.
fn kind_of(new_msg: &RawValue) -> Result<ContentType, ChatError> {
    if !new_msg.get().starts_with('{') {
        return Err(ChatError::invalid_request_body());
    }
    let Typed { kind } = serde_json::from_str(new_msg.get()).map_err(|_| ChatError::invalid_request_body())?;
    let kind = match kind.as_deref().unwrap_or_default() {
        "image" => Some(ContentType::Image),
        word => ContentType::parse(word),
    };
    kind.filter(|kind| *kind != ContentType::Command).ok_or_else(unsupported)
}

fn refusal(status: StatusCode, text: &'static str) -> ChatError {
    ChatError::new(status, "message_rewrite_error", text)
}

fn unsupported() -> ChatError {
    refusal(StatusCode::BAD_REQUEST, "The message is of a type that is currently not supported for modification.")
}

fn bad_id() -> ChatError {
    let text = "The provided message ID is not a valid number.";
    ChatError::new(StatusCode::BAD_REQUEST, "InvalidMessageIdException", text)
}

/// What is not a message any more with the change; the words are those of sending.
fn of_edit(error: ContentError) -> ChatError {
    match error {
        ContentError::FieldMissing(_) | ContentError::BodyMissing => ChatError::invalid_request_body(),
        error => of_content(error),
    }
}

fn refused(error: EditError<ChatError>) -> ChatError {
    match error {
        EditError::NotFound => refusal(StatusCode::NOT_FOUND, "The message is unavailable or has expired."),
        EditError::NotSender | EditError::OtherTarget => {
            refusal(StatusCode::UNAUTHORIZED, "You are not authorized to edit this message.")
        }
        EditError::TooOften { .. } => {
            refusal(StatusCode::FORBIDDEN, "The message has reached its edit limit and cannot be modified further.")
        }
        EditError::Refused(error) => error,
        EditError::Send(error) => not_sent(error),
    }
}
