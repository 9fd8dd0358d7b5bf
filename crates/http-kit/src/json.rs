//! JSON in and out: the reply, and whether a request claims to be JSON.

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

/// The media type of every reply.
pub const APPLICATION_JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// A small reply fits without growing; larger ones grow as they need.
const INITIAL_BYTES: usize = 192;

/// A reply with `body` as JSON.
#[must_use]
pub fn json<T: Serialize>(status: StatusCode, body: &T) -> Response {
    let mut bytes = Vec::with_capacity(INITIAL_BYTES);
    let status = match serde_json::to_writer(&mut bytes, body) {
        Ok(()) => status,
        Err(error) => {
            // Only a body type with a failing `Serialize` or a map with odd keys gets here: a bug of ours.
            tracing::error!(%error, "a reply could not be written as JSON");
            bytes.clear();
            bytes.extend_from_slice(b"{}");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, APPLICATION_JSON);
    response
}

/// Whether a request body may be read as JSON: it claims to be `application/json`, with any parameters, or
/// claims nothing; and it is not compressed.
#[must_use]
pub fn may_be_json(headers: &HeaderMap) -> bool {
    let media_type = match headers.get(CONTENT_TYPE).map(HeaderValue::to_str) {
        None => "",
        Some(Ok(text)) => text.split(';').next().unwrap_or("").trim(),
        Some(Err(_)) => return false,
    };
    let coding = headers.get(CONTENT_ENCODING).map_or(&b"identity"[..], HeaderValue::as_bytes);
    (media_type.is_empty() || media_type.eq_ignore_ascii_case("application/json"))
        && coding.eq_ignore_ascii_case(b"identity")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: http::HeaderName, value: &[u8]) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_bytes(value).unwrap())])
    }

    #[test]
    fn json_or_nothing_is_taken() {
        assert!(may_be_json(&HeaderMap::new()));
        for value in ["", "application/json", "Application/JSON;charset=utf-8", " application/json ; charset=utf-8"] {
            assert!(may_be_json(&with(CONTENT_TYPE, value.as_bytes())), "{value:?}");
        }
        assert!(may_be_json(&with(CONTENT_ENCODING, b"identity")));
    }

    #[test]
    fn another_media_type_is_not_taken() {
        for value in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "multipart/form-data"] {
            assert!(!may_be_json(&with(CONTENT_TYPE, value.as_bytes())), "{value:?}");
        }
        assert!(!may_be_json(&with(CONTENT_TYPE, b"\xff")));
        assert!(!may_be_json(&with(CONTENT_ENCODING, b"gzip")));
    }
}
