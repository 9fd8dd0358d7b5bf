//! `POST users`.

use serde_json::{Value, json};
use stentor_testkit::{TestApp, TestServer};

use crate::chat::{refused, server};

const DUPLICATE: &str = "duplicate_unique_property_exists";

fn exists(name: &str) -> String {
    format!("Application null Entity user requires that property named username be unique, value of {name} exists")
}

#[tokio::test]
async fn a_user_is_registered_once() {
    let server = server().await;
    let chat = server.chat().await;
    let body = json!({ "username": "User1", "password": "123", "nickname": "U" });
    let reply = chat.post(&server.chat_path("users"), &body).await;
    assert_eq!(reply.code(), 200, "{}", reply.text());
    let reply = reply.json();
    assert_eq!((&reply["action"], &reply["path"]), (&json!("post"), &json!("/users")));
    let user = &reply["entities"][0];
    assert_eq!((user["username"].as_str(), user["activated"].as_bool()), (Some("user1"), Some(true)));
    assert_eq!((&user["type"], &user["nickname"], &user["created"]), (&json!("user"), &json!("U"), &user["modified"]));
    for name in ["user1", "USER1"] {
        let again = chat.post(&server.chat_path("users"), &json!({ "username": name, "password": "1" })).await;
        let body = refused(&again, 400, DUPLICATE, &exists(name));
        assert_eq!(body["exception"], "DuplicateUniquePropertyExistsException");
    }
    let found = chat.get(&server.chat_path("users/USER1")).await.json();
    assert_eq!(&found["entities"][0], user);
}

#[tokio::test]
async fn what_is_not_right_is_refused_and_registers_nobody() {
    let server = server().await;
    let chat = server.chat().await;
    let long = |count: usize| "x".repeat(count);
    let table = [
        (json!({ "password": "p" }), "username [] is not legal"),
        (json!({ "username": "", "password": "p" }), "username [] is not legal"),
        (json!({ "username": "a b", "password": "p" }), "username [a b] is not legal"),
        (json!({ "username": "中", "password": "p" }), "username [中] is not legal"),
        (json!({ "username": long(65), "password": "p" }), "USERNAME_TOO_LONG"),
        (json!({ "username": "u" }), "password or pin must provided"),
        (json!({ "username": "u", "password": "" }), "password or pin must provided"),
        (json!({ "username": "u", "password": null }), "password or pin must provided"),
        (json!({ "username": "u", "password": long(65) }), "PASSWORD_TOO_LONG"),
        (json!({ "username": "u", "password": "p", "nickname": "中".repeat(101) }), "NICKNAME_TOO_LONG"),
        (json!({ "username": 1, "password": "p" }), "parameters is invalid : username"),
        (json!("u"), "this is an invalid request."),
    ];
    for (body, text) in table {
        let reply = chat.post(&server.chat_path("users"), &body).await;
        let refusal = refused(&reply, 400, "illegal_argument", text);
        assert_eq!(refusal["exception"], "java.lang.IllegalArgumentException");
        // The same in a list, with a good one in front.
        if body.is_object() {
            let list = json!([{ "username": "good", "password": "p" }, body]);
            refused(&chat.post(&server.chat_path("users"), &list).await, 400, "illegal_argument", text);
        }
    }
    assert_eq!(chat.get(&server.chat_path("users")).await.json()["count"], 0);
    let limits = json!({ "username": long(64), "password": "中".repeat(64), "nickname": "中".repeat(100) });
    assert_eq!(chat.post(&server.chat_path("users"), &limits).await.code(), 200);
    let broken = chat.send(http::Method::POST, &server.chat_path("users"), "{\"username\"=1}".into()).await;
    let refusal = broken.json();
    assert_eq!((broken.code(), &refusal["error"]), (400, &json!("json_parse")));
    let text = refusal["error_description"].as_str().unwrap();
    assert!(text.starts_with("Unexpected character ('=' (code 61))"), "{text}");
}

#[tokio::test]
async fn a_list_registers_whom_it_can() {
    let server = server().await;
    let chat = server.chat().await;
    server.register(&["user3"]).await;
    let body = json!([
        { "username": "user1", "password": "123" },
        { "username": "user2", "password": "456" },
        { "username": "user3", "password": "789" },
        { "username": "user1", "password": "123" },
    ]);
    let reply = chat.post(&server.chat_path("users"), &body).await.json();
    let names: Vec<_> = reply["entities"].as_array().unwrap().iter().map(|user| &user["username"]).collect();
    assert_eq!(names, ["user1", "user2"]);
    let failed =
        |name: &str| json!({ "username": name, "registerUserFailReason": format!("the {name} already exists") });
    assert_eq!(reply["data"], json!([failed("user3"), failed("user1")]));
    let all_new = chat.post(&server.chat_path("users"), &json!([{ "username": "user4", "password": "1" }])).await;
    assert_eq!(all_new.json()["data"], json!([]));
    let two_passwords = json!([{ "username": "user5", "password": "1" }, { "username": "USER5", "password": "2" }]);
    let reply = chat.post(&server.chat_path("users"), &two_passwords).await;
    refused(&reply, 400, DUPLICATE, "the same user USER5 has a different password, the passwords are ***");
    refused(
        &chat.post(&server.chat_path("users"), &json!([1])).await,
        400,
        "illegal_argument",
        "this is an invalid request.",
    );
}

#[tokio::test]
async fn a_list_has_60_users_at_most() {
    let server = server().await;
    let chat = server.chat().await;
    // The same user again and again costs one hash.
    let list = |count: usize| Value::from(vec![json!({ "username": "user", "password": "p" }); count]);
    let reply = chat.post(&server.chat_path("users"), &list(61)).await;
    let text = "Request body array size[61] had almost reached or been greater than the upper range value[60]";
    refused(&reply, 400, "illegal_argument", text);
    let reply = chat.post(&server.chat_path("users"), &list(60)).await.json();
    assert_eq!((reply["entities"].as_array().unwrap().len(), reply["data"].as_array().unwrap().len()), (1, 59));
}

#[tokio::test]
async fn without_open_registration_only_the_backend_registers() {
    let server = server().await;
    server.register(&["user1"]).await;
    let body = json!({ "username": "user2", "password": "p" });
    let path = server.chat_path("users");
    let text = "Open registration doesn't allow, so register user need token";
    refused(&server.anonymous().post(&path, &body).await, 401, "unauthorized", text);
    let text = "registration is not open, please contact the app admin";
    refused(&server.chat_as("user1").await.post(&path, &body).await, 401, "unauthorized", text);
    let bad = server.anonymous().bearer("nonsense");
    refused(&bad.post(&path, &body).await, 401, "unauthorized", "token is illegal.");
    let chat = server.chat().await;
    let text = "Unable to authenticate (OAuth)";
    let deactivated = server.chat_as("user1").await;
    chat.post(&server.chat_path("users/user1/deactivate"), &json!({})).await;
    refused(&deactivated.post(&path, &body).await, 401, "unauthorized", text);
    assert_eq!(chat.post(&path, &body).await.code(), 200);
}

#[tokio::test]
async fn with_open_registration_anybody_registers_one() {
    let app = TestApp::new().chat().chat_option("open_registration = true");
    let server = TestServer::builder().app(app).manual_clock().start().await;
    let path = server.chat_path("users");
    let body = json!({ "username": "user1", "password": "p" });
    assert_eq!(server.anonymous().post(&path, &body).await.code(), 200);
    refused(&server.anonymous().post(&path, &body).await, 400, DUPLICATE, &exists("user1"));
    let text = "Open registration doesn't allow, so register user need token";
    refused(&server.anonymous().post(&path, &json!([body])).await, 401, "unauthorized", text);
    let list = json!([{ "username": "user2", "password": "p" }]);
    assert_eq!(server.chat().await.post(&path, &list).await.code(), 200);
}

#[tokio::test]
async fn registrations_have_a_rate() {
    let app = TestApp::new().chat().chat_limit("chat_registrations_per_second", 2);
    let server = TestServer::builder().app(app).manual_clock().start().await;
    let chat = server.chat().await;
    for name in ["a", "b"] {
        assert_eq!(
            chat.post(&server.chat_path("users"), &json!({ "username": name, "password": "p" })).await.code(),
            200
        );
    }
    let body = json!({ "nickname": "n" });
    refused(
        &chat.put(&server.chat_path("users/a"), &body).await,
        429,
        "reach_limit",
        "This request has reached api limit",
    );
    server.advance(std::time::Duration::from_secs(1));
    assert_eq!(chat.put(&server.chat_path("users/a"), &body).await.code(), 200);
}

const RESOURCE_LIMITED: &str =
    "You have exceeded the limit of the community edition,Please upgrade to the enterprise edition";

#[tokio::test]
async fn one_user_more_than_the_app_may_have_is_refused() {
    let app = TestApp::new().chat().chat_option("users = 2");
    let server = TestServer::builder().app(app).manual_clock().start().await;
    let chat = server.chat().await;
    let path = server.chat_path("users");
    let user = |name: &str| json!({ "username": name, "password": "p" });
    assert_eq!(chat.post(&path, &user("user1")).await.code(), 200);
    // Of a list, as many come in as there is room for; the others are named.
    let reply = chat.post(&path, &json!([user("user1"), user("user2"), user("user3")])).await.json();
    assert_eq!(reply["entities"][0]["username"], "user2");
    let failed = json!([
        { "username": "user1", "registerUserFailReason": "the user1 already exists" },
        { "username": "user3", "registerUserFailReason": RESOURCE_LIMITED },
    ]);
    assert_eq!((reply["entities"].as_array().map(Vec::len), &reply["data"]), (Some(1), &failed));
    let full = |reply: &stentor_testkit::Reply| {
        refused(reply, 429, "resource_limited", RESOURCE_LIMITED);
    };
    full(&chat.post(&path, &user("user3")).await);
    full(&chat.post(&path, &json!([user("user3")])).await);
    refused(&chat.post(&path, &user("user1")).await, 400, DUPLICATE, &exists("user1"));
    let inherit = |name: &str| json!({ "grant_type": "inherit", "username": name, "autoCreateUser": true });
    let token = server.chat_path("token");
    full(&chat.post(&token, &inherit("user3")).await);
    assert_eq!(chat.post(&token, &inherit("user2")).await.code(), 200, "it is there");
    assert_eq!(chat.delete(&server.chat_path("users/user1")).await.code(), 200);
    assert_eq!(chat.post(&token, &inherit("user3")).await.code(), 200);
    full(&chat.post(&path, &user("user4")).await);
}
