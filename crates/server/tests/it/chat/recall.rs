//! Messages that are taken back over REST.

use std::time::Duration;

use serde_json::{Value, json};
use stentor_core::message::{Message, MessageKind};
use stentor_core::notice::Notice;
use stentor_testkit::{Http, Reply, TestApp, TestServer};

use super::{Connection, refused, server};

const RECALL: &str = "messages/msg_recall";
const BATCH: &str = "messages/batch_recall";

/// A server, and its backend.
pub(super) struct Backend {
    pub(super) server: TestServer,
    pub(super) chat: Http,
}

impl Backend {
    pub(super) async fn new() -> Self {
        Self::of(server().await).await
    }

    pub(super) async fn with(app: TestApp) -> Self {
        Self::of(TestServer::builder().app(app).manual_clock().start().await).await
    }

    async fn of(server: TestServer) -> Self {
        let chat = server.chat().await;
        Self { server, chat }
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.chat.post(&self.server.chat_path(path), body).await
    }

    /// Sends a text. Returns its number.
    pub(super) async fn say(&self, path: &str, to: &str, text: &str) -> String {
        let message = json!({ "from": "user1", "to": [to], "type": "txt", "body": { "msg": text } });
        let reply = self.post(path, &message).await;
        assert_eq!(reply.code(), 200, "{}", reply.json());
        reply.json()["data"][to].as_str().expect("a message ID").to_owned()
    }
}

/// Messages among what a client was told.
pub(super) fn messages(connection: &Connection) -> Vec<std::sync::Arc<Message>> {
    let message = |notice| match notice {
        Notice::PeerMessage { message, .. } | Notice::RoomMessage { message, .. } => Some(message),
        _ => None,
    };
    connection.take().into_iter().filter_map(message).collect()
}

/// The payload as JSON.
pub(super) fn payload(message: &Message) -> Value {
    serde_json::from_slice(&message.payload).expect("JSON")
}

fn recall(id: &str, to: &str, chat_type: &str) -> Value {
    json!({ "msg_id": id, "to": to, "chat_type": chat_type, "from": "user1", "force": false })
}

#[tokio::test]
async fn every_kind_of_message_is_taken_back_once() {
    let backend = Backend::new().await;
    let rows = [("users", "user2", "chat"), ("chatgroups", "77", "groupchat"), ("chatrooms", "88", "chatroom")];
    for (kind, to, chat_type) in rows {
        let id = backend.say(&format!("messages/{kind}"), to, "oops").await;
        let reply = backend.post(RECALL, &recall(&id, to, chat_type)).await;
        let expected = json!({ "recalled": "yes", "chattype": chat_type, "from": "user1", "to": to, "msg_id": id });
        assert_eq!((reply.code(), &reply.json()["data"]), (200, &expected));
        let again = backend.post(RECALL, &recall(&id, to, chat_type)).await;
        refused(&again, 403, "message_recall_error", "not_found msg");
    }
}

#[tokio::test]
async fn both_sides_are_told() {
    let backend = Backend::new().await;
    let (alice, bob) =
        (Connection::open(&backend.server, "user1", "a").await, Connection::open(&backend.server, "user2", "b").await);
    let id = backend.say("messages/users", "user2", "oops").await;
    let mut body = recall(&id, "user2", "chat");
    body["recallMessageExtensionInfo"] = json!("{\"type\": \"chat\"}");
    body.as_object_mut().expect("an object").remove("from");
    let reply = backend.post(RECALL, &body).await;
    assert_eq!(reply.json()["data"]["from"], "admin");
    let told = messages(&bob);
    assert_eq!(
        told.iter().map(|message| message.marks.kind).collect::<Vec<_>>(),
        [MessageKind::Content, MessageKind::Recall]
    );
    let news = json!({ "msg_id": id, "by": "admin", "ext": "{\"type\": \"chat\"}" });
    assert_eq!((payload(&told[1]), told[1].from.as_str()), (news, "user1"));
    assert_eq!(messages(&alice).len(), 1);

    let id = backend.say("messages/users", "user2", "oops").await;
    let mut body = recall(&id, "user2", "chat");
    body["sync_device"] = json!(false);
    assert_eq!(backend.post(RECALL, &body).await.code(), 200);
    assert_eq!((messages(&bob).len(), messages(&alice).len()), (2, 0));
}

#[tokio::test]
async fn two_minutes_and_no_more_unless_forced() {
    let backend = Backend::new().await;
    let (first, second) =
        (backend.say("messages/users", "user2", "a").await, backend.say("messages/users", "user2", "b").await);
    backend.server.advance(Duration::from_secs(120));
    assert_eq!(backend.post(RECALL, &recall(&first, "user2", "chat")).await.code(), 200);
    backend.server.advance(Duration::from_millis(1));
    let late = backend.post(RECALL, &recall(&second, "user2", "chat")).await;
    refused(&late, 403, "message_recall_error", "exceed recall time limit");
    let mut forced = recall(&second, "user2", "chat");
    forced["force"] = json!(true);
    // The second time it is gone already: forced, its receivers are told all the same.
    for _ in 0..2 {
        assert_eq!(backend.post(RECALL, &forced).await.code(), 200);
    }
}

#[tokio::test]
async fn the_limit_is_the_app_s() {
    let backend = Backend::with(TestApp::new().chat().chat_option("recall_within_s = 1")).await;
    let id = backend.say("messages/users", "user2", "a").await;
    backend.server.advance(Duration::from_millis(1001));
    let late = backend.post(RECALL, &recall(&id, "user2", "chat")).await;
    refused(&late, 403, "message_recall_error", "exceed recall time limit");
}

#[tokio::test]
async fn every_refusal_has_its_words() {
    let backend = Backend::new().await;
    let id = backend.say("messages/users", "user2", "a").await;
    let rows = [
        ("msg_id", json!(""), "param msg_id can't be empty"),
        ("to", json!(""), "param to can't be empty"),
        ("chat_type", json!(""), "param chat_type can't be empty"),
        ("msg_id", json!(null), "param msg_id can't be empty"),
        ("to", json!(null), "param to can't be empty"),
        ("chat_type", json!(null), "param chat_type can't be empty"),
        ("force", json!(null), "param force can't be empty"),
        ("chat_type", json!("group"), "param chat_type is invalid"),
        ("to", json!("user3"), "can’t find msg to"),
        ("chat_type", json!("groupchat"), "can’t find msg to"),
    ];
    for (field, value, text) in rows {
        let mut body = recall(&id, "user2", "chat");
        body[field] = value;
        refused(&backend.post(RECALL, &body).await, 400, "message_recall_error", text);
        if text.starts_with("param") {
            let batch = json!({ "msgs": [recall(&id, "user2", "chat"), body] });
            refused(&backend.post(BATCH, &batch).await, 400, "message_recall_error", text);
        }
    }
    for never in ["7", "abc"] {
        let reply = backend.post(RECALL, &recall(never, "user2", "chat")).await;
        refused(&reply, 403, "message_recall_error", "not_found msg");
    }
    for (field, value) in [("msg_id", json!(7)), ("force", json!("yes")), ("to", json!(["user2"]))] {
        let mut body = recall(&id, "user2", "chat");
        body[field] = value;
        let text = "Request body is invalid. Please check body is correct.";
        refused(&backend.post(RECALL, &body).await, 400, "invalid_request_body", text);
    }
    // Nothing of all that has taken it back.
    assert_eq!(backend.post(RECALL, &recall(&id, "user2", "chat")).await.code(), 200);
}

#[tokio::test]
async fn a_recall_that_is_switched_off_says_so() {
    let backend = Backend::with(TestApp::new().chat().feature("recall", false)).await;
    for path in [RECALL, BATCH, "messages/recall"] {
        let body =
            refused(&backend.post(path, &json!({})).await, 403, "forbidden_op", "message recall service is unopened");
        assert_eq!(body["exception"], "EasemobForbiddenOpException");
    }
}

#[tokio::test]
async fn users_may_not() {
    let backend = Backend::new().await;
    backend.server.register(&["user1"]).await;
    let user = backend.server.chat_as("user1").await;
    let reply = user.post(&backend.server.chat_path(RECALL), &recall("7", "user2", "chat")).await;
    assert_eq!((reply.code(), reply.json()["error"].as_str()), (401, Some("unauthorized")));
}

#[tokio::test]
async fn several_at_once_each_with_its_answer() {
    let backend = Backend::new().await;
    let id = backend.say("messages/users", "user2", "a").await;
    let room = backend.say("messages/chatrooms", "88", "a").await;
    let msgs = [recall(&id, "user2", "chat"), recall(&id, "user2", "chat"), recall(&room, "89", "chatroom")];
    let reply = backend.post(BATCH, &json!({ "msgs": msgs })).await.json();
    let answers: Vec<_> = reply["data"].as_array().expect("an array").iter().map(|one| &one["recalled"]).collect();
    assert_eq!(answers, ["yes", "not_found msg", "can’t find msg to"]);
    let legacy = json!({ "msgs": [{ "msg_id": room, "to": "88", "chat_type": "chatroom" }] });
    let reply = backend.post("messages/recall", &legacy).await.json();
    assert_eq!((&reply["data"]["msgs"][0]["recalled"], &reply["path"]), (&json!("yes"), &json!("/messages/recall")));
}

#[tokio::test]
async fn thirty_at_once_and_no_more() {
    let backend = Backend::new().await;
    let msgs = |count| json!({ "msgs": vec![recall("7", "user2", "chat"); count] });
    assert_eq!(backend.post(BATCH, &msgs(30)).await.json()["data"].as_array().map(Vec::len), Some(30));
    let reply = backend.post(BATCH, &msgs(31)).await;
    refused(&reply, 400, "message_recall_error", "params msgs's size can't exceed limit 30");
    refused(&backend.post(BATCH, &msgs(0)).await, 400, "message_recall_error", "param msgs can't be empty");
}

#[tokio::test]
async fn a_hundred_calls_a_second() {
    let backend = Backend::with(TestApp::new().chat().chat_limit("chat_recalls_per_second", 1)).await;
    refused(&backend.post(RECALL, &recall("7", "user2", "chat")).await, 403, "message_recall_error", "not_found msg");
    let limited = backend.post(RECALL, &recall("7", "user2", "chat")).await;
    refused(&limited, 429, "reach_limit", "This request has reached api limit");
}
