//! Percent-decoding of URLs (RFC 3986) and of query strings. Pure: a fuzz target calls it with anything.

use std::borrow::Cow;

/// Why a part of a URL could not be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PercentError {
    /// A `%` is not followed by two hexadecimal digits.
    #[error("a % in the URL is not followed by two hexadecimal digits")]
    Sequence,
    /// The decoded bytes are not UTF-8.
    #[error("the URL does not decode to UTF-8")]
    Utf8,
}

/// Decodes one path segment, once: `%2525` becomes `%25`. A `+` stays a `+`.
///
/// # Errors
/// When a `%` sequence is broken or the result is not UTF-8.
pub fn decode_segment(raw: &str) -> Result<Cow<'_, str>, PercentError> {
    if raw.contains('%') { decode(raw, false).map(Cow::Owned) } else { Ok(Cow::Borrowed(raw)) }
}

/// Decodes the key or the value of a query string, once: as [`decode_segment`], and a `+` is a space, as HTML
/// forms and the usual client libraries write it.
///
/// # Errors
/// As [`decode_segment`].
pub fn decode_query(raw: &str) -> Result<Cow<'_, str>, PercentError> {
    if raw.contains(['%', '+']) { decode(raw, true).map(Cow::Owned) } else { Ok(Cow::Borrowed(raw)) }
}

/// The value of a query string's parameter `name`: the first, if it is repeated; `Some("")` if it has no `=`.
///
/// # Errors
/// When the value, or the key of a parameter before it, cannot be decoded.
pub fn query_value<'a>(query: &'a str, name: &str) -> Result<Option<Cow<'a, str>>, PercentError> {
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if decode_query(key)? == name {
            return decode_query(value).map(Some);
        }
    }
    Ok(None)
}

fn decode(raw: &str, plus_is_space: bool) -> Result<String, PercentError> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let (high, low) = (bytes.next().and_then(digit), bytes.next().and_then(digit));
                let (Some(high), Some(low)) = (high, low) else {
                    return Err(PercentError::Sequence);
                };
                decoded.push((high << 4) | low);
            }
            b'+' if plus_is_space => decoded.push(b' '),
            other => decoded.push(other),
        }
    }
    String::from_utf8(decoded).map_err(|_| PercentError::Utf8)
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_segment_is_decoded_once() {
        for (raw, decoded) in [
            ("", Ok("")),
            ("userA", Ok("userA")),
            ("a%20b", Ok("a b")),
            ("a+b", Ok("a+b")),
            ("%2525", Ok("%25")),
            ("%2f%2F", Ok("//")),
            ("%E4%BD%A0", Ok("你")),
            ("%00", Ok("\0")),
            ("%", Err(PercentError::Sequence)),
            ("w7%", Err(PercentError::Sequence)),
            ("%2", Err(PercentError::Sequence)),
            ("%zz", Err(PercentError::Sequence)),
            ("%2 0", Err(PercentError::Sequence)),
            ("%+2", Err(PercentError::Sequence)),
            ("%é", Err(PercentError::Sequence)),
            ("%E4%BD", Err(PercentError::Utf8)),
            ("%ff", Err(PercentError::Utf8)),
            ("%C0%AF", Err(PercentError::Utf8)),
            ("%ED%A0%80", Err(PercentError::Utf8)),
        ] {
            assert_eq!(decode_segment(raw).as_deref(), decoded.as_ref().map(|text| *text), "{raw:?}");
        }
    }

    #[test]
    fn a_query_value_is_found_and_decoded() {
        let query = "a=1&b=x%26y+z&wait%5Ffor_ack=true&c&b=second&=v";
        assert_eq!(query_value(query, "a"), Ok(Some("1".into())));
        assert_eq!(query_value(query, "b"), Ok(Some("x&y z".into())));
        assert_eq!(query_value(query, "wait_for_ack"), Ok(Some("true".into())));
        assert_eq!(query_value(query, "c"), Ok(Some("".into())));
        assert_eq!(query_value(query, "A"), Ok(None));
        assert_eq!(query_value("", "a"), Ok(None));
        assert_eq!(query_value("a=%", "a"), Err(PercentError::Sequence));
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_read_back(text in ".{0,40}") {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(decode_segment(&encoded).unwrap(), text.as_str());
            prop_assert_eq!(decode_query(&encoded).unwrap(), text.as_str());
        }

        #[test]
        fn nothing_makes_it_panic(raw in ".{0,40}", name in ".{0,4}") {
            let _ = decode_segment(&raw);
            let _ = query_value(&raw, &name);
        }
    }
}
