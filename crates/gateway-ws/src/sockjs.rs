//! SockJS 1.x over a WebSocket, as far as the SDKs need it: text messages with JSON in them. Pure.
//!
//! The server opens with `o`, sends `a["…"]` for a message, `h` so that nobody on the way takes the connection for dead,
//! and `c[code,"reason"]` before it closes. The client sends `["…"]`. The texts are messages in base64.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::frame;

/// How many messages one text of a client may have. The SDKs send one.
pub const MAX_MESSAGES: usize = 16;

/// What stands around the messages of a text: brackets, quotes and commas; with some room for white space.
const AROUND_BYTES: usize = 128;

/// Clients write padding or leave it out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A text that is none of SockJS. Quotes nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed SockJS frame")]
pub struct Malformed;

/// How long a client's text may be, so that a message of `max` bytes fits.
pub(crate) const fn frame_bytes(max: usize) -> usize {
    max.div_ceil(3) * 4 + AROUND_BYTES
}

/// The first frame of a connection.
pub(crate) fn open() -> Bytes {
    frame::text(1, |out| out.push(b'o'))
}

/// The frame that says nothing.
pub(crate) fn heartbeat() -> Bytes {
    frame::text(1, |out| out.push(b'h'))
}

/// The frame of a message.
pub(crate) fn message(message: &[u8]) -> Bytes {
    let length = message.len().div_ceil(3) * 4;
    frame::text(length + 5, |out| {
        out.extend_from_slice(b"a[\"");
        let at = out.len();
        out.resize(at + length, 0);
        let encoded = STANDARD.encode_slice(message, &mut out[at..]);
        debug_assert_eq!(encoded, Ok(length), "the length was computed");
        out.extend_from_slice(b"\"]");
    })
}

/// The last frame.
pub(crate) fn close(code: u16, reason: &str) -> Bytes {
    frame::text(16 + reason.len(), |out| {
        out.extend_from_slice(format!("c[{code},{}]", serde_json::Value::from(reason)).as_bytes());
    })
}

/// The messages in a client's text: those of an array, or one. None in an empty text.
///
/// # Errors
/// [`Malformed`]: it is neither, holds what is no base64, or more than [`MAX_MESSAGES`].
pub fn messages(text: &str) -> Result<Vec<Vec<u8>>, Malformed> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let Texts(texts) = serde_json::from_str(text).map_err(|_| Malformed)?;
    texts.iter().map(|text| BASE64.decode(text.as_bytes()).map_err(|_| Malformed)).collect()
}

struct Texts<'a>(Vec<Cow<'a, str>>);

/// A text that borrows where it can.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Texts<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts_;
        impl<'de> Visitor<'de> for Texts_ {
            type Value = Texts<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or an array of them")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Texts(vec![text.into()]))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Texts(vec![text.to_owned().into()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
                let mut texts = Vec::new();
                while let Some(Text(text)) = array.next_element()? {
                    // An array of nothing much takes more memory than text.
                    if texts.len() == MAX_MESSAGES {
                        return Err(A::Error::custom("too many"));
                    }
                    texts.push(text);
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_any(Texts_)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_send() {
        let two = |_| b"hi".to_vec();
        for (text, count) in [
            ("", 0),
            ("[]", 0),
            (r#"["aGk="]"#, 1),
            (r#" [ "aGk", "aGk=" ] "#, 2),
            (r#""aGk=""#, 1),
            (r#"["aGk\u003d"]"#, 1),
        ] {
            assert_eq!(messages(text), Ok((0..count).map(two).collect()), "{text}");
        }
        let many = |count| format!("[{}]", vec![r#""""#; count].join(","));
        assert_eq!(messages(&many(MAX_MESSAGES)).map(|all| all.len()), Ok(MAX_MESSAGES));
        let too_many = many(MAX_MESSAGES + 1);
        for text in
            ["aGk=", "{}", "[1]", "[[]]", "null", r#"["?"]"#, r#"["a"]"#, r#"["aGk="#, r#"["aGk="]x"#, &too_many]
        {
            assert_eq!(messages(text), Err(Malformed), "{text}");
        }
    }

    #[test]
    fn what_the_server_sends() {
        assert_eq!(&open()[..], b"\x81\x01o");
        assert_eq!(&heartbeat()[..], b"\x81\x01h");
        assert_eq!(&message(b"hi")[..], b"\x81\x09a[\"aGk=\"]");
        assert_eq!(&message(b"")[..], b"\x81\x05a[\"\"]");
        assert_eq!(&close(4001, "login refused")[..], b"\x81\x17c[4001,\"login refused\"]");
    }
}
