//! Every frame of `docs/gateway.md`, as it stands on the wire.

use std::sync::Arc;

use bytes::Bytes;
use stentor_core::attributes::RoomAttribute;
use stentor_core::delivery::{DeliveryOutcome, SentPeer, SentRoom};
use stentor_core::id::{DeviceId, MessageId, RoomId, SessionId, UserId};
use stentor_core::message::{Marks, Message, Target};
use stentor_core::notice::Notice;
use stentor_core::presence::Presence;

use super::notice::notice;
use super::reply::{Outcome, reply, welcome};
use super::request::{ClientFrame, Request, parse};
use crate::codec::{Refusal, pong, reconnect, refused};
use crate::protocol::{Protocol, Welcome};

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
    RoomId::from_trusted("lobby")
}

fn message(to: Target, payload: &'static [u8]) -> Arc<Message> {
    let payload = Bytes::from_static(payload);
    let id = MessageId(1_029_545_553_039_460_728);
    Arc::new(Message { id, from: user("alice"), to, payload, sent_at_ms: 1_700_000_000_123, marks: Marks::default() })
}

fn attribute() -> RoomAttribute {
    RoomAttribute {
        key: "topic".to_owned(),
        value: "tea".to_owned(),
        updated_by: user("alice"),
        updated_at_ms: 1_700_000_000_123,
    }
}

#[test]
fn notices() {
    let to_bob = message(Target::User(user("bob")), "say \"hi\"\n\u{1}你好".as_bytes());
    let to_room = message(Target::Room(room()), b"hi all");
    let states =
        [("a", Presence::Online), ("b", Presence::Unreachable), ("c", Presence::Offline)].map(|(u, p)| (user(u), p));
    let table = [
        (
            Notice::PeerMessage { message: to_bob, from_inbox: true },
            r#"{"type":"peer_message","from":"alice","payload":"say \"hi\"\n\u0001你好","ts":1700000000123,"message_id":"1029545553039460728","from_inbox":true}"#,
        ),
        (
            Notice::RoomMessage { room: room(), message: to_room },
            r#"{"type":"channel_message","channel":"lobby","from":"alice","payload":"hi all","ts":1700000000123,"message_id":"1029545553039460728"}"#,
        ),
        (
            Notice::MemberJoined { room: room(), user: user("bob") },
            r#"{"type":"member_joined","channel":"lobby","user":"bob"}"#,
        ),
        (
            Notice::MemberLeft { room: room(), user: user("bob") },
            r#"{"type":"member_left","channel":"lobby","user":"bob"}"#,
        ),
        (Notice::MemberCount { room: room(), count: 513 }, r#"{"type":"member_count","channel":"lobby","count":513}"#),
        (
            Notice::Presence { states: states.to_vec() },
            r#"{"type":"presence","states":[{"user":"a","state":"online"},{"user":"b","state":"unreachable"},{"user":"c","state":"offline"}]}"#,
        ),
        (
            Notice::RoomAttributes { room: room(), attributes: vec![attribute()] },
            r#"{"type":"channel_attributes","channel":"lobby","attributes":[{"key":"topic","value":"tea","updated_by":"alice","updated_at":1700000000123}]}"#,
        ),
        (
            Notice::RoomMessagesMissed { room: room(), count: 7 },
            r#"{"type":"channel_messages_missed","channel":"lobby","count":7}"#,
        ),
        (
            Notice::CredentialExpiring { expires_at_ms: 1_700_000_030_000 },
            r#"{"type":"token_will_expire","expires_at":1700000030000}"#,
        ),
    ];
    for (told, expected) in table {
        assert_eq!(json(&notice(&told)), expected);
    }
    assert_eq!(json(&reconnect(1500)), r#"{"type":"reconnect","after_ms":1500}"#);
}

#[test]
fn a_payload_that_is_not_utf8_does_not_break_the_frame() {
    let frame = notice(&Notice::PeerMessage {
        message: message(Target::User(user("bob")), &[b'a', 0xff, b'b']),
        from_inbox: false,
    });
    assert!(json(&frame).contains("\"payload\":\"a\u{fffd}b\""));
}

#[test]
fn a_frame_is_encoded_once_and_shared() {
    let envelope = stentor_core::notice::Envelope::new(Notice::MemberCount { room: room(), count: 1 });
    let first = envelope.encoded(Protocol::Rtm.slot(false), notice);
    let second = envelope.encoded(Protocol::Rtm.slot(false), |_| panic!("encoded twice"));
    assert_eq!(first.as_ptr(), second.as_ptr());
}

#[test]
fn answers() {
    let (user, device, rooms) = (user("bob"), DeviceId::only(), [room()]);
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
        ping_interval_ms: 2000,
        grace_ms: 30_000,
        ack_timeout_ms: 8000,
        max_frame_bytes: 65_536,
    };
    assert_eq!(
        json(&welcome(&greeting)),
        r#"{"type":"welcome","version":1,"session":"5d0c6a3f12ab90cd","resumed":true,"channels":["lobby"],"server_time":1700000000000,"ping_interval_ms":2000,"grace_ms":30000,"ack_timeout_ms":8000,"max_frame_bytes":65536}"#
    );
    let invalid = Refusal { code: 5, reason: "invalid token".to_owned() };
    assert_eq!(json(&refused(&invalid)), r#"{"type":"refused","code":5,"reason":"invalid token"}"#);
    assert_eq!(json(&pong(1_700_000_000_000)), r#"{"type":"pong","server_time":1700000000000}"#);
    assert_eq!(
        json(&reply(7, &Err(invalid))),
        r#"{"type":"reply","id":7,"ok":false,"code":5,"reason":"invalid token"}"#
    );
}

#[test]
fn outcomes() {
    let id = MessageId(12);
    let sent = |outcome| Outcome::SentPeer(SentPeer { id, sent_at_ms: 34, outcome });
    let users = || vec![user("a"), user("b")];
    let table = [
        (Outcome::Done, ""),
        (Outcome::Count(3), r#","count":3"#),
        (Outcome::Sent(SentRoom { id, sent_at_ms: 34 }), r#","message_id":"12","ts":34"#),
        (sent(DeliveryOutcome::Delivered), r#","message_id":"12","ts":34,"result":"delivered","code":0"#),
        (sent(DeliveryOutcome::Offline { kept: true }), r#","message_id":"12","ts":34,"result":"kept","code":4"#),
        (
            sent(DeliveryOutcome::Offline { kept: false }),
            r#","message_id":"12","ts":34,"result":"unreachable","code":3"#,
        ),
        (sent(DeliveryOutcome::Unconfirmed), r#","message_id":"12","ts":34,"result":"timeout","code":2"#),
        (Outcome::Members { members: users(), count: 2 }, r#","members":["a","b"],"count":2"#),
        (Outcome::Counts(vec![3, 0]), r#","counts":[3,0]"#),
        (
            Outcome::Online(vec![Presence::Online, Presence::Unreachable, Presence::Offline]),
            r#","online":[true,true,false]"#,
        ),
        (Outcome::States(vec![(user("a"), Presence::Online)]), r#","states":[{"user":"a","state":"online"}]"#),
        (Outcome::Users(users()), r#","users":["a","b"]"#),
        (Outcome::UserAttributes(vec![("k".to_owned(), "v".to_owned())]), r#","attributes":{"k":"v"}"#),
        (
            Outcome::ChannelAttributes(vec![attribute()]),
            r#","attributes":[{"key":"topic","value":"tea","updated_by":"alice","updated_at":1700000000123}]"#,
        ),
    ];
    for (outcome, fields) in table {
        let expected = format!(r#"{{"type":"reply","id":9007199254740991,"ok":true{fields}}}"#);
        assert_eq!(json(&reply(9_007_199_254_740_991, &Ok(outcome))), expected);
    }
}

#[test]
fn a_login_with_everything() {
    let text = r#" {"type":"login","version":1,"app":"970CA35de60c44645bbae8a215061b33","user":"bob","token":"007eJx",
        "resume":{"session":"5d0c6a3f12ab90cd","channels":{"lobby":"1029545553039460728"}},"later":{"x":[]}}"#;
    let ClientFrame::Login(login) = parse(text).expect("well-formed") else { panic!("a login") };
    assert_eq!((login.version, login.user.as_str(), login.token.as_deref()), (1, "bob", Some("007eJx")));
    let resume = login.resume.expect("resume");
    assert_eq!(resume.session, Some(SessionId(0x5d0c_6a3f_12ab_90cd)));
    assert_eq!(resume.channels["lobby"].0, MessageId(1_029_545_553_039_460_728));
}

#[test]
fn every_request_is_read() {
    let table = [
        (r#""type":"renew_token","token":"007""#, "RenewToken(RenewToken"),
        (r#""type":"send_peer","to":"bob","payload":"hi""#, "SendPeer(SendPeer"),
        (r#""type":"send_peer","to":"bob","payload":"h\ni","keep":true,"history":true"#, "keep: true, history: true"),
        (r#""type":"send_channel","channel":"c","payload":"","history":false"#, "SendChannel(SendChannel"),
        (r#""type":"join","channel":"c""#, "Join(Channel"),
        (r#""type":"leave","channel":"c""#, "Leave(Channel"),
        (r#""type":"members","channel":"c""#, "Members(Channel"),
        (r#""type":"member_counts","channels":["c","d"]"#, "MemberCounts(Channels"),
        (r#""type":"query_presence","users":["a"]"#, "QueryPresence(Users"),
        (r#""type":"watch_presence","users":["a"]"#, "WatchPresence(Users"),
        (r#""type":"unwatch_presence","users":[]"#, "UnwatchPresence(Users"),
        (r#""type":"watched_presence""#, "WatchedPresence"),
        (r#""type":"set_user_attributes","attributes":{"k":"v"}"#, "SetUserAttributes(UserAttributes"),
        (r#""type":"update_user_attributes","attributes":{"k":"v"}"#, "UpdateUserAttributes(UserAttributes"),
        (r#""type":"delete_user_attributes","keys":["k"]"#, "DeleteUserAttributes(UserAttributeKeys"),
        (r#""type":"clear_user_attributes""#, "ClearUserAttributes"),
        (r#""type":"get_user_attributes","user":"a""#, "GetUserAttributes(GetUserAttributes"),
        (r#""type":"get_user_attributes","user":"a","keys":["k"]"#, r#"keys: Some(["k"])"#),
        (r#""type":"set_channel_attributes","channel":"c","attributes":{},"notify":true"#, "notify: true"),
        (r#""type":"update_channel_attributes","channel":"c","attributes":{}"#, "UpdateChannelAttributes("),
        (r#""type":"delete_channel_attributes","channel":"c","keys":[]"#, "DeleteChannelAttributes("),
        (r#""type":"clear_channel_attributes","channel":"c""#, "ClearChannelAttributes("),
        (r#""type":"get_channel_attributes","channel":"c","keys":null"#, "GetChannelAttributes("),
        (r#""type":"logout","channel":5"#, "Logout"),
    ];
    for (fields, expected) in table {
        // The fields that every frame has come last, and the text is not in one piece for serde to borrow.
        let text = format!(r#"{{{fields},"id":0}}"#);
        let frame = parse(&text).expect(fields);
        let ClientFrame::Request { id: 0, request: Some(request) } = frame else { panic!("{fields}") };
        let shown = format!("{request:?}");
        assert!(shown.contains(expected), "{fields}: {shown}");
        if let Request::SendPeer(send) = request {
            assert!(["hi", "h\ni"].contains(&&*send.payload));
        }
    }
    assert_eq!(parse(r#"{"type":"ping"}"#).expect("ping"), ClientFrame::Ping);
    let acked = ClientFrame::Ack(vec![MessageId(1), MessageId(2)]);
    assert_eq!(parse(r#"{"ids":["1","2"],"type":"ack"}"#).expect("ack"), acked);
    let unknown = ClientFrame::Request { id: 9_007_199_254_740_991, request: None };
    assert_eq!(parse(r#"{"type":"dance","id":9007199254740991}"#).expect("unknown"), unknown);
}

#[test]
fn what_is_malformed() {
    let secret = "007secret";
    let deep = format!(r#"{{"type":"ping","x":{}}}"#, "[".repeat(10_000));
    for text in [
        "",
        "null",
        "7",
        r#""ping""#,
        "[]",
        r#"["join",1,"lobby"]"#,
        r#"{"type":"join","id":1,"channel":"c""#,
        r#"{"type":"join","id":1,"channel":"c"}}"#,
        r#"{"type":"join","id":1,"channel":"c"} x"#,
        r#"{"id":1}"#,
        r#"{"type":1,"id":1}"#,
        r#"{"type":"ping","type":"ping"}"#,
        r#"{"type":"join","channel":"c"}"#,
        r#"{"type":"join","id":1}"#,
        r#"{"type":"join","id":1,"channel":null}"#,
        r#"{"type":"join","id":1,"channel":5}"#,
        r#"{"type":"join","id":"1","channel":"c"}"#,
        r#"{"type":"join","id":-1,"channel":"c"}"#,
        r#"{"type":"join","id":1.5,"channel":"c"}"#,
        r#"{"type":"join","id":9007199254740992,"channel":"c"}"#,
        r#"{"type":"join","id":1e300,"channel":"c"}"#,
        r#"{"type":"join","id":99999999999999999999999999,"channel":"c"}"#,
        r#"{"type":"dance"}"#,
        r#"{"type":"ack","ids":[1]}"#,
        r#"{"type":"ack","ids":["x"]}"#,
        r#"{"type":"ack","ids":["18446744073709551616"]}"#,
        r#"{"type":"ack"}"#,
        r#"{"type":"send_peer","id":1,"to":"bob","payload":"x","keep":"yes"}"#,
        r#"{"type":"send_peer","id":1,"to":"bob","payload":"\ud800"}"#,
        r#"{"type":"set_user_attributes","id":1,"attributes":{"k":1}}"#,
        r#"{"type":"set_user_attributes","id":1,"attributes":[["k","v"]]}"#,
        r#"{"type":"login","version":1,"app":"x"}"#,
        r#"{"type":"login","version":1,"app":"x","user":"u","resume":{"session":"s","channels":{"c":"x"}}}"#,
        r#"{"type":"login","version":"007secret","app":"x","user":"u"}"#,
        &deep,
    ] {
        let error = parse(text).expect_err(text).to_string();
        assert!(!error.contains(secret), "{error}");
    }
}

#[test]
fn an_unknown_session_is_no_reason_to_refuse() {
    let text = r#"{"type":"login","version":1,"app":"x","user":"u","resume":{"session":"of another server"}}"#;
    let ClientFrame::Login(login) = parse(text).expect("well-formed") else { panic!("a login") };
    assert_eq!(login.resume.expect("resume").session, None);
}
