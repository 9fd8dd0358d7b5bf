//! `chat` and `chat_offline`.

use serde_json::json;
use stentor_testkit::{START_MS, TestApp, TestServer};

use super::{KEY, bodies, came, receiver, send, with_rule};
use crate::chat::Connection;

#[tokio::test]
async fn a_message_is_told_in_the_documented_body() {
    let receiver = receiver().await;
    let server = with_rule(&receiver, "").start().await;
    let id = send(&server, "bob", "rr").await;
    let received = came(&receiver, 1).await;
    assert_eq!(received[0].text("callId"), format!("{KEY}_{id}"), "stable: made of the message's ID");
    assert_eq!(received[0].signed_at_s, START_MS / 1000);
    let expected = json!({
        "eventType": "chat",
        "timestamp": START_MS,
        "chat_type": "chat",
        "from": "alice",
        "to": "bob",
        "msg_id": id,
        "payload": { "ext": {}, "bodies": [{ "msg": "rr", "type": "txt" }], "from": "alice", "to": "bob", "type": "chat" },
        "securityVersion": "1.0.0",
        "appkey": KEY,
        "host": "stentor",
        "content_type": "chat:user:text",
    });
    assert_eq!(bodies(&receiver, 1).await, [expected]);
}

#[tokio::test]
async fn rooms_and_groups_are_both_groupchat() {
    let receiver = receiver().await;
    let server = with_rule(&receiver, "").start().await;
    let chat = server.chat().await;
    let custom = json!({ "customEvent": "gift", "customExts": { "name": "flower" } });
    let body =
        json!({ "from": "alice", "to": ["185145305923585"], "type": "custom", "body": custom, "ext": { "k": 1 } });
    let reply = chat.post(&server.chat_path("messages/chatrooms"), &body).await.json();
    server.advance(std::time::Duration::from_millis(1));
    let body = json!({ "from": "alice", "to": ["66021836783617"], "type": "cmd", "body": { "action": "run" } });
    let group = chat.post(&server.chat_path("messages/chatgroups"), &body).await.json();
    let told = bodies(&receiver, 2).await;
    let expected = json!({
        "eventType": "chat",
        "timestamp": START_MS,
        "chat_type": "groupchat",
        "group_id": "185145305923585",
        "from": "alice",
        "to": "185145305923585",
        "msg_id": reply["data"]["185145305923585"],
        "payload": {
            "ext": { "k": 1 },
            "bodies": [{
                "customEvent": "gift",
                "customExts": [{ "name": "flower" }],
                "v2:customExts": { "name": "flower" },
                "type": "custom",
            }],
            "from": "alice",
            "to": "185145305923585",
            "type": "chatroom",
        },
        "securityVersion": "1.0.0",
        "appkey": KEY,
        "host": "stentor",
        "content_type": "chat:room:custom",
    });
    assert_eq!(told[0], expected);
    assert_eq!(
        (&told[1]["msg_id"], &told[1]["content_type"]),
        (&group["data"]["66021836783617"], &json!("chat:group:command"))
    );
    assert_eq!(told[1]["payload"]["type"], "groupchat");
}

#[tokio::test]
async fn everybody_who_is_away_is_told_by_name() {
    let receiver = receiver().await;
    let server = with_rule(&receiver, "events = [\"chat_offline\"]").start().await;
    let _bob = Connection::open(&server, "bob", "web").await;
    let to = ["bob", "carol", "dave"];
    let body = json!({ "from": "alice", "to": to, "type": "txt", "body": { "msg": "hi" } });
    let chat = server.chat().await;
    let reply = chat.post(&server.chat_path("messages/users"), &body).await.json();
    let received = came(&receiver, 2).await;
    let mut told: Vec<_> =
        received.iter().map(|one| (one.text("to"), one.text("msg_id"), one.text("eventType"))).collect();
    told.sort_unstable();
    let id = |user: &str| reply["data"][user].as_str().expect("an ID").to_owned();
    assert_eq!(told, [("carol", &*id("carol"), "chat_offline"), ("dave", &*id("dave"), "chat_offline")]);
    assert_ne!(received[0].text("callId"), received[1].text("callId"));

    // Only for who is there: nobody has it later, and nobody is told that somebody missed it.
    let body =
        json!({ "from": "alice", "to": ["erin"], "type": "txt", "body": { "msg": "hi" }, "routetype": "ROUTE_ONLINE" });
    chat.post(&server.chat_path("messages/users"), &body).await;
    send(&server, "frank", "hi").await;
    assert_eq!(came(&receiver, 3).await[2].text("to"), "frank");
}

/// Its place is kept for a while, and it is away all the same.
#[tokio::test]
async fn who_has_lost_the_connection_is_away() {
    let receiver = receiver().await;
    let server = with_rule(&receiver, "events = [\"chat_offline\"]").start().await;
    server.register(&["bob"]).await;
    let bob = server.chat_client("bob").await;
    send(&server, "bob", "while there").await;
    drop(bob);
    let (node, app) = (server.node(), crate::chat::app(&server));
    let user = stentor_core::id::UserId::from_trusted("bob");
    stentor_testkit::eventually("the connection is gone", || async {
        if node.is_online(&app, &user) { Err("still there") } else { Ok(()) }
    })
    .await;
    let id = send(&server, "bob", "while away").await;
    let told = came(&receiver, 1).await;
    assert_eq!((told[0].text("to"), told[0].text("msg_id")), ("bob", &*id));
}

#[tokio::test]
async fn a_rule_is_told_only_what_it_wants() {
    let receiver = receiver().await;
    let server = with_rule(
        &receiver,
        "events = [\"chat\"]\nchat_types = [\"chat\"]\nmessage_types = [\"txt\"]\nfrom = [\"Alice\"]\nto = [\"bob\"]\n\
         ext_keys = [\"order\"]\nexclude_from = [\"mallory\"]",
    )
    .start()
    .await;
    let chat = server.chat().await;
    let text = json!({ "msg": "hi" });
    let post = async |path: &str, body: serde_json::Value| {
        let reply = chat.post(&server.chat_path(path), &body).await;
        assert_eq!(reply.code(), 200, "{}", reply.text());
    };
    for unwanted in [
        json!({ "from": "alice", "to": ["bob"], "type": "txt", "body": text }),
        json!({ "from": "alice", "to": ["carol"], "type": "txt", "body": text, "ext": { "order": 1 } }),
        json!({ "from": "carol", "to": ["bob"], "type": "txt", "body": text, "ext": { "order": 1 } }),
        json!({ "from": "mallory", "to": ["bob"], "type": "txt", "body": text, "ext": { "order": 1 } }),
        json!({ "from": "alice", "to": ["bob"], "type": "cmd", "body": { "action": "x" }, "ext": { "order": 1 } }),
    ] {
        post("messages/users", unwanted).await;
    }
    let in_room = json!({ "from": "alice", "to": ["bob"], "type": "txt", "body": text, "ext": { "order": 1 } });
    post("messages/chatrooms", in_room.clone()).await;
    post("messages/users", in_room).await;
    let received = came(&receiver, 1).await;
    assert_eq!((received.len(), received[0].text("chat_type")), (1, "chat"));
}

#[tokio::test]
async fn every_rule_has_its_own() {
    let (all, offline) = (receiver().await, receiver().await);
    let app = TestApp::new().chat().callback("all", &all.url(), "events = [\"chat\", \"chat_offline\"]").callback(
        "offline",
        &offline.url(),
        "events = [\"chat_offline\"]\nsources = [\"rest\"]",
    );
    let server = TestServer::builder().app(app).manual_clock().start().await;
    send(&server, "bob", "hi").await;
    let both = came(&all, 2).await;
    let one = came(&offline, 1).await;
    let offline_of_both = both.iter().find(|one| one.text("eventType") == "chat_offline").expect("told");
    assert_eq!(offline_of_both.body, one[0].body, "the same callback, to both");
}

#[tokio::test]
async fn a_receiver_that_hangs_delays_no_sender_and_no_other_rule() {
    let (slow, quick) = (receiver().await, receiver().await);
    slow.behave(stentor_testkit::Behaviour::Hang);
    let app = TestApp::new().chat().callback("slow", &slow.url(), "").callback("quick", &quick.url(), "");
    let server = TestServer::builder().app(app).embedded().start().await;
    for number in 0..40 {
        send(&server, "bob", &number.to_string()).await;
    }
    assert_eq!(came(&quick, 40).await.len(), 40);
    assert_eq!(slow.received().len(), 8, "as many as are under way at once");
}
