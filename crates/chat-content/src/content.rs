//! Content: from what a client sent to the payload.

use std::ops::Range;

use serde_json::value::RawValue;

use crate::scan::Members;
use crate::view::{BODY, EXT, TYPE, rewritten, without_type};
use crate::{ContentError, ContentType, ContentView, fields, normal};

/// The content of a message that was accepted: its payload, ready to be kept and delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    kind: ContentType,
    payload: String,
    body: Range<usize>,
    ext: Option<Range<usize>>,
}

impl Content {
    /// Parses a message as the documents have it: `type`, `body`, `ext` side by side. `limit` is in bytes,
    /// [`MAX_BYTES`](crate::MAX_BYTES) by the documents.
    ///
    /// # Size
    /// What is counted is the bytes of the body and of the extension, braces included, as they are delivered: in normal
    /// form (see [`ContentView::body`]), as UTF-8. The type is not counted, nor an extension that is not there.
    ///
    /// # Errors
    /// A [`ContentError`]. Where several fit, the type's comes first, then those of body and extension as a whole, then
    /// the size, then the fields in the order of the documents.
    pub fn parse(
        kind: Option<&str>,
        body: Option<&RawValue>,
        ext: Option<&RawValue>,
        limit: usize,
    ) -> Result<Self, ContentError> {
        let kind = parse_kind(kind)?;
        let body = some_object(body)?;
        let mut payload = begun(kind, body.len() + ext.map_or(0, |ext| ext.get().len()));
        let start = payload.len();
        normal::append(body, &mut payload).map_err(|_| ContentError::TooDeep)?;
        if fields::has_length(kind) {
            one_length(start, &mut payload);
        }
        Self::finished(kind, payload, start, ext, limit)
    }

    /// Parses the flat form that broadcasts and the legacy endpoint have: `msg` with the `type` among the fields of the
    /// body. Otherwise as [`Self::parse`]; the same message gives the same content.
    ///
    /// # Errors
    /// As [`Self::parse`]. A `msg` of nothing but a `type` is [`ContentError::BodyMissing`].
    pub fn parse_flat(msg: Option<&RawValue>, ext: Option<&RawValue>, limit: usize) -> Result<Self, ContentError> {
        let mut body = String::new();
        normal::append(some_object(msg)?, &mut body).map_err(|_| ContentError::TooDeep)?;
        let members = Members::of(&body);
        fields::unique_keys(members.clone())?;
        let word = match members.get("type").filter(|word| !word.is_null()) {
            Some(word) => Some(word.text().ok_or(ContentError::TypeUnknown)?),
            // Nothing at all has no body either, and that is the better hint.
            None if body == "{}" => return Err(ContentError::BodyMissing),
            None => None,
        };
        let kind = parse_kind(word.as_deref())?;
        let body = RawValue::from_string(without_type(&members)).map_err(|_| ContentError::BodyNotObject)?;
        Self::parse(Some(kind.as_str()), Some(&body), ext, limit)
    }

    /// With the extension behind the body, which starts at `start`.
    fn finished(
        kind: ContentType,
        mut payload: String,
        start: usize,
        ext: Option<&RawValue>,
        limit: usize,
    ) -> Result<Self, ContentError> {
        let body = start..payload.len();
        if payload.get(body.clone()) == Some("{}") {
            return Err(ContentError::BodyMissing);
        }
        let ext = match ext.map(RawValue::get) {
            Some(ext) if !ext.starts_with('{') => return Err(ContentError::ExtNotObject),
            Some(ext) => {
                payload.push_str(EXT);
                let start = payload.len();
                normal::append(ext, &mut payload).map_err(|_| ContentError::TooDeep)?;
                Some(start..payload.len())
            }
            None => None,
        };
        payload.push('}');
        let content = Self { kind, payload, body, ext };
        content.check(limit)?;
        Ok(content)
    }

    fn check(&self, limit: usize) -> Result<(), ContentError> {
        let view = self.view();
        let bytes = view.body.len() + view.ext.map_or(0, str::len);
        if bytes > limit {
            return Err(ContentError::TooLarge { bytes, limit });
        }
        fields::check(self.kind, view.body_members())?;
        view.ext.map_or(Ok(()), |ext| fields::unique_keys(Members::of(ext)))
    }

    /// Its parts.
    #[must_use]
    pub fn view(&self) -> ContentView<'_> {
        // The ranges are those of what was appended, so they are there.
        let part = |range: &Range<usize>| self.payload.get(range.clone()).unwrap_or_default();
        ContentView { kind: self.kind, body: part(&self.body), ext: self.ext.as_ref().map(part) }
    }

    /// The canonical payload, `{"type":"txt","body":{…},"ext":{…}}`, without `ext` if there is none.
    #[must_use]
    pub fn payload(&self) -> &str {
        &self.payload
    }

    /// As [`Self::payload`], given away.
    #[must_use]
    pub fn into_payload(self) -> String {
        self.payload
    }
}

fn parse_kind(word: Option<&str>) -> Result<ContentType, ContentError> {
    let word = word.filter(|word| !word.is_empty()).ok_or(ContentError::TypeMissing)?;
    ContentType::parse(word).ok_or(ContentError::TypeUnknown)
}

/// The text of an object that is there; it may still be empty.
fn some_object(json: Option<&RawValue>) -> Result<&str, ContentError> {
    let json = json.map(RawValue::get).filter(|json| *json != "null").ok_or(ContentError::BodyMissing)?;
    if json.starts_with('{') { Ok(json) } else { Err(ContentError::BodyNotObject) }
}

/// A payload up to its body, with room for `more` bytes.
fn begun(kind: ContentType, more: usize) -> String {
    let mut payload = String::with_capacity(TYPE.len() + 6 + BODY.len() + EXT.len() + more + 1);
    for part in [TYPE, kind.as_str(), BODY] {
        payload.push_str(part);
    }
    payload
}

/// Leaves one spelling of `length` in the body, which is what the payload has from `start` on.
fn one_length(start: usize, payload: &mut String) {
    let members = Members::of(payload.get(start..).unwrap_or_default());
    if members.get("Length").is_some() {
        let both = members.get("length").is_some();
        let body = rewritten(&members, |key| match key {
            "\"Length\"" => (!both).then_some("\"length\""),
            other => Some(other),
        });
        payload.replace_range(start.., &body);
    }
}
