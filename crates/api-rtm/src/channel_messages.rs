//! `POST …/rtm/users/{user_id}/channel_messages`: a message to the members of a channel.

use std::borrow::Cow;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use stentor_core::delivery::{Origin, SendOptions, SendRoom};
use stentor_http_kit::RequestId;
use stentor_http_kit::json::json;
use utoipa::ToSchema;

use crate::call::{Call, request_id};
use crate::error::{ApiError, BadRequest, ErrorBody};
use crate::fields::{self, Field};
use crate::state::RtmState;

/// The body of a request.
#[derive(Debug, PartialEq, Eq, ToSchema)]
pub struct ChannelMessage<'a> {
    /// The channel, which need not have members. 1 to 64 of a-z, A-Z, 0-9, space and
    /// !#$%&()+-:;<=.>?@[]^_{}|~,'
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "channelA")]
    pub channel_name: Cow<'a, str>,
    /// Keep the message for history queries.
    #[schema(required = false, default = false)]
    pub enable_historical_messaging: bool,
    /// What to send: at most 32768 bytes of UTF-8.
    #[schema(value_type = String, min_length = 1, example = "Hello")]
    pub payload: Cow<'a, str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields<'a> {
    #[serde(borrow)]
    channel_name: Field<'a>,
    #[serde(borrow)]
    enable_historical_messaging: Field<'a>,
    #[serde(borrow)]
    payload: Field<'a>,
}

/// Reads a body. Names and sizes are not checked here.
///
/// # Errors
/// Which field is missing or of the wrong type.
pub fn parse(body: &[u8]) -> Result<ChannelMessage<'_>, BadRequest> {
    let body: Fields<'_> = fields::object(body)?;
    Ok(ChannelMessage {
        channel_name: fields::text("channel_name", body.channel_name)?,
        enable_historical_messaging: fields::flag("enable_historical_messaging", body.enable_historical_messaging)?,
        payload: fields::text("payload", body.payload)?,
    })
}

/// The body of a reply, its keys in the order of the documents' example.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChannelMessageReply {
    /// `message_sent`.
    #[schema(example = "message_sent")]
    code: &'static str,
    /// The request's ID.
    #[schema(value_type = String, example = "123")]
    request_id: RequestId,
    /// `success`.
    #[schema(example = "success")]
    result: &'static str,
}

/// Send a message to a channel
///
/// The sender need neither be logged in nor a member. With HTTP Basic any user may be the sender, with a token only
/// the token's. 500 calls a second and App ID.
#[utoipa::path(
    post,
    path = "/dev/v2/project/{appid}/rtm/users/{user_id}/channel_messages",
    operation_id = "sendChannelMessage",
    tag = "messages",
    params(
        ("appid" = String, Path, description = "App ID"),
        ("user_id" = String, Path, description = "The sender, percent-encoded; no space at its ends"),
    ),
    request_body(content = inline(ChannelMessage), content_type = "application/json"),
    responses(
        (status = 200, body = inline(ChannelMessageReply), description = "Taken"),
        (status = 400, body = ErrorBody, description = "A parameter breaks its rule"),
        (status = 401, body = ErrorBody, description = "No or wrong credentials, or the token of another user"),
        (status = 413, body = ErrorBody, description = "The body is larger than 256 KiB"),
        (status = 415, body = ErrorBody, description = "The body is not JSON"),
        (status = 429, body = ErrorBody, description = "Too many calls"),
        (status = 500, body = ErrorBody, description = "The server failed"),
        (status = 503, body = ErrorBody, description = "The message was to be kept and the store is full or busy"),
    )
)]
pub(crate) async fn handler(State(state): State<RtmState>, request: Request) -> Response {
    let id = request_id(&request);
    send(&state, request, id).await.unwrap_or_else(|error| error.into_response(id))
}

async fn send(state: &RtmState, request: Request, id: RequestId) -> Result<Response, ApiError> {
    let (call, body) = Call::begin(state, request)?;
    let from = call.sender()?;
    let body = call.read(state, body).await?;
    let message = parse(&body)?;
    let room = call.room("channel_name", &message.channel_name)?;
    // Copied, because a slice would keep the connection's whole read buffer alive.
    let payload = Bytes::copy_from_slice(message.payload.as_bytes());
    let options = SendOptions { history: message.enable_historical_messaging, ..SendOptions::default() };
    let send = SendRoom { from, room, payload, only_for: Vec::new(), options };
    state.node().send_room(&call.app, Origin::Backend, send).await?;
    Ok(json(StatusCode::OK, &ChannelMessageReply { code: "message_sent", request_id: id, result: "success" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_body_is_read() {
        let body = br#"{ "channel_name":"channelA", "enable_historical_messaging": false, "payload": "Hello" }"#;
        let expected = ChannelMessage {
            channel_name: "channelA".into(),
            enable_historical_messaging: false,
            payload: "Hello".into(),
        };
        assert_eq!(parse(body), Ok(expected));
    }

    #[test]
    fn a_refusal_names_the_field() {
        for (body, reason) in [
            (r#"{"payload":"p"}"#, "channel_name is required"),
            (r#"{"channel_name":"c"}"#, "payload is required"),
            (r#"{"channel_name":[],"payload":"p"}"#, "channel_name must be a string"),
            (
                r#"{"channel_name":"c","payload":"p","enable_historical_messaging":null}"#,
                "enable_historical_messaging must be a boolean",
            ),
        ] {
            assert_eq!(parse(body.as_bytes()), Err(BadRequest(reason.into())), "{body}");
        }
    }

    #[test]
    fn a_reply_has_its_keys_in_the_documents_order() {
        let reply = ChannelMessageReply { code: "message_sent", request_id: RequestId(123), result: "success" };
        let text = serde_json::to_string(&reply).unwrap();
        assert_eq!(text, r#"{"code":"message_sent","request_id":"123","result":"success"}"#);
    }
}
