//! `POST token`.

use std::time::Duration;

use serde_json::json;
use stentor_testkit::CHAT;

use super::{refused, server};

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
