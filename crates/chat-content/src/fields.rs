//! What each type's body has (chat room message page, with what the vendor's server SDK adds).

use crate::scan::{Members, Value, unquoted};
use crate::{ContentError, ContentType, MAX_CUSTOM_EXTS};

/// The longest `customEvent`, in characters.
const MAX_CUSTOM_EVENT: usize = 32;

/// What a field must be.
#[derive(Clone, Copy)]
enum Rule {
    Text,
    /// A number or a text that is one: for `lat` and `lng` the documents have the latter and the SDKs the former, and
    /// other numbers come as texts from languages that do not care.
    Number,
    /// An object with the numbers `width` and `height`, of which either may be missing.
    Size,
    CustomEvent,
    CustomExts,
}

/// A field: its name, what it must be, whether it must be there.
type Field = (&'static str, Rule, bool);

/// `file_length` and `size` are not on the page for all of these, but SDKs send them and history shows them.
fn fields(kind: ContentType) -> &'static [Field] {
    use Rule::{CustomEvent, CustomExts, Number, Size, Text};
    match kind {
        ContentType::Text => &[("msg", Text, true)],
        ContentType::Image => &[
            ("url", Text, true),
            ("filename", Text, false),
            ("secret", Text, false),
            ("size", Size, false),
            ("file_length", Number, false),
        ],
        ContentType::Audio => &[
            ("url", Text, true),
            ("filename", Text, false),
            ("secret", Text, false),
            ("length", Number, false),
            ("file_length", Number, false),
        ],
        ContentType::Video => &[
            ("url", Text, true),
            ("filename", Text, false),
            ("thumb", Text, false),
            ("length", Number, false),
            ("secret", Text, false),
            ("file_length", Number, false),
            ("thumb_secret", Text, false),
            ("size", Size, false),
        ],
        ContentType::File => {
            &[("url", Text, true), ("filename", Text, false), ("secret", Text, false), ("file_length", Number, false)]
        }
        ContentType::Location => &[("lat", Number, true), ("lng", Number, true), ("addr", Text, true)],
        ContentType::Command => &[("action", Text, true)],
        ContentType::Custom => &[("customEvent", CustomEvent, false), ("customExts", CustomExts, false)],
    }
}

/// Has the type a `length`, which one of the documents' tables spells `Length`?
pub(crate) fn has_length(kind: ContentType) -> bool {
    fields(kind).iter().any(|(name, ..)| *name == "length")
}

/// Checks a body in normal form against its type. `null` stands for a field that is not there.
pub(crate) fn check(kind: ContentType, body: Members<'_>) -> Result<(), ContentError> {
    let members: Vec<(&str, Value<'_>)> = body.raw().collect();
    for (name, rule, required) in fields(kind) {
        let field = members.iter().find(|(key, _)| unquoted(key) == *name).map(|(_, value)| *value);
        match field.filter(|value| !value.is_null()) {
            Some(value) => rule.check(name, value)?,
            None if *required => return Err(ContentError::FieldMissing(name)),
            None => {}
        }
    }
    unique(members.into_iter().map(|(key, _)| key).collect())
}

impl Rule {
    fn check(self, name: &'static str, value: Value<'_>) -> Result<(), ContentError> {
        let good = match self {
            Self::Text => value.is_text(),
            Self::Number => value.number().is_some(),
            Self::Size => return size(value),
            Self::CustomEvent => return custom_event(value),
            Self::CustomExts => return custom_exts(value),
        };
        if good { Ok(()) } else { Err(ContentError::FieldWrong(name)) }
    }
}

fn size(value: Value<'_>) -> Result<(), ContentError> {
    let size = value.object().ok_or(ContentError::FieldWrong("size"))?;
    for (side, name) in [("width", "size.width"), ("height", "size.height")] {
        if size.get(side).is_some_and(|length| !length.is_null() && length.number().is_none()) {
            return Err(ContentError::FieldWrong(name));
        }
    }
    Ok(())
}

/// `[a-zA-Z0-9-_/\.]{1,32}`.
fn custom_event(value: Value<'_>) -> Result<(), ContentError> {
    let event = value.text().ok_or(ContentError::FieldWrong("customEvent"))?;
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/' | b'.');
    let good = (1..=MAX_CUSTOM_EVENT).contains(&event.len()) && event.bytes().all(known);
    if good { Ok(()) } else { Err(ContentError::CustomEvent) }
}

/// The page has texts only, the vendor's server SDK any value. What stands in each other has no place in either client.
fn custom_exts(value: Value<'_>) -> Result<(), ContentError> {
    let exts = value.object().ok_or(ContentError::FieldWrong("customExts"))?;
    if exts.clone().raw().count() > MAX_CUSTOM_EXTS {
        return Err(ContentError::TooManyExts);
    }
    if exts.clone().raw().any(|(_, value)| !value.is_scalar()) {
        return Err(ContentError::FieldWrong("customExts"));
    }
    unique_keys(exts)
}

/// Refuses an object in normal form in which a key stands twice.
pub(crate) fn unique_keys(object: Members<'_>) -> Result<(), ContentError> {
    unique(object.raw().map(|(key, _)| key).collect())
}

fn unique(mut keys: Vec<&str>) -> Result<(), ContentError> {
    keys.sort_unstable();
    let twice = keys.windows(2).any(|pair| pair[0] == pair[1]);
    if twice { Err(ContentError::KeyTwice) } else { Ok(()) }
}
