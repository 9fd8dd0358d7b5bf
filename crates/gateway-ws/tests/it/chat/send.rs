//! What clients send: to whom, what of it is refused, and in which order it comes.

use serde_json::{Value, json};
use stentor_core::directory::mutes::{MuteScope, MuteTime};
use stentor_core::directory::rooms::RoomKind;
use stentor_core::id::MessageId;
use stentor_core::limits::{Rate, Rule};
use stentor_gateway_ws::client::{ChatClient, ChatEvent, ChatOutgoing, ChatType};

use super::{by_password, chat_gateway, code, event, gateway, message, no_acks, other, text, user};

fn to_bob(text: &str) -> ChatOutgoing {
    ChatOutgoing::text(ChatType::Chat, "bob", text)
}

#[tokio::test]
async fn to_a_user() {
    let gateway = gateway().await;
    let alice = gateway.chat("alice").await;
    let mut bob = gateway.chat("bob").await;
    let body = json!({ "url": "https://x/y", "size": { "width": 1, "height": 2 } });
    let send = ChatOutgoing {
        ext: Some(json!({ "k": [1] })),
        ..ChatOutgoing::new(ChatType::Chat, "bob", "img", body.clone())
    };
    let sent = alice.send(&send).await.expect("sent");
    let got = message(&mut bob).await;
    assert_eq!((got.chat_type, got.id, got.ts), (ChatType::Chat, sent.message_id, sent.ts));
    assert_eq!((got.from.as_str(), got.to.as_str(), got.body_type.as_str()), ("alice", "bob", "img"));
    assert_eq!((got.body.value(), got.ext.value()), (body, json!({ "k": [1] })));
    assert_eq!((got.level.as_str(), got.targeted, got.broadcast, got.from_inbox), ("normal", false, false, false));
}

#[tokio::test]
async fn to_a_user_who_is_away() {
    let gateway = gateway().await;
    let alice = gateway.chat("alice").await;
    alice.send(&to_bob("kept")).await.expect("sent");
    alice.send(&ChatOutgoing { online_only: true, ..to_bob("not kept") }).await.expect("sent");
    let mut bob = gateway.chat("bob").await;
    alice.send(&to_bob("live")).await.expect("sent");
    let kept = message(&mut bob).await;
    assert_eq!((text(&kept).as_str(), kept.from_inbox), ("kept", true));
    assert_eq!(text(&message(&mut bob).await), "live");
}

#[tokio::test]
async fn to_a_room() {
    let gateway = gateway().await;
    let room = gateway.place(RoomKind::Room, &["alice", "bob", "dave"]).await;
    let (alice, mut bob, mut dave) =
        (gateway.chat("alice").await, gateway.chat("bob").await, gateway.chat("dave").await);
    let hi = ChatOutgoing::text(ChatType::ChatRoom, room.as_str(), "hi");
    let targeted = ChatOutgoing {
        users: vec!["Dave".to_owned()],
        ..ChatOutgoing::text(ChatType::ChatRoom, room.as_str(), "psst")
    };
    alice.send(&targeted).await.expect("sent");
    alice.send(&ChatOutgoing { level: Some("high".to_owned()), ..hi.clone() }).await.expect("sent");
    let got = message(&mut dave).await;
    assert_eq!((text(&got).as_str(), got.targeted), ("psst", true));
    let got = message(&mut bob).await;
    assert_eq!((text(&got).as_str(), got.level.as_str(), got.targeted), ("hi", "high", false));
    assert_eq!((got.chat_type, got.to.as_str()), (ChatType::ChatRoom, room.as_str()));
    let outside = gateway.place(RoomKind::Room, &[]).await;
    assert_eq!(code(alice.send(&ChatOutgoing { to: outside.as_str().to_owned(), ..hi.clone() }).await), 702);
    assert_eq!(code(alice.send(&ChatOutgoing { to: "1".to_owned(), ..hi.clone() }).await), 702);
    assert_eq!(code(alice.send(&ChatOutgoing { to: "a b".to_owned(), ..hi }).await), 700);
}

#[tokio::test]
async fn to_a_group() {
    let gateway = gateway().await;
    let group = gateway.place(RoomKind::Group, &["alice", "bob"]).await;
    let (alice, mut bob) = (gateway.chat("alice").await, gateway.chat("bob").await);
    let hi = ChatOutgoing::text(ChatType::GroupChat, group.as_str(), "hi");
    let sent = alice.send(&hi).await.expect("sent");
    let got = message(&mut bob).await;
    assert_eq!((got.chat_type, got.id, got.to.as_str()), (ChatType::GroupChat, sent.message_id, group.as_str()));
    // Kept for the one who is away.
    let mut carol = gateway.chat("carol").await;
    let got = message(&mut carol).await;
    assert_eq!((got.id, got.from_inbox), (sent.message_id, true));
    let dave = gateway.chat("dave").await;
    assert_eq!(code(dave.send(&hi).await), 602);
    assert_eq!(code(dave.send(&ChatOutgoing { to: "1".to_owned(), ..hi.clone() }).await), 605);
    assert_eq!(code(dave.send(&ChatOutgoing { to: "a b".to_owned(), ..hi.clone() }).await), 600);
    gateway.node.disable_room(&gateway.chat, RoomKind::Group, &group, true).await.expect("switched off");
    assert_eq!(code(alice.send(&hi).await), 603);
}

#[tokio::test]
async fn content_has_limits() {
    let gateway = gateway().await;
    let (alice, mut bob) = (gateway.chat("alice").await, gateway.chat("bob").await);
    // {"msg":""} are ten bytes.
    let largest = "x".repeat(5120 - 10);
    alice.send(&to_bob(&largest)).await.expect("at the limit");
    assert_eq!(text(&message(&mut bob).await), largest);
    assert_eq!(code(alice.send(&to_bob(&format!("{largest}x"))).await), 510);
    for (fields, expected) in [
        (json!({ "chat_type": "chat", "to": "bob", "body_type": "txt", "body": {} }), 500),
        (json!({ "chat_type": "chat", "to": "bob", "body_type": "txt", "body": 7 }), 500),
        (json!({ "chat_type": "chat", "to": "bob", "body_type": "dance", "body": { "msg": "x" } }), 500),
        (json!({ "chat_type": "chat", "to": "bob", "body_type": "txt", "body": { "msg": "x" }, "ext": "e" }), 500),
        (json!({ "chat_type": "channel", "to": "bob", "body_type": "txt", "body": { "msg": "x" } }), 205),
        (json!({ "chat_type": "chat", "to": "b b", "body_type": "txt", "body": { "msg": "x" } }), 101),
        (json!({ "chat_type": "chat", "to": "bob", "body_type": "txt", "body": { "msg": "x" }, "level": "top" }), 205),
        (json!({ "chat_type": "chat", "to": "bob", "body_type": "txt", "body": { "msg": "x" }, "users": ["a"] }), 205),
        (room_for(&["b b"]), 101),
        (room_for(&["a"; 21]), 205),
    ] {
        assert_eq!(code(alice.request("send", fields.clone()).await), expected, "{fields}");
    }
    let without_ext =
        json!({ "chat_type": "chat", "to": "bob", "body_type": "txt", "body": { "msg": "x" }, "ext": null });
    assert_eq!(code(alice.request("send", without_ext).await), 500, "null is no object, as over REST");
    alice.send(&to_bob("without")).await.expect("sent");
    assert_eq!(message(&mut bob).await.ext.as_str(), "{}");
}

fn room_for(users: &[&str]) -> Value {
    json!({ "chat_type": "chatroom", "to": "1", "body_type": "txt", "body": { "msg": "x" }, "users": users })
}

#[tokio::test]
async fn mutes_and_blocks() {
    let gateway = gateway().await;
    let room = gateway.place(RoomKind::Room, &["alice", "bob"]).await;
    let (node, app) = (&gateway.node, &gateway.chat);
    let (alice, mut bob) = (gateway.chat("alice").await, gateway.chat("bob").await);
    let in_room = ChatOutgoing::text(ChatType::ChatRoom, room.as_str(), "hi");
    node.mute_members(app, RoomKind::Room, &room, &[user("alice")], u64::MAX).await.expect("muted");
    assert_eq!(code(alice.send(&in_room).await), 215);
    node.unmute_members(app, RoomKind::Room, &room, &[user("alice")]).await.expect("unmuted");
    node.mute_all(app, RoomKind::Room, &room, true).await.expect("muted");
    assert_eq!(code(alice.send(&in_room).await), 215);
    gateway.chat("carol").await.send(&in_room).await.expect("the owner may");
    node.mute_all(app, RoomKind::Room, &room, false).await.expect("unmuted");
    alice.send(&in_room).await.expect("again");
    for (scope, send) in [(MuteScope::Rooms, &in_room), (MuteScope::Users, &to_bob("hi"))] {
        node.mute_user(app, &user("alice"), &[(scope, MuteTime::Forever)]).await.expect("muted");
        assert_eq!(code(alice.send(send).await), 219);
        node.mute_user(app, &user("alice"), &[(scope, MuteTime::None)]).await.expect("unmuted");
        alice.send(send).await.expect("again");
    }
    node.block_users(app, &user("bob"), &[user("alice")]).await.expect("blocked");
    assert_eq!(code(alice.send(&to_bob("blocked")).await), 210);
    assert_eq!(code(alice.read("bob", &[stentor_core::id::MessageId(1)]).await), 210);
    bob.send(&ChatOutgoing::text(ChatType::Chat, "alice", "the other way")).await.expect("sent");
    node.unblock_user(app, &user("bob"), &user("alice")).await.expect("unblocked");
    alice.send(&to_bob("end")).await.expect("again");
    let mut texts = Vec::new();
    while texts.last().is_none_or(|text| text != "end") {
        texts.push(text(&message(&mut bob).await));
    }
    assert_eq!(texts, ["hi", "hi", "hi", "hi", "end"], "carol's, and alice's when she might");
}

#[tokio::test]
async fn an_edit_is_refused_like_a_message_and_a_recall_says_nothing() {
    let gateway = gateway().await;
    let group = gateway.place(RoomKind::Group, &["alice", "bob"]).await;
    let (node, app, id) = (&gateway.node, &gateway.chat, group.as_str());
    let (alice, mut bob) = (gateway.chat("alice").await, gateway.chat("bob").await);
    let in_group = alice.send(&ChatOutgoing::text(ChatType::GroupChat, id, "hi")).await.expect("sent").message_id;
    let between = alice.send(&to_bob("hi")).await.expect("sent").message_id;
    message(&mut bob).await;
    message(&mut bob).await;
    let edit = async |chat_type, to: &str, id| code(alice.edit(chat_type, to, id, &json!({ "msg": "b" }), None).await);
    for (scope, chat_type, to, message) in
        [(MuteScope::Groups, ChatType::GroupChat, id, in_group), (MuteScope::Users, ChatType::Chat, "bob", between)]
    {
        node.mute_user(app, &user("alice"), &[(scope, MuteTime::Forever)]).await.expect("muted");
        assert_eq!(edit(chat_type, to, message).await, 219);
        node.mute_user(app, &user("alice"), &[(scope, MuteTime::None)]).await.expect("unmuted");
    }
    node.mute_all(app, RoomKind::Group, &group, true).await.expect("muted");
    assert_eq!(edit(ChatType::GroupChat, id, in_group).await, 215);
    node.disable_room(app, RoomKind::Group, &group, true).await.expect("switched off");
    assert_eq!(edit(ChatType::GroupChat, id, in_group).await, 603);
    node.block_users(app, &user("bob"), &[user("alice")]).await.expect("blocked");
    assert_eq!(edit(ChatType::Chat, "bob", between).await, 210);
    let (user, words) = (("chat", "bob", between), "words");
    for (chat_type, to, message) in [user, ("groupchat", id, in_group)] {
        let recall = json!({ "chat_type": chat_type, "to": to, "message_id": message.to_string(), "ext": words });
        alice.request("recall", recall).await.expect("taken back");
        let mut told = other(&mut bob).await;
        while told["type"] != "recall" {
            told = other(&mut bob).await;
        }
        assert_eq!((&told["msg_id"], told.get("ext")), (&json!(message.to_string()), None));
    }
}

#[tokio::test]
async fn who_has_read_what() {
    let gateway = gateway().await;
    let group = gateway.place(RoomKind::Group, &["alice", "bob"]).await;
    let (mut alice, mut bob) = (gateway.chat("alice").await, gateway.chat_with(by_password("bob"), no_acks()).await);
    let sent = alice.send(&to_bob("hi")).await.expect("sent");
    let got = message(&mut bob).await;
    bob.ack(&[got.id]).await.expect("sent");
    let receipt = bob.read("alice", &[got.id]).await.expect("sent");
    let read = other(&mut alice).await;
    let expected = json!({
        "type": "read", "chat_type": "chat", "id": receipt.message_id.to_string(), "from": "bob", "to": "alice",
        "ids": [sent.message_id.to_string()], "level": "normal", "ts": receipt.ts, "from_inbox": false,
    });
    assert_eq!(read, expected);
    let said = alice.send(&ChatOutgoing::text(ChatType::GroupChat, group.as_str(), "hi all")).await.expect("sent");
    let in_group = |users: Value| json!({ "chat_type": "groupchat", "to": group.as_str(), "ids": [said.message_id.to_string()], "users": users });
    bob.request("read", in_group(json!(["alice"]))).await.expect("sent");
    // What bob cannot have got is left out; if nothing is left, it is refused.
    let some = bob.read("alice", &[MessageId(got.id.0 + 1), got.id, said.message_id]).await.expect("sent");
    assert_eq!(code(bob.request("read", in_group(json!(["carol"]))).await), 500, "carol did not write it");
    for (from, id) in [("carol", got.id), ("alice", said.message_id), ("alice", MessageId(got.id.0 + 1))] {
        assert_eq!(code(bob.read(from, &[id]).await), 500, "{from} {id}");
    }
    let read = other(&mut alice).await;
    assert_eq!(
        (&read["chat_type"], &read["to"], &read["from"]),
        (&json!("groupchat"), &json!(group.as_str()), &json!("bob"))
    );
    let read = other(&mut alice).await;
    assert_eq!(
        (&read["id"], &read["ids"]),
        (&json!(some.message_id.to_string()), &json!([sent.message_id.to_string()]))
    );
    assert_eq!(code(bob.request("read", in_group(json!([]))).await), 205);
    let no_ids = json!({ "chat_type": "chat", "to": "alice", "ids": [] });
    assert_eq!(code(bob.request("read", no_ids).await), 205);
    let too_many = json!({ "chat_type": "chat", "to": "alice", "ids": vec!["1"; 101] });
    assert_eq!(code(bob.request("read", too_many).await), 205);
    let in_room = json!({ "chat_type": "chatroom", "to": "1", "ids": ["1"] });
    assert_eq!(code(bob.request("read", in_room).await), 205);
}

#[tokio::test]
async fn a_message_is_taken_back() {
    let gateway = gateway().await;
    let group = gateway.place(RoomKind::Group, &["alice", "bob"]).await;
    let room = gateway.place(RoomKind::Room, &["alice", "bob"]).await;
    let (alice, mut bob) = (gateway.chat("alice").await, gateway.chat("bob").await);
    for (chat_type, to) in
        [(ChatType::Chat, "bob"), (ChatType::GroupChat, group.as_str()), (ChatType::ChatRoom, room.as_str())]
    {
        let sent = alice.send(&ChatOutgoing::text(chat_type, to, "oops")).await.expect("sent");
        assert_eq!(message(&mut bob).await.id, sent.message_id);
        assert_eq!(code(bob.recall(chat_type, to, sent.message_id).await), 500, "not bob's");
        assert_eq!(code(alice.recall(ChatType::Chat, "carol", sent.message_id).await), 500, "not sent there");
        let notice = alice.recall(chat_type, to, sent.message_id).await.expect("taken back");
        let told = other(&mut bob).await;
        assert_eq!((&told["type"], &told["from"]), (&json!("recall"), &json!("alice")));
        assert_eq!(told["msg_id"], json!(sent.message_id.to_string()));
        assert_eq!(told["id"], json!(notice.message_id.to_string()));
        assert_eq!(code(alice.recall(chat_type, to, sent.message_id).await), 500, "once");
    }
    // The owner of a group or room takes back what others say there, but nothing that is between others.
    let carol = gateway.chat("carol").await;
    for (chat_type, to) in [(ChatType::GroupChat, group.as_str()), (ChatType::ChatRoom, room.as_str())] {
        let sent = alice.send(&ChatOutgoing::text(chat_type, to, "nonsense")).await.expect("sent");
        assert_eq!(message(&mut bob).await.id, sent.message_id);
        carol.recall(chat_type, to, sent.message_id).await.expect("taken back");
        let told = other(&mut bob).await;
        assert_eq!((&told["from"], &told["msg_id"]), (&json!("carol"), &json!(sent.message_id.to_string())));
    }
    let sent = alice.send(&ChatOutgoing::text(ChatType::Chat, "carol", "mine")).await.expect("sent");
    assert_eq!(code(carol.recall(ChatType::Chat, "carol", sent.message_id).await), 500, "alice's");
    let sent = alice.send(&to_bob("old")).await.expect("sent");
    gateway.clock.advance(std::time::Duration::from_millis(120_001));
    assert_eq!(code(alice.recall(ChatType::Chat, "bob", sent.message_id).await), 504);
    let long = json!({ "chat_type": "chat", "to": "bob", "message_id": "1", "ext": "x".repeat(4097) });
    assert_eq!(code(alice.request("recall", long).await), 205);
}

#[tokio::test]
async fn a_message_is_edited_by_who_sent_it() {
    let gateway = gateway().await;
    let group = gateway.place(RoomKind::Group, &["alice", "bob"]).await;
    let (alice, mut bob) = (gateway.chat("alice").await, gateway.chat("bob").await);
    let new = json!({ "msg": "new" });
    for (chat_type, to) in [(ChatType::Chat, "bob"), (ChatType::GroupChat, group.as_str())] {
        let old = ChatOutgoing { ext: Some(json!({ "a": 1 })), ..ChatOutgoing::text(chat_type, to, "old") };
        let id = alice.send(&old).await.expect("sent").message_id;
        assert_eq!(message(&mut bob).await.id, id);
        assert_eq!(code(bob.edit(chat_type, to, id, &new, None).await), 500, "not bob's");
        assert_eq!(code(alice.edit(ChatType::Chat, "carol", id, &new, None).await), 500, "not sent there");
        let notice = alice.edit(chat_type, to, id, &new, None).await.expect("edited");
        let told = other(&mut bob).await;
        let expected = json!({
            "type": "edit", "chat_type": chat_type, "id": notice.message_id.to_string(), "from": "alice", "to": to,
            "msg_id": id.to_string(), "by": "alice", "sender": "alice", "edits": 1, "body_type": "txt", "body": new,
            "ext": { "a": 1 }, "level": "normal", "ts": told["ts"], "from_inbox": false,
        });
        assert_eq!(told, expected);
        let ext = json!({ "b": 2 });
        alice.edit(chat_type, to, id, &new, Some(&ext)).await.expect("edited");
        let told = other(&mut bob).await;
        assert_eq!((&told["edits"], &told["ext"]), (&json!(2), &ext));
        for _ in 2..10 {
            alice.edit(chat_type, to, id, &new, None).await.expect("edited");
            other(&mut bob).await;
        }
        assert_eq!(code(alice.edit(chat_type, to, id, &new, None).await), 500, "ten times");
    }
}

#[tokio::test]
async fn an_edit_is_content_of_the_same_type() {
    let gateway = gateway().await;
    let alice = gateway.chat("alice").await;
    let id = alice.send(&to_bob("old")).await.expect("sent").message_id;
    let edit = async |body: Value| code(alice.edit(ChatType::Chat, "bob", id, &body, None).await);
    assert_eq!(edit(json!({ "msg": 1 })).await, 500);
    assert_eq!(edit(json!({ "msg": "x".repeat(5200) })).await, 510);
    assert_eq!(code(alice.edit(ChatType::Chat, "bob", MessageId(7), &json!({}), None).await), 500, "not there");
    let nothing = json!({ "chat_type": "chat", "to": "bob", "message_id": id.to_string() });
    assert_eq!(code(alice.request("edit", nothing).await), 205);
    let command = ChatOutgoing { body_type: "cmd".into(), body: json!({ "action": "a" }), ..to_bob("") };
    let id = alice.send(&command).await.expect("sent").message_id;
    assert_eq!(code(alice.edit(ChatType::Chat, "bob", id, &json!({ "action": "b" }), None).await), 500);
}

#[tokio::test]
async fn an_app_may_have_no_edits() {
    let gateway = chat_gateway(|setup| setup.chat.edits = None).await;
    let alice = gateway.chat("alice").await;
    let id = alice.send(&to_bob("hi")).await.expect("sent").message_id;
    assert_eq!(code(alice.edit(ChatType::Chat, "bob", id, &json!({ "msg": "b" }), None).await), 508);
}

#[tokio::test]
async fn an_app_may_have_no_recalls() {
    let gateway = chat_gateway(|setup| setup.chat.recalls_within_ms = None).await;
    let alice = gateway.chat("alice").await;
    let sent = alice.send(&to_bob("hi")).await.expect("sent");
    assert_eq!(code(alice.recall(ChatType::Chat, "bob", sent.message_id).await), 508);
}

#[tokio::test]
async fn messages_come_in_the_order_of_their_requests() {
    let gateway = chat_gateway(|setup| setup.chat.sessions.mailbox_notices = 1000).await;
    let group = gateway.place(RoomKind::Group, &["alice", "bob"]).await;
    let mut alice = gateway.raw_at("/ws/chat").await;
    alice.send(r#"{"type":"login","version":1,"app_id":"acme#demo","user":"alice","password":"pw"}"#).await;
    assert_eq!(alice.json().await["type"], "welcome");
    let mut bob = gateway.chat("bob").await;
    for number in 0..200 {
        let (chat_type, to) = if number % 2 == 0 { ("chat", "bob") } else { ("groupchat", group.as_str()) };
        let body = json!({ "msg": number.to_string() });
        let send =
            json!({ "type": "send", "id": number, "chat_type": chat_type, "to": to, "body_type": "txt", "body": body });
        alice.send(&send.to_string()).await;
    }
    let (mut to_user, mut to_group) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        let got = message(&mut bob).await;
        let number: usize = text(&got).parse().expect("a number");
        if got.chat_type == ChatType::Chat { to_user.push(number) } else { to_group.push(number) }
    }
    assert!(to_user.is_sorted() && to_user.len() == 100, "{to_user:?}");
    assert!(to_group.is_sorted() && to_group.len() == 100, "{to_group:?}");
}

#[tokio::test]
async fn a_client_may_not_send_too_often() {
    let rate = Rate { count: 2, window_ms: 60_000 };
    let gateway = chat_gateway(|setup| setup.chat.rates.push((Rule::ClientSends, rate))).await;
    let alice: ChatClient = gateway.chat("alice").await;
    alice.send(&to_bob("1")).await.expect("sent");
    alice.send(&to_bob("2")).await.expect("sent");
    assert_eq!(code(alice.send(&to_bob("3")).await), 502);
}

#[tokio::test]
async fn an_unknown_type_is_answered() {
    let gateway = gateway().await;
    let alice = gateway.chat("alice").await;
    assert_eq!(code(alice.request("dance", json!({ "partner": "bob" })).await), 508);
    assert!(alice.rooms().await.expect("the connection goes on").is_empty());
    let mut bob = gateway.chat("bob").await;
    bob.send_text(r#"{"type":"send","id":1,"to":"bob"}"#.to_owned()).await.expect("sent");
    assert_eq!(event(&mut bob).await, ChatEvent::Closed { code: Some(4004) });
}
