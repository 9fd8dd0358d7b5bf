//! Finding one's way in JSON text without building anything from it.
//!
//! All of this is for text that is JSON, and gives up (`None`, or no further member) where it is not. Nothing
//! recurses, and nothing panics.

use std::borrow::Cow;

use memchr::memchr2;

use crate::normal::unescape;

/// Where the text behind white space starts.
pub(crate) fn skip_space(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| is_space(**byte)).count()
}

pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Behind the string that starts at `at` with its quote.
pub(crate) fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            // Whatever is escaped, it does not end the string; nor do the four digits of \u.
            b'\\' => at += if bytes.get(at + 1) == Some(&b'u') { 6 } else { 2 },
            _ => at += memchr2(b'"', b'\\', bytes.get(at..)?)?,
        }
    }
}

/// Behind the value that starts at `at`.
pub(crate) fn value_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = start;
    loop {
        match bytes.get(at) {
            Some(b'"') => at = string_end(bytes, at)?,
            Some(b'{' | b'[') => {
                depth += 1;
                at += 1;
                continue;
            }
            Some(b'}' | b']') if depth > 0 => {
                depth -= 1;
                at += 1;
            }
            Some(byte) if depth > 0 && (is_space(*byte) || matches!(byte, b',' | b':')) => {
                at += 1;
                continue;
            }
            _ => at = scalar_end(bytes, at)?,
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// Behind a number or a word; there must be one.
fn scalar_end(bytes: &[u8], start: usize) -> Option<usize> {
    let rest = bytes.get(start..)?;
    let len = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')).count();
    (len > 0).then_some(start + len)
}

/// The members of a JSON object, in their order.
#[derive(Debug, Clone)]
pub struct Members<'a> {
    text: &'a str,
    /// Behind the `{` or the last member's value.
    at: usize,
    first: bool,
}

impl<'a> Members<'a> {
    /// Of an object; of anything else there are none.
    pub(crate) fn of(object: &'a str) -> Self {
        let at = if object.starts_with('{') { 1 } else { object.len() };
        Self { text: object, at, first: true }
    }

    /// The value of `key`, which must be plain (no `"`, `\` or control characters). Of several the last, as most readers do.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        self.clone().raw().filter(|(quoted, _)| unquoted(quoted) == key).last().map(|(_, value)| value)
    }

    /// The members with their keys as they stand there, in quotes.
    pub(crate) fn raw(mut self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        std::iter::from_fn(move || self.next_raw())
    }

    fn next_raw(&mut self) -> Option<(&'a str, Value<'a>)> {
        let bytes = self.text.as_bytes();
        let mut key_at = skip_space(bytes, self.at);
        if !self.first {
            key_at = skip_space(bytes, expect(bytes, key_at, b',')?);
        }
        expect(bytes, key_at, b'"')?;
        let key_end = string_end(bytes, key_at)?;
        let colon = skip_space(bytes, key_end);
        let value_at = skip_space(bytes, expect(bytes, colon, b':')?);
        let end = value_end(bytes, value_at)?;
        (self.first, self.at) = (false, end);
        Some((self.text.get(key_at..key_end)?, Value(self.text.get(value_at..end)?)))
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (Cow<'a, str>, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (quoted, value) = self.next_raw()?;
        Some((unescape(quoted), value))
    }
}

/// What stands between the quotes.
pub(crate) fn unquoted(quoted: &str) -> &str {
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default()
}

/// Behind `byte`, if it stands at `at`.
pub(crate) fn expect(bytes: &[u8], at: usize, byte: u8) -> Option<usize> {
    (bytes.get(at) == Some(&byte)).then_some(at + 1)
}

/// One JSON value, as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value<'a>(pub(crate) &'a str);

impl<'a> Value<'a> {
    /// As it is delivered.
    #[must_use]
    pub fn as_json(self) -> &'a str {
        self.0
    }

    /// The text, if it is one.
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, str>> {
        self.is_text().then(|| unescape(self.0))
    }

    /// Is it a text?
    #[must_use]
    pub fn is_text(self) -> bool {
        self.0.starts_with('"')
    }

    /// The number, if it is one or a text that is one, as the documents have both. A number that 64 bits of floating
    /// point cannot hold is as near as they come, or infinite.
    #[must_use]
    pub fn number(self) -> Option<f64> {
        let text = match self.text() {
            Some(text) => text,
            None => Cow::Borrowed(self.0),
        };
        // JSON's own form: Rust would also take `inf`, `.5`, `5.` and `+5`.
        serde_json::from_str::<&serde_json::value::RawValue>(&text).ok()?;
        text.parse().ok()
    }

    /// The members, if it is an object.
    #[must_use]
    pub fn object(self) -> Option<Members<'a>> {
        self.0.starts_with('{').then(|| Members::of(self.0))
    }

    /// Is it a text, a number, a boolean or `null`?
    #[must_use]
    pub fn is_scalar(self) -> bool {
        !self.0.starts_with(['{', '['])
    }

    /// Is it `null`?
    #[must_use]
    pub fn is_null(self) -> bool {
        self.0 == "null"
    }
}
