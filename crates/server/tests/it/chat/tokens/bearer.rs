//! What is taken as `Authorization: Bearer`, and what it may do.

use std::time::Duration;

use serde_json::json;
use stentor_testkit::{OPEN_APP, token as rtm_token};

use super::{read, token_007, token_007_of, token_dynamic, user_token};
use crate::chat::{refused, server};

const OAUTH: &str = "Unable to authenticate (OAuth)";
const EXPIRED: &str = "Unable to authenticate due to expired access token";
const CORRUPT: &str = "Unable to authenticate due to corrupt access token";

#[tokio::test]
async fn an_access_token_2_is_a_bearer_of_app_or_user() {
    let server = server().await;
    server.register(&["user1", "user2"]).await;
    let uuid = server.chat().await.get(&server.chat_path("users/user1")).await.json()["entities"][0]["uuid"].clone();
    for of_user in ["user1", "USER1", uuid.as_str().unwrap()] {
        let token = token_007(&server, of_user, 600);
        assert_eq!(read(&server, &token, "user1").await.code(), 200, "{of_user}");
        assert_eq!(read(&server, &token, "user2").await.code(), 401, "{of_user}");
    }
    let of_app = token_007(&server, "", 600);
    assert_eq!(read(&server, &of_app, "user2").await.code(), 200);
    assert_eq!(server.anonymous().bearer(&of_app).get(&server.chat_path("users")).await.code(), 200);
    refused(&read(&server, &token_007(&server, "nobody", 600), "user1").await, 401, "unauthorized", OAUTH);
    let other = token_007_of(&server, OPEN_APP, "user1", 600);
    refused(&read(&server, &other, "user1").await, 401, "auth_bad_access_token", CORRUPT);
    let rtm = rtm_token("user1", server.now_ms());
    refused(&read(&server, &rtm, "user1").await, 401, "unauthorized", OAUTH);
    let token = token_007(&server, "user1", 600);
    server.advance(Duration::from_secs(600));
    refused(&read(&server, &token, "user1").await, 401, "unauthorized", EXPIRED);
}

#[tokio::test]
async fn a_dynamic_token_is_a_bearer_of_a_user() {
    let server = server().await;
    server.register(&["user1", "user2"]).await;
    let token = token_dynamic(&server, "user1", 600);
    assert_eq!(read(&server, &token, "user1").await.code(), 200);
    assert_eq!(read(&server, &token, "user2").await.code(), 401);
    refused(&read(&server, &token_dynamic(&server, "nobody", 600), "user1").await, 401, "unauthorized", OAUTH);
    let damaged = format!("{}A", &token[..token.len() - 1]);
    assert_eq!(read(&server, &damaged, "user1").await.json()["error"], "auth_bad_access_token");
    server.advance(Duration::from_secs(601));
    refused(&read(&server, &token, "user1").await, 401, "unauthorized", EXPIRED);
}

#[tokio::test]
async fn what_is_no_bearer_is_refused() {
    let server = server().await;
    server.register(&["user1"]).await;
    let path = server.chat_path("users/user1");
    let token = user_token(&server, "user1").await;
    for scheme in [format!("bearer {token}"), format!("  BEARER   {token} ")] {
        assert_eq!(server.anonymous().header("Authorization", &scheme).get(&path).await.code(), 200, "{scheme}");
    }
    for header in [token.clone(), "Bearer".to_owned(), "Bearer ".to_owned(), format!("Basic {token}")] {
        let reply = server.anonymous().header("Authorization", &header).get(&path).await;
        let body = refused(&reply, 401, "unauthorized", OAUTH);
        assert_eq!(body["exception"], "EasemobSecurityException");
    }
    for corrupt in ["nonsense", "007nonsense", "ZHQtnonsense"] {
        refused(&read(&server, corrupt, "user1").await, 401, "auth_bad_access_token", CORRUPT);
    }
    // Ours by its form, and not signed by us.
    let foreign = read(&server, "YWMtnonsense", "user1").await;
    refused(&foreign, 401, "auth_bad_access_token", "Unable to authenticate");
}

#[tokio::test]
async fn a_users_token_is_of_use_for_that_user_only() {
    let server = server().await;
    server.register(&["user1", "user2"]).await;
    let user = server.chat_as("user1").await;
    let uuid = user.get(&server.chat_path("users/user1")).await.json()["application"].clone();
    let uuid = uuid.as_str().unwrap();
    let nothing = json!({});
    let path = |path: &str| server.chat_path(path);
    let table = [
        (user.get(&path("users/user2")).await, "get", "/users/user2"),
        (user.put(&path("users/user2"), &nothing).await, "put", "/users/user2"),
        (user.post(&path("users/user2/deactivate"), &nothing).await, "post", "/users/user2/deactivate"),
        (user.delete(&path("users/user2")).await, "delete", "/users/user2"),
        (user.get(&path("users")).await, "get", "/users"),
        (user.delete(&path("users?limit=1")).await, "delete", "/users"),
        (user.post(&path("users/batch/status"), &nothing).await, "post", "/users/batch/status"),
        (user.post(&path("mutes"), &nothing).await, "post", "/mutes"),
    ];
    for (reply, verb, path) in table {
        let text = format!("Subject does not have permission [applications:{verb}:{uuid}:{path}]");
        let body = refused(&reply, 401, "unauthorized", &text);
        assert_eq!(body["exception"], "org.apache.shiro.authz.UnauthorizedException");
    }
}
