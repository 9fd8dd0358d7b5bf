//! What clients are told: every event, mark and notice, and that a message to be acked is never told as nothing.

use std::sync::Arc;

use bytes::Bytes;
use stentor_core::clock::ManualClock;
use stentor_core::directory::status::PublishedStatus;
use stentor_core::id::{DeviceId, MessageId, RoomId, UserId};
use stentor_core::message::{Marks, Message, MessageKind, Priority, Target};
use stentor_core::notice::Notice;
use stentor_core::room_event::RoomEvent;
use stentor_msync::{
    CONFERENCES, Jid, MSync, MessageBody, Meta, MucBody, MucOperation, NameSpace, SyncDown, decode, value,
};

use super::notice::notice;
use crate::teller::{Audience, Numbers};

const NOW_MS: u64 = 1_700_000_000_000;
const APP: &str = "acme#demo";

fn numbers() -> Numbers {
    Numbers::new(Arc::new(ManualClock::new(NOW_MS)), 7)
}

/// A frame without its WebSocket header.
fn down(frame: &Bytes) -> SyncDown {
    let header = match frame[1] {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    let frame: MSync = decode(frame.slice(header..)).expect("a frame");
    decode(frame.payload.expect("a payload")).expect("a sync")
}

fn told(of: &Notice) -> SyncDown {
    let numbers = numbers();
    down(&notice(of, &Audience { app: APP, own: false, numbers: &numbers }))
}

fn user(name: &str) -> UserId {
    UserId::from_trusted(name)
}

fn bodies(group: bool, event: RoomEvent) -> Vec<MucBody> {
    let down = told(&Notice::RoomEvent { room: RoomId::from_trusted("77"), group, event, by: Some(user("boss")) });
    assert_eq!((down.is_last, down.next_key, down.timestamp), (Some(true), None, Some(NOW_MS)));
    let numbers: Vec<_> = down.metas.iter().map(|meta| meta.id).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "each has a number of its own");
    let body = |meta: Meta| -> MucBody {
        assert_eq!(meta.ns, Some(NameSpace::Muc as i32));
        decode(meta.payload.expect("a payload")).expect("a body")
    };
    down.metas.into_iter().map(body).collect()
}

fn names(jids: &[Jid]) -> Vec<&str> {
    jids.iter().map(|jid| jid.name.as_deref().expect("a name")).collect()
}

#[test]
fn every_event_has_its_operation() {
    use RoomEvent::*;
    let users = || vec![user("a"), user("b")];
    for (event, operation) in [
        (Joined { users: users(), count: 5, ext: None }, MucOperation::Presence),
        (Left { users: users(), count: 5 }, MucOperation::Absence),
        (Removed { users: users(), blocked: true, count: 5 }, MucOperation::Kick),
        (Unblocked { users: users() }, MucOperation::Allow),
        (Muted { users: users(), until_ms: 9 }, MucOperation::AddMute),
        (Unmuted { users: users() }, MucOperation::RemoveMute),
        (AllMuted { muted: true }, MucOperation::BanGroup),
        (AllMuted { muted: false }, MucOperation::RemoveBanGroup),
        (Allowed { users: users(), allowed: true }, MucOperation::AddUserWhiteList),
        (Allowed { users: users(), allowed: false }, MucOperation::RemoveUserWhiteList),
        (Admin { user: user("a"), admin: true }, MucOperation::AddAdmin),
        (Admin { user: user("a"), admin: false }, MucOperation::RemoveAdmin),
        (OwnerChanged { from: user("a"), to: user("b") }, MucOperation::AssignOwner),
        (Announcement { text: "t".to_owned() }, MucOperation::UpdateAnnouncement),
        (Info, MucOperation::Update),
        (Disabled { disabled: true }, MucOperation::DisableGroup),
        (Disabled { disabled: false }, MucOperation::AbleGroup),
        (File { id: "i".into(), name: "n".into(), shared: true, by: None }, MucOperation::UploadFile),
        (File { id: "i".into(), name: "n".into(), shared: false, by: None }, MucOperation::DeleteFile),
        (Deleted, MucOperation::Destroy),
    ] {
        for group in [true, false] {
            let [body]: [MucBody; 1] = bodies(group, event.clone()).try_into().expect("one");
            assert_eq!(body.operation, Some(operation as i32), "{event:?}");
            assert_eq!((body.is_chatroom, body.from.is_some()), (Some(!group), true));
            assert_eq!(body.muc_id.and_then(|muc| muc.domain).as_deref(), Some(CONFERENCES));
        }
    }
}

#[test]
fn who_is_put_into_a_group_is_told_in_other_words() {
    let numbers = numbers();
    let told = |group, own, by: Option<&str>| {
        let event = RoomEvent::Joined { users: vec![user("a")], count: 5, ext: None };
        let notice_of = Notice::RoomEvent { room: RoomId::from_trusted("77"), group, event, by: by.map(user) };
        let down = down(&notice(&notice_of, &Audience { app: APP, own, numbers: &numbers }));
        let payload = down.metas.into_iter().next().and_then(|meta| meta.payload).expect("a payload");
        let body: MucBody = decode(payload).expect("a body");
        (body.operation, names(body.from.as_slice()).join(""), names(&body.to).join(""))
    };
    let put = Some(MucOperation::DirectJoined as i32);
    assert_eq!(told(true, true, Some("boss")), (put, "boss".to_owned(), "a".to_owned()));
    assert_eq!(told(true, true, None), (put, "77".to_owned(), "a".to_owned()));
    let came = Some(MucOperation::Presence as i32);
    assert_eq!(told(true, false, Some("boss")), (came, "a".to_owned(), String::new()));
    assert_eq!(told(false, true, Some("boss")), (came, "a".to_owned(), String::new()));
}

#[test]
fn events_say_who_and_what() {
    let one = |event| bodies(false, event).remove(0);
    let came = one(RoomEvent::Joined { users: vec![user("a")], count: 5, ext: None });
    assert_eq!((names(came.from.as_slice()), came.muc_member_count, came.members.len()), (vec!["a"], Some(5), 0));
    let came = one(RoomEvent::Joined { users: vec![user("a"), user("b")], count: 5, ext: None });
    assert_eq!(came.members, ["a", "b"]);
    let muted = one(RoomEvent::Muted { users: vec![user("a")], until_ms: 9 });
    assert_eq!((names(&muted.to), muted.ext.as_deref()), (vec!["a"], Some(r#"{"user_mute_time":9}"#)));
    assert_eq!(one(RoomEvent::Muted { users: vec![user("a")], until_ms: u64::MAX }).ext, None);
    let owner = one(RoomEvent::OwnerChanged { from: user("a"), to: user("b") });
    assert_eq!((names(owner.from.as_slice()), names(&owner.to)), (vec!["a"], vec!["b"]));
    assert_eq!(one(RoomEvent::Announcement { text: "t".to_owned() }).reason.as_deref(), Some("t"));
    let set = vec![("k".to_owned(), "v".to_owned())];
    let both = bodies(false, RoomEvent::Attributes { set, removed: vec!["gone".to_owned()], by: user("a") });
    let operations: Vec<_> = both.iter().map(|body| body.operation).collect();
    assert_eq!(operations, [Some(MucOperation::SetMetadata as i32), Some(MucOperation::DeleteMetadata as i32)]);
    let ext = |body: &MucBody| body.event_info.clone().and_then(|info| info.ext).expect("what");
    assert_eq!(ext(&both[0]), r#"{"properties":{"k":"v"},"result":{"successKeys":["k"]}}"#);
    assert_eq!(ext(&both[1]), r#"{"properties":{},"result":{"successKeys":["gone"]}}"#);
}

fn message(to: Target, marks: Marks, payload: &str) -> Arc<Message> {
    let payload = Bytes::from(payload.to_owned());
    Arc::new(Message { id: MessageId(12), from: user("bob"), to, payload, sent_at_ms: NOW_MS, marks })
}

fn peer(kind: MessageKind, payload: &str) -> SyncDown {
    let message = message(Target::User(user("alice")), Marks { kind, ..Marks::default() }, payload);
    let down = told(&Notice::PeerMessage { message, from_inbox: false });
    assert_eq!((down.next_key, down.is_last), (Some(12), Some(false)));
    assert_eq!(down.metas.last().and_then(|meta| meta.id), Some(12), "the last is the one that is acked");
    down
}

#[test]
fn room_messages_have_marks() {
    let room = RoomId::from_trusted("77");
    let marks = Marks { priority: Priority::High, broadcast: true, ..Marks::default() };
    let message = message(Target::Room(room.clone()), marks, r#"{"type":"txt","body":{"msg":"hi"}}"#);
    let down = told(&Notice::RoomMessage { room, message });
    assert_eq!(down.metas[0].ext, [value::int("chatroom_msg_tag", 0), value::int("is_broadcast", 1)]);
    assert_eq!((down.metas[0].meta.clone(), down.is_last), (None, Some(true)));
}

#[test]
fn several_receipts_in_one_are_several_items() {
    let down = peer(MessageKind::Read, r#"{"ids":["5","6"]}"#);
    let of =
        |meta: &Meta| decode::<MessageBody>(meta.payload.clone().expect("a payload")).expect("a body").ack_message_id;
    assert_eq!(down.metas.iter().map(of).collect::<Vec<_>>(), [Some(5), Some(6)]);
    assert_ne!(down.metas[0].id, down.metas[1].id);
}

/// It would wait for its ack for ever.
#[test]
fn what_cannot_be_read_is_still_there_to_be_acked() {
    for (kind, payload) in [
        (MessageKind::Content, "damaged"),
        (MessageKind::Recall, "{}"),
        (MessageKind::Edit, r#"{"msg_id":"5","body_type":"txt"}"#),
        (MessageKind::Read, r#"{"ids":[]}"#),
        (MessageKind::Notice, r#"{"event":"of a later version"}"#),
        (MessageKind::Notice, r#"{"event":"delivered"}"#),
    ] {
        let down = peer(kind, payload);
        assert_eq!(down.metas[0].ns, Some(NameSpace::Notify as i32), "{payload}");
        assert_eq!(down.metas[0].payload.as_deref(), Some(&br#"{"type":"unknown"}"#[..]));
    }
}

#[test]
fn what_has_no_form_of_its_own_is_json() {
    let down = peer(MessageKind::Notice, r#"{"event":"roaming_deleted","with":"carol","group":false,"ids":["1"]}"#);
    let expected = r#"{"data":{"chatType":"chat","resource":"","to":"carol"},"type":"roaming_delete"}"#;
    assert_eq!(down.metas[0].payload.as_deref(), Some(expected.as_bytes()));
    let down = peer(MessageKind::Notice, r#"{"event":"conversation_deleted","with":"12","group":true,"device":"web"}"#);
    let json: serde_json::Value = serde_json::from_slice(down.metas[0].payload.as_ref().expect("JSON")).expect("JSON");
    let (data, sent) = (&json["data"], &down.metas[0]);
    assert_eq!((&json["type"], &data["op"], &data["id"]), (&"conv".into(), &"del".into(), &"12".into()));
    assert_eq!((&data["type"], &data["res"]), (&"groupchat".into(), &"web".into()));
    assert_eq!((data["ts"].as_u64(), &data["from"]), (sent.timestamp, &"bob".into()));
    let devices = vec![(DeviceId::from_trusted("web"), 1)];
    let status = PublishedStatus { user: user("bob"), devices, ext: "busy".to_owned(), changed_ms: NOW_MS };
    let down = told(&Notice::Status(Arc::new(status)));
    let json: serde_json::Value = serde_json::from_slice(down.metas[0].payload.as_ref().expect("JSON")).expect("JSON");
    assert_eq!(json["type"], "presence");
    let value = &json["data"]["values"][0];
    assert_eq!((&value["uid"], &value["status"]["web"], &value["ext"]), (&"bob".into(), &"1".into(), &"busy".into()));
}
