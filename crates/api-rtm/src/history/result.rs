//! `GET …/rtm/message/history/query/{handle}`: the messages that a query asked for.

use std::borrow::Cow;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use stentor_core::message::{Message, Target};
use stentor_http_kit::RequestId;
use stentor_http_kit::json::json;
use utoipa::ToSchema;

use super::handle::{self, HandleError};
use crate::app::ChannelMessageType;
use crate::call::{Call, request_id};
use crate::error::{ApiError, BadRequest, ErrorBody};
use crate::state::RtmState;

/// The body of a reply.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResultReply<'a> {
    /// `success`.
    #[schema(example = "success")]
    result: &'static str,
    /// The request's ID.
    #[schema(value_type = String, example = "10116762670167749259")]
    request_id: RequestId,
    /// `ok`; the documented `in progress` does not occur here.
    #[schema(example = "ok")]
    code: &'static str,
    /// In the order asked for.
    messages: Vec<HistoryMessage<'a>>,
}

/// A message of the past.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HistoryMessage<'a> {
    /// The receiver: a user or a channel.
    #[schema(example = "dst")]
    dst: &'a str,
    /// `peer_message` or `group_message`.
    #[schema(example = "peer_message")]
    message_type: &'static str,
    /// When the server received it: Unix time in milliseconds.
    #[schema(example = 1587009745719_u64)]
    ms: u64,
    /// What was sent.
    #[schema(value_type = String, example = "123")]
    payload: Cow<'a, str>,
    /// The sender.
    #[schema(example = "src")]
    src: &'a str,
}

/// Writes a message as the app's option says.
fn render(message: &Message, channel: ChannelMessageType) -> HistoryMessage<'_> {
    HistoryMessage {
        dst: message.to.name(),
        message_type: match message.to {
            Target::User(_) => "peer_message",
            Target::Room(_) | Target::Group(_) => channel.text(),
        },
        ms: message.sent_at_ms,
        payload: String::from_utf8_lossy(&message.payload),
        src: message.from.as_str(),
    }
}

/// Get the messages that were asked for
#[utoipa::path(
    get,
    path = "/dev/v2/project/{appid}/rtm/message/history/query/{handle}",
    operation_id = "getHistory",
    tag = "history",
    params(
        ("appid" = String, Path, description = "App ID"),
        ("handle" = String, Path, description = "The end of the query's `location`"),
    ),
    responses(
        (status = 200, body = inline(ResultReply), description = "The messages"),
        (status = 400, body = ErrorBody, description = "The handle is not one of this App ID"),
        (status = 401, body = ErrorBody, description = "No or wrong credentials"),
        (status = 403, body = ErrorBody, description = "History is switched off for this App ID"),
        (status = 410, body = ErrorBody, description = "The handle has expired: send the query again"),
        (status = 500, body = ErrorBody, description = "The server failed"),
    )
)]
pub(crate) async fn handler(State(state): State<RtmState>, request: Request) -> Response {
    let id = request_id(&request);
    get(&state, request, id).await.unwrap_or_else(|error| error.into_response(id))
}

async fn get(state: &RtmState, request: Request, id: RequestId) -> Result<Response, ApiError> {
    let (call, _) = Call::begin(state, request)?;
    let (text, now_ms) = (call.last_segment()?, state.node().clock().wall_ms());
    let query = handle::open(state.handle_key(), &call.rtm.app_id, &text, now_ms)?;
    let messages = state.node().history(&call.app, &query.filter, query.page).await?;
    let channel = call.rtm.options.channel_message_type;
    let messages = messages.iter().map(|message| render(message, channel)).collect();
    Ok(json(StatusCode::OK, &ResultReply { result: "success", request_id: id, code: "ok", messages }))
}

impl From<HandleError> for ApiError {
    fn from(error: HandleError) -> Self {
        match error {
            HandleError::Invalid => Self::Bad(BadRequest(error.to_string().into())),
            HandleError::Expired => Self::Gone,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use stentor_core::id::{MessageId, RoomId, UserId};

    use super::*;

    #[test]
    fn a_message_has_its_keys_in_the_documents_order() {
        let mut message = Message {
            id: MessageId(1),
            from: UserId::from_trusted("src"),
            to: Target::User(UserId::from_trusted("dst")),
            payload: Bytes::from("123"),
            sent_at_ms: 1_587_009_745_719,
            marks: stentor_core::message::Marks::default(),
        };
        let text = |message: &Message, channel| serde_json::to_string(&render(message, channel)).unwrap();
        assert_eq!(
            text(&message, ChannelMessageType::GroupMessage),
            r#"{"dst":"dst","message_type":"peer_message","ms":1587009745719,"payload":"123","src":"src"}"#
        );
        message.to = Target::Room(RoomId::from_trusted("c"));
        for (option, name) in [
            (ChannelMessageType::GroupMessage, "\"message_type\":\"group_message\""),
            (ChannelMessageType::ChannelMessage, "\"message_type\":\"channel_message\""),
        ] {
            assert!(text(&message, option).contains(name));
        }
    }
}
