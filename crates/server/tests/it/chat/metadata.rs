//! Attributes of users.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use stentor_testkit::{CHAT, Http, Reply, TestApp, TestServer};

use super::{refused, server};

async fn put(server: &TestServer, http: &Http, user: &str, body: &str) -> Reply {
    let http = http.clone().header("Content-Type", "application/x-www-form-urlencoded");
    http.send(Method::PUT, &server.chat_path(&format!("metadata/user/{user}")), Bytes::copy_from_slice(body.as_bytes()))
        .await
}

async fn get(server: &TestServer, http: &Http, user: &str) -> Value {
    let reply = http.get(&server.chat_path(&format!("metadata/user/{user}"))).await;
    let fields: Vec<_> = reply.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!((reply.code(), fields), (200, vec!["data".to_owned(), "duration".into(), "timestamp".into()]));
    reply.json()["data"].clone()
}

#[tokio::test]
async fn attributes_are_set_read_and_removed() {
    let server = server().await;
    server.register(&["user1"]).await;
    let (chat, user) = (server.chat().await, server.chat_as("user1").await);
    assert_eq!(get(&server, &chat, "user1").await, json!({}));
    let form = "avatarurl=https://www.easemob.com/avatar.png&ext=a+b%26%E4%B8%AD&nickname=nickname";
    let set = json!({ "avatarurl": "https://www.easemob.com/avatar.png", "ext": "a b&中", "nickname": "nickname" });
    assert_eq!(put(&server, &chat, "User1", form).await.json()["data"], set);
    assert_eq!(get(&server, &user, "user1").await, set);
    let path = server.chat_path("metadata/user/user1");
    let reply = user.put(&path, &json!({ "nickname": "N", "gender": 1, "vip": true })).await.json();
    assert_eq!(reply["data"], json!({ "gender": "1", "nickname": "N", "vip": "true" }));
    assert_eq!(get(&server, &chat, "user1").await["ext"], "a b&中");
    assert_eq!(get(&server, &chat, "user1").await["nickname"], "N");
    for _ in 0..2 {
        assert_eq!(user.delete(&path).await.json()["data"], true);
    }
    assert_eq!(get(&server, &chat, "user1").await, json!({}));
}

#[tokio::test]
async fn nobody_has_no_attributes() {
    let server = server().await;
    let chat = server.chat().await;
    for nobody in ["nobody", "a%20b"] {
        assert_eq!(get(&server, &chat, nobody).await, json!({}));
        assert_eq!(chat.delete(&server.chat_path(&format!("metadata/user/{nobody}"))).await.json()["data"], true);
        let reply = put(&server, &chat, nobody, "a=b").await;
        refused(&reply, 404, "service_resource_not_found", "Service resource not found");
    }
}

#[tokio::test]
async fn bodies_that_set_nothing_are_refused() {
    let server = server().await;
    server.register(&["user1"]).await;
    let chat = server.chat().await;
    for body in ["", "=b", "a=%zz", "{}", "{\"a\":null}", "{\"a\":[1]}", "{\"\":1}", "&&"] {
        let body = refused(&put(&server, &chat, "user1", body).await, 400, "BAD_REQUEST", "request body is illegal");
        assert_eq!(body["desc"], body["error_description"]);
    }
    let broken = put(&server, &chat, "user1", "{\"a\"").await;
    assert_eq!((broken.code(), &broken.json()["error"]), (400, &json!("json_parse")));
}

#[tokio::test]
async fn attributes_have_limits() {
    let app = TestApp::new().chat().chat_option("attribute_bytes_total = 4000");
    let server = TestServer::builder().app(app).manual_clock().start().await;
    server.register(&["user1", "user2"]).await;
    let chat = server.chat().await;
    assert_eq!(put(&server, &chat, "user1", &format!("ext={}", "x".repeat(2045))).await.code(), 200);
    let text = "size of metadata for this single user exceeds the user defined limit, 2048Bytes";
    for more in ["a=b".to_owned(), format!("ext={}", "x".repeat(2046))] {
        refused(&put(&server, &chat, "user1", &more).await, 403, "FORBIDDEN", text);
    }
    assert_eq!(put(&server, &chat, "user2", &format!("ext={}", "x".repeat(1949))).await.code(), 200);
    let text = "total size of user metadata for this app exceeds the user defined limit, 4000Bytes";
    refused(&put(&server, &chat, "user2", "e=").await, 403, "FORBIDDEN", text);
    let capacity = chat.get(&server.chat_path("metadata/user/capacity")).await.json();
    assert_eq!(capacity["data"], 4000);
    assert_eq!(put(&server, &chat, "user2", "ext=").await.code(), 200);
    assert_eq!(chat.get(&server.chat_path("metadata/user/capacity")).await.json()["data"], 2051);
    for (name, max) in [("nickname", 64), ("avatarurl", 256), ("phone", 32), ("mail", 64), ("sign", 256), ("birth", 64)]
    {
        let at = json!({ name: "中".repeat(max) });
        let path = server.chat_path("metadata/user/user2");
        assert_eq!(chat.put(&path, &at).await.code(), 200, "{name}");
        let past = chat.put(&path, &json!({ name: "中".repeat(max + 1) })).await;
        let text = format!("size of metadata for this single user exceeds the current mysql column size, {max}Bytes");
        refused(&past, 403, "FORBIDDEN", &text);
        chat.delete(&path).await;
    }
}

#[tokio::test]
async fn attributes_of_100_users_are_read_at_once() {
    let server = server().await;
    server.register(&["user1", "user2"]).await;
    let (chat, user) = (server.chat().await, server.chat_as("user2").await);
    put(&server, &chat, "user1", "nickname=N&ext=e&sign=s").await;
    let path = server.chat_path("metadata/user/get");
    let body = json!({ "targets": ["user1", "user2", "nobody", "a b"], "properties": ["nickname", "ext"] });
    let data = json!({ "user1": { "ext": "e", "nickname": "N" }, "user2": {}, "nobody": {}, "a b": {} });
    for http in [&chat, &user] {
        assert_eq!(http.post(&path, &body).await.json()["data"], data);
    }
    let all = chat.post(&path, &json!({ "targets": ["user1"] })).await.json();
    assert_eq!(all["data"]["user1"]["sign"], "s");
    let many = |count: usize| json!({ "targets": vec!["u"; count], "properties": [] });
    assert_eq!(chat.post(&path, &many(100)).await.json()["data"], json!({ "u": {} }));
    refused(&chat.post(&path, &many(101)).await, 400, "BAD_REQUEST", "exceed allowed batch size 100");
    for bad in [json!({}), json!({ "targets": "u" }), json!({ "targets": [], "properties": [1] })] {
        refused(&chat.post(&path, &bad).await, 400, "BAD_REQUEST", "request body is illegal");
    }
}

#[tokio::test]
async fn only_the_user_and_the_backend_may() {
    let server = server().await;
    server.register(&["user1", "user2"]).await;
    let user = server.chat_as("user1").await;
    let path = server.chat_path("metadata/user/user2");
    for reply in [user.get(&path).await, user.delete(&path).await, put(&server, &user, "user2", "a=b").await] {
        let body = refused(&reply, 401, "metadata_error", "auth error");
        assert_eq!(body["desc"], "auth error");
    }
    refused(&user.get(&server.chat_path("metadata/user/capacity")).await, 401, "unauthorized", "unauthorized");
    refused(&server.anonymous().get(&path).await, 401, "unauthorized", "Unable to authenticate (OAuth)");
}

#[tokio::test]
async fn an_app_without_attributes_says_so() {
    let app = TestApp::new().chat().feature("metadata", false);
    let server = TestServer::builder().app(app).manual_clock().start().await;
    let chat = server.chat().await;
    let path = server.chat_path("metadata/user/user1");
    let replies = [
        chat.get(&path).await,
        chat.put(&path, &json!({ "a": "b" })).await,
        chat.delete(&path).await,
        chat.get(&server.chat_path("metadata/user/capacity")).await,
        chat.post(&server.chat_path("metadata/user/get"), &json!({ "targets": [] })).await,
    ];
    let text = format!("{}#{} user metadata service not allow", CHAT[0], CHAT[1]);
    for reply in replies {
        refused(&reply, 403, "FORBIDDEN", &text);
    }
}
