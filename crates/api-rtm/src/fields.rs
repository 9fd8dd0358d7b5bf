//! The fields of a JSON body, read one by one so that a refusal can name the field. Unknown fields are ignored.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::error::BadRequest;

/// Reads a body into a struct of [`Field`]s.
pub(crate) fn object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, BadRequest> {
    // serde also takes an array for a struct, which no document allows.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(BadRequest("the body must be a JSON object".into()));
    }
    serde_json::from_slice(body).map_err(|error| {
        // serde's own text may repeat the caller's values; where it went wrong is enough.
        let (line, column) = (error.line(), error.column());
        BadRequest(format!("the body is not valid JSON (line {line}, column {column})").into())
    })
}

/// A field as it stands in the body, not interpreted yet: `null` is there, an absent field is the default.
#[derive(Clone, Copy, Default)]
pub(crate) struct Field<'a>(Option<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&'de RawValue>::deserialize(deserializer).map(|value| Self(Some(value)))
    }
}

impl<'a> Field<'a> {
    fn json(self) -> Option<&'a str> {
        self.0.map(RawValue::get)
    }

    fn json_unless_null(self) -> Option<&'a str> {
        self.json().filter(|json| *json != "null")
    }
}

/// A text, possibly with escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

fn wrong(name: &str, expected: &str) -> BadRequest {
    BadRequest(format!("{name} must be {expected}").into())
}

/// A text that must be there.
pub(crate) fn text<'a>(name: &'static str, field: Field<'a>) -> Result<Cow<'a, str>, BadRequest> {
    let json = field.json().ok_or_else(|| BadRequest(format!("{name} is required").into()))?;
    serde_json::from_str::<Text<'a>>(json).map(|text| text.0).map_err(|_| wrong(name, "a string"))
}

/// A text that may be absent, `null` or empty, which all mean the same.
pub(crate) fn text_or_none<'a>(name: &'static str, field: Field<'a>) -> Result<Option<Cow<'a, str>>, BadRequest> {
    match field.json_unless_null() {
        None => Ok(None),
        Some(_) => text(name, field).map(|text| Some(text).filter(|text| !text.is_empty())),
    }
}

/// An object that must be there, read into a struct of [`Field`]s.
pub(crate) fn nested<'a, T: Deserialize<'a>>(name: &'static str, field: Field<'a>) -> Result<T, BadRequest> {
    let json = field.json().ok_or_else(|| BadRequest(format!("{name} is required").into()))?;
    object(json.as_bytes()).map_err(|_| wrong(name, "an object"))
}

/// A boolean that may be absent, and then is false.
pub(crate) fn flag(name: &'static str, field: Field<'_>) -> Result<bool, BadRequest> {
    match field.json() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(wrong(name, "a boolean")),
    }
}

/// A whole number that may be absent or `null`.
pub(crate) fn number(name: &'static str, field: Field<'_>) -> Result<Option<u64>, BadRequest> {
    match field.json_unless_null() {
        None => Ok(None),
        Some(json) => serde_json::from_str(json).map(Some).map_err(|_| wrong(name, "a whole number, 0 or more")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Body<'a> {
        #[serde(borrow)]
        a: Field<'a>,
    }

    fn a<T>(body: &str, read: impl Fn(Field<'_>) -> Result<T, BadRequest>) -> Result<T, String> {
        let body: Body<'_> = object(body.as_bytes()).map_err(|error| error.to_string())?;
        read(body.a).map_err(|error| error.to_string())
    }

    fn a_text(body: &str) -> Result<String, String> {
        a(body, |field| text("a", field).map(Cow::into_owned))
    }

    #[test]
    fn a_body_is_one_object() {
        assert_eq!(a_text(" {\"b\":[1,{}],\"a\":\"x\",\"c\":null} \n"), Ok("x".into()));
        for body in ["", " ", "[]", "[\"x\"]", "null", "\"a\"", "1", "\u{feff}{}"] {
            assert_eq!(a_text(body), Err("the body must be a JSON object".into()), "{body:?}");
        }
        for body in ["{", "{\"a\":}", "{\"a\":\"x\"", "{\"a\":\"x\"}x", "{\"a\":\"x\",}", "{a:1}", "{\"a\":1,\"a\":2}"]
        {
            let error = a_text(body).unwrap_err();
            assert!(error.starts_with("the body is not valid JSON (line 1, column "), "{body:?}: {error}");
        }
        assert!(object::<Body<'_>>(b"{\"a\":\"\xff\"}").is_err());
        assert!(object::<Body<'_>>(b"\xff").is_err());
        let deep = format!("{{\"b\":{}", "[".repeat(200_000));
        assert!(a_text(&deep).is_err());
    }

    #[test]
    fn a_text_is_a_string() {
        assert_eq!(a_text(r#"{"a":""}"#), Ok(String::new()));
        assert_eq!(a_text(r#"{"a":"\u4f60\n\ud83d\ude00"}"#), Ok("你\n😀".into()));
        assert_eq!(a_text("{}"), Err("a is required".into()));
        for value in ["1", "true", "null", "[]", "{}", r#""\ud800""#, "1e999"] {
            let body = format!("{{\"a\":{value}}}");
            assert!(a_text(&body).is_err(), "{value}");
        }
    }

    #[test]
    fn an_optional_text_may_be_nothing() {
        let optional = |body: &str| a(body, |field| text_or_none("a", field).map(|text| text.map(Cow::into_owned)));
        for body in ["{}", r#"{"a":null}"#, r#"{"a":""}"#] {
            assert_eq!(optional(body), Ok(None), "{body}");
        }
        assert_eq!(optional(r#"{"a":" "}"#), Ok(Some(" ".into())));
        assert_eq!(optional(r#"{"a":1}"#), Err("a must be a string".into()));
    }

    #[test]
    fn a_flag_is_a_boolean() {
        let flag = |body: &str| a(body, |field| flag("a", field));
        assert_eq!(flag("{}"), Ok(false));
        assert_eq!(flag(r#"{"a":false}"#), Ok(false));
        assert_eq!(flag(r#"{"a": true }"#), Ok(true));
        for value in ["1", "0", "null", "\"true\"", "[]", "\"\""] {
            assert_eq!(flag(&format!("{{\"a\":{value}}}")), Err("a must be a boolean".into()), "{value}");
        }
    }

    #[test]
    fn a_number_is_whole() {
        let number = |body: &str| a(body, |field| number("a", field));
        assert_eq!(number("{}"), Ok(None));
        assert_eq!(number(r#"{"a":null}"#), Ok(None));
        assert_eq!(number(r#"{"a":0}"#), Ok(Some(0)));
        assert_eq!(number(r#"{"a":18446744073709551615}"#), Ok(Some(u64::MAX)));
        for value in ["-1", "1.5", "\"1\"", "18446744073709551616", "true", "[]"] {
            assert!(number(&format!("{{\"a\":{value}}}")).is_err(), "{value}");
        }
    }
}
