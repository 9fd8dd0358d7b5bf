//! Tokens that are void.

use std::time::Duration;

use serde_json::json;
use stentor_testkit::{Http, TestServer};

use super::{read, token_007, token_dynamic, user_token};
use crate::chat::{refused, server};

async fn revoke(server: &TestServer, chat: &Http, how: &str) {
    let path = server.chat_path(&format!("users/user1/{how}"));
    let reply = chat.post(&path, &json!({ "newpassword": "pw" })).await;
    assert_eq!(reply.code(), 200, "{how}: {}", reply.text());
}

#[tokio::test]
async fn every_kind_of_token_is_void_after_every_revocation() {
    let server = server().await;
    server.register(&["user1", "user2"]).await;
    let chat = server.chat().await;
    for how in ["password", "disconnect", "deactivate"] {
        let tokens = [
            user_token(&server, "user1").await,
            token_007(&server, "user1", 3600),
            token_dynamic(&server, "user1", 3600),
        ];
        let other = user_token(&server, "user2").await;
        for token in &tokens {
            assert_eq!(read(&server, token, "user1").await.code(), 200, "{how}");
        }
        // In the same second, too.
        revoke(&server, &chat, how).await;
        for token in &tokens {
            refused(&read(&server, token, "user1").await, 401, "unauthorized", "Unable to authenticate (OAuth)");
        }
        assert_eq!(read(&server, &other, "user2").await.code(), 200);
        if how == "deactivate" {
            revoke(&server, &chat, "activate").await;
        }
        // At once for a token of ours, and a second later for one that says no more than its second.
        assert_eq!(read(&server, &user_token(&server, "user1").await, "user1").await.code(), 200, "{how}");
        server.advance(Duration::from_secs(1));
        assert_eq!(read(&server, &token_007(&server, "user1", 3600), "user1").await.code(), 200, "{how}");
        assert_eq!(read(&server, &token_dynamic(&server, "user1", 3600), "user1").await.code(), 200, "{how}");
        for token in &tokens {
            assert_eq!(read(&server, token, "user1").await.code(), 401, "{how}");
        }
    }
}

#[tokio::test]
async fn the_tokens_of_a_deleted_user_are_not_good_for_the_next_of_the_name() {
    let server = server().await;
    server.register(&["user1"]).await;
    let chat = server.chat().await;
    let tokens =
        [user_token(&server, "user1").await, token_007(&server, "user1", 3600), token_dynamic(&server, "user1", 3600)];
    chat.delete(&server.chat_path("users/user1")).await;
    server.register(&["user1"]).await;
    for token in &tokens {
        assert_eq!(read(&server, token, "user1").await.code(), 401);
    }
    server.advance(Duration::from_secs(1));
    assert_eq!(read(&server, &token_007(&server, "user1", 3600), "user1").await.code(), 200);
}

#[tokio::test]
async fn a_nickname_revokes_nothing() {
    let server = server().await;
    server.register(&["user1"]).await;
    let token = user_token(&server, "user1").await;
    server.chat().await.put(&server.chat_path("users/user1"), &json!({ "nickname": "N" })).await;
    assert_eq!(read(&server, &token, "user1").await.code(), 200);
}
