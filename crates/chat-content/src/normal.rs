//! The normal form of JSON text.
//!
//! No white space outside of texts, and texts as UTF-8 with no escapes but those JSON needs (`\"`, `\\`, and control
//! characters). So the size of a message does not depend on the encoder that its sender happens to use: `"\u4f60"` has
//! three bytes between its quotes, as `"你"` has. Everything else stays as it was written: order, keys that stand twice,
//! and numbers to the last digit.
//!
//! Half a surrogate pair (`"\ud83d"`, what is left of an emoji that was cut in two) is no character and has no UTF-8. It
//! becomes U+FFFD, as in every decoder of such text; to refuse the message would help nobody.

use std::borrow::Cow;
use std::fmt::Write;

use memchr::memchr;

use crate::scan::{is_space, string_end, unquoted};

/// How many objects and arrays may stand in each other, the body or extension itself counted. Readers recurse, and
/// many (`serde_json` among them) stop at 128, counting what a frame puts around the content.
pub const MAX_DEPTH: usize = 64;

/// A first half of a surrogate pair, which alone is no character.
const HALF: u32 = 0xd800;

/// The text is nested deeper than [`MAX_DEPTH`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooDeep;

/// Appends `json`, which must be JSON, in its normal form. It never gets longer.
pub(crate) fn append(json: &str, out: &mut String) -> Result<(), TooDeep> {
    let bytes = json.as_bytes();
    // What stands from `copied` to `at` is normal and still to be copied. All cuts are at ASCII characters or behind
    // strings, so what is between them is there.
    let (mut copied, mut at, mut depth) = (0, 0, 0_usize);
    while let Some(byte) = bytes.get(at) {
        let mut end = at + 1;
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => end = string_end(bytes, at).unwrap_or(bytes.len()),
            _ => {}
        }
        let escapes = *byte == b'"' && bytes.get(at..end).is_some_and(|text| memchr(b'\\', text).is_some());
        if escapes || is_space(*byte) {
            out.push_str(json.get(copied..at).unwrap_or_default());
            copied = end;
        }
        if escapes {
            append_text(json.get(at..end).unwrap_or_default(), out);
        }
        if depth > MAX_DEPTH {
            return Err(TooDeep);
        }
        at = end;
    }
    out.push_str(json.get(copied..).unwrap_or_default());
    Ok(())
}

/// Appends a string, quotes and all.
fn append_text(quoted: &str, out: &mut String) {
    let text = unescape(quoted);
    let mut rest = &*text;
    out.push('"');
    while let Some(at) = rest.bytes().position(|byte| byte < b' ' || matches!(byte, b'"' | b'\\')) {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let mut characters = special.chars();
        if let Some(character) = characters.next() {
            append_escape(character, out);
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// Appends a character that JSON does not allow as it is.
fn append_escape(character: char, out: &mut String) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        _ => {
            // A String takes all that is written to it.
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        }
    }
}

/// What a string means, given with its quotes.
pub(crate) fn unescape(quoted: &str) -> Cow<'_, str> {
    let inner = unquoted(quoted);
    let Some(first) = inner.find('\\') else {
        return Cow::Borrowed(inner);
    };
    let (plain, mut rest) = inner.split_at(first);
    let mut text = String::with_capacity(inner.len());
    text.push_str(plain);
    while let Some(behind) = rest.strip_prefix('\\') {
        rest = escape(behind, &mut text);
        // Encoders that escape write many escapes in a row.
        if !rest.starts_with('\\') {
            let (plain, next) = rest.split_at(rest.find('\\').unwrap_or(rest.len()));
            text.push_str(plain);
            rest = next;
        }
    }
    Cow::Owned(text)
}

/// Appends what is escaped at the start of `rest`, and gives what stands behind it.
fn escape<'a>(rest: &'a str, text: &mut String) -> &'a str {
    let mut characters = rest.chars();
    let character = match characters.next() {
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('u') => {
            let (character, behind) = unicode(characters.as_str());
            text.push(character);
            return behind;
        }
        Some(itself) => itself,
        None => return rest,
    };
    text.push(character);
    characters.as_str()
}

/// The character of the four digits behind `\u`, or of these and a second such escape.
fn unicode(digits: &str) -> (char, &str) {
    let (high, behind) = unit(digits);
    if let Some(character) = char::from_u32(high) {
        return (character, behind);
    }
    if (HALF..0xdc00).contains(&high)
        && let Some(second) = behind.strip_prefix("\\u")
        && let (low @ 0xdc00..0xe000, behind) = unit(second)
        && let Some(character) = char::from_u32(0x1_0000 + ((high - HALF) << 10) + (low - 0xdc00))
    {
        return (character, behind);
    }
    (char::REPLACEMENT_CHARACTER, behind)
}

/// The number of four hexadecimal digits; what is none is no character either.
fn unit(digits: &str) -> (u32, &str) {
    let Some((four, behind)) = digits.split_at_checked(4) else {
        return (HALF, "");
    };
    let number = four.chars().try_fold(0, |number, digit| Some(number << 4 | digit.to_digit(16)?));
    (number.unwrap_or(HALF), behind)
}
