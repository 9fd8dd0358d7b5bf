//! Messages over REST: what is taken, what is refused, and in which words.

use std::time::Duration;

use serde_json::{Value, json};
use stentor_testkit::{Http, Reply, TestApp, TestServer};

use super::{refused, server};

/// 5 KB: the bytes of body and extension together (seed).
const MAX_BYTES: usize = 5120;

const ROOMS: &str = "messages/chatrooms";
const TARGETED: &str = "messages/chatrooms/users";
const BROADCAST: &str = "messages/chatrooms/broadcast";
const USERS: &str = "messages/users";
const GROUPS: &str = "messages/chatgroups";
const GROUP_USERS: &str = "messages/chatgroups/users";

/// A good message, with `changes` on top: `null` takes a field away.
fn message(changes: &Value) -> Value {
    let mut message = json!({ "from": "user1", "to": ["1"], "type": "txt", "body": { "msg": "hi" } });
    for (name, value) in changes.as_object().unwrap() {
        if value == "absent" {
            message.as_object_mut().unwrap().remove(name);
        } else {
            message[name] = value.clone();
        }
    }
    message
}

struct Sender {
    server: TestServer,
    chat: Http,
}

impl Sender {
    async fn new() -> Self {
        let server = server().await;
        let chat = server.chat().await;
        Self { server, chat }
    }

    async fn post(&self, path: &str, body: &Value) -> Reply {
        // Every case begins with all of its rates.
        self.server.advance(Duration::from_secs(60));
        self.chat.post(&self.server.chat_path(path), body).await
    }
}

#[tokio::test]
async fn every_refusal_has_its_words() {
    let sender = Sender::new().await;
    let many = |count: usize| (0..count).map(|number| format!("r{number}")).collect::<Vec<_>>();
    let users = json!(["user2"]);
    let cases: Vec<(&str, Value, &str)> = vec![
        (ROOMS, json!({ "from": "" }), "param from can't be empty"),
        (ROOMS, json!({ "to": [] }), "param to can't be empty"),
        (ROOMS, json!({ "to": "absent" }), "param to can't be empty"),
        (ROOMS, json!({ "to": [""] }), "param to can't be empty"),
        (ROOMS, json!({ "type": "" }), "param type can't be empty"),
        (ROOMS, json!({ "type": "absent" }), "param type can't be empty"),
        (ROOMS, json!({ "type": "text" }), "param type is invalid"),
        (ROOMS, json!({ "body": {} }), "param body can't be empty"),
        (ROOMS, json!({ "body": "absent" }), "param body can't be empty"),
        (ROOMS, json!({ "body": null }), "param body can't be empty"),
        (ROOMS, json!({ "body": { "text": "hi" } }), "param body can't be empty"),
        (ROOMS, json!({ "ext": null }), "param ext must be JSONObject"),
        (ROOMS, json!({ "ext": "text" }), "param ext must be JSONObject"),
        (ROOMS, json!({ "ext": [1] }), "param ext must be JSONObject"),
        (ROOMS, json!({ "to": many(11) }), "params to's size can't exceed limit 10"),
        (ROOMS, json!({ "type": "custom", "body": { "customEvent": "a b" } }), "param customEvent is invalid"),
        (TARGETED, json!({}), "param users can't be empty"),
        (TARGETED, json!({ "users": [] }), "param users can't be empty"),
        (TARGETED, json!({ "users": many(21) }), "params users's size can't exceed limit 20"),
        (TARGETED, json!({ "users": users, "to": ["1", "2"] }), "params to's size can't exceed limit 1"),
        (TARGETED, json!({ "users": users, "from": "" }), "param from can't be empty"),
        (USERS, json!({ "to": many(601) }), "params to's size can't exceed limit 600"),
        (USERS, json!({ "to": [] }), "param to can't be empty"),
        (GROUPS, json!({ "to": many(4) }), "params to's size can't exceed limit 3"),
        (GROUPS, json!({ "from": "" }), "param from can't be empty"),
        (GROUP_USERS, json!({}), "param users can't be empty"),
        (GROUP_USERS, json!({ "users": many(21) }), "params users's size can't exceed limit 20"),
    ];
    for (path, changes, text) in cases {
        let reply = sender.post(path, &message(&changes)).await;
        let body = refused(&reply, 400, "message_send_error", text);
        assert_eq!(body["exception"], "MessageSendException", "{changes}");
    }
}

#[tokio::test]
async fn what_is_no_message_at_all_is_an_invalid_body() {
    let sender = Sender::new().await;
    let text = "Request body is invalid. Please check body is correct.";
    for changes in [
        json!({ "from": 1 }),
        json!({ "to": "1" }),
        json!({ "to": [1] }),
        json!({ "type": 1 }),
        json!({ "body": "hi" }),
        json!({ "body": [1] }),
        json!({ "users": "user1" }),
    ] {
        refused(&sender.post(ROOMS, &message(&changes)).await, 400, "invalid_request_body", text);
    }
    for body in ["", "{", "[]", "\"a\"", "{\"to\":[\"1\"],}"] {
        let path = sender.server.chat_path(ROOMS);
        let reply = sender.chat.send(http::Method::POST, &path, body.into()).await;
        refused(&reply, 400, "invalid_request_body", text);
    }
}

#[tokio::test]
async fn body_and_extension_have_5_kilobytes_together() {
    let sender = Sender::new().await;
    let of_bytes = |bytes: usize, ext: &Value| {
        let rest = json!({ "msg": "" }).to_string().len() + ext.to_string().len();
        json!({ "body": { "msg": "é".repeat((bytes - rest) / 2) + &"x".repeat((bytes - rest) % 2) }, "ext": ext })
    };
    let ext = json!({ "key": "value" });
    for path in [ROOMS, USERS, GROUPS] {
        let reply = sender.post(path, &message(&of_bytes(MAX_BYTES, &ext))).await;
        assert_eq!(reply.code(), 200, "{}", reply.text());
        let reply = sender.post(path, &message(&of_bytes(MAX_BYTES + 1, &ext))).await;
        let body = refused(&reply, 400, "message_send_error", "message is too large");
        assert_eq!(body["error_code"], 14007);
    }
}

#[tokio::test]
async fn the_limits_themselves_are_allowed() {
    let sender = Sender::new().await;
    let many = |count: usize| (0..count).map(|number| format!("r{number}")).collect::<Vec<_>>();
    for (path, changes, count) in [
        (ROOMS, json!({ "to": many(10) }), 10),
        (ROOMS, json!({ "to": ["1", "1"] }), 1),
        (ROOMS, json!({ "from": "absent" }), 1),
        (ROOMS, json!({ "chatroom_msg_level": "urgent", "unknown": { "a": 1 } }), 1),
        (TARGETED, json!({ "users": many(20) }), 1),
        (USERS, json!({ "to": many(600) }), 600),
        (GROUPS, json!({ "to": many(3) }), 3),
        (GROUP_USERS, json!({ "users": many(20) }), 1),
    ] {
        let reply = sender.post(path, &message(&changes)).await.json();
        let data = reply["data"].as_object().unwrap_or_else(|| panic!("{changes}: {reply}"));
        assert_eq!(data.len(), count, "{changes}");
        let ids: std::collections::BTreeSet<_> = data.values().map(|id| id.as_str().unwrap()).collect();
        assert_eq!(ids.len(), count, "each has its own ID");
        assert_eq!(reply["path"], format!("/{path}"));
    }
}

#[tokio::test]
async fn eleven_calls_for_ten_rooms_are_too_many_messages_and_twenty_one_calls_too_many_calls() {
    let server = server().await;
    let chat = server.chat().await;
    let path = server.chat_path(ROOMS);
    let ten: Vec<_> = (0..10).map(|number| number.to_string()).collect();
    for _ in 0..10 {
        assert_eq!(chat.post(&path, &message(&json!({ "to": ten }))).await.code(), 200);
    }
    refused(
        &chat.post(&path, &message(&json!({ "to": ten }))).await,
        403,
        "message_send_error",
        "message send reach limit",
    );
    server.advance(Duration::from_secs(1));
    for _ in 0..20 {
        assert_eq!(chat.post(&path, &message(&json!({}))).await.code(), 200);
    }
    refused(&chat.post(&path, &message(&json!({}))).await, 429, "reach_limit", "This request has reached api limit");
    server.advance(Duration::from_secs(1));
    assert_eq!(chat.post(&path, &message(&json!({}))).await.code(), 200);
}

#[tokio::test]
async fn broadcasts_are_one_a_second_ten_a_minute_and_a_hundred_a_day() {
    let server = server().await;
    let chat = server.chat().await;
    let path = server.chat_path(BROADCAST);
    let body = json!({ "msg": { "type": "txt", "msg": "all" } });
    let text = "This request has reached api limit";
    for minute in 0..10 {
        for broadcast in 0..10 {
            let reply = chat.post(&path, &body).await;
            assert_eq!(reply.code(), 200, "{}", reply.text());
            assert!(reply.json()["data"]["id"].as_u64().unwrap() > 1 << 53, "a number");
            server.advance(Duration::from_millis(999));
            // The hundredth is the last of the day: that is said first.
            if (minute, broadcast) != (9, 9) {
                refused(&chat.post(&path, &body).await, 429, "reach_limit", text);
            }
            server.advance(Duration::from_millis(1));
        }
        if minute < 9 {
            refused(&chat.post(&path, &body).await, 429, "reach_limit", text);
        }
        server.advance(Duration::from_secs(50));
    }
    refused(&chat.post(&path, &body).await, 403, "forbidden_op", "chatroom broadcast limit exceeded");
    server.advance(Duration::from_secs(86_400));
    assert_eq!(server.chat().await.post(&path, &body).await.code(), 200);
    server.advance(Duration::from_secs(1));
    for (changes, status, error, text) in [
        (json!({ "msg": { "type": "txt", "msg": "a" }, "from": "" }), 400, "illegal_argument", "from can't be empty"),
        (
            json!({ "msg": { "type": "txt", "msg": "a" }, "ext": null }),
            400,
            "illegal_argument",
            "ext must be JSONObject",
        ),
        (json!({}), 400, "invalid_request_body", "Request body is invalid. Please check body is correct."),
        (
            json!({ "msg": { "type": "txt" } }),
            400,
            "invalid_request_body",
            "Request body is invalid. Please check body is correct.",
        ),
    ] {
        refused(&server.chat().await.post(&path, &changes).await, status, error, text);
    }
}

#[tokio::test]
async fn a_feature_that_is_switched_off_is_not_opened() {
    let app = TestApp::new().chat().feature("broadcast", false);
    let server = TestServer::builder().app(app).start().await;
    let body = json!({ "msg": { "type": "txt", "msg": "all" } });
    let reply = server.chat().await.post(&server.chat_path(BROADCAST), &body).await;
    refused(&reply, 403, "forbidden_op", "message broadcast service is unopened");
}

#[tokio::test]
async fn a_users_token_sends_nothing() {
    let server = server().await;
    server.register(&["user1"]).await;
    let user = server.chat_as("user1").await;
    for path in [ROOMS, TARGETED, BROADCAST, USERS, GROUPS, GROUP_USERS] {
        let reply = user.post(&server.chat_path(path), &message(&json!({}))).await;
        assert_eq!((reply.code(), reply.json()["error"].as_str()), (401, Some("unauthorized")), "{path}");
        let nobody = server.anonymous().post(&server.chat_path(path), &message(&json!({}))).await;
        refused(&nobody, 401, "unauthorized", "Unable to authenticate (OAuth)");
        let wrong = server.chat().await.get(&server.chat_path(path)).await;
        assert_eq!(wrong.code(), 405, "{path}");
    }
}

#[tokio::test]
async fn the_endpoint_of_before_answers_with_success_or_with_ids() {
    let sender = Sender::new().await;
    let body = |changes: Value| {
        let mut body = json!({ "target_type": "users", "target": ["u1", "u2", "u1"], "msg": { "type": "txt", "msg": "hi" }, "from": "a" });
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        body
    };
    for kind in ["users", "chatgroups", "chatrooms"] {
        let reply = sender.post("messages", &body(json!({ "target_type": kind }))).await.json();
        assert_eq!(reply["data"], json!({ "u1": "success", "u2": "success" }), "{reply}");
        let reply = sender.post("messages?useMsgId=true", &body(json!({ "target_type": kind }))).await.json();
        assert!(reply["data"]["u1"].as_str().unwrap().parse::<u64>().is_ok(), "{reply}");
    }
    for (changes, text) in [
        (json!({ "target_type": "rooms" }), "target_type can only be 'users' or 'chatgroups' or 'chatrooms'"),
        (json!({ "from": "" }), "from can't be empty"),
        (json!({ "target": [] }), "target can't be empty"),
        (json!({ "ext": null }), "ext must be JSONObject"),
    ] {
        refused(&sender.post("messages", &body(changes)).await, 400, "illegal_argument", text);
    }
}

#[tokio::test]
async fn a_room_s_deliveries_are_counted_by_level() {
    let sender = Sender::new().await;
    let count = async |level: &str| {
        let reply = sender.chat.get(&sender.server.chat_path("chatrooms/1/delivery")).await;
        let body = reply.json();
        assert_eq!((reply.code(), &body["path"]), (200, &json!("/chatrooms/1/delivery")));
        body["data"]["levels"][level].clone()
    };
    let none = json!({
        "accepted": 0, "offered": 0, "dropped": 0, "dropped_over_budget": 0, "dropped_lanes_full": 0,
        "dropped_slow_consumer": 0
    });
    assert_eq!(count("high").await, none, "nothing was sent yet");
    for level in ["low", "low", "high"] {
        assert_eq!(sender.post(ROOMS, &message(&json!({ "chatroom_msg_level": level }))).await.code(), 200);
    }
    assert_eq!((count("high").await["accepted"].clone(), count("low").await["accepted"].clone()), (json!(1), json!(2)));
    assert_eq!(count("normal").await, none);
    sender.server.register(&["user1"]).await;
    let user = sender.server.chat_as("user1").await;
    assert_eq!(user.get(&sender.server.chat_path("chatrooms/1/delivery")).await.code(), 401);
}
