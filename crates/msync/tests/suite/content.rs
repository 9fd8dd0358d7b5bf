//! Contents from JSON to the wire and back.

use serde_json::value::RawValue;
use stentor_chat_content::{Content as Json, MAX_BYTES};
use stentor_msync::content::{ext_to_json, to_json, to_wire};
use stentor_msync::value::{Nested, object_to_json};
use stentor_msync::{Content, ContentKind, KeyValue, KeyValueData, SubType, ValueType};

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).expect("JSON")
}

fn json(kind: &str, body: &str) -> Json {
    Json::parse(Some(kind), Some(&raw(body)), None, MAX_BYTES).expect("content")
}

/// What comes back of a body that went over the wire.
fn round(kind: &str, body: &str) -> String {
    let (content, _) = to_wire(json(kind, body).view());
    let (back, body) = to_json(&content).expect("a known type");
    assert_eq!(back.as_str(), kind);
    // It is content again.
    json(kind, &body).view().body().to_owned()
}

#[test]
fn bodies_come_back() {
    for (kind, body) in [
        ("txt", r#"{"msg":"hi \"you\" 你"}"#),
        ("txt", r#"{"msg":""}"#),
        (
            "txt",
            r#"{"msg":"a chat","subType":"sub_combine","title":"t","summary":"s","combineLevel":1,"filename":"f","url":"u","secret":"x","file_length":3}"#,
        ),
        (
            "img",
            r#"{"filename":"a.png","url":"u","secret":"s","file_length":7,"size":{"width":20,"height":10},"thumb":"t","thumb_secret":"ts"}"#,
        ),
        ("img", r#"{"url":"u","subType":"gif"}"#),
        ("audio", r#"{"filename":"a","url":"u","secret":"s","file_length":7,"length":3}"#),
        ("video", r#"{"filename":"a","url":"u","secret":"s","length":3,"thumb":"t","thumb_secret":"ts"}"#),
        ("file", r#"{"filename":"a","url":"u","secret":"s","file_length":7}"#),
        ("loc", r#"{"lat":52.5,"lng":-13.25,"addr":"Berlin","buildingName":"tower"}"#),
        ("cmd", r#"{"action":"jump","params":{"far":true}}"#),
        ("custom", r#"{"customEvent":"gift","customExts":{"n":"1","many":2,"half":0.5,"free":true}}"#),
    ] {
        let numbers = |json: &str| serde_json::from_str::<serde_json::Value>(&json.replace(".0", "")).expect("JSON");
        assert_eq!(numbers(&round(kind, body)), numbers(body), "{kind}");
    }
}

#[test]
fn numbers_may_be_texts_and_become_numbers() {
    let (content, _) = to_wire(json("loc", r#"{"lat":"52.5","lng":"-13.25","addr":"Berlin"}"#).view());
    assert_eq!((content.latitude, content.longitude), (Some(52.5), Some(-13.25)));
    let (content, _) = to_wire(json("audio", r#"{"url":"u","length":1e300,"file_length":2.6}"#).view());
    assert_eq!((content.duration, content.file_length), (Some(i32::MAX), Some(3)));
}

/// A client takes a text with a sub-type for a combined message, even with one of 0.
#[test]
fn plain_texts_have_no_sub_type() {
    let (content, _) = to_wire(json("txt", r#"{"msg":"hi"}"#).view());
    assert_eq!(content.sub_type, None);
    let combined = Content { sub_type: Some(SubType::SubCombine as i32), ..content };
    assert!(to_json(&combined).expect("known").1.contains("sub_combine"));
}

#[test]
fn what_is_missing_is_empty_where_json_wants_something() {
    let of = |kind: ContentKind| to_json(&Content { kind: Some(kind as i32), ..Content::default() }).expect("known").1;
    assert_eq!(of(ContentKind::Text), r#"{"msg":""}"#);
    assert_eq!(of(ContentKind::Image), r#"{"url":""}"#);
    assert_eq!(of(ContentKind::Command), r#"{"action":""}"#);
    assert_eq!(of(ContentKind::Custom), "{}");
    assert!(to_json(&Content { kind: Some(99), ..Content::default() }).is_err());
}

#[test]
fn extensions_keep_their_types() {
    let ext = r#"{"s":"t","i":-7,"big":9007199254740993,"d":0.5,"huge":1e400,"t":true,"f":false,"n":null,"o":{"x":[1]},"a":[]}"#;
    let content = Json::parse(Some("txt"), Some(&raw(r#"{"msg":"m"}"#)), Some(&raw(ext)), MAX_BYTES).expect("content");
    let (_, wire) = to_wire(content.view());
    let types: Vec<i32> = wire.iter().filter_map(|value| value.kind).collect();
    assert_eq!(types, [7, 2, 2, 6, 6, 1, 1, 8, 8, 8]);
    // A number that no client could hold is nothing.
    assert_eq!(ext_to_json(&wire), Some(ext.replace("1e400", "null")));
    assert_eq!(ext_to_json(&[]), None);
}

#[test]
fn what_says_that_it_is_json_and_is_not_is_text() {
    let value = |text: &str| KeyValue {
        key: Some("k".to_owned()),
        kind: Some(ValueType::JsonString as i32),
        value: Some(KeyValueData::String(text.to_owned())),
    };
    assert_eq!(object_to_json(&[value("{\"a\":1}")], Nested::Kept), r#"{"k":{"a":1}}"#);
    assert_eq!(object_to_json(&[value("{\"a\":1}")], Nested::AsText), r#"{"k":"{\"a\":1}"}"#);
    assert_eq!(object_to_json(&[value("{\"a\":1} , \"b\":2")], Nested::Kept), r#"{"k":"{\"a\":1} , \"b\":2"}"#);
    assert_eq!(object_to_json(&[KeyValue::default()], Nested::Kept), r#"{"":null}"#);
}
