//! What happens to a message after it was sent: it is taken back, read or changed.

use std::time::Duration;

use serde_json::{Value, json};
use stentor_core::delivery::{Origin, SendOptions, SendPeer};
use stentor_core::id::UserId;
use stentor_core::message::{Marks, MessageKind};
use stentor_testkit::{START_MS, TestServer};

use super::{KEY, bodies, came, receiver, send, with_rule};
use crate::chat::{Connection, app};

/// Sends a text to a group.
async fn send_to_group(server: &TestServer, group: &str) -> String {
    let body = json!({ "from": "alice", "to": [group], "type": "txt", "body": { "msg": "old" } });
    let reply = server.chat().await.post(&server.chat_path("messages/chatgroups"), &body).await;
    reply.json()["data"][group].as_str().expect("an ID").to_owned()
}

#[tokio::test]
async fn a_message_that_is_taken_back_is_told() {
    let receiver = receiver().await;
    let server = with_rule(&receiver, "events = [\"recall\"]").start().await;
    let recall = async |id: &str, to: &str, chat_type: &str| {
        server.advance(Duration::from_millis(1));
        let body = json!({ "msg_id": id, "to": to, "chat_type": chat_type, "from": "alice", "force": true });
        let reply = server.chat().await.post(&server.chat_path("messages/msg_recall"), &body).await;
        assert_eq!(reply.code(), 200, "{}", reply.text());
    };
    let id = send(&server, "bob", "oops").await;
    recall(&id, "bob", "chat").await;
    let told = bodies(&receiver, 1).await;
    assert_ne!(told[0]["msg_id"], id.as_str(), "the recall has a number of its own");
    let expected = json!({
        "chat_type": "recall",
        "payload": { "ext": {}, "ack_message_id": id, "bodies": [] },
        "host": "stentor",
        "appkey": KEY,
        "from": "alice",
        "recall_id": id,
        "to": "bob",
        "eventType": "chat",
        "msg_id": told[0]["msg_id"],
        "timestamp": START_MS + 1,
        "securityVersion": "1.0.0",
    });
    assert_eq!(told[0], expected);

    let id = send_to_group(&server, "66021836783617").await;
    recall(&id, "66021836783617", "groupchat").await;
    let told = bodies(&receiver, 2).await;
    assert_eq!((&told[1]["recall_id"], &told[1]["group_id"]), (&json!(id), &json!("66021836783617")));
}

#[tokio::test]
async fn receipts_are_told_one_by_one() {
    let receiver = receiver().await;
    let server = with_rule(&receiver, "events = [\"read_ack\"]").start().await;
    let bob = Connection::open(&server, "bob", "web").await;
    let options =
        SendOptions { marks: Marks { kind: MessageKind::Read, ..Marks::default() }, ..SendOptions::default() };
    let (from, to) = (UserId::from_trusted("bob"), UserId::from_trusted("alice"));
    let payload = r#"{"ids":["1","2"]}"#.into();
    let receipt = SendPeer { from, to, payload, wait_for_ack: false, options };
    let origin = Origin::Client(&bob.connected.session);
    let sent = server.node().send_peer(&app(&server), origin, receipt).await.expect("taken");
    let expected = |id: &str| {
        json!({
            "chat_type": "read_ack",
            "channel_channel": format!("{KEY}_alice@conference.easemob.com"),
            "payload": { "ext": {}, "ack_message_id": id, "bodies": [] },
            "host": "stentor",
            "appkey": KEY,
            "from": "bob",
            "to": "alice",
            "eventType": "chat",
            "msg_id": sent.id.to_string(),
            "timestamp": START_MS,
            "securityVersion": "1.0.0",
        })
    };
    let mut acks = bodies(&receiver, 2).await;
    acks.sort_by_key(|ack| ack["payload"]["ack_message_id"].to_string());
    assert_eq!(acks, [expected("1"), expected("2")]);
    let received = came(&receiver, 2).await;
    assert_ne!(received[0].text("callId"), received[1].text("callId"));
}

#[tokio::test]
async fn a_message_that_is_changed_is_told() {
    let receiver = receiver().await;
    let server = with_rule(&receiver, "events = [\"edit\"]").start().await;
    let rewrite = async |id: &str, user: Value| {
        server.advance(Duration::from_millis(5));
        let body = json!({ "user": user, "new_msg": { "type": "txt", "msg": "new" }, "new_ext": { "k": 1.10 } });
        let reply = server.chat().await.put(&server.chat_path(&format!("messages/rewrite/{id}")), &body).await;
        assert_eq!(reply.code(), 200, "{}", reply.text());
    };
    let id = send(&server, "bob", "old").await;
    rewrite(&id, json!("alice")).await;
    let told = bodies(&receiver, 1).await;
    let expected = json!({
        "chat_type": "edit",
        "payload": {
            "edit_message_id": id,
            "ext": { "k": 1.10 },
            "bodies": [{ "msg": "new", "type": "txt" }],
            "from": "alice",
            "to": "bob",
            "meta": { "edit_msg": {
                "chat_type": "chat:user",
                "send_time": START_MS,
                "edit_time": START_MS + 5,
                "sender": "alice",
                "count": 1,
                "operator": "alice",
            } },
            "type": "edit",
        },
        "host": "stentor",
        "appkey": KEY,
        "from": "alice",
        "to": "bob",
        "eventType": "chat",
        "msg_id": told[0]["msg_id"],
        "timestamp": START_MS + 5,
        "securityVersion": "1.0.0",
    });
    assert_eq!(told[0], expected);

    // In a group the one who changes it may be another than who sent it.
    let id = send_to_group(&server, "66021836783617").await;
    rewrite(&id, json!("owner")).await;
    rewrite(&id, json!("owner")).await;
    let note = &bodies(&receiver, 3).await[2]["payload"]["meta"]["edit_msg"].clone();
    assert_eq!((&note["sender"], &note["operator"]), (&json!("alice"), &json!("owner")));
    assert_eq!((&note["count"], &note["chat_type"]), (&json!(2), &json!("chat:group")));
    assert_eq!(note["send_time"], START_MS + 5);
}
