//! What changes a user: nickname, password, activation, forced logout.

use std::time::Duration;

use http::Method;
use serde_json::json;
use stentor_core::session::{Closing, LogoutReason};
use stentor_testkit::{Http, TestServer};

use crate::chat::{Connection, refused, server};

const OAUTH: &str = "Unable to authenticate (OAuth)";

async fn login(server: &TestServer, password: &str) -> stentor_testkit::Reply {
    let body = json!({ "grant_type": "password", "username": "user1", "password": password });
    server.anonymous().post(&server.chat_path("token"), &body).await
}

#[tokio::test]
async fn a_nickname_is_set_by_backend_and_user() {
    let server = server().await;
    server.register(&["user1", "user2"]).await;
    let (chat, user) = (server.chat().await, server.chat_as("user1").await);
    let path = server.chat_path("users/user1");
    server.advance(Duration::from_millis(5));
    let reply = chat.put(&path, &json!({ "nickname": "N", "unknown": 1 })).await.json();
    assert_eq!((&reply["action"], &reply["path"]), (&json!("put"), &json!("/users")));
    assert!(reply["uri"].as_str().unwrap().ends_with("/users"), "{reply}");
    let entity = &reply["entities"][0];
    assert_eq!((&entity["nickname"], &entity["username"]), (&json!("N"), &json!("user1")));
    assert_eq!(entity["modified"].as_u64().unwrap() - entity["created"].as_u64().unwrap(), 5);
    assert_eq!(user.put(&path, &json!({ "nickname": "中".repeat(100) })).await.code(), 200);
    let long = user.put(&path, &json!({ "nickname": "中".repeat(101) })).await;
    refused(&long, 400, "illegal_argument", "NICKNAME_TOO_LONG");
    assert_eq!(chat.put(&path, &json!({ "nickname": "" })).await.json()["entities"][0].get("nickname"), None);
    for nothing in [json!({}), json!({ "unknown": 1 }), json!({ "nickname": null })] {
        refused(&chat.put(&path, &nothing).await, 400, "illegal_argument", "parameters is invalid : nickname");
    }
    refused(
        &chat.put(&path, &json!({ "nickname": 1 })).await,
        400,
        "illegal_argument",
        "parameters is invalid : nickname",
    );
    let nobody = chat.put(&server.chat_path("users/nobody"), &json!({ "nickname": "N" })).await;
    refused(&nobody, 404, "service_resource_not_found", "Service resource not found");
    assert_eq!(user.put(&server.chat_path("users/user2"), &json!({ "nickname": "N" })).await.code(), 401);
    assert_eq!(user.get(&path).await.code(), 200, "tokens stay good");
}

#[tokio::test]
async fn a_body_is_json_whatever_its_type_says() {
    let server = server().await;
    server.register(&["user1"]).await;
    let chat = server.chat().await.header("Content-Type", "application/x-www-form-urlencoded");
    let reply = chat.send(Method::PUT, &server.chat_path("users/user1"), "{\"nickname\":\"N\"}".into()).await;
    assert_eq!(reply.code(), 200, "{}", reply.text());
}

#[tokio::test]
async fn a_password_is_changed_and_logs_the_user_out() {
    let server = server().await;
    server.register(&["user1"]).await;
    let (chat, user) = (server.chat().await, server.chat_as("user1").await);
    let client = Connection::open(&server, "user1", "web").await;
    let path = server.chat_path("users/user1/password");
    let reply = chat.put(&path, &json!({ "newpassword": "new" })).await;
    assert_eq!(reply.code(), 200);
    let fields: Vec<_> = reply.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        (reply.json()["action"].as_str(), fields),
        (Some("set user password"), vec!["action".into(), "duration".into(), "timestamp".into()])
    );
    assert_eq!(client.closed(), [Closing::LoggedOut(LogoutReason::PasswordChanged)]);
    refused(&user.get(&server.chat_path("users/user1")).await, 401, "unauthorized", OAUTH);
    refused(&login(&server, "pw").await, 400, "invalid_grant", "invalid password");
    assert_eq!(login(&server, "new").await.code(), 200);
    assert_eq!(chat.post(&path, &json!({ "newpassword": "x".repeat(64) })).await.code(), 200);
    assert_eq!(login(&server, &"x".repeat(64)).await.code(), 200);
    refused(
        &chat.post(&path, &json!({ "newpassword": "x".repeat(65) })).await,
        400,
        "illegal_argument",
        "PASSWORD_TOO_LONG",
    );
    for nothing in [json!({}), json!({ "newpassword": "" })] {
        refused(&chat.put(&path, &nothing).await, 400, "illegal_argument", "newpassword is required");
    }
    for nobody in ["nobody", "a%20b"] {
        let nobody = server.chat_path(&format!("users/{nobody}/password"));
        let body = refused(
            &chat.put(&nobody, &json!({ "newpassword": "p" })).await,
            404,
            "entity_not_found",
            "User null not found",
        );
        assert_eq!(body["exception"], "EntityNotFoundException");
    }
}

#[tokio::test]
async fn a_user_does_not_change_its_password_without_the_backend() {
    let server = server().await;
    server.register(&["user1"]).await;
    let user = server.chat_as("user1").await;
    for path in ["users/user1/password", "users/user1/deactivate", "users/user1/activate", "users/user1/disconnect"] {
        let reply = user.post(&server.chat_path(path), &json!({ "newpassword": "p" })).await;
        assert_eq!((reply.code(), &reply.json()["error"]), (401, &json!("unauthorized")), "{path}");
    }
    assert_eq!(login(&server, "pw").await.code(), 200);
}

#[tokio::test]
async fn a_deactivated_user_is_out_until_activated() {
    let server = server().await;
    server.register(&["user1"]).await;
    let (chat, user) = (server.chat().await, server.chat_as("user1").await);
    let client = Connection::open(&server, "user1", "web").await;
    for _ in 0..2 {
        let reply = chat.post(&server.chat_path("users/user1/deactivate"), &json!({})).await.json();
        assert_eq!((&reply["action"], &reply["entities"][0]["activated"]), (&json!("Deactivate user"), &json!(false)));
    }
    assert_eq!(client.closed(), [Closing::LoggedOut(LogoutReason::Deactivated)]);
    refused(&user.get(&server.chat_path("users/user1")).await, 401, "unauthorized", OAUTH);
    refused(&login(&server, "pw").await, 400, "invalid_grant", "user not activated");
    assert_eq!(chat.get(&server.chat_path("users/user1")).await.json()["entities"][0]["activated"], false);
    for _ in 0..2 {
        let reply = chat.post(&server.chat_path("users/user1/activate"), &json!({})).await.json();
        assert_eq!((&reply["action"], reply.get("entities")), (&json!("activate user"), None));
    }
    assert_eq!(login(&server, "pw").await.code(), 200);
    refused(&user.get(&server.chat_path("users/user1")).await, 401, "unauthorized", OAUTH);
    for path in ["users/nobody/activate", "users/nobody/deactivate"] {
        let reply = chat.post(&server.chat_path(path), &json!({})).await;
        refused(&reply, 404, "service_resource_not_found", "Service resource not found");
    }
}

#[tokio::test]
async fn a_user_is_logged_out_everywhere() {
    let server = server().await;
    server.register(&["user1"]).await;
    let chat = server.chat().await;
    let path = server.chat_path("users/user1/disconnect");
    let get = async |chat: &Http| chat.get(&path).await;
    for reply in [get(&chat).await, chat.post(&path, &json!({})).await] {
        let reply = reply.json();
        assert_eq!(
            (&reply["data"], &reply["entities"], &reply["count"]),
            (&json!({ "result": true }), &json!([]), &json!(0))
        );
    }
    let [phone, web] =
        [Connection::open(&server, "user1", "phone").await, Connection::open(&server, "user1", "web").await];
    let user = server.chat_as("user1").await;
    assert_eq!(user.get(&server.chat_path("users/user1")).await.code(), 200);
    get(&chat).await;
    for client in [phone, web] {
        assert_eq!(client.closed(), [Closing::LoggedOut(LogoutReason::Forced)]);
    }
    refused(&user.get(&server.chat_path("users/user1")).await, 401, "unauthorized", OAUTH);
    assert_eq!(login(&server, "pw").await.code(), 200);
    let nobody = chat.get(&server.chat_path("users/nobody/disconnect")).await;
    refused(&nobody, 404, "service_resource_not_found", "Service resource not found");
}

#[tokio::test]
async fn a_user_is_logged_out_on_one_device() {
    let server = server().await;
    server.register(&["user1", "user2"]).await;
    let (chat, user) = (server.chat().await, server.chat_as("user1").await);
    let [phone, web] =
        [Connection::open(&server, "user1", "android_1").await, Connection::open(&server, "user1", "web_1").await];
    let device = |name: &str| json!({ "res": name, "device_uuid": name, "device_name": name });
    let resources = async || {
        let reply = chat.get(&server.chat_path("users/user1/resources")).await.json();
        assert_eq!((&reply["path"], &reply["entities"]), (&json!("/users/user1/resources"), &json!([])));
        reply["data"].clone()
    };
    assert_eq!(resources().await, json!([device("android_1"), device("web_1")]));
    let path = server.chat_path("users/user1/disconnect/android_1");
    for expected in [true, false] {
        let reply = user.delete(&path).await.json();
        assert_eq!((&reply["data"], &reply["action"]), (&json!({ "result": expected }), &json!("delete")));
    }
    assert_eq!(phone.closed(), [Closing::LoggedOut(LogoutReason::Forced)]);
    assert_eq!(web.closed(), []);
    assert_eq!(resources().await, json!([device("web_1")]));
    assert_eq!(user.get(&server.chat_path("users/user1")).await.code(), 200, "the token stays good");
    assert_eq!(user.delete(&server.chat_path("users/user2/disconnect/web_1")).await.code(), 401);
    for nobody in [
        chat.delete(&server.chat_path("users/nobody/disconnect/web_1")).await,
        chat.get(&server.chat_path("users/nobody/resources")).await,
    ] {
        refused(&nobody, 404, "service_resource_not_found", "Service resource not found");
    }
}
