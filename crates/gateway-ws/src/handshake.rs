//! The upgrade request (RFC 6455 section 4.2): is it one, and what is the answer. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{ALLOW, CONNECTION, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use sha1::{Digest, Sha1};

/// Why a request is not upgraded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// Only GET is upgraded.
    #[error("the method must be GET")]
    Method,
    /// It does not ask for a WebSocket.
    #[error("a WebSocket upgrade is required")]
    NoUpgrade,
    /// It asks for a WebSocket without `Connection: Upgrade`, over HTTP/1.0, or the like.
    #[error("the connection header must name upgrade, over HTTP/1.1")]
    Connection,
    /// A version of the WebSocket protocol that is not spoken.
    #[error("the WebSocket version must be 13")]
    Version,
    /// `Sec-WebSocket-Key` is missing or not 16 bytes in base64.
    #[error("sec-websocket-key must be 16 bytes in base64")]
    Key,
}

impl HandshakeError {
    /// The status of the answer.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoUpgrade | Self::Version => StatusCode::UPGRADE_REQUIRED,
            Self::Connection | Self::Key => StatusCode::BAD_REQUEST,
        }
    }

    /// The header that tells what would have been right.
    #[must_use]
    pub const fn hint(self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::Method => Some((ALLOW, HeaderValue::from_static("GET"))),
            Self::NoUpgrade => Some((UPGRADE, HeaderValue::from_static("websocket"))),
            Self::Version => Some((SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))),
            Self::Connection | Self::Key => None,
        }
    }
}

/// Checks an upgrade request. Returns the value of `Sec-WebSocket-Accept`.
///
/// # Errors
/// When it is none, or not one that a client may send.
pub fn check(method: &Method, version: Version, headers: &HeaderMap) -> Result<HeaderValue, HandshakeError> {
    if method != Method::GET {
        return Err(HandshakeError::Method);
    }
    if !names(headers, &UPGRADE, "websocket") {
        return Err(HandshakeError::NoUpgrade);
    }
    if version != Version::HTTP_11 || !names(headers, &CONNECTION, "upgrade") {
        return Err(HandshakeError::Connection);
    }
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version.as_bytes() != b"13") {
        return Err(HandshakeError::Version);
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).ok_or(HandshakeError::Key)?.as_bytes();
    if BASE64.decode(key).map_err(|_| HandshakeError::Key)?.len() != 16 {
        return Err(HandshakeError::Key);
    }
    HeaderValue::from_str(&accept(key)).map_err(|_| HandshakeError::Key)
}

/// Whether a comma-separated header, which may stand several times, holds a word.
fn names(headers: &HeaderMap, header: &HeaderName, word: &str) -> bool {
    headers
        .get_all(header)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|item| item.trim().eq_ignore_ascii_case(word))
}

fn accept(key: &[u8]) -> String {
    let digest = Sha1::new().chain_update(key).chain_update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
    BASE64.encode(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ=="));
        headers
    }

    #[test]
    fn the_example_of_the_rfc() {
        let accept = check(&Method::GET, Version::HTTP_11, &request());
        assert_eq!(accept, Ok(HeaderValue::from_static("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")));
    }

    #[test]
    fn header_values_are_lists_and_ignore_case() {
        let mut headers = request();
        headers.insert(UPGRADE, HeaderValue::from_static("h2c, WebSocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("keep-alive"));
        headers.append(CONNECTION, HeaderValue::from_static("foo , upgrade"));
        assert!(check(&Method::GET, Version::HTTP_11, &headers).is_ok());
    }

    #[test]
    fn what_is_refused() {
        let refusal = |change: &dyn Fn(&mut HeaderMap)| {
            let mut headers = request();
            change(&mut headers);
            check(&Method::GET, Version::HTTP_11, &headers).expect_err("refused")
        };
        let set = |name: HeaderName, value: &'static str| {
            refusal(&move |headers| {
                headers.insert(name.clone(), HeaderValue::from_static(value));
            })
        };
        let unset = |name: HeaderName| {
            refusal(&move |headers| {
                headers.remove(name.clone());
            })
        };
        let table = [
            (unset(UPGRADE), HandshakeError::NoUpgrade, 426),
            (set(UPGRADE, "websockets"), HandshakeError::NoUpgrade, 426),
            (unset(CONNECTION), HandshakeError::Connection, 400),
            (set(CONNECTION, "keep-alive"), HandshakeError::Connection, 400),
            (unset(SEC_WEBSOCKET_VERSION), HandshakeError::Version, 426),
            (set(SEC_WEBSOCKET_VERSION, "8"), HandshakeError::Version, 426),
            (set(SEC_WEBSOCKET_VERSION, "13, 8"), HandshakeError::Version, 426),
            (unset(SEC_WEBSOCKET_KEY), HandshakeError::Key, 400),
            (set(SEC_WEBSOCKET_KEY, "too short"), HandshakeError::Key, 400),
            (set(SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZTE="), HandshakeError::Key, 400),
        ];
        for (got, expected, status) in table {
            assert_eq!(got, expected);
            assert_eq!(got.status().as_u16(), status);
        }
        let post = check(&Method::POST, Version::HTTP_11, &request()).expect_err("refused");
        assert_eq!((post, post.status().as_u16()), (HandshakeError::Method, 405));
        let old = check(&Method::GET, Version::HTTP_10, &request()).expect_err("refused");
        assert_eq!((old, old.status().as_u16()), (HandshakeError::Connection, 400));
    }
}
