//! Request bodies: JSON whatever their media type says, with the refusal of the endpoint's family.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_ENCODING;
use bytes::Bytes;
use serde_json::{Map, Value};
use stentor_http_kit::read_body;

use crate::error::ChatError;
use crate::state::ChatState;

/// The whole body, bounded in size and time.
#[derive(Debug)]
pub(crate) struct RawBody(pub(crate) Bytes);

impl FromRequest<ChatState> for RawBody {
    type Rejection = ChatError;

    async fn from_request(request: Request, state: &ChatState) -> Result<Self, ChatError> {
        let (parts, body): (_, Body) = request.into_parts();
        let coding = parts.headers.get(CONTENT_ENCODING).map_or(&b"identity"[..], |value| value.as_bytes());
        if !coding.eq_ignore_ascii_case(b"identity") {
            return Err(ChatError::unsupported_media_type());
        }
        Ok(Self(read_body(&parts.headers, body, state.body_limits()).await?))
    }
}

impl RawBody {
    /// The body as JSON, for users, rooms and groups.
    ///
    /// # Errors
    /// 400 `json_parse`.
    pub(crate) fn value(&self) -> Result<Value, ChatError> {
        serde_json::from_slice(&self.0).map_err(|error| ChatError::json_parse(self.jackson(&error)))
    }

    /// The body as a JSON object, for users, rooms and groups. Nothing at all is an empty object.
    ///
    /// # Errors
    /// 400 `json_parse`, or `illegal_argument` for other JSON.
    pub(crate) fn object(&self) -> Result<Object, ChatError> {
        if self.0.is_empty() {
            return Ok(Object(Map::new()));
        }
        match self.value()? {
            Value::Object(object) => Ok(Object(object)),
            _ => Err(ChatError::illegal_argument("this is an invalid request.")),
        }
    }

    /// What is wrong, as the vendor's parser words it.
    fn jackson(&self, error: &serde_json::Error) -> String {
        let (line, column) = (error.line(), error.column());
        let at = format!("\n at [Source: (InputStream); line: {line}, column: {column}]");
        let text = std::str::from_utf8(&self.0).unwrap_or_default();
        let found = text.lines().nth(line.saturating_sub(1)).and_then(|line| line.get(column.saturating_sub(1)..));
        match found.and_then(|rest| rest.chars().next()) {
            Some(found) if !error.is_eof() => {
                let code = u32::from(found);
                format!("Unexpected character ('{found}' (code {code})): expected a valid value{at}")
            }
            _ => format!("Unexpected end-of-input{at}"),
        }
    }
}

/// A JSON object of a request, with the questions that handlers ask.
#[derive(Debug, Clone)]
pub(crate) struct Object(pub(crate) Map<String, Value>);

impl Object {
    /// A text; `None` if it is not there or `null`.
    ///
    /// # Errors
    /// The name of the field, if it is anything else.
    pub(crate) fn text(&self, name: &'static str) -> Result<Option<&str>, WrongType> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(WrongType(name)),
        }
    }

    /// A whole number, also one given as a text.
    ///
    /// # Errors
    /// The name of the field, if it is anything else.
    pub(crate) fn integer(&self, name: &'static str) -> Result<Option<i64>, WrongType> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(number)) => number.as_i64().map(Some).ok_or(WrongType(name)),
            Some(Value::String(text)) => text.trim().parse().map(Some).map_err(|_| WrongType(name)),
            Some(_) => Err(WrongType(name)),
        }
    }

    /// A boolean, also one given as a text.
    ///
    /// # Errors
    /// The name of the field, if it is anything else.
    pub(crate) fn flag(&self, name: &'static str) -> Result<Option<bool>, WrongType> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(_) => Err(WrongType(name)),
        }
    }

    /// An array of texts.
    ///
    /// # Errors
    /// The name of the field, if it is anything else.
    pub(crate) fn texts(&self, name: &'static str) -> Result<Option<Vec<&str>>, WrongType> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(items)) => {
                items.iter().map(|item| item.as_str().ok_or(WrongType(name))).collect::<Result<_, _>>().map(Some)
            }
            Some(_) => Err(WrongType(name)),
        }
    }
}

/// A field of another type than it should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WrongType(pub(crate) &'static str);

impl From<WrongType> for ChatError {
    /// What the settings family documents ("parameters is invalid : XXX").
    fn from(WrongType(name): WrongType) -> Self {
        Self::illegal_argument(format!("parameters is invalid : {name}"))
    }
}
