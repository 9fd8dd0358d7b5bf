//! What of the fields of a message over REST its receivers, its sender and the past see; and whose messages are not
//! taken.

use std::time::Duration;

use serde_json::{Value, json};
use stentor_core::records::RecordKind;
use stentor_testkit::{
    ChatClient, ChatEvent, ChatMessage, ChatOutgoing, ChatType, ClientError, DEADLINE, Http, TestApp, TestServer,
};

use super::{app, refused, server};

struct Scene {
    server: TestServer,
    chat: Http,
    room: String,
    group: String,
}

impl Scene {
    async fn new() -> Self {
        Self::on(server().await).await
    }

    /// A room and a group with `alice`, the owner of both, and `bob`.
    async fn on(server: TestServer) -> Self {
        server.register(&["alice", "bob"]).await;
        let chat = server.chat().await;
        let scene = Self { chat, server, room: String::new(), group: String::new() };
        let room = json!({ "name": "stage", "description": "-", "owner": "alice", "members": ["bob"] });
        let room = scene.ok("chatrooms", &room).await["id"].as_str().unwrap().to_owned();
        let group = json!({ "groupname": "g", "desc": "-", "public": true, "owner": "alice", "members": ["bob"] });
        let group = scene.ok("chatgroups", &group).await["groupid"].as_str().unwrap().to_owned();
        Self { room, group, ..scene }
    }

    async fn ok(&self, path: &str, body: &Value) -> Value {
        let reply = self.chat.post(&self.server.chat_path(path), body).await;
        assert_eq!(reply.code(), 200, "{path}: {}", reply.text());
        reply.json()["data"].clone()
    }

    async fn say(&self, path: &str, to: &str, text: &str, more: Value) -> Value {
        let mut body = json!({ "from": "alice", "to": [to], "type": "txt", "body": { "msg": text } });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.ok(path, &body).await
    }
}

async fn message(client: &mut ChatClient) -> ChatMessage {
    loop {
        let event = tokio::time::timeout(DEADLINE, client.next()).await.expect("in time").expect("an event");
        if let ChatEvent::Message(message) = event {
            return message;
        }
    }
}

async fn text(client: &mut ChatClient) -> String {
    message(client).await.body.value()["msg"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_sender_in_the_room_gets_its_own_message_only_if_it_asks() {
    let scene = Scene::new().await;
    let (mut alice, mut bob) = (scene.server.chat_client("alice").await, scene.server.chat_client("bob").await);
    let (room, synced) = (scene.room.as_str(), json!({ "sync_device": true }));
    let users = |more: Value| {
        let mut users = json!({ "users": ["bob"] });
        users.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        users
    };
    scene.say("messages/chatrooms", room, "1", json!({})).await;
    scene.say("messages/chatrooms", room, "2", synced.clone()).await;
    scene.say("messages/chatrooms/users", room, "3", users(json!({}))).await;
    scene.say("messages/chatrooms/users", room, "4", users(synced.clone())).await;
    for (text, more) in [("5", json!({})), ("6", synced)] {
        let mut body = json!({ "from": "alice", "msg": { "type": "txt", "msg": text } });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        scene.ok("messages/chatrooms/broadcast", &body).await;
        // Broadcasts are carried out behind the answer: each is waited for.
        let number: usize = text.parse().unwrap();
        if number == 5 {
            for expected in 1..=5 {
                assert_eq!(self::text(&mut bob).await, expected.to_string());
            }
        }
        scene.server.advance(Duration::from_secs(2));
    }
    assert_eq!(self::text(&mut bob).await, "6");
    for expected in ["2", "4", "6"] {
        assert_eq!(self::text(&mut alice).await, expected);
    }
}

#[tokio::test]
async fn a_group_is_asked_who_has_read_a_message() {
    let scene = Scene::new().await;
    let mut bob = scene.server.chat_client("bob").await;
    let asks = json!({ "need_group_ack": true });
    scene.say("messages/chatgroups", &scene.group, "1", asks.clone()).await;
    let mut targeted = asks;
    targeted["users"] = json!(["bob"]);
    scene.say("messages/chatgroups/users", &scene.group, "2", targeted).await;
    scene.say("messages/chatgroups", &scene.group, "3", json!({})).await;
    for (text, asked) in [("1", true), ("2", true), ("3", false)] {
        let got = message(&mut bob).await;
        assert_eq!((got.body.value()["msg"].as_str(), got.need_group_ack), (Some(text), asked));
    }
}

#[tokio::test]
async fn who_is_muted_cannot_send_in_any_way() {
    let scene = Scene::new().await;
    let alice = scene.server.chat_client("alice").await;
    let targets = [
        ("chat", "messages/users", ChatType::Chat, "bob"),
        ("groupchat", "messages/chatgroups", ChatType::GroupChat, scene.group.as_str()),
        ("chatroom", "messages/chatrooms", ChatType::ChatRoom, scene.room.as_str()),
    ];
    for (scope, ..) in targets {
        scene.ok("mutes", &json!({ "username": "alice", scope: 60 })).await;
        for (other, path, chat_type, to) in targets {
            let body = json!({ "from": "alice", "to": [to], "type": "txt", "body": { "msg": "hi" } });
            let over_rest = scene.chat.post(&scene.server.chat_path(path), &body).await;
            let by_client = alice.send(&ChatOutgoing::text(chat_type, to, "hi")).await;
            if other == scope {
                refused(&over_rest, 403, "message_send_error", "user is mute");
                assert!(matches!(by_client, Err(ClientError::Refused { code: 219, .. })), "{by_client:?}");
            } else {
                assert_eq!((over_rest.code(), by_client.is_ok()), (200, true), "{scope}, {other}");
            }
        }
        let body = json!({ "from": "alice", "msg": { "type": "txt", "msg": "all" } });
        let broadcast = scene.chat.post(&scene.server.chat_path("messages/chatrooms/broadcast"), &body).await;
        if scope == "chatroom" {
            refused(&broadcast, 403, "message_send_error", "user is mute");
        } else {
            assert_eq!(broadcast.code(), 200, "{}", broadcast.text());
        }
        scene.ok("mutes", &json!({ "username": "alice", scope: 0 })).await;
        scene.server.advance(Duration::from_secs(2));
    }
    scene.say("messages/users", "bob", "again", json!({})).await;
}

#[tokio::test]
async fn rooms_that_nobody_made_leave_nothing_behind() {
    let scene = Scene::new().await;
    let (node, app) = (scene.server.node(), app(&scene.server));
    let active = || async { node.store().count_records(app.id(), RecordKind::ActiveRoom, "").await.unwrap() };
    for number in 0..10 {
        let sent = scene.say("messages/chatrooms", &format!("nowhere{number}"), "hi", json!({})).await;
        assert!(sent[format!("nowhere{number}")].is_string(), "taken all the same");
    }
    assert_eq!(active().await, 0);
    for _ in 0..2 {
        scene.say("messages/chatrooms", &scene.room, "hi", json!({})).await;
        assert_eq!(active().await, 1);
    }
}

#[tokio::test]
async fn a_broadcast_is_part_of_the_past_of_a_room_only_where_it_is_switched_on() {
    for (roams, expected) in [(false, vec!["1"]), (true, vec!["1", "2"])] {
        let app = TestApp::new().chat().chat_option(&format!("broadcasts_roam = {roams}"));
        let scene = Scene::on(TestServer::builder().app(app).manual_clock().start().await).await;
        let mut bob = scene.server.chat_client("bob").await;
        scene.say("messages/chatrooms", &scene.room, "1", json!({})).await;
        let all = json!({ "from": "alice", "msg": { "type": "txt", "msg": "2" } });
        scene.ok("messages/chatrooms/broadcast", &all).await;
        assert_eq!((text(&mut bob).await, text(&mut bob).await), ("1".to_owned(), "2".to_owned()));
        let asked = json!({ "queue": format!("{}@conference.easemob.com", scene.room), "is_positive": true });
        stentor_testkit::eventually("what was sent is the past", || async {
            let past = scene.ok("users/bob/messageroaming", &asked).await;
            let messages = past["msgs"].as_array().unwrap().clone();
            let texts: Vec<_> =
                messages.iter().map(|message| message["body"]["msg"].as_str().unwrap().to_owned()).collect();
            if texts == expected { Ok(()) } else { Err(texts) }
        })
        .await;
    }
}

#[tokio::test]
async fn clients_recall_within_the_configured_time() {
    let app = TestApp::new().chat().chat_option("recall_within_s = 600");
    let scene = Scene::on(TestServer::builder().app(app).manual_clock().start().await).await;
    let alice = scene.server.chat_client("alice").await;
    let mut sent = Vec::new();
    for text in ["1", "2"] {
        sent.push(alice.send(&ChatOutgoing::text(ChatType::Chat, "bob", text)).await.unwrap().message_id);
    }
    scene.server.advance(Duration::from_secs(600));
    // Nobody had heard of the client for so long.
    let alice = scene.server.chat_client("alice").await;
    alice.recall(ChatType::Chat, "bob", sent[0]).await.expect("at the limit");
    scene.server.advance(Duration::from_millis(1));
    let late = alice.recall(ChatType::Chat, "bob", sent[1]).await;
    assert!(matches!(late, Err(ClientError::Refused { code: 504, .. })), "{late:?}");
}
