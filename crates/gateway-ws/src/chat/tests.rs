//! Every frame of `docs/gateway-chat.md`, as it stands on the wire.

use std::sync::Arc;

use bytes::Bytes;
use stentor_core::directory::listing::MemberList;
use stentor_core::directory::status::PublishedStatus;
use stentor_core::id::{DeviceId, MessageId, RoomId, SessionId, UserId};
use stentor_core::message::{Marks, Message, MessageKind, Priority, Target};
use stentor_core::notice::Notice;
use stentor_core::room_event::RoomEvent;

use super::notice::notice;
use super::reply::{Outcome, reply, welcome};
use super::request::{ClientFrame, parse};
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

fn message(to: Target, payload: &str, marks: Marks) -> Arc<Message> {
    let id = MessageId(1_029_545_553_039_460_728);
    let payload = Bytes::from(payload.to_owned());
    Arc::new(Message { id, from: user("alice"), to, payload, sent_at_ms: 1_700_000_000_123, marks })
}

#[test]
fn messages() {
    let marks = Marks { priority: Priority::High, targeted: true, broadcast: true, ..Marks::default() };
    let peer = |message, from_inbox| Notice::PeerMessage { message, from_inbox };
    let table = [
        (
            peer(
                message(
                    Target::User(user("bob")),
                    r#"{"type":"txt","body":{"msg":"say \"hi\" 你好"},"ext":{"n":1e400}}"#,
                    Marks::default(),
                ),
                true,
            ),
            r#"{"type":"chat_message","chat_type":"chat","id":"1029545553039460728","from":"alice","to":"bob","body_type":"txt","body":{"msg":"say \"hi\" 你好"},"ext":{"n":1e400},"level":"normal","targeted":false,"broadcast":false,"ts":1700000000123,"from_inbox":true}"#,
        ),
        (
            peer(
                message(
                    Target::Group(room()),
                    r#"{"type":"cmd","body":{"action":"a"}}"#,
                    Marks { priority: Priority::Low, receipt: true, ..Marks::default() },
                ),
                false,
            ),
            r#"{"type":"chat_message","chat_type":"groupchat","id":"1029545553039460728","from":"alice","to":"185145305923585","body_type":"cmd","body":{"action":"a"},"ext":{},"level":"low","targeted":false,"broadcast":false,"ts":1700000000123,"from_inbox":false,"need_group_ack":true}"#,
        ),
        (
            Notice::RoomMessage {
                room: room(),
                message: message(
                    Target::Room(room()),
                    r#"{"type":"custom","body":{"customEvent":"gift"},"ext":{}}"#,
                    marks,
                ),
            },
            r#"{"type":"chat_message","chat_type":"chatroom","id":"1029545553039460728","from":"alice","to":"185145305923585","body_type":"custom","body":{"customEvent":"gift"},"ext":{},"level":"high","targeted":true,"broadcast":true,"ts":1700000000123,"from_inbox":false}"#,
        ),
        (
            peer(
                message(
                    Target::User(user("bob")),
                    r#"{"ids":["12"]}"#,
                    Marks { kind: MessageKind::Read, ..Marks::default() },
                ),
                false,
            ),
            r#"{"type":"read","chat_type":"chat","id":"1029545553039460728","from":"alice","to":"bob","ids":["12"],"level":"normal","ts":1700000000123,"from_inbox":false}"#,
        ),
        (
            peer(
                message(Target::User(user("bob")), "{}", Marks { kind: MessageKind::Recall, ..Marks::default() }),
                false,
            ),
            r#"{"type":"recall","chat_type":"chat","id":"1029545553039460728","from":"alice","to":"bob","level":"normal","ts":1700000000123,"from_inbox":false}"#,
        ),
        (
            Notice::RoomMessage {
                room: room(),
                message: message(
                    Target::Room(room()),
                    r#"{"message":"12"}"#,
                    Marks { kind: MessageKind::Edit, ..Marks::default() },
                ),
            },
            r#"{"type":"edit","chat_type":"chatroom","id":"1029545553039460728","from":"alice","to":"185145305923585","message":"12","level":"normal","ts":1700000000123,"from_inbox":false}"#,
        ),
    ];
    for (told, expected) in table {
        assert_eq!(json(&notice(&told)), expected);
    }
}

#[test]
fn a_sender_may_be_called_anything() {
    let mut odd = message(Target::User(user("bob")), r#"{"type":"txt","body":{"msg":"x"}}"#, Marks::default());
    Arc::make_mut(&mut odd).from = user("a\"b\\");
    let frame = notice(&Notice::PeerMessage { message: odd, from_inbox: false });
    let value: serde_json::Value = serde_json::from_str(json(&frame)).expect("JSON");
    assert_eq!(value["from"], "a\"b\\");
}

#[test]
fn a_damaged_payload_breaks_no_frame() {
    for (payload, kind) in [
        ("hello", MessageKind::Content),
        (r#"{"type":"txt","body":{"msg":"x"}"#, MessageKind::Content),
        (r#"{"type":"txt"}"#, MessageKind::Content),
        ("7", MessageKind::Recall),
        ("", MessageKind::Edit),
    ] {
        let message = message(Target::User(user("bob")), payload, Marks { kind, ..Marks::default() });
        assert!(notice(&Notice::PeerMessage { message, from_inbox: false }).is_empty(), "{payload}");
    }
}

#[test]
fn events_of_rooms_and_groups() {
    let users = || vec![user("a"), user("b")];
    let table = [
        (RoomEvent::Joined { users: users(), count: 3, ext: None }, r#""joined","users":["a","b"],"count":3"#),
        (
            RoomEvent::Joined { users: vec![user("a")], count: 3, ext: Some("hi".into()) },
            r#""joined","users":["a"],"count":3,"ext":"hi""#,
        ),
        (RoomEvent::Left { users: users(), count: 1 }, r#""left","users":["a","b"],"count":1"#),
        (
            RoomEvent::Removed { users: users(), blocked: true, count: 1 },
            r#""removed","users":["a","b"],"blocked":true,"count":1"#,
        ),
        (RoomEvent::Unblocked { users: users() }, r#""unblocked","users":["a","b"]"#),
        (RoomEvent::Muted { users: users(), until_ms: 12 }, r#""muted","users":["a","b"],"until":12"#),
        (RoomEvent::Muted { users: vec![], until_ms: u64::MAX }, r#""muted","users":[],"until":null"#),
        (RoomEvent::Unmuted { users: users() }, r#""unmuted","users":["a","b"]"#),
        (RoomEvent::AllMuted { muted: true }, r#""all_muted","muted":true"#),
        (RoomEvent::Allowed { users: users(), allowed: false }, r#""allowed","users":["a","b"],"allowed":false"#),
        (RoomEvent::Admin { user: user("a"), admin: true }, r#""admin","user":"a","admin":true"#),
        (RoomEvent::OwnerChanged { from: user("a"), to: user("b") }, r#""owner_changed","from":"a","to":"b""#),
        (RoomEvent::Announcement { text: "x".to_owned() }, r#""announcement","text":"x""#),
        (
            RoomEvent::Attributes {
                set: vec![("k".to_owned(), "v".to_owned())],
                removed: vec!["l".to_owned()],
                by: user("a"),
            },
            r#""attributes","set":{"k":"v"},"removed":["l"],"by":"a""#,
        ),
        (RoomEvent::Info, r#""info""#),
        (RoomEvent::Disabled { disabled: true }, r#""disabled","disabled":true"#),
        (
            RoomEvent::File { id: "f".to_owned(), name: "n".to_owned(), shared: true, by: None },
            r#""file","id":"f","name":"n","shared":true"#,
        ),
        (RoomEvent::Deleted, r#""deleted""#),
    ];
    for (event, fields) in table {
        let told = |group| notice(&Notice::RoomEvent { room: room(), group, event: event.clone(), by: None });
        let expected = format!(r#"{{"type":"room_event","room":"185145305923585","event":{fields}}}"#);
        assert_eq!(json(&told(false)), expected);
        let expected = format!(r#"{{"type":"group_event","group":"185145305923585","event":{fields}}}"#);
        assert_eq!(json(&told(true)), expected);
    }
}

#[test]
fn notices() {
    let table = [
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
    assert!(notice(&Notice::MemberJoined { room: room(), user: user("bob") }).is_empty());
    assert!(notice(&Notice::MemberLeft { room: room(), user: user("bob") }).is_empty());
}

#[test]
fn answers() {
    let (user, device, rooms) = (user("bob"), DeviceId::from_trusted("web"), [room()]);
    let greeting = Welcome {
        reference: None,
        packing: crate::packing::Packing::None,
        expires_at_ms: None,
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
        r#"{"type":"welcome","version":1,"session":"5d0c6a3f12ab90cd","resumed":true,"user":"bob","device":"web","rooms":["185145305923585"],"server_time":1700000000000,"ping_interval_ms":20000,"grace_ms":120000,"max_frame_bytes":65536,"max_content_bytes":5120}"#
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
        (Outcome::Sent { id: MessageId(12), sent_at_ms: 34 }, r#","message_id":"12","ts":34"#),
        (
            Outcome::Members(MemberList { members: vec![user("a"), user("b")], count: 9, next: Some("b".to_owned()) }),
            r#","members":["a","b"],"count":9,"next":"b""#,
        ),
        (
            Outcome::Members(MemberList { members: vec![], count: 0, next: None }),
            r#","members":[],"count":0,"next":null"#,
        ),
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
        "resume":{"session":"5d0c6a3f12ab90cd","rooms":{"r":"12","s":["9","7"],"t":["1","2","3","4"],"u":[]}},"later":{}"#,
    );
    let named = named.expect("well-formed").expect("a login");
    assert_eq!((named.app.as_str(), named.user.as_str()), ("acme#demo", "Bob"));
    assert!(matches!(&named.credential, OwnedCredential::Password(password) if password == "pw"));
    assert_eq!(named.device.expect("allowed").as_str(), "d.1");
    let resume = named.resume.expect("resume");
    assert_eq!(resume.session, Some(SessionId(0x5d0c_6a3f_12ab_90cd)));
    let points: Vec<_> = resume.rooms.iter().map(|(room, id)| (room.as_str(), id.0)).collect();
    assert_eq!(points, [("r", 12), ("s", 9), ("s", 7), ("t", 1), ("t", 2), ("t", 3)], "one for each level");

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
        r#""app_id":"970C","token":"secret","resume":{"session":"s","rooms":{"r":["1","x"]}}"#,
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
        (
            r#""type":"send","chat_type":"chat","to":"bob","body_type":"txt","body":{"msg":"h\ni"}"#,
            r#"body_type: "txt", body: RawValue({"msg":"h\ni"}), ext: None, level: None, users: [], online_only: false"#,
        ),
        (
            r#""type":"send","chat_type":"chatroom","to":"r","body_type":"txt","body":7,"ext":{"a":1},"level":"high","users":["a"],"online_only":true"#,
            r#"body: RawValue(7), ext: Some(RawValue({"a":1})), level: Some("high"), users: ["a"], online_only: true"#,
        ),
        (r#""type":"read","chat_type":"chat","to":"bob","ids":["12"]"#, "Read(Read"),
        (
            r#""type":"recall","chat_type":"chat","to":"bob","message_id":"12","ext":"x""#,
            r#"message_id: DecimalId(MessageId(12)), ext: Some("x")"#,
        ),
        (r#""type":"edit","chat_type":"chat","to":"bob","message_id":"12","body":{"msg":"n"}"#, "ext: None"),
        (r#""type":"groups","skip":5,"limit":7"#, "Groups(Groups { skip: 5, limit: Some(7) })"),
        (
            r#""type":"members","group":"g","after":"a""#,
            r#"room: None, group: Some("g"), after: Some("a"), limit: None"#,
        ),
        (r#""type":"join","room":"r""#, "Join(Room"),
        (r#""type":"leave","room":"r""#, "Leave(Room"),
        (r#""type":"members","room":"r""#, "Members(Members"),
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
}
