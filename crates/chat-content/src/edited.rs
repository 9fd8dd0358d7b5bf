//! A message's content with some of it replaced (message edit documents).

use serde_json::value::RawValue;

use crate::scan::{Members, unquoted};
use crate::{Content, ContentError, ContentType, ContentView, fields, normal};

/// The translations that came with a text.
const TRANSLATIONS: &str = "translations";

/// What is to be replaced.
#[derive(Debug, Clone, Copy, Default)]
pub struct Replacement<'a> {
    /// Fields that take the place of those of the body: `msg` and `translations` of a text, `customEvent` and `customExts` of a custom
    /// message. Others are ignored, and so are all of them for the other types.
    pub fields: Option<&'a RawValue>,
    /// An extension.
    pub ext: Option<&'a RawValue>,
    /// Fields of the old extension that the new one does not name stay.
    pub combine_ext: bool,
}

impl Content {
    /// The content of an edited message.
    ///
    /// # Errors
    /// As [`Content::parse`] has them, of the result.
    pub fn edited(old: ContentView<'_>, new: Replacement<'_>, limit: usize) -> Result<Self, ContentError> {
        let replaced: &[&str] = match old.kind() {
            ContentType::Text => &["msg", TRANSLATIONS],
            ContentType::Custom => &["customEvent", "customExts"],
            _ => &[],
        };
        let body = match new.fields {
            Some(fields) => {
                let fields = normal_object(fields).ok_or(ContentError::BodyNotObject)??;
                fields::unique_keys(Members::of(&fields))?;
                let fields = Members::of(&fields);
                // Translations are of the text that they came with.
                let stale = old.kind() == ContentType::Text && fields.get("msg").is_some();
                merged(old.body_members(), fields, |key| stale && key == TRANSLATIONS, |key| replaced.contains(&key))
            }
            None => old.body().to_owned(),
        };
        let ext = match new.ext {
            Some(ext) => {
                let ext = normal_object(ext).ok_or(ContentError::ExtNotObject)??;
                let kept = if new.combine_ext { old.ext_members() } else { Members::of("{}") };
                Some(merged(kept, Members::of(&ext), |_| false, |_| true))
            }
            None => old.ext().map(str::to_owned),
        };
        let raw = |json: String| RawValue::from_string(json).map_err(|_| ContentError::BodyNotObject);
        let (body, ext) = (raw(body)?, ext.map(raw).transpose()?);
        Self::parse(Some(old.kind().as_str()), Some(&body), ext.as_deref(), limit)
    }
}

/// An object in normal form; `None` if it is none.
fn normal_object(json: &RawValue) -> Option<Result<String, ContentError>> {
    json.get().starts_with('{').then(|| {
        let mut object = String::with_capacity(json.get().len());
        normal::append(json.get(), &mut object).map_err(|_| ContentError::TooDeep)?;
        Ok(object)
    })
}

/// The members of `old` that are not dropped and that `new` does not name, and behind them those of `new` that are taken.
fn merged(old: Members<'_>, new: Members<'_>, drops: impl Fn(&str) -> bool, takes: impl Fn(&str) -> bool) -> String {
    let taken: Vec<_> = new.raw().filter(|(key, _)| takes(unquoted(key))).collect();
    let stays = |key: &str| {
        let key = unquoted(key);
        !drops(key) && !taken.iter().any(|(other, _)| unquoted(other) == key)
    };
    let members: Vec<_> = old.raw().filter(|(key, _)| stays(key)).chain(taken.iter().copied()).collect();
    let members: Vec<_> = members.iter().map(|(key, value)| format!("{key}:{}", value.as_json())).collect();
    format!("{{{}}}", members.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(old: &str, fields: Option<&str>, ext: Option<&str>, combine_ext: bool) -> Result<String, ContentError> {
        let raw = |json: Option<&str>| json.map(|json| RawValue::from_string(json.to_owned()).expect("JSON"));
        let (fields, ext) = (raw(fields), raw(ext));
        let new = Replacement { fields: fields.as_deref(), ext: ext.as_deref(), combine_ext };
        let old = ContentView::decode(old.as_bytes()).expect("content");
        Content::edited(old, new, crate::MAX_BYTES).map(Content::into_payload)
    }

    const TEXT: &str = r#"{"type":"txt","body":{"msg":"old","x":1.10},"ext":{"a":1,"b":2}}"#;
    const IMAGE: &str = r#"{"type":"img","body":{"url":"u","filename":"f"}}"#;

    #[test]
    fn translations_go_with_their_text() {
        let old = r#"{"type":"txt","body":{"msg":"old","translations":[1],"x":1}}"#;
        let after = |fields: &str| edited(old, Some(fields), None, true).expect("edited");
        assert_eq!(after(r#"{"msg":"new"}"#), r#"{"type":"txt","body":{"x":1,"msg":"new"}}"#);
        assert_eq!(
            after(r#"{"msg":"new","translations":[2]}"#),
            r#"{"type":"txt","body":{"x":1,"msg":"new","translations":[2]}}"#
        );
        assert_eq!(after(r#"{"translations":[2]}"#), r#"{"type":"txt","body":{"msg":"old","x":1,"translations":[2]}}"#);
        assert_eq!(after("{}"), old);
    }

    #[test]
    fn a_text_gets_another_one_and_keeps_the_rest() {
        let new = edited(TEXT, Some(r#"{ "type": "txt", "msg": "new", "x": 2 }"#), None, true);
        assert_eq!(new.as_deref(), Ok(r#"{"type":"txt","body":{"x":1.10,"msg":"new"},"ext":{"a":1,"b":2}}"#));
    }

    #[test]
    fn an_extension_is_combined_or_replaced() {
        let ext = Some(r#"{"b": [3], "c": 4}"#);
        let with = |ext: &str| format!(r#"{{"type":"txt","body":{{"msg":"old","x":1.10}},"ext":{ext}}}"#);
        assert_eq!(edited(TEXT, None, ext, true), Ok(with(r#"{"a":1,"b":[3],"c":4}"#)));
        assert_eq!(edited(TEXT, None, ext, false), Ok(with(r#"{"b":[3],"c":4}"#)));
        assert_eq!(
            edited(IMAGE, Some(r#"{"url":"other"}"#), Some("{}"), true),
            Ok(IMAGE.replace("}}", "},\"ext\":{}}"))
        );
    }

    #[test]
    fn what_results_must_be_content() {
        assert_eq!(edited(TEXT, Some(r#"{"msg":1}"#), None, true), Err(ContentError::FieldWrong("msg")));
        assert_eq!(edited(TEXT, Some("[]"), None, true), Err(ContentError::BodyNotObject));
        assert_eq!(edited(TEXT, None, Some("null"), true), Err(ContentError::ExtNotObject));
        assert_eq!(edited(TEXT, None, Some(r#"{"a":1,"a":2}"#), true), Err(ContentError::KeyTwice));
        assert_eq!(edited(TEXT, Some(r#"{"msg":"a","msg":"b"}"#), None, true), Err(ContentError::KeyTwice));
        let long = format!(r#"{{"msg":"{}"}}"#, "x".repeat(crate::MAX_BYTES));
        assert!(matches!(edited(TEXT, Some(&long), None, true), Err(ContentError::TooLarge { .. })));
        let custom = r#"{"type":"custom","body":{"customEvent":"gift","customExts":{"a":"b"}}}"#;
        let new = edited(custom, Some(r#"{"customEvent":"gone"}"#), None, true);
        assert_eq!(new.as_deref(), Ok(r#"{"type":"custom","body":{"customExts":{"a":"b"},"customEvent":"gone"}}"#));
        assert_eq!(edited(custom, Some(r#"{"customEvent":"a b"}"#), None, true), Err(ContentError::CustomEvent));
    }
}
