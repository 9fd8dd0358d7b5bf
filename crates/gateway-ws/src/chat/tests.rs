//! Every frame of `docs/gateway-chat.md`, as it stands on the wire.

use std::sync::Arc;

use bytes::Bytes;
use stentor_core::directory::status::PublishedStatus;
use stentor_core::id::{DeviceId, MessageId, RoomId, SessionId, UserId};
use stentor_core::notice::Notice;

use super::notice::notice;
use super::reply::{Outcome, reply, welcome};
use super::request::{ClientFrame, Request, parse};
use super::{codes, opening};
use crate::codec::Refusal;
use crate::protocol::{OwnedCredential, Welcome};

fn json(frame: &Bytes) -> &str {
    let header = match frame[1] {
        0..=125 => 2,
        126 => 4,
        _ => 10,
    };
    assert_eq!(frame[0], 0x81);
    std::str::from_utf8(&frame[header..]).expect("UTF-8")
}

fn user(name: &str) -> UserId {
    UserId::from_trusted(name)
}

fn room() -> RoomId {
    RoomId::from_trusted("185145305923585")
}

#[test]
fn notices() {
    let table = [
        (
            Notice::MemberJoined { room: room(), user: user("bob") },
            r#"{"type":"member_joined","room":"185145305923585","user":"bob"}"#,
        ),
        (
            Notice::MemberLeft { room: room(), user: user("bob") },
            r#"{"type":"member_left","room":"185145305923585","user":"bob"}"#,
        ),
        (
            Notice::MemberCount { room: room(), count: 513 },
            r#"{"type":"member_count","room":"185145305923585","count":513}"#,
        ),
        (
            Notice::RoomMessagesMissed { room: room(), count: 7 },
            r#"{"type":"room_messages_missed","room":"185145305923585","count":7}"#,
        ),
        (
            Notice::Status(Arc::new(PublishedStatus {
                user: user("bob"),
                devices: vec![(DeviceId::from_trusted("web_1"), 100), (DeviceId::from_trusted("a"), 0)],
                ext: "busy".to_owned(),
                changed_ms: 1_700_000_000_123,
            })),
            r#"{"type":"status","user":"bob","devices":{"a":0,"web_1":100},"ext":"busy","ts":1700000000123}"#,
        ),
        (
            Notice::CredentialExpiring { expires_at_ms: 1_700_000_030_000 },
            r#"{"type":"token_will_expire","expires_at":1700000030000}"#,
        ),
    ];
    for (told, expected) in table {
        assert_eq!(json(&notice(&told)), expected);
    }
}

#[test]
fn what_is_only_for_rtm_is_not_told() {
    assert!(notice(&Notice::Presence { states: Vec::new() }).is_empty());
    assert!(notice(&Notice::RoomAttributes { room: room(), attributes: Vec::new() }).is_empty());
}

#[test]
fn answers() {
    let (user, device, rooms) = (user("bob"), DeviceId::from_trusted("web"), [room()]);
    let greeting = Welcome {
        session: SessionId(0x5d0c_6a3f_12ab_90cd),
        resumed: true,
        user: &user,
        device: &device,
        rooms: &rooms,
        server_time: 1_700_000_000_000,
        ping_interval_ms: 20_000,
        grace_ms: 120_000,
        ack_timeout_ms: 8000,
        max_frame_bytes: 65_536,
    };
    assert_eq!(
        json(&welcome(&greeting)),
        r#"{"type":"welcome","version":1,"session":"5d0c6a3f12ab90cd","resumed":true,"user":"bob","device":"web","rooms":["185145305923585"],"server_time":1700000000000,"ping_interval_ms":20000,"grace_ms":120000,"max_frame_bytes":65536}"#
    );
    let refusal = Refusal::new(codes::NOT_IN_ROOM, "not in the room");
    assert_eq!(
        json(&reply(7, &Err(refusal))),
        r#"{"type":"reply","id":7,"ok":false,"code":702,"reason":"not in the room"}"#
    );
}

#[test]
fn outcomes() {
    let table = [
        (Outcome::Done, ""),
        (Outcome::Count(3), r#","count":3"#),
        (Outcome::Members { members: vec![user("a"), user("b")], count: 2 }, r#","members":["a","b"],"count":2"#),
        (Outcome::Rooms(vec![room()]), r#","rooms":["185145305923585"]"#),
    ];
    for (outcome, fields) in table {
        let expected = format!(r#"{{"type":"reply","id":9007199254740991,"ok":true{fields}}}"#);
        assert_eq!(json(&reply(9_007_199_254_740_991, &Ok(outcome))), expected);
    }
}

#[test]
fn logins() {
    let login = |fields: &str| opening(&format!(r#"{{"type":"login","version":1,"user":"Bob",{fields}}}"#));
    let named = login(
        r#""org":"acme","app_name":"demo","password":"pw","device":"d.1",
        "resume":{"session":"5d0c6a3f12ab90cd","rooms":{"r":"12"}},"later":{}"#,
    );
    let named = named.expect("well-formed").expect("a login");
    assert_eq!((named.app.as_str(), named.user.as_str()), ("acme#demo", "Bob"));
    assert!(matches!(&named.credential, OwnedCredential::Password(password) if password == "pw"));
    assert_eq!(named.device.expect("allowed").as_str(), "d.1");
    let resume = named.resume.expect("resume");
    assert_eq!(resume.session, Some(SessionId(0x5d0c_6a3f_12ab_90cd)));
    assert_eq!(resume.rooms, [("r".to_owned(), MessageId(12))]);

    let by_id = login(r#""app_id":"970C","token":"YWMt""#).expect("well-formed").expect("a login");
    assert_eq!((by_id.app.as_str(), by_id.device.expect("the default").as_str()), ("970C", "web"));
    assert!(matches!(&by_id.credential, OwnedCredential::Token(token) if token == "YWMt"));
    let nothing = login(r#""app_id":"970C""#).expect("well-formed").expect("a login");
    assert!(matches!(nothing.credential, OwnedCredential::None));

    for (length, allowed) in [(0, false), (1, true), (64, true), (65, false)] {
        let device = "d".repeat(length);
        let login = login(&format!(r#""app_id":"970C","device":"{device}""#)).expect("well-formed").expect("a login");
        assert_eq!(login.device.is_ok(), allowed, "{length}");
    }
    let slash = login(r#""app_id":"970C","device":"a/b""#).expect("well-formed").expect("a login");
    assert!(slash.device.is_err());
    for fields in [
        r#""token":"secret""#,
        r#""org":"acme","token":"secret""#,
        r#""app_name":"demo","token":"secret""#,
        r#""app_id":"970C","token":"secret","password":"secret""#,
        r#""app_id":"970C","token":"secret","resume":{"session":"s","rooms":{"r":"x"}}"#,
    ] {
        let error = login(fields).expect_err(fields).to_string();
        assert!(!error.contains("secret"), "{error}");
    }
    assert!(opening(r#"{"type":"ping"}"#).expect("well-formed").is_none());
}

#[test]
fn a_login_is_not_shown() {
    let text = r#"{"type":"login","version":1,"app_id":"970C","user":"bob","password":"secret"}"#;
    let shown = format!("{:?} {:?}", parse(text).expect("well-formed"), opening(text).expect("well-formed"));
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn every_request_is_read() {
    let table = [
        (r#""type":"join","room":"r""#, "Join(Room"),
        (r#""type":"leave","room":"r""#, "Leave(Room"),
        (r#""type":"members","room":"r""#, "Members(Room"),
        (r#""type":"rooms","later":1"#, "Rooms"),
        (r#""type":"renew_token","token":"YWMt""#, "RenewToken(RenewToken"),
        (r#""type":"logout""#, "Logout"),
    ];
    for (fields, expected) in table {
        let text = format!(r#"{{{fields},"id":0}}"#);
        let frame = parse(&text).expect(fields);
        let ClientFrame::Request { id: 0, request: Some(request) } = frame else { panic!("{fields}") };
        let shown = format!("{request:?}");
        assert!(shown.contains(expected), "{fields}: {shown}");
    }
    assert!(matches!(
        parse(r#"{"type":"dance","id":1}"#).expect("well-formed"),
        ClientFrame::Request { id: 1, request: None }
    ));
    assert!(
        matches!(parse(r#"{"type":"ack","ids":["1"]}"#).expect("ack"), ClientFrame::Ack(ids) if ids == [MessageId(1)])
    );
    let _: Option<Request<'_>> = None;
}
