//! Properties, over any JSON: what is accepted is what was sent, and stays what it is.

use std::borrow::Cow;

use crate::harness::{parse, parse_within, raw};
use proptest::prelude::*;
use serde_json::Value;
use stentor_chat_content::{Content, ContentError, ContentType, ContentView, MAX_BYTES};

/// A JSON string, written in any way; rarely with half a surrogate pair.
fn text(halves: bool) -> impl Strategy<Value = String> {
    let half = prop_oneof![Just("\\ud83d"), Just("\\udE00"), Just("\\ud800")].prop_map(String::from);
    let piece = prop_oneof![
        8 => "[ -!#-\\[\\]-~]{0,8}",
        2 => "[é你好😀\u{2028}\u{7f}]{1,3}",
        2 => "\\\\[\"\\\\/bfnrt]",
        2 => "\\\\u[0-9a-cA-Ce-fE-F][0-9a-fA-F]{3}",
        1 => Just("\\ud83d\\ude00".to_owned()),
        u32::from(halves) => half,
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn number() -> impl Strategy<Value = String> {
    "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,24})?([eE][+-]?[0-9]{1,2})?"
}

fn space() -> impl Strategy<Value = String> {
    "[ \t\r\n]{0,2}"
}

/// Any JSON, with white space.
fn json(halves: bool) -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        text(halves),
        number(),
        prop::sample::select(vec!["null", "true", "false"]).prop_map(String::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let list = prop::collection::vec((space(), inner.clone(), space()), 0..4);
        let list = list.prop_map(|items| items.into_iter().map(|(a, item, b)| a + &item + &b).collect::<Vec<_>>());
        let object = prop::collection::vec((space(), text(halves), space(), inner), 0..4);
        let object = object.prop_map(|members| {
            members.into_iter().map(|(a, key, b, value)| format!("{a}{key}{b}:{a}{value}{b}")).collect::<Vec<_>>()
        });
        prop_oneof![
            list.prop_map(|items| format!("[{}]", items.join(","))),
            object.prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

/// A body that its type accepts, with more fields of any kind.
fn message(halves: bool) -> impl Strategy<Value = (ContentType, String)> {
    let required = |kind| match kind {
        ContentType::Text => "\"msg\":\"hi\"",
        ContentType::Image | ContentType::Audio | ContentType::Video | ContentType::File => "\"url\":\"u\"",
        ContentType::Location => "\"lat\":\"1.5\",\"lng\":2,\"addr\":\"\"",
        ContentType::Command => "\"action\":\"a\"",
        ContentType::Custom => "\"customExts\":{\"a\":1}",
    };
    let more = prop::collection::vec((space(), json(halves), space()), 0..4);
    (prop::sample::select(ContentType::ALL.to_vec()), more).prop_map(move |(kind, more)| {
        let more = more.iter().enumerate().map(|(at, (a, value, b))| format!(",{a}\"x{at}\"{b}:{a}{value}{b}"));
        (kind, format!("{{ {}{}}}", required(kind), more.collect::<String>()))
    })
}

/// An extension, or none.
fn extension() -> impl Strategy<Value = Option<String>> {
    prop::option::of(json(true).prop_map(|value| format!("{{ \"k\" : {value} }}")))
}

proptest! {
    #[test]
    fn encode_and_decode_are_inverse((kind, body) in message(true), ext in extension()) {
        let content = parse_within(usize::MAX, kind.as_str(), &body, ext.as_deref()).unwrap();
        let view = ContentView::decode(content.payload().as_bytes()).unwrap();
        prop_assert_eq!(view, content.view());
        prop_assert_eq!(view.kind(), kind);
        prop_assert_eq!(view.ext().is_some(), ext.is_some());
        // It is JSON, and no white space and no half surrogate pair is left: any reader can have it.
        let outer: serde_json::Map<String, Value> = serde_json::from_str(content.payload()).unwrap();
        prop_assert_eq!(outer.len(), 2 + usize::from(ext.is_some()));
    }

    #[test]
    fn what_was_accepted_is_accepted_again_as_it_is((kind, body) in message(true), ext in extension()) {
        let content = parse_within(usize::MAX, kind.as_str(), &body, ext.as_deref()).unwrap();
        let view = content.view();
        let again = parse_within(usize::MAX, kind.as_str(), view.body(), view.ext());
        prop_assert_eq!(again.as_ref(), Ok(&content));
        let ext = view.ext().map(raw);
        let flat = Content::parse_flat(Some(&raw(&view.flat())), ext.as_deref(), usize::MAX);
        prop_assert_eq!(flat.as_ref(), Ok(&content));
    }

    #[test]
    fn what_is_delivered_means_what_was_sent((kind, body) in message(false)) {
        let content = parse_within(usize::MAX, kind.as_str(), &body, None).unwrap();
        let (sent, delivered): (Value, Value) =
            (serde_json::from_str(&body).unwrap(), serde_json::from_str(content.view().body()).unwrap());
        prop_assert_eq!(sent, delivered);
        prop_assert!(content.view().body().len() <= body.len());
    }

    #[test]
    fn texts_are_written_as_serde_json_writes_them(text in text(false)) {
        let content = parse("txt", &format!("{{\"msg\":{text}}}")).unwrap();
        let meant: String = serde_json::from_str(&text).unwrap();
        let msg = content.view().body_members().get("msg").unwrap();
        prop_assert_eq!(msg.as_json(), serde_json::to_string(&meant).unwrap());
        prop_assert_eq!(msg.text().map(Cow::into_owned), Some(meant));
    }

    #[test]
    fn numbers_stay_as_they_were_written(number in number()) {
        let content = parse("txt", &format!("{{\"msg\":\"\",\"n\": {number}}}")).unwrap();
        let kept = content.view().body_members().get("n").unwrap();
        prop_assert_eq!(kept.as_json(), &*number);
        prop_assert_eq!(kept.number(), number.parse().ok());
    }

    #[test]
    fn the_size_is_exact((kind, body) in message(true), ext in extension()) {
        let content = parse_within(usize::MAX, kind.as_str(), &body, ext.as_deref()).unwrap();
        let bytes = content.view().body().len() + content.view().ext().map_or(0, str::len);
        let at_the_limit = parse_within(bytes, kind.as_str(), &body, ext.as_deref());
        prop_assert_eq!(at_the_limit.as_ref(), Ok(&content));
        let limit = bytes - 1;
        let above = parse_within(limit, kind.as_str(), &body, ext.as_deref());
        prop_assert_eq!(above, Err(ContentError::TooLarge { bytes, limit }));
    }

    #[test]
    fn any_json_as_body_and_extension(kind in "(txt|img|audio|video|file|loc|cmd|custom|)", body in json(true), ext in json(true)) {
        if let Ok(content) = Content::parse(Some(&kind), Some(&raw(&body)), Some(&raw(&ext)), MAX_BYTES) {
            prop_assert_eq!(ContentView::decode(content.payload().as_bytes()), Ok(content.view()));
        }
        let _ = Content::parse_flat(Some(&raw(&body)), None, MAX_BYTES);
    }

    #[test]
    fn any_bytes_as_payload(
        start in prop::sample::select(vec!["", "{\"type\":\"txt\",\"body\":", "{\"type\":\"txt\",\"body\":{\"a\":"]),
        rest in prop_oneof!["[{}\\[\\]\",:\\\\a1 ]{0,40}", ".{0,40}"], raw in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        for payload in [format!("{start}{rest}").as_bytes(), &raw] {
            if let Ok(view) = ContentView::decode(payload) {
                let members = view.body_members().chain(view.ext_members());
                prop_assert!(members.map(|(_, value)| value.as_json().len()).sum::<usize>() < payload.len());
            }
        }
    }
}
