//! How the tests parse.

use serde_json::value::RawValue;
use stentor_chat_content::{Content, ContentError, MAX_BYTES};

/// JSON as the dialect has it. Spaces around it are not part of it.
pub(crate) fn raw(json: &str) -> Box<RawValue> {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

pub(crate) fn parse_within(limit: usize, kind: &str, body: &str, ext: Option<&str>) -> Result<Content, ContentError> {
    let ext = ext.map(raw);
    Content::parse(Some(kind), Some(&raw(body)), ext.as_deref(), limit)
}

pub(crate) fn parse(kind: &str, body: &str) -> Result<Content, ContentError> {
    parse_within(MAX_BYTES, kind, body, None)
}

pub(crate) fn parse_flat(msg: &str) -> Result<Content, ContentError> {
    Content::parse_flat(Some(&raw(msg)), None, MAX_BYTES)
}

/// The body as it is delivered.
pub(crate) fn body(kind: &str, body: &str) -> String {
    parse(kind, body).unwrap_or_else(|error| panic!("{error}: {body}")).view().body().to_owned()
}

/// Why it is refused.
pub(crate) fn refusal(kind: &str, body: &str) -> Option<ContentError> {
    parse(kind, body).err()
}
