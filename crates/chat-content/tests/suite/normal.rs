//! The normal form: white space, escapes, surrogates, numbers, depth.

use crate::harness::{body, parse, parse_within, refusal};
use stentor_chat_content::{ContentError, MAX_BYTES, MAX_DEPTH};

/// The `msg` of a text message as it is delivered, as JSON.
fn msg(json: &str) -> String {
    let body = body("txt", &format!("{{\"msg\":{json}}}"));
    body.strip_prefix("{\"msg\":").and_then(|rest| rest.strip_suffix('}')).expect("a message").to_owned()
}

#[test]
fn white_space_goes_but_not_in_texts() {
    let sent = "{ \"msg\"\t:\r\n\" a\u{a0} b \" ,\n\"x\" : [ 1 , { } , [ ] ] }";
    assert_eq!(body("txt", sent), "{\"msg\":\" a\u{a0} b \",\"x\":[1,{},[]]}");
}

#[test]
fn texts_are_utf8_with_the_escapes_json_needs() {
    let cases = [
        (r#""plain""#, r#""plain""#),
        (r#""你好 😀 é""#, r#""你好 😀 é""#),
        (r#""\u4f60\u597D \ud83d\uDE00 \u00e9""#, r#""你好 😀 é""#),
        (r#""\u0041\/\u002f""#, r#""A//""#),
        (r#""\"\\\u0022\u005c""#, r#""\"\\\"\\""#),
        (r#""\\u4f60""#, r#""\\u4f60""#),
        (r#""\b\f\n\r\t""#, r#""\b\f\n\r\t""#),
        (r#""\u0008\u000c\u000a\u000D\u0009""#, r#""\b\f\n\r\t""#),
        (r#""\u0000\u001F""#, r#""\u0000\u001f""#),
        (r#""\u007f\u2028""#, "\"\u{7f}\u{2028}\""),
        (r#""\u0061\u0301""#, "\"a\u{301}\""),
        (r#""\ud800\udc00\udbff\udfff""#, "\"\u{10000}\u{10ffff}\""),
        (r#""\ud7ff\ue000\uffff""#, "\"\u{d7ff}\u{e000}\u{ffff}\""),
        (r#""{\"a\":[1, 2]}""#, r#""{\"a\":[1, 2]}""#),
    ];
    for (sent, delivered) in cases {
        assert_eq!(msg(sent), delivered, "{sent}");
    }
}

#[test]
fn half_a_surrogate_pair_is_the_replacement_character() {
    let cases = [
        (r#""\ud83d""#, "\"\u{fffd}\""),
        (r#""a\ude00b""#, "\"a\u{fffd}b\""),
        (r#""\ud83dx""#, "\"\u{fffd}x\""),
        (r#""\ud83d\n""#, "\"\u{fffd}\\n\""),
        (r#""\ud83d\u0041""#, "\"\u{fffd}A\""),
        (r#""\ud83d\ud83d\ude00""#, "\"\u{fffd}😀\""),
        (r#""\ude00\ud83d""#, "\"\u{fffd}\u{fffd}\""),
        (r#""\ud83d\\ude00""#, "\"\u{fffd}\\\\ude00\""),
    ];
    for (sent, delivered) in cases {
        assert_eq!(msg(sent), delivered, "{sent}");
        let parsed: Result<String, _> = serde_json::from_str(&msg(sent));
        assert!(parsed.is_ok());
    }
    assert_eq!(body("txt", r#"{"msg":"","\ud800":1}"#), "{\"msg\":\"\",\"\u{fffd}\":1}");
}

#[test]
fn numbers_keep_every_digit() {
    for number in [
        "0",
        "-0",
        "-0.0",
        "1.0",
        "1.10",
        "1e5",
        "1E+5",
        "1173998498812376874",
        "9007199254740993",
        "18446744073709551616",
        "123456789012345678901234567890.123456789012345678901234567890",
        "1e400",
        "1e-400",
    ] {
        let sent = format!("{{\"msg\":\"a\",\"n\":{number},\"list\":[{number},{number}]}}");
        assert_eq!(body("txt", &sent), sent);
        let content = parse_within(MAX_BYTES, "txt", "{\"msg\":\"a\"}", Some(&format!("{{\"n\":{number}}}"))).unwrap();
        let kept = content.view().ext_members().get("n").map(|value| value.as_json().to_owned());
        assert_eq!(kept.as_deref(), Some(number));
    }
}

#[test]
fn depth_at_the_limit_and_one_past_it() {
    // The body is the first level.
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |levels: usize| {
            let last = if open == "[" { "" } else { "1" };
            format!("{{\"msg\":\"a\",\"x\":{}{last}{}}}", open.repeat(levels), close.repeat(levels))
        };
        let deepest = nested(MAX_DEPTH - 1);
        assert_eq!(body("txt", &deepest), deepest);
        assert_eq!(refusal("txt", &nested(MAX_DEPTH)), Some(ContentError::TooDeep));
        let ext = |levels: usize| format!("{{\"x\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
        let with = |levels| parse_within(MAX_BYTES, "txt", "{\"msg\":\"a\"}", Some(&ext(levels)));
        assert!(with(MAX_DEPTH - 1).is_ok());
        assert_eq!(with(MAX_DEPTH), Err(ContentError::TooDeep));
    }
    // Side by side is not deep, nor are brackets in texts.
    let wide = format!("{{\"msg\":\"{}\",\"x\":[{}[]]}}", "[{".repeat(100), "[],{},".repeat(100));
    assert_eq!(body("txt", &wide), wide);
    let abyss = format!("{{\"msg\":\"a\",\"x\":{}{}}}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert_eq!(refusal("txt", &abyss), Some(ContentError::TooDeep));
}

#[test]
fn values_are_read_as_what_they_are() {
    let content =
        parse("loc", r#"{"lat":"39.5","lng":116.25,"addr":"\"\u4f60\"\n","n":null,"o":{"k":[1]},"big":1e400}"#);
    let content = content.unwrap();
    let get = |key: &str| content.view().body_members().get(key);
    let value = |key: &str| get(key).unwrap();
    assert_eq!(value("lat").number(), Some(39.5));
    assert_eq!(value("lat").text().as_deref(), Some("39.5"));
    assert_eq!(value("lng").number(), Some(116.25));
    assert_eq!(value("lng").text(), None);
    assert_eq!(value("addr").text().as_deref(), Some("\"你\"\n"));
    assert_eq!(value("addr").number(), None);
    assert!(value("n").is_null() && value("n").is_scalar() && value("n").number().is_none());
    assert_eq!(value("big").number(), Some(f64::INFINITY));
    assert!(!value("o").is_scalar());
    let inner: Vec<_> = value("o").object().unwrap().map(|(key, value)| (key.into_owned(), value.as_json())).collect();
    assert_eq!(inner, [("k".to_owned(), "[1]")]);
    assert_eq!(value("lat").object().map(Iterator::count), None);
    assert_eq!(get("none"), None);
    let keys: Vec<_> = content.view().body_members().map(|(key, _)| key.into_owned()).collect();
    assert_eq!(keys, ["lat", "lng", "addr", "n", "o", "big"]);
    assert_eq!(content.view().ext_members().count(), 0);
}

#[test]
fn keys_are_given_as_what_they_mean() {
    let content = parse("txt", r#"{"msg":"a","\u4f60\"":1}"#).unwrap();
    let keys: Vec<_> = content.view().body_members().map(|(key, _)| key.into_owned()).collect();
    assert_eq!(keys, ["msg", "你\""]);
}
