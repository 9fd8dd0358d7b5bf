//! `DELETE users/{username}` and `DELETE users`.

use std::time::Duration;

use serde_json::json;
use stentor_core::session::{Closing, LogoutReason};

use crate::chat::{Connection, refused, server};

#[tokio::test]
async fn a_deleted_user_is_gone() {
    let server = server().await;
    let chat = server.chat().await;
    server.register(&["user1", "user2"]).await;
    let token = server.chat_as("user1").await;
    let client = Connection::open(&server, "user1", "web").await;
    chat.post(&server.chat_path("users/user2/contacts/users/user1"), &json!({})).await;
    let reply = chat.delete(&server.chat_path("users/USER1")).await.json();
    assert_eq!((&reply["action"], &reply["path"]), (&json!("delete"), &json!("/users")));
    assert_eq!(reply["entities"][0]["username"], "user1");
    assert_eq!(client.closed(), [Closing::LoggedOut(LogoutReason::Deleted)]);
    let not_found = (404, "service_resource_not_found", "Service resource not found");
    for again in [chat.delete(&server.chat_path("users/user1")).await, chat.get(&server.chat_path("users/user1")).await]
    {
        refused(&again, not_found.0, not_found.1, not_found.2);
    }
    let oauth = "Unable to authenticate (OAuth)";
    refused(&token.get(&server.chat_path("users/user1")).await, 401, "unauthorized", oauth);
    let contacts = chat.get(&server.chat_path("users/user2/contacts/users")).await.json();
    assert_eq!(contacts["data"], json!([]));
    // The next one of the name is somebody else.
    server.register(&["user1"]).await;
    refused(&token.get(&server.chat_path("users/user1")).await, 401, "unauthorized", oauth);
}

#[tokio::test]
async fn many_are_deleted_the_eldest_first() {
    let server = server().await;
    let chat = server.chat().await;
    for user in ["zoe", "bob", "alice"] {
        server.register(&[user]).await;
        server.advance(Duration::from_millis(1));
    }
    let first = chat.delete(&server.chat_path("users?limit=2")).await.json();
    let names: Vec<_> = first["entities"].as_array().unwrap().iter().map(|user| &user["username"]).collect();
    assert_eq!(names, ["zoe", "bob"]);
    assert_eq!(first["params"], json!({ "limit": ["2"] }));
    let cursor = first["cursor"].as_str().unwrap();
    let rest = chat.delete(&server.chat_path(&format!("users?limit=2&cursor={cursor}"))).await.json();
    assert_eq!((&rest["entities"][0]["username"], rest.get("cursor")), (&json!("alice"), None));
    let nobody = chat.delete(&server.chat_path("users")).await.json();
    assert_eq!(nobody["entities"], json!([]));
}

#[tokio::test]
async fn users_do_not_delete_users() {
    let server = server().await;
    server.register(&["user1", "user2"]).await;
    let user = server.chat_as("user1").await;
    for path in ["users/user1", "users/user2", "users"] {
        let reply = user.delete(&server.chat_path(path)).await;
        assert_eq!((reply.code(), &reply.json()["error"]), (401, &json!("unauthorized")), "{path}");
    }
}
