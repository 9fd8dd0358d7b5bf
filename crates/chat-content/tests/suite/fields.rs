//! Types and their fields: the documents' examples, what is required, what is of the wrong type.

use crate::harness::{body, parse, parse_flat, parse_within, raw, refusal};
use stentor_chat_content::{Content, ContentError, ContentType, MAX_BYTES, MAX_CUSTOM_EXTS};

/// The bodies of the chat room message page, a type each. White space as there.
const EXAMPLES: [(&str, &str); 8] = [
    ("txt", r#"{ "msg": "testmessages" }"#),
    (
        "img",
        r#"{
"filename":"testimg.jpg",
"secret":"VfXXXXNb_",
"url":"https://XXXX/XXXX/XXXX/chatfiles/55f12940-XXXX-XXXX-8a5b-ff2336f03252",
"size":{
"width":480,
"height":720
}
}"#,
    ),
    (
        "audio",
        r#"{
"url": "https://XXXX/XXXX/XXXX/chatfiles/1dfc7f50-XXXX-XXXX-8a07-7d75b8fb3d42",
"filename": "testaudio.amr",
"length": 10,
"secret": "HfXXXXCjM"
}"#,
    ),
    (
        "video",
        r#"{
"thumb" : "https://XXXX/XXXX/XXXX/chatfiles/67279b20-7f69-11e4-8eee-21d3334b3a97",
"length" : 0,"secret":"VfXXXXNb_",
"file_length" : 58103,
"thumb_secret" : "ZyXXXX2I",
"url" : "https://XXXX/XXXX/XXXX/chatfiles/671dfe30-XXXX-XXXX-ba67-8fef0d502f46"
}"#,
    ),
    (
        "file",
        r#"{
"filename":"test.txt",
"secret":"1-g0XXXXua",
"url":"https://XXXX/XXXX/XXXX/chatfiles/d7eXXXX7444"
}"#,
    ),
    (
        "loc",
        r#"{
"lat": "39.966",
"lng":"116.322",
"addr":"中国北京市海淀区中关村"
}"#,
    ),
    ("cmd", r#"{ "action":"action1" }"#),
    (
        "custom",
        r#"{
"customEvent": "custom_event",
"customExts":{
"ext_key1":"ext_value1"
}
}"#,
    ),
];

#[test]
fn the_documents_examples_are_delivered_as_they_were_sent() {
    for (kind, example) in EXAMPLES {
        // No text of them has white space in it.
        let expected: String = example.split_ascii_whitespace().collect();
        let content = parse(kind, example).unwrap();
        let view = content.view();
        assert_eq!(view.kind().as_str(), kind);
        assert_eq!(view.body(), expected);
        assert_eq!(view.ext(), None);
        assert_eq!(content.payload(), format!("{{\"type\":\"{kind}\",\"body\":{expected}}}"));
    }
    assert_eq!(EXAMPLES.map(|(kind, _)| ContentType::parse(kind)), ContentType::ALL.map(Some));
}

#[test]
fn the_flat_form_is_the_same_content() {
    for (kind, example) in EXAMPLES {
        let fields = example.strip_prefix('{').unwrap();
        let first = format!("{{\"type\" : \"{kind}\", {fields}");
        let last = format!("{}, \"type\":\"{kind}\"}}", example.strip_suffix('}').unwrap());
        let content = parse(kind, example).unwrap();
        assert_eq!(parse_flat(&first), Ok(content.clone()));
        assert_eq!(parse_flat(&last), Ok(content.clone()));
        assert_eq!(parse_flat(&content.view().flat()), Ok(content));
    }
}

#[test]
fn the_flat_form_needs_a_type_and_a_body() {
    let refused = |msg: &str| parse_flat(msg).err();
    for msg in ["null", "{}", "{\"type\":\"txt\"}", "{\"type\":\"custom\"}"] {
        assert_eq!(refused(msg), Some(ContentError::BodyMissing), "{msg}");
    }
    assert_eq!(Content::parse_flat(None, None, MAX_BYTES), Err(ContentError::BodyMissing));
    assert_eq!(refused("[]"), Some(ContentError::BodyNotObject));
    for msg in [r#"{"msg":"hi"}"#, r#"{"msg":"hi","type":null}"#, r#"{"msg":"hi","type":""}"#] {
        assert_eq!(refused(msg), Some(ContentError::TypeMissing), "{msg}");
    }
    for msg in [r#"{"msg":"hi","type":"text"}"#, r#"{"msg":"hi","type":1}"#, r#"{"msg":"hi","type":["txt"]}"#] {
        assert_eq!(refused(msg), Some(ContentError::TypeUnknown), "{msg}");
    }
    assert_eq!(refused(r#"{"type":"txt","type":"cmd","msg":"hi"}"#), Some(ContentError::KeyTwice));
    assert_eq!(refused(r#"{"type":"txt","Msg":"hi"}"#), Some(ContentError::FieldMissing("msg")));
    let ext = Content::parse_flat(Some(&raw(r#"{"type":"txt","msg":"hi"}"#)), Some(&raw("null")), MAX_BYTES);
    assert_eq!(ext, Err(ContentError::ExtNotObject));
    // Escapes make no other key of it.
    let escaped = parse_flat(r#"{"\u0074ype":"\u0074xt","msg":"hi"}"#);
    assert_eq!(escaped, parse("txt", r#"{"msg":"hi"}"#));
}

#[test]
fn type_and_body_are_required() {
    let body = raw(r#"{"msg":"hi"}"#);
    let with = |kind: Option<&str>, body: Option<&str>| {
        let body = body.map(raw);
        Content::parse(kind, body.as_deref(), None, MAX_BYTES).err()
    };
    assert_eq!(Content::parse(None, Some(&body), None, MAX_BYTES), Err(ContentError::TypeMissing));
    assert_eq!(with(Some(""), None), Some(ContentError::TypeMissing));
    assert_eq!(with(Some("TXT"), None), Some(ContentError::TypeUnknown));
    for body in [None, Some("null"), Some("{}"), Some("{ \n}")] {
        for kind in ContentType::ALL {
            assert_eq!(with(Some(kind.as_str()), body), Some(ContentError::BodyMissing), "{kind} {body:?}");
        }
    }
    for body in ["[]", "[{\"msg\":\"hi\"}]", "\"{}\"", "1", "true"] {
        assert_eq!(with(Some("txt"), Some(body)), Some(ContentError::BodyNotObject), "{body}");
    }
}

#[test]
fn required_fields_are_named_in_the_order_of_the_documents() {
    let cases = [
        ("txt", r#"{"text":"hi"}"#, "msg"),
        ("img", r#"{"filename":"a"}"#, "url"),
        ("audio", r#"{"length":1}"#, "url"),
        ("video", r#"{"thumb":"a"}"#, "url"),
        ("file", r#"{"filename":"a"}"#, "url"),
        ("loc", r#"{"addr":"a"}"#, "lat"),
        ("loc", r#"{"addr":"a","lat":1}"#, "lng"),
        ("loc", r#"{"lng":1,"lat":1}"#, "addr"),
        ("cmd", r#"{"param":{}}"#, "action"),
        ("txt", r#"{"msg":null}"#, "msg"),
        ("loc", r#"{"addr":null,"lng":null,"lat":null}"#, "lat"),
        // What stands inside of something else is no field of the body.
        ("txt", r#"{"x":{"msg":"hi"}}"#, "msg"),
        ("txt", r#"{"x":["msg","hi"],"y":"\"msg\":\"hi\""}"#, "msg"),
    ];
    for (kind, body, name) in cases {
        assert_eq!(refusal(kind, body), Some(ContentError::FieldMissing(name)), "{body}");
    }
}

#[test]
fn what_is_empty_is_still_there() {
    for (kind, body) in [
        ("txt", r#"{"msg":""}"#),
        ("img", r#"{"url":"","filename":"","secret":"","size":{}}"#),
        ("loc", r#"{"lat":0,"lng":0,"addr":""}"#),
        ("cmd", r#"{"action":""}"#),
        ("custom", r#"{"customExts":{}}"#),
        ("custom", r#"{"anything":1}"#),
    ] {
        assert!(parse(kind, body).is_ok(), "{body}");
    }
}

#[test]
fn texts_must_be_texts_if_they_are_there() {
    let texts: [(&str, &str, &[&str]); 6] = [
        ("txt", r#""msg":"a""#, &["msg"]),
        ("img", r#""url":"a""#, &["url", "filename", "secret"]),
        ("audio", r#""url":"a""#, &["url", "filename", "secret"]),
        ("video", r#""url":"a""#, &["url", "filename", "thumb", "secret", "thumb_secret"]),
        ("file", r#""url":"a""#, &["url", "filename", "secret"]),
        ("cmd", r#""action":"a""#, &["action"]),
    ];
    for (kind, required, names) in texts {
        for name in names {
            let rest = if required.starts_with(&format!("\"{name}\"")) { "" } else { &format!(",{required}") };
            assert!(parse(kind, &format!("{{\"{name}\":\"a\"{rest}}}")).is_ok());
            for wrong in ["1", "true", "{}", "[\"a\"]"] {
                let body = format!("{{\"{name}\":{wrong}{rest}}}");
                assert_eq!(refusal(kind, &body), Some(ContentError::FieldWrong(name)), "{body}");
            }
            if !rest.is_empty() {
                // What a careless encoder writes for "none".
                let body = format!("{{\"{name}\":null{rest}}}");
                assert_eq!(parse(kind, &body).unwrap().view().body(), body);
            }
        }
    }
    let addr = r#"{"lat":1,"lng":2,"addr":3}"#;
    assert_eq!(refusal("loc", addr), Some(ContentError::FieldWrong("addr")));
}

#[test]
fn numbers_may_be_texts_and_are_delivered_as_sent() {
    let cases: [(&str, &str, &[&str]); 5] = [
        ("audio", r#","url":"a"}"#, &["length", "file_length"]),
        ("video", r#","url":"a"}"#, &["length", "file_length"]),
        ("img", r#","url":"a"}"#, &["file_length"]),
        ("file", r#","url":"a"}"#, &["file_length"]),
        ("loc", r#","addr":"a"}"#, &["lat", "lng"]),
    ];
    for (kind, rest, names) in cases {
        for name in names {
            let other = match *name {
                "lat" => ",\"lng\":1",
                "lng" => ",\"lat\":1",
                _ => "",
            };
            let with = |value: &str| format!("{{\"{name}\":{value}{other}{rest}");
            for good in ["10", "\"10\"", "-1", "39.966", "\"-116.322\"", "100.0", "1E3", "9007199254740993", "1e400"] {
                assert_eq!(body(kind, &with(good)), with(good));
            }
            for wrong in
                ["true", "[]", "{}", "\"\"", "\"ten\"", "\" 1\"", "\"1 \"", "\"+1\"", "\".5\"", "\"1.\"", "\"NaN\""]
            {
                assert_eq!(refusal(kind, &with(wrong)), Some(ContentError::FieldWrong(name)), "{wrong}");
            }
        }
    }
}

#[test]
fn sizes() {
    let with = |size: &str| format!("{{\"url\":\"a\",\"size\":{size}}}");
    for kind in ["img", "video"] {
        for good in [
            r#"{"width":480,"height":720}"#,
            r#"{"width":100.0,"height":"720"}"#,
            r#"{"width":1}"#,
            r#"{"height":null,"depth":"x"}"#,
            // The last counts, as for most readers.
            r#"{"width":"wide","width":1}"#,
            "{}",
            "null",
        ] {
            assert_eq!(body(kind, &with(good)), with(good));
        }
        let cases = [
            ("\"480*720\"", "size"),
            ("[480,720]", "size"),
            ("480", "size"),
            (r#"{"width":"wide"}"#, "size.width"),
            (r#"{"width":1,"height":{}}"#, "size.height"),
        ];
        for (wrong, name) in cases {
            assert_eq!(refusal(kind, &with(wrong)), Some(ContentError::FieldWrong(name)), "{wrong}");
        }
    }
}

#[test]
fn length_has_one_spelling_on_the_way_out() {
    let cases = [
        (r#"{"url":"a","Length":10,"filename":"b"}"#, r#"{"url":"a","length":10,"filename":"b"}"#),
        (r#"{"Length":"10","url":"a"}"#, r#"{"length":"10","url":"a"}"#),
        (r#"{"\u004cength":10,"url":"a"}"#, r#"{"length":10,"url":"a"}"#),
        (r#"{"Length":10,"url":"a","length":20}"#, r#"{"url":"a","length":20}"#),
        (r#"{"length":20,"url":"a","Length":"long"}"#, r#"{"length":20,"url":"a"}"#),
        (r#"{"length":20,"url":"a","LENGTH":1}"#, r#"{"length":20,"url":"a","LENGTH":1}"#),
    ];
    for kind in ["audio", "video"] {
        for (sent, delivered) in cases {
            assert_eq!(body(kind, sent), delivered);
        }
        let wrong = refusal(kind, r#"{"url":"a","Length":"long"}"#);
        assert_eq!(wrong, Some(ContentError::FieldWrong("length")));
        let twice = refusal(kind, r#"{"url":"a","Length":1,"Length":1}"#);
        assert_eq!(twice, Some(ContentError::KeyTwice));
    }
    let other = r#"{"msg":"a","Length":1,"length":"long"}"#;
    assert_eq!(body("txt", other), other);
    let nested = r#"{"url":"a","x":{"Length":1}}"#;
    assert_eq!(body("audio", nested), nested);
}

#[test]
fn custom_events() {
    let event = |event: &str| refusal("custom", &format!("{{\"customEvent\":\"{event}\"}}"));
    let longest = "aZ09-_/.".repeat(4);
    for good in ["a", "custom_event", "gift/rose.v1-2", &longest] {
        assert_eq!(event(good), None, "{good}");
    }
    let too_long = format!("{longest}a");
    for bad in ["", " ", "a b", "é", "送礼", "a:b", "a\\\\b", "a\\n", "a+b", &too_long] {
        assert_eq!(event(bad), Some(ContentError::CustomEvent), "{bad}");
    }
    for wrong in ["1", "{}", "[]", "false"] {
        let refused = refusal("custom", &format!("{{\"customEvent\":{wrong}}}"));
        assert_eq!(refused, Some(ContentError::FieldWrong("customEvent")));
    }
    assert_eq!(refusal("custom", r#"{"customEvent":null,"customExts":null}"#), None);
    assert_eq!(refusal("custom", r#"{"customEvent":"\u0061"}"#), None);
}

#[test]
fn custom_exts() {
    let pairs = |count: usize| (0..count).map(|at| format!("\"k{at}\":\"v\"")).collect::<Vec<_>>().join(",");
    let exts = |exts: &str| format!("{{\"customExts\":{exts}}}");
    let with = |count: usize| exts(&format!("{{{}}}", pairs(count)));
    assert_eq!(body("custom", &with(MAX_CUSTOM_EXTS)), with(MAX_CUSTOM_EXTS));
    assert_eq!(refusal("custom", &with(MAX_CUSTOM_EXTS + 1)), Some(ContentError::TooManyExts));
    let scalars = exts(r#"{"a":"x","b":1.50,"c":true,"d":null,"":"","e":12345678901234567890}"#);
    assert_eq!(body("custom", &scalars), scalars);
    for wrong in ["[]", "[{\"a\":\"b\"}]", "\"a\"", "1", r#"{"a":{}}"#, r#"{"a":"b","c":[]}"#] {
        assert_eq!(refusal("custom", &exts(wrong)), Some(ContentError::FieldWrong("customExts")), "{wrong}");
    }
    assert_eq!(refusal("custom", &exts(r#"{"a":1,"\u0061":2}"#)), Some(ContentError::KeyTwice));
}

#[test]
fn fields_nobody_documented_are_kept_in_their_place() {
    let cmd = r#"{"param":{"a":[1,{"b":null}]},"action":"x","z":0,"a":false}"#;
    assert_eq!(body("cmd", cmd), cmd);
    let img = r#"{"file_length":128827,"url":"a","thumb":1}"#;
    assert_eq!(body("img", img), img);
}

#[test]
fn extensions_are_objects() {
    let with = |ext: &str| parse_within(MAX_BYTES, "txt", r#"{"msg":"hi"}"#, Some(ext));
    for wrong in ["null", "[]", "\"{}\"", "1", "true"] {
        assert_eq!(with(wrong), Err(ContentError::ExtNotObject), "{wrong}");
    }
    assert_eq!(with("{ }").unwrap().view().ext(), Some("{}"));
    let content = with(r#"{ "em_apns_ext": {"em_push_title": "t"}, "n": 1.0 }"#).unwrap();
    assert_eq!(content.view().ext(), Some(r#"{"em_apns_ext":{"em_push_title":"t"},"n":1.0}"#));
    assert_eq!(with(r#"{"a":1,"b":2,"a":1}"#), Err(ContentError::KeyTwice));
}

#[test]
fn a_key_stands_once() {
    for body in [
        r#"{"msg":"a","msg":"b"}"#,
        r#"{"msg":"a","x":1,"x":1}"#,
        r#"{"msg":"a","m\u0073g":"b"}"#,
        r#"{"msg":"a","\ud800":1,"\udfff":1}"#,
    ] {
        assert_eq!(refusal("txt", body), Some(ContentError::KeyTwice), "{body}");
    }
    // Deeper down, it is the sender's and the reader's business.
    let deeper = r#"{"msg":"a","x":{"y":1,"y":2}}"#;
    assert_eq!(body("txt", deeper), deeper);
}

#[test]
fn refusals_show_nothing_of_the_content() {
    let secret = "sesame";
    for (kind, body) in [("txt", r#"{"sesame":1}"#), ("custom", r#"{"customEvent":"sesame!"}"#), ("sesame", "{}")] {
        let refused = parse(kind, body).unwrap_err();
        assert!(!format!("{refused:?} {refused}").contains(secret));
    }
}
