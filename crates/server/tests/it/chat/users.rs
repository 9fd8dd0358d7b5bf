//! Users: registration and reading.

use serde_json::json;

use super::{refused, server};

#[tokio::test]
async fn a_user_is_registered_once() {
    let server = server().await;
    let chat = server.chat().await;
    let body = json!({ "username": "User1", "password": "123", "nickname": "U" });
    let reply = chat.post(&server.chat_path("users"), &body).await;
    assert_eq!(reply.code(), 200, "{}", reply.text());
    let user = &reply.json()["entities"][0];
    assert_eq!((user["username"].as_str(), user["activated"].as_bool()), (Some("user1"), Some(true)));
    let again = chat.post(&server.chat_path("users"), &json!({ "username": "user1", "password": "1" })).await;
    refused(
        &again,
        400,
        "duplicate_unique_property_exists",
        "Application null Entity user requires that property named username be unique, value of user1 exists",
    );
    let found = chat.get(&server.chat_path("users/USER1")).await.json();
    assert_eq!(&found["entities"][0], user);
    refused(
        &chat.get(&server.chat_path("users/nobody")).await,
        404,
        "service_resource_not_found",
        "Service resource not found",
    );
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
