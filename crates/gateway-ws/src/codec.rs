//! Frames as every protocol has them: JSON objects with a `type`, requests with an `id` and replies that repeat it,
//! logins, pings and acks. Pure: knows neither sockets nor the node.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize, Serializer};
use stentor_core::id::{MessageId, SessionId};

use crate::frame;

/// The version of the protocols that is spoken.
pub const VERSION: u64 = 1;

/// The largest `id` of a request: the largest integer that every JSON implementation keeps exact.
pub const MAX_REQUEST_ID: u64 = (1 << 53) - 1;

/// Why a login or a request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The protocol's number for it.
    pub code: u32,
    /// For people.
    pub reason: String,
}

impl Refusal {
    /// A refusal.
    #[must_use]
    pub fn new(code: u32, reason: impl std::fmt::Display) -> Self {
        Self { code, reason: reason.to_string() }
    }
}

/// A client's frame, of a protocol whose logins are `L` and whose requests are `R`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientFrame<L, R> {
    /// The first frame.
    Login(Box<L>),
    /// Nothing but a sign of life; answered with a pong.
    Ping,
    /// The client has these messages.
    Ack(Vec<MessageId>),
    /// Something that is answered with a reply of the same ID.
    Request {
        /// The client's number for it.
        id: u64,
        /// What is asked; `None` if the type is not known.
        request: Option<R>,
    },
}

/// A message ID as it stands in JSON: a decimal string, because JavaScript's numbers end at 2^53.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecimalId(pub MessageId);

impl Serialize for DecimalId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for DecimalId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// Reads a session's number. One that is not in the server's form is one that the server does not have.
pub(crate) fn session<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<SessionId>, D::Error> {
    Cow::<str>::deserialize(deserializer).map(|text| SessionId::parse(&text))
}

/// The frame is not a JSON object, or one of a known type with fields missing or of the wrong type.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub(crate) String);

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    id: Option<u64>,
}

#[derive(Deserialize)]
struct Ack {
    ids: Vec<DecimalId>,
}

/// Reads a client's frame; `request` reads those that only its protocol has, by their type.
///
/// # Errors
/// When it is malformed; the text says why and quotes nothing of it.
pub(crate) fn parse<'a, L: Deserialize<'a>, R>(
    text: &'a str,
    request: impl FnOnce(&str, &'a str) -> Result<Option<R>, Malformed>,
) -> Result<ClientFrame<L, R>, Malformed> {
    // A derived `Deserialize` would take an array for an object.
    if !text.trim_ascii_start().starts_with('{') {
        return Err(Malformed("the frame is not a JSON object".to_owned()));
    }
    // The type decides which fields there are, and may stand behind them: the text is read twice, which for
    // frames of this size costs less than keeping every value until the type is known.
    let Head { kind, id } = fields(text)?;
    match kind.as_ref() {
        "ping" => Ok(ClientFrame::Ping),
        "ack" => Ok(ClientFrame::Ack(fields::<Ack>(text)?.ids.into_iter().map(|id| id.0).collect())),
        "login" => Ok(ClientFrame::Login(fields(text)?)),
        kind => {
            let id = id.filter(|id| *id <= MAX_REQUEST_ID);
            let id = id.ok_or_else(|| Malformed("`id` must be an integer from 0 to 2^53-1".to_owned()))?;
            Ok(ClientFrame::Request { id, request: request(kind, text)? })
        }
    }
}

/// Reads the fields of a frame.
pub(crate) fn fields<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Malformed> {
    serde_json::from_str(text).map_err(|error| Malformed(reason(&error)))
}

/// What is wrong, without the values that serde quotes: a token might be among them.
fn reason(error: &serde_json::Error) -> String {
    let what = error.to_string();
    let field = what.split_once('`').filter(|(before, _)| matches!(*before, "missing field " | "duplicate field "));
    match field.and_then(|(before, rest)| rest.split_once('`').map(|(name, _)| (before, name))) {
        Some((before, name)) => format!("{before}`{name}`"),
        None if error.is_data() => "a field has the wrong type".to_owned(),
        None => "the frame is not valid JSON".to_owned(),
    }
}

/// The frame that refuses a login.
#[must_use]
pub fn refused(refusal: &Refusal) -> Bytes {
    text(0, &Frame::Refused { code: refusal.code, reason: &refusal.reason })
}

/// The frame that answers a `ping`.
#[must_use]
pub fn pong(server_time: u64) -> Bytes {
    text(0, &Frame::Pong { server_time })
}

/// The frame that tells a client when to come back after the server went down.
#[must_use]
pub fn reconnect(after_ms: u64) -> Bytes {
    text(0, &Frame::Reconnect { after_ms })
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Frame<'a> {
    Refused { code: u32, reason: &'a str },
    Pong { server_time: u64 },
    Reconnect { after_ms: u64 },
}

/// The frame that answers a request: with the fields of the outcome, or with why it was refused.
pub(crate) fn reply(id: u64, result: Result<impl Serialize, &Refusal>) -> Bytes {
    #[derive(Serialize)]
    struct Reply<T> {
        #[serde(rename = "type")]
        kind: &'static str,
        id: u64,
        ok: bool,
        #[serde(flatten)]
        fields: T,
    }
    #[derive(Serialize)]
    struct Refused<'a> {
        code: u32,
        reason: &'a str,
    }
    const KIND: &str = "reply";
    match result {
        Ok(fields) => text(0, &Reply { kind: KIND, id, ok: true, fields }),
        Err(Refusal { code, reason }) => {
            text(0, &Reply { kind: KIND, id, ok: false, fields: Refused { code: *code, reason } })
        }
    }
}

/// A complete text frame of a JSON value that holds about `payload` bytes of text.
pub(crate) fn text(payload: usize, value: &impl Serialize) -> Bytes {
    // Room for the other fields, and for the escapes of an ordinary payload, so that the buffer does not grow.
    let capacity = 224 + payload + payload / 8;
    frame::text(capacity, |out| {
        let written = serde_json::to_writer(out, value);
        debug_assert!(written.is_ok(), "strings and numbers always serialise, and a Vec takes them");
    })
}
