//! `POST …/rtm/users/{user_id}/peer_messages`: a message to one user.

use std::borrow::Cow;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use stentor_core::delivery::{DeliveryOutcome, Origin, SendOptions, SendPeer};
use stentor_http_kit::RequestId;
use stentor_http_kit::json::json;
use utoipa::ToSchema;

use crate::call::{self, Call, request_id};
use crate::error::{ApiError, BadRequest, ErrorBody};
use crate::fields::{self, Field};
use crate::state::RtmState;

/// The body of a request.
#[derive(Debug, PartialEq, Eq, ToSchema)]
pub struct PeerMessage<'a> {
    /// The receiver. 1 to 64 of a-z, A-Z, 0-9, space and !#$%&()+-:;<=.>?@[]^_{}|~,'
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "userB")]
    pub destination: Cow<'a, str>,
    /// Keep the message until the receiver logs in: at most 200 per receiver, for seven days, the newest
    /// replacing the oldest.
    #[schema(required = false, default = false)]
    pub enable_offline_messaging: bool,
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
    destination: Field<'a>,
    #[serde(borrow)]
    enable_offline_messaging: Field<'a>,
    #[serde(borrow)]
    enable_historical_messaging: Field<'a>,
    #[serde(borrow)]
    payload: Field<'a>,
}

/// Reads a body. Names and sizes are not checked here.
///
/// # Errors
/// Which field is missing or of the wrong type.
pub fn parse(body: &[u8]) -> Result<PeerMessage<'_>, BadRequest> {
    let body: Fields<'_> = fields::object(body)?;
    Ok(PeerMessage {
        destination: fields::text("destination", body.destination)?,
        enable_offline_messaging: fields::flag("enable_offline_messaging", body.enable_offline_messaging)?,
        enable_historical_messaging: fields::flag("enable_historical_messaging", body.enable_historical_messaging)?,
        payload: fields::text("payload", body.payload)?,
    })
}

/// The body of a reply.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PeerMessageReply {
    /// `message_sent`, `message_delivered` (acknowledged by the client; only with `wait_for_ack=true`) or
    /// `message_offline` (nobody there; only with `wait_for_ack=true`).
    #[schema(example = "message_delivered")]
    code: &'static str,
    /// `success`. Absent beside `message_offline`, unless configured otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, example = "success")]
    result: Option<&'static str>,
    /// The request's ID.
    #[schema(value_type = String, example = "123")]
    request_id: RequestId,
}

/// Send a message to one user
///
/// The sender need not be logged in. With HTTP Basic any user may be the sender, with a token only the token's.
/// 500 calls a second and App ID.
#[utoipa::path(
    post,
    path = "/dev/v2/project/{appid}/rtm/users/{user_id}/peer_messages",
    operation_id = "sendPeerMessage",
    tag = "messages",
    params(
        ("appid" = String, Path, description = "App ID"),
        ("user_id" = String, Path, description = "The sender, percent-encoded; no space at its ends"),
        ("wait_for_ack" = Option<bool>, Query, description = "Reply when the receiver has acknowledged; default false"),
    ),
    request_body(content = inline(PeerMessage), content_type = "application/json"),
    responses(
        (status = 200, body = inline(PeerMessageReply), description = "Taken"),
        (status = 400, body = ErrorBody, description = "A parameter breaks its rule"),
        (status = 401, body = ErrorBody, description = "No or wrong credentials, or the token of another user"),
        (status = 408, body = ErrorBody, description = "The receiver is there but did not acknowledge in time"),
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
    let wait_for_ack = call::flag("wait_for_ack", call.query("wait_for_ack")?.as_deref())?;
    let body = call.read(state, body).await?;
    let message = parse(&body)?;
    let send = SendPeer {
        from,
        to: call.user("destination", &message.destination)?,
        // Copied, because a slice would keep the connection's whole read buffer alive.
        payload: Bytes::copy_from_slice(message.payload.as_bytes()),
        wait_for_ack,
        options: SendOptions {
            keep: message.enable_offline_messaging,
            history: message.enable_historical_messaging,
            ..SendOptions::default()
        },
    };
    let sent = state.node().send_peer(&call.app, Origin::Backend, send).await?;
    let (code, result) = match sent.outcome {
        DeliveryOutcome::Sent => ("message_sent", Some("success")),
        DeliveryOutcome::Delivered => ("message_delivered", Some("success")),
        DeliveryOutcome::Offline { .. } => ("message_offline", call.rtm.options.offline_result.text()),
        DeliveryOutcome::Unconfirmed => return Err(ApiError::Timeout("the receiver did not acknowledge in time")),
    };
    Ok(json(StatusCode::OK, &PeerMessageReply { code, result, request_id: id }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_body_is_read() {
        let body = br#"{
            "destination": "userB",
            "enable_offline_messaging": false,
            "enable_historical_messaging": true,
            "payload": "Hello"
        }"#;
        let expected = PeerMessage {
            destination: "userB".into(),
            enable_offline_messaging: false,
            enable_historical_messaging: true,
            payload: "Hello".into(),
        };
        assert_eq!(parse(body), Ok(expected));
    }

    #[test]
    fn a_refusal_names_the_field() {
        for (body, reason) in [
            (r#"{"payload":"p"}"#, "destination is required"),
            (r#"{"Destination":"d","payload":"p"}"#, "destination is required"),
            (r#"{"destination":"d"}"#, "payload is required"),
            (r#"{"destination":7,"payload":"p"}"#, "destination must be a string"),
            (r#"{"destination":"d","payload":{}}"#, "payload must be a string"),
            (
                r#"{"destination":"d","payload":"p","enable_offline_messaging":"true"}"#,
                "enable_offline_messaging must be a boolean",
            ),
            (
                r#"{"destination":"d","payload":"p","enable_historical_messaging":1}"#,
                "enable_historical_messaging must be a boolean",
            ),
        ] {
            assert_eq!(parse(body.as_bytes()), Err(BadRequest(reason.into())), "{body}");
        }
    }

    #[test]
    fn an_offline_reply_has_two_keys_by_default() {
        let reply = PeerMessageReply { code: "message_offline", result: None, request_id: RequestId(123) };
        let text = serde_json::to_string(&reply).unwrap();
        assert_eq!(text, r#"{"code":"message_offline","request_id":"123"}"#);
        let reply = PeerMessageReply { code: "message_sent", result: Some("success"), request_id: RequestId(123) };
        let text = serde_json::to_string(&reply).unwrap();
        assert_eq!(text, r#"{"code":"message_sent","result":"success","request_id":"123"}"#);
    }
}
