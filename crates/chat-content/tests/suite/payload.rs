//! Payloads: what is written, and what is read.

use crate::harness::{parse, parse_within};
use stentor_chat_content::{ContentType, ContentView, DecodeError, MAX_BYTES};

#[test]
fn a_payload_is_type_body_and_extension() {
    let content = parse_within(MAX_BYTES, "txt", "{ \"msg\": \"hi\" }", Some("{ \"k\": [1, 2] }")).unwrap();
    let payload = r#"{"type":"txt","body":{"msg":"hi"},"ext":{"k":[1,2]}}"#;
    assert_eq!(content.payload(), payload);
    assert_eq!(content.clone().into_payload(), payload);
    let view = ContentView::decode(payload.as_bytes()).unwrap();
    assert_eq!(view, content.view());
    assert_eq!(view.kind(), ContentType::Text);
    assert_eq!(view.body(), r#"{"msg":"hi"}"#);
    assert_eq!(view.ext(), Some(r#"{"k":[1,2]}"#));

    let content = parse("custom", r#"{"customEvent":"e"}"#).unwrap();
    assert_eq!(content.payload(), r#"{"type":"custom","body":{"customEvent":"e"}}"#);
    assert_eq!(ContentView::decode(content.payload().as_bytes()), Ok(content.view()));
}

#[test]
fn texts_that_look_like_a_payload_are_texts() {
    let body = r#"{"msg":"}\",\"ext\":{\"a\":1}}","},":"]"}"#;
    let content = parse_within(MAX_BYTES, "txt", body, Some(r#"{"}":"{","\\":"\\\""}"#)).unwrap();
    let view = ContentView::decode(content.payload().as_bytes()).unwrap();
    assert_eq!(view.body(), body);
    assert_eq!(view.ext(), Some(r#"{"}":"{","\\":"\\\""}"#));
}

#[test]
fn the_flat_form_has_the_type_first() {
    let content = parse("txt", r#"{"msg":"hi","x":1}"#).unwrap();
    assert_eq!(content.view().flat(), r#"{"type":"txt","msg":"hi","x":1}"#);
    // A body may have a field of that name, and keeps it where it has a place.
    for (body, flat) in [
        (r#"{"type":"img","msg":"hi"}"#, r#"{"type":"txt","msg":"hi"}"#),
        (r#"{"msg":"hi","type":{"a":1},"x":{"type":2}}"#, r#"{"type":"txt","msg":"hi","x":{"type":2}}"#),
    ] {
        let content = parse("txt", body).unwrap();
        assert_eq!(content.view().body(), body);
        assert_eq!(content.view().flat(), flat);
    }
    let alone = parse("custom", r#"{"type":"img"}"#).unwrap();
    assert_eq!(alone.view().flat(), r#"{"type":"custom"}"#);
}

#[test]
fn what_is_laid_out_otherwise_is_no_payload() {
    let good = r#"{"type":"txt","body":{"msg":"hi"},"ext":{"k":1}}"#;
    assert!(ContentView::decode(good.as_bytes()).is_ok());
    for end in 0..good.len() {
        assert_eq!(ContentView::decode(&good.as_bytes()[..end]), Err(DecodeError), "{end}");
    }
    for bad in [
        "",
        "{}",
        "null",
        r#"{"type":"txt"}"#,
        r#"{"type":"text","body":{"msg":"hi"}}"#,
        r#"{"type":"","body":{"msg":"hi"}}"#,
        r#"{"type":"txt","body":"hi"}"#,
        r#"{"type":"txt","body":[{}]}"#,
        r#"{"type":"txt","body":null}"#,
        r#"{"type":"txt", "body":{"msg":"hi"}}"#,
        r#"{"body":{"msg":"hi"},"type":"txt"}"#,
        r#"{"type":"txt","body":{"msg":"hi"},"ext":null}"#,
        r#"{"type":"txt","body":{"msg":"hi"},"ext":{}"#,
        r#"{"type":"txt","body":{"msg":"hi"},"x":{}}"#,
        r#"{"type":"txt","body":{"msg":"hi"}},"#,
        r#"{"type":"txt","body":{"msg":"hi"}} "#,
        r#" {"type":"txt","body":{"msg":"hi"}}"#,
        r#"{"type":"txt","body":{"msg":"hi\"}}"#,
        r#"{"type":"txt","body":{;}}"#,
    ] {
        assert_eq!(ContentView::decode(bad.as_bytes()), Err(DecodeError), "{bad}");
    }
    let latin1 = [b"{\"type\":\"txt\",\"body\":{\"msg\":\"".as_slice(), &[0xe9], b"\"}}"].concat();
    assert_eq!(ContentView::decode(&latin1), Err(DecodeError));
}

#[test]
fn what_is_no_json_inside_has_no_members() {
    for inside in ["{1}", "{a:1}", "{\"a\"1}", "{\"a\"}", "{\"a\" \"b\"}"] {
        let payload = format!("{{\"type\":\"txt\",\"body\":{inside}}}");
        if let Ok(view) = ContentView::decode(payload.as_bytes()) {
            assert_eq!(view.body_members().count(), 0, "{inside}");
        }
    }
}
