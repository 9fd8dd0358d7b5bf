//! `GET users/{username}` and `GET users`.

use std::time::Duration;

use serde_json::{Value, json};
use stentor_testkit::Http;

use crate::chat::{refused, server};

#[tokio::test]
async fn one_user_is_read() {
    let server = server().await;
    let chat = server.chat().await;
    server.register(&["user1"]).await;
    let reply = chat.get(&server.chat_path("users/User1")).await.json();
    assert_eq!((&reply["action"], &reply["path"], &reply["count"]), (&json!("get"), &json!("/users"), &json!(1)));
    assert_eq!(reply["entities"][0]["username"], "user1");
    assert_eq!(reply["entities"][0].get("nickname"), None);
    for nobody in ["users/nobody", "users/a%20b", "users/%E4%B8%AD"] {
        let body = refused(
            &chat.get(&server.chat_path(nobody)).await,
            404,
            "service_resource_not_found",
            "Service resource not found",
        );
        assert_eq!(body["exception"], "UserNotFoundException");
    }
    let path = server.chat_path("users/user1");
    let oauth = "Unable to authenticate (OAuth)";
    refused(&server.anonymous().get(&path).await, 401, "unauthorized", oauth);
}

#[tokio::test]
async fn both_prefixes_lead_to_the_app_and_others_to_none() {
    let server = server().await;
    let chat = server.chat().await;
    server.register(&["user1"]).await;
    let by_id = chat.get(&format!("/app-id/{}/users/user1", stentor_testkit::APP)).await;
    assert_eq!(by_id.code(), 200, "{}", by_id.text());
    let other = chat.get("/easemob-demo/other/users/user1").await;
    refused(
        &other,
        404,
        "organization_application_not_found",
        "Could not find application for easemob-demo/other from URI: easemob-demo/other/users/user1",
    );
    refused(&chat.get(&server.chat_path("nothing")).await, 404, "web_application", "url is invalid");
    refused(&chat.delete(&server.chat_path("token")).await, 405, "method_not_allowed", "Method Not Allowed");
}

fn names(reply: &Value) -> Vec<&str> {
    reply["entities"].as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn users_are_listed_page_by_page_in_the_order_of_their_registration() {
    let server = server().await;
    let chat = server.chat().await;
    for user in ["zoe", "bob", "alice"] {
        server.register(&[user]).await;
        server.advance(Duration::from_millis(1));
    }
    let first = chat.get(&server.chat_path("users?limit=2")).await.json();
    assert_eq!(
        (names(&first), &first["count"], &first["params"]),
        (vec!["zoe", "bob"], &json!(2), &json!({ "limit": ["2"] }))
    );
    assert!(first["uri"].as_str().unwrap().ends_with("/users"), "{first}");
    let cursor = first["cursor"].as_str().unwrap();
    let rest = chat.get(&server.chat_path(&format!("users?limit=2&cursor={cursor}"))).await.json();
    assert_eq!((names(&rest), rest.get("cursor")), (vec!["alice"], None));
    assert_eq!(rest["params"], json!({ "limit": ["2"], "cursor": [cursor] }));
    let all = chat.get(&server.chat_path("users?limit=3")).await.json();
    assert_eq!((names(&all).len(), all.get("cursor")), (3, None));
    assert_eq!(chat.get(&server.chat_path("users")).await.json()["params"], json!({}));
    let bad = chat.get(&server.chat_path("users?cursor=x")).await;
    refused(&bad, 400, "illegal_argument", "parameters is invalid : cursor");
}

async fn many(chat: &Http, path: &str) -> usize {
    names(&chat.get(path).await.json()).len()
}

#[tokio::test]
async fn a_page_has_10_users_by_itself_and_100_at_most() {
    let server = server().await;
    let chat = server.chat().await;
    for number in 0..101 {
        let name = stentor_core::id::UserId::from_trusted(&format!("user{number}"));
        let new = stentor_core::directory::users::NewUser { name, password_hash: None, nickname: None };
        server.node().register(&crate::chat::app(&server), new).await.unwrap();
    }
    for (limit, count) in [("", 10), ("?limit=0", 10), ("?limit=x", 10), ("?limit=100", 100), ("?limit=101", 100)] {
        assert_eq!(many(&chat, &server.chat_path(&format!("users{limit}"))).await, count, "{limit}");
    }
}

#[tokio::test]
async fn a_user_does_not_list_users() {
    let server = server().await;
    server.register(&["user1"]).await;
    let reply = server.chat_as("user1").await.get(&server.chat_path("users")).await.json();
    let text = reply["error_description"].as_str().unwrap();
    assert!(text.starts_with("Subject does not have permission [applications:get:"), "{text}");
    assert!(text.ends_with(":/users]"), "{text}");
}
