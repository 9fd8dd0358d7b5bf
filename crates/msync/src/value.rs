//! Typed values and JSON. Extensions are objects in JSON and lists of typed values on the wire: texts, objects and arrays
//! (as JSON text), true and false, whole numbers and others.

use stentor_chat_content::{Members, Value};

use crate::{KeyValue, KeyValueData, ValueType};

/// A value of JSON, for the wire.
#[must_use]
pub fn to_wire(key: &str, value: Value<'_>) -> KeyValue {
    let json = value.as_json();
    let (kind, data) = match json {
        "true" | "false" => (ValueType::Bool, KeyValueData::Varint((json == "true").into())),
        _ => match (value.text(), json.parse::<i64>(), json.parse::<f64>()) {
            (Some(text), ..) => (ValueType::String, KeyValueData::String(text.into_owned())),
            (None, Ok(number), _) => (ValueType::Int, KeyValueData::Varint(number)),
            (None, Err(_), Ok(number)) => (ValueType::Double, KeyValueData::Double(number)),
            // Objects, arrays and null.
            (None, ..) => (ValueType::JsonString, KeyValueData::String(json.to_owned())),
        },
    };
    KeyValue { key: Some(key.to_owned()), kind: Some(kind as i32), value: Some(data) }
}

/// The members of an object, for the wire.
#[must_use]
pub fn object_to_wire(members: Members<'_>) -> Vec<KeyValue> {
    members.map(|(key, value)| to_wire(&key, value)).collect()
}

/// A whole number with a key.
#[must_use]
pub fn int(key: &str, number: i64) -> KeyValue {
    KeyValue { key: Some(key.to_owned()), kind: Some(ValueType::Int as i32), value: Some(KeyValueData::Varint(number)) }
}

/// A text with a key.
#[must_use]
pub fn text(key: &str, text: &str) -> KeyValue {
    KeyValue {
        key: Some(key.to_owned()),
        kind: Some(ValueType::String as i32),
        value: Some(KeyValueData::String(text.to_owned())),
    }
}

/// How values that are objects or arrays become JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nested {
    /// As such.
    Kept,
    /// As texts: where JSON wants scalars.
    AsText,
}

/// Typed values, as the text of a JSON object.
#[must_use]
pub fn object_to_json(values: &[KeyValue], nested: Nested) -> String {
    let mut object = String::from("{");
    for value in values {
        if object.len() > 1 {
            object.push(',');
        }
        push_text(&mut object, value.key.as_deref().unwrap_or_default());
        object.push(':');
        push_value(&mut object, value, nested);
    }
    object.push('}');
    object
}

fn push_value(out: &mut String, value: &KeyValue, nested: Nested) {
    let kind = value.kind.and_then(|kind| ValueType::try_from(kind).ok());
    match &value.value {
        None => out.push_str("null"),
        Some(KeyValueData::Varint(number)) if kind == Some(ValueType::Bool) => {
            out.push_str(if *number == 0 { "false" } else { "true" });
        }
        Some(KeyValueData::Varint(number)) => out.push_str(&number.to_string()),
        Some(KeyValueData::Float(number)) => push_number(out, f64::from(*number)),
        Some(KeyValueData::Double(number)) => push_number(out, *number),
        Some(KeyValueData::String(json)) if kind == Some(ValueType::JsonString) && nested == Nested::Kept => {
            // What says that it is JSON and is not, is text.
            match serde_json::from_str::<&serde_json::value::RawValue>(json) {
                Ok(json) => out.push_str(json.get()),
                Err(_) => push_text(out, json),
            }
        }
        Some(KeyValueData::String(text)) => push_text(out, text),
    }
}

/// A number; JSON has none that is infinite or none at all.
pub(crate) fn push_number(out: &mut String, number: f64) {
    match serde_json::Number::from_f64(number) {
        Some(number) => out.push_str(&number.to_string()),
        None => out.push_str("null"),
    }
}

/// A text in its quotes.
pub(crate) fn push_text(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}
