//! `POST token`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use stentor_core::store::memory::MemoryStore;
use stentor_testkit::{CHAT, TestApp, TestServer};

use super::{ask, read, token, token_007, user_token};
use crate::chat::{refused, server};

#[tokio::test]
async fn the_backend_gets_a_token_for_its_credentials() {
    let server = server().await;
    let path = server.chat_path("token");
    let http = server.anonymous();
    let body = json!({ "grant_type": "client_credentials", "client_id": CHAT[2], "client_secret": CHAT[3], "ttl": 60 });
    let reply = http.post(&path, &body).await.json();
    assert_eq!(reply["expires_in"], 60);
    assert!(reply["access_token"].as_str().unwrap().starts_with("YWMt"), "{reply}");
    assert_eq!(reply["application"].as_str().unwrap().len(), 36);
    let chat = http.clone().bearer(reply["access_token"].as_str().unwrap());
    assert_eq!(chat.get(&server.chat_path("users/nobody")).await.code(), 404);
    server.advance(Duration::from_secs(60));
    refused(
        &chat.get(&server.chat_path("users/nobody")).await,
        401,
        "unauthorized",
        "Unable to authenticate due to expired access token",
    );
    for (id, secret, text) in
        [("other", CHAT[3], "client_id does not match"), (CHAT[2], "other", "client_secret does not match")]
    {
        let body = json!({ "grant_type": "client_credentials", "client_id": id, "client_secret": secret });
        refused(&http.post(&path, &body).await, 400, "invalid_grant", text);
    }
    let body = json!({ "grant_type": "client_credentials", "client_secret": "x" });
    refused(&http.post(&path, &body).await, 400, "illegal_argument", "client_id must be provided.");
    let body = json!({ "grant_type": "client_credentials", "client_id": "x" });
    refused(&http.post(&path, &body).await, 400, "illegal_argument", "client_secret must be provided");
}

#[tokio::test]
async fn a_user_gets_a_token_for_the_password_and_sees_only_itself() {
    let server = server().await;
    server.register(&["user1", "user2"]).await;
    let user = server.chat_as("user1").await;
    assert_eq!(user.get(&server.chat_path("users/user1")).await.code(), 200);
    let other = user.get(&server.chat_path("users/user2")).await;
    assert_eq!(other.code(), 401);
    assert_eq!(other.json()["exception"], "org.apache.shiro.authz.UnauthorizedException");
    let path = server.chat_path("token");
    let wrong = json!({ "grant_type": "password", "username": "user1", "password": "wrong" });
    refused(&server.anonymous().post(&path, &wrong).await, 400, "invalid_grant", "invalid password");
    let nobody = json!({ "grant_type": "password", "username": "nobody", "password": "pw" });
    refused(&server.anonymous().post(&path, &nobody).await, 404, "invalid_grant", "user not found");
}

const OAUTH: &str = "Unable to authenticate (OAuth)";

#[tokio::test]
async fn a_token_lives_as_long_as_was_asked() {
    let server = server().await;
    server.register(&["user1"]).await;
    let password =
        |ttl: serde_json::Value| json!({ "grant_type": "password", "username": "User1", "password": "pw", "ttl": ttl });
    let http = server.anonymous();
    let reply = ask(&server, &http, password(json!(100))).await.json();
    assert_eq!((&reply["expires_in"], &reply["user"]["username"]), (&json!(100), &json!("user1")));
    assert_eq!(reply.get("application"), None);
    let for_ever = token(&server, &http, password(json!("0"))).await;
    let default = ask(&server, &http, json!({ "grant_type": "password", "username": "user1", "password": "pw" })).await;
    assert_eq!(default.json()["expires_in"], 60 * 86_400);
    let default = default.json()["access_token"].as_str().unwrap().to_owned();
    let short = reply["access_token"].as_str().unwrap();
    server.advance(Duration::from_secs(99));
    assert_eq!(read(&server, short, "user1").await.code(), 200);
    server.advance(Duration::from_secs(1));
    let expired = "Unable to authenticate due to expired access token";
    refused(&read(&server, short, "user1").await, 401, "unauthorized", expired);
    server.advance(Duration::from_secs(60 * 86_400 - 100));
    refused(&read(&server, &default, "user1").await, 401, "unauthorized", expired);
    server.advance(Duration::from_secs(10 * 365 * 86_400));
    assert_eq!(read(&server, &for_ever, "user1").await.code(), 200);
    assert_eq!(ask(&server, &http, password(json!(10 * 365 * 86_400))).await.code(), 200);
    for bad in [json!(-1), json!(10_u64 * 365 * 86_400 + 1)] {
        refused(&ask(&server, &http, password(bad)).await, 400, "illegal_argument", "ttl is illegal");
    }
    refused(&ask(&server, &http, password(json!("x"))).await, 400, "illegal_argument", "parameters is invalid : ttl");
    refused(&ask(&server, &http, json!({})).await, 400, "illegal_argument", "grant_type is illegal");
}

#[tokio::test]
async fn the_backend_gets_a_token_for_a_user() {
    let server = server().await;
    server.register(&["user1"]).await;
    let chat = server.chat().await;
    let inherit = |user: &str, create: bool| json!({ "grant_type": "inherit", "username": user, "autoCreateUser": create, "ttl": 10 });
    let reply = ask(&server, &chat, inherit("User1", false)).await.json();
    assert_eq!((&reply["expires_in"], &reply["user"]["username"]), (&json!(10), &json!("user1")));
    assert_eq!(read(&server, reply["access_token"].as_str().unwrap(), "user1").await.code(), 200);
    let nobody = ask(&server, &chat, inherit("user2", false)).await;
    let body = refused(&nobody, 404, "entity_not_found", "User null not found");
    assert_eq!(body["exception"], "EntityNotFoundException");
    for _ in 0..2 {
        let created = token(&server, &chat, inherit("user2", true)).await;
        assert_eq!(read(&server, &created, "user2").await.code(), 200);
    }
    for (name, text) in [("a b", "username [a b] is not legal"), (&*"x".repeat(65), "USERNAME_TOO_LONG")] {
        refused(&ask(&server, &chat, inherit(name, true)).await, 400, "illegal_argument", text);
    }
    let body = inherit("user1", false);
    refused(&ask(&server, &server.anonymous(), body.clone()).await, 401, "unauthorized", OAUTH);
    let corrupt = "Unable to authenticate due to corrupt access token";
    for bad in [server.anonymous().bearer("nonsense"), server.chat_as("user1").await] {
        refused(&ask(&server, &bad, body.clone()).await, 401, "auth_bad_access_token", corrupt);
    }
    chat.post(&server.chat_path("users/user1/deactivate"), &json!({})).await;
    refused(&ask(&server, &chat, body).await, 400, "invalid_grant", "user not activated");
}

#[tokio::test]
async fn of_two_who_create_a_user_at_once_one_is_told() {
    let store = Arc::new(MemoryStore::new());
    let app = TestApp::new().chat();
    let server = TestServer::builder().app(app).store(store.clone()).start().await;
    let chat = server.chat().await;
    let body = json!({ "grant_type": "inherit", "username": "user1", "autoCreateUser": true });
    // Both have looked, and neither has registered, when the store goes on.
    store.hold(true);
    let release = async {
        stentor_testkit::eventually(
            "both have looked",
            async || if store.held() >= 2 { Ok(()) } else { Err(store.held()) },
        )
        .await;
        store.hold(false);
    };
    let (one, two, ()) = tokio::join!(ask(&server, &chat, body.clone()), ask(&server, &chat, body.clone()), release);
    let (good, bad) = if one.code() == 200 { (one, two) } else { (two, one) };
    assert_eq!(good.code(), 200, "{}", good.text());
    refused(&bad, 409, "concurrent_operation_error", "concurrency create app user failed");
    assert_eq!(ask(&server, &chat, body).await.code(), 200);
}

#[tokio::test]
async fn an_access_token_2_is_exchanged_for_one_of_ours() {
    let server = server().await;
    server.register(&["user1"]).await;
    let exchange = json!({ "grant_type": "agora" });
    let with = |token: &str| server.anonymous().bearer(token);
    let reply = ask(&server, &with(&token_007(&server, "user1", 600)), exchange.clone()).await.json();
    assert_eq!(reply["expire_timestamp"].as_u64(), Some(server.now_ms() + 600_000));
    let ours = reply["access_token"].as_str().unwrap();
    assert!(ours.starts_with("YWMt"), "{reply}");
    let of_app = token(&server, &with(&token_007(&server, "", 600)), exchange.clone()).await;
    assert_eq!(read(&server, ours, "user1").await.code(), 200);
    assert_eq!(server.anonymous().bearer(&of_app).get(&server.chat_path("users")).await.code(), 200);
    server.advance(Duration::from_secs(600));
    for expired in [ours, &of_app] {
        let text = "Unable to authenticate due to expired access token";
        refused(&read(&server, expired, "user1").await, 401, "unauthorized", text);
    }
    refused(&ask(&server, &server.anonymous(), exchange.clone()).await, 401, "unauthorized", OAUTH);
    let nobody = ask(&server, &with(&token_007(&server, "nobody", 600)), exchange).await;
    refused(&nobody, 401, "unauthorized", OAUTH);
}

#[tokio::test]
async fn tokens_survive_a_restart() {
    let app = || TestApp::new().chat();
    let server = TestServer::builder().app(app()).embedded().start().await;
    server.register(&["user1", "user2"]).await;
    let of_app = token(
        &server,
        &server.anonymous(),
        json!({ "grant_type": "client_credentials", "client_id": CHAT[2], "client_secret": CHAT[3] }),
    )
    .await;
    let [one, two] = [user_token(&server, "user1").await, user_token(&server, "user2").await];
    let chat = server.anonymous().bearer(&of_app);
    assert_eq!(chat.get(&server.chat_path("users/user2/disconnect")).await.code(), 200);
    let directory = server.shutdown().await;
    let server = TestServer::builder().app(app()).directory(directory).start().await;
    assert_eq!(read(&server, &of_app, "user1").await.code(), 200);
    assert_eq!(read(&server, &one, "user1").await.code(), 200);
    refused(&read(&server, &two, "user2").await, 401, "unauthorized", OAUTH);
    assert_eq!(read(&server, &user_token(&server, "user2").await, "user2").await.code(), 200);
}
