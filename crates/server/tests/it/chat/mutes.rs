//! Global mutes.

use std::time::Duration;

use serde_json::{Value, json};
use stentor_testkit::{CHAT, Http, TestServer};

use super::{refused, server};

const NO_USER: (u16, &str, &str) =
    (400, "required_property_not_found", "Entity user requires a property named username");

async fn mute(server: &TestServer, chat: &Http, body: Value) -> stentor_testkit::Reply {
    chat.post(&server.chat_path("mutes"), &body).await
}

async fn left(server: &TestServer, chat: &Http, user: &str) -> Value {
    let reply = chat.get(&server.chat_path(&format!("mutes/{user}"))).await.json();
    assert_eq!((&reply["path"], &reply["action"]), (&json!("/mutes"), &json!("get")));
    assert_eq!(reply["data"]["userid"], format!("{}#{}_{user}", CHAT[0], CHAT[1]));
    assert_eq!(reply["data"]["unixtime"].as_u64(), Some(server.now_ms() / 1000));
    json!([reply["data"]["chat"], reply["data"]["groupchat"], reply["data"]["chatroom"]])
}

#[tokio::test]
async fn a_user_is_muted_for_a_time_or_for_good() {
    let server = server().await;
    server.register(&["user1"]).await;
    let chat = server.chat().await;
    assert_eq!(left(&server, &chat, "user1").await, json!([0, 0, 0]));
    let reply = mute(&server, &chat, json!({ "username": "User1", "chat": 100, "groupchat": "-1" })).await.json();
    assert_eq!((&reply["data"], &reply["path"]), (&json!({ "result": "ok" }), &json!("/mutes")));
    server.advance(Duration::from_secs(4));
    assert_eq!(left(&server, &chat, "user1").await, json!([96, -1, 0]));
    mute(&server, &chat, json!({ "username": "user1", "chat": 0, "chatroom": 2_147_483_647 })).await;
    assert_eq!(left(&server, &chat, "user1").await, json!([0, -1, 2_147_483_647]));
    let own = server.chat_as("user1").await;
    assert_eq!(left(&server, &own, "user1").await, json!([0, -1, 2_147_483_647]));
    assert_eq!(mute(&server, &own, json!({ "username": "user1", "chat": 0 })).await.code(), 401);
}

#[tokio::test]
async fn what_is_not_right_is_refused() {
    let server = server().await;
    server.register(&["user1"]).await;
    let chat = server.chat().await;
    for body in [json!({ "chat": 1 }), json!({ "username": "", "chat": 1 }), json!({ "username": "nobody", "chat": 1 })]
    {
        let body = refused(&mute(&server, &chat, body).await, NO_USER.0, NO_USER.1, NO_USER.2);
        assert_eq!(body["exception"], "RequiredPropertyNotFoundException");
    }
    for nobody in ["mutes/nobody", "mutes/a%20b"] {
        refused(&chat.get(&server.chat_path(nobody)).await, NO_USER.0, NO_USER.1, NO_USER.2);
    }
    for (field, time) in
        [("chat", json!(-2)), ("groupchat", json!(2_147_483_648_u32)), ("chatroom", json!("x")), ("chat", json!(1.5))]
    {
        let reply = mute(&server, &chat, json!({ "username": "user1", field: time })).await;
        refused(&reply, 400, "illegal_argument", &format!("parameters is invalid : {field}"));
    }
    let nothing = mute(&server, &chat, json!({ "username": "user1" })).await;
    refused(&nothing, 400, "illegal_argument", "parameters is invalid : chat");
}

#[tokio::test]
async fn muted_users_are_listed_page_by_page() {
    let server = server().await;
    server.register(&["user1", "user2", "user3"]).await;
    let chat = server.chat().await;
    mute(&server, &chat, json!({ "username": "user1", "chat": 10, "chatroom": -1 })).await;
    mute(&server, &chat, json!({ "username": "user2", "groupchat": 5 })).await;
    mute(&server, &chat, json!({ "username": "user3", "groupchat": 10 })).await;
    let list = async |query: &str| {
        let reply = chat.get(&server.chat_path(&format!("mutes{query}"))).await.json();
        assert_eq!(reply["data"]["unixtime"].as_u64(), Some(server.now_ms() / 1000));
        reply["data"]["data"].clone()
    };
    let [one, other] = [json!({ "username": "user1", "chat": 10 }), json!({ "username": "user1", "chatroom": -1 })];
    let [two, three] =
        [json!({ "username": "user2", "groupchat": 5 }), json!({ "username": "user3", "groupchat": 10 })];
    assert_eq!(list("").await, json!([one, other, two, three]));
    assert_eq!(list("?pageNum=1&pageSize=2").await, json!([one, other, two]));
    assert_eq!(list("?pageNum=2&pageSize=2").await, json!([three]));
    assert_eq!(list("?pageNum=3&pageSize=2").await, json!([]));
    server.advance(Duration::from_secs(5));
    assert_eq!(list("?pageNum=2&pageSize=1").await, json!([{ "username": "user3", "groupchat": 5 }]));
    assert_eq!(server.chat_as("user1").await.get(&server.chat_path("mutes")).await.code(), 401);
}
