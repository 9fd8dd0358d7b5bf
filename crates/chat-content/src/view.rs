//! A payload and its parts.

use crate::scan::{Members, expect, value_end};
use crate::{ContentType, DecodeError};

/// What a payload starts with, before its type.
pub(crate) const TYPE: &str = "{\"type\":\"";
/// What stands between type and body.
pub(crate) const BODY: &str = "\",\"body\":";
/// What stands between body and extension.
pub(crate) const EXT: &str = ",\"ext\":";

/// The parts of a payload, borrowed from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentView<'a> {
    pub(crate) kind: ContentType,
    pub(crate) body: &'a str,
    pub(crate) ext: Option<&'a str>,
}

impl<'a> ContentView<'a> {
    /// Decodes a payload that [`Content`](crate::Content) wrote. It is trusted: its fields are not checked again, but what is not laid
    /// out like one is refused, and nothing panics.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(payload: &'a [u8]) -> Result<Self, DecodeError> {
        str::from_utf8(payload).ok().and_then(Self::read).ok_or(DecodeError)
    }

    fn read(payload: &'a str) -> Option<Self> {
        let (word, rest) = payload.strip_prefix(TYPE)?.split_once('"')?;
        let kind = ContentType::parse(word)?;
        // The quote that ended the word is the first of the next part.
        let rest = rest.strip_prefix(&BODY[1..])?;
        let (body, rest) = object(rest)?;
        let (ext, rest) = match rest.strip_prefix(EXT) {
            Some(rest) => object(rest).map(|(ext, rest)| (Some(ext), rest))?,
            None => (None, rest),
        };
        (rest == "}").then_some(Self { kind, body, ext })
    }

    /// The type.
    #[must_use]
    pub fn kind(self) -> ContentType {
        self.kind
    }

    /// The body, a JSON object in normal form: as it was sent, but without white space, with texts as UTF-8 escaped only
    /// where JSON requires it, half surrogate pairs replaced by U+FFFD, and `Length` renamed to `length`.
    #[must_use]
    pub fn body(self) -> &'a str {
        self.body
    }

    /// The extension, a JSON object in normal form, if the message has one.
    #[must_use]
    pub fn ext(self) -> Option<&'a str> {
        self.ext
    }

    /// The fields of the body.
    #[must_use]
    pub fn body_members(self) -> Members<'a> {
        Members::of(self.body)
    }

    /// The fields of the extension; none if there is no extension.
    #[must_use]
    pub fn ext_members(self) -> Members<'a> {
        Members::of(self.ext.unwrap_or_default())
    }

    /// The body in its flat form, `{"type":"txt","msg":"…"}`, as callbacks and history have it. A field of the body that
    /// is itself called `type` has no place there and is left out.
    #[must_use]
    pub fn flat(self) -> String {
        let body = without_type(&self.body_members());
        let fields = body.get(1..).unwrap_or_default();
        let comma = if fields == "}" { "" } else { "," };
        format!("{TYPE}{}\"{comma}{fields}", self.kind)
    }
}

/// The object that `text` starts with, and what stands behind it.
fn object(text: &str) -> Option<(&str, &str)> {
    expect(text.as_bytes(), 0, b'{')?;
    text.split_at_checked(value_end(text.as_bytes(), 0)?)
}

/// An object without the member that the flat form has its type in.
pub(crate) fn without_type(members: &Members<'_>) -> String {
    rewritten(members, |key| (key != "\"type\"").then_some(key))
}

/// An object with other keys; without the members for whose key there is none.
pub(crate) fn rewritten<'a>(members: &Members<'a>, key: impl Fn(&'a str) -> Option<&'a str>) -> String {
    let mut object = String::from("{");
    for (old, value) in members.clone().raw() {
        if let Some(new) = key(old) {
            if object.len() > 1 {
                object.push(',');
            }
            object.push_str(new);
            object.push(':');
            object.push_str(value.as_json());
        }
    }
    object.push('}');
    object
}
