//! The texts that official clients branch on, from one table: status, key, exception and text of every refusal of the
//! documents' list.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use stentor_testkit::{CHAT, Http, TestApp, TestServer};

/// Who asks.
#[derive(Debug, Clone, Copy)]
enum Who {
    App,
    /// `user1`, with its own token.
    User,
    Nobody,
    /// With this text behind `Bearer `.
    Token(&'static str),
}

/// One request and its refusal.
struct Row {
    who: Who,
    method: Method,
    path: &'static str,
    body: Bytes,
    status: u16,
    error: &'static str,
    exception: Option<&'static str>,
    text: &'static str,
}

fn row(
    who: Who,
    request: &'static str,
    body: impl Into<Bytes>,
    refusal: (u16, &'static str, Option<&'static str>, &'static str),
) -> Row {
    let (method, path) = request.split_once(' ').expect("a method and a path");
    let (status, error, exception, text) = refusal;
    Row { who, method: method.parse().expect("a method"), path, body: body.into(), status, error, exception, text }
}

const SECURITY: Option<&str> = Some("EasemobSecurityException");
const UNAUTHORIZED: Option<&str> = Some("org.apache.shiro.authz.UnauthorizedException");
const ILLEGAL: Option<&str> = Some("java.lang.IllegalArgumentException");
const SEND: Option<&str> = Some("MessageSendException");
const NO_USER: (u16, &str, Option<&str>, &str) =
    (404, "service_resource_not_found", Some("UserNotFoundException"), "Service resource not found");

#[expect(clippy::too_many_lines, reason = "a table")]
fn table() -> Vec<Row> {
    let json = |value: Value| value.to_string();
    vec![
        // 400
        row(
            Who::App,
            "POST users",
            "{",
            (400, "json_parse", None, "Unexpected end-of-input\n at [Source: (InputStream); line: 1, column: 1]"),
        ),
        row(
            Who::App,
            "POST users",
            "a",
            (
                400,
                "json_parse",
                None,
                "Unexpected character ('a' (code 97)): expected a valid value\n at [Source: (InputStream); line: 1, column: 1]",
            ),
        ),
        row(
            Who::App,
            "POST users",
            json(json!({ "username": "a b", "password": "1" })),
            (400, "illegal_argument", ILLEGAL, "username [a b] is not legal"),
        ),
        row(
            Who::App,
            "POST users",
            json(json!({ "username": "a" })),
            (400, "illegal_argument", ILLEGAL, "password or pin must provided"),
        ),
        row(
            Who::App,
            "POST users",
            json(json!({ "username": "user1", "password": "1" })),
            (
                400,
                "duplicate_unique_property_exists",
                Some("DuplicateUniquePropertyExistsException"),
                "Application null Entity user requires that property named username be unique, value of user1 exists",
            ),
        ),
        row(
            Who::App,
            "POST messages/chatrooms",
            "{",
            (400, "invalid_request_body", None, "Request body is invalid. Please check body is correct."),
        ),
        row(Who::App, "POST messages/chatrooms", "{}", (400, "message_send_error", SEND, "param to can't be empty")),
        row(
            Who::App,
            "POST messages",
            "{}",
            (400, "illegal_argument", ILLEGAL, "target_type can only be 'users' or 'chatgroups' or 'chatrooms'"),
        ),
        row(
            Who::Nobody,
            "POST token",
            json(json!({ "grant_type": "password", "username": "user1", "password": "x" })),
            (400, "invalid_grant", None, "invalid password"),
        ),
        row(
            Who::Nobody,
            "POST token",
            json(json!({ "grant_type": "password", "username": "banned", "password": "pw" })),
            (400, "invalid_grant", None, "user not activated"),
        ),
        row(
            Who::Nobody,
            "POST token",
            json(json!({ "grant_type": "client_credentials", "client_id": "x", "client_secret": "y" })),
            (400, "invalid_grant", None, "client_id does not match"),
        ),
        row(
            Who::Nobody,
            "POST token",
            json(json!({ "grant_type": "client_credentials", "client_id": CHAT[2], "client_secret": "y" })),
            (400, "invalid_grant", None, "client_secret does not match"),
        ),
        row(
            Who::App,
            "POST mutes",
            json(json!({ "username": "nobody", "chat": 1 })),
            (
                400,
                "required_property_not_found",
                Some("RequiredPropertyNotFoundException"),
                "Entity user requires a property named username",
            ),
        ),
        row(
            Who::App,
            "POST users/batch/status",
            json(json!({ "usernames": vec!["a"; 101] })),
            (400, "illegal_argument", ILLEGAL, "request body exceeds maximum limit, maximum limit is 100"),
        ),
        // 401
        row(Who::Nobody, "GET users/user1", "", (401, "unauthorized", SECURITY, "Unable to authenticate (OAuth)")),
        row(
            Who::Token("nonsense"),
            "GET users/user1",
            "",
            (401, "auth_bad_access_token", SECURITY, "Unable to authenticate due to corrupt access token"),
        ),
        row(
            Who::Token("YWMtU29tZXRoaW5nIG9mIHRoZSB2ZW5kb3IncyBvd24"),
            "GET users/user1",
            "",
            (401, "auth_bad_access_token", SECURITY, "Unable to authenticate"),
        ),
        row(
            Who::User,
            "GET users/user2",
            "",
            (
                401,
                "unauthorized",
                UNAUTHORIZED,
                "Subject does not have permission [applications:get:<app>:/users/user2]",
            ),
        ),
        row(
            Who::Nobody,
            "POST users",
            json(json!({ "username": "a", "password": "1" })),
            (401, "unauthorized", None, "Open registration doesn't allow, so register user need token"),
        ),
        // 403
        row(
            Who::App,
            "POST messages/chatrooms/broadcast",
            json(json!({ "msg": { "type": "txt", "msg": "a" } })),
            (403, "forbidden_op", Some("EasemobForbiddenOpException"), "message broadcast service is unopened"),
        ),
        // 404
        row(Who::App, "GET users/nobody", "", NO_USER),
        row(Who::App, "DELETE users/nobody", "", NO_USER),
        row(
            Who::App,
            "PUT users/nobody/password",
            json(json!({ "newpassword": "a" })),
            (404, "entity_not_found", Some("EntityNotFoundException"), "User null not found"),
        ),
        row(
            Who::Nobody,
            "POST token",
            json(json!({ "grant_type": "password", "username": "nobody", "password": "x" })),
            (404, "invalid_grant", None, "user not found"),
        ),
        row(
            Who::App,
            "POST token",
            json(json!({ "grant_type": "inherit", "username": "nobody" })),
            (404, "entity_not_found", Some("EntityNotFoundException"), "User null not found"),
        ),
        row(Who::App, "GET nothing/of/that/name", "", (404, "web_application", None, "url is invalid")),
        // 405
        row(Who::App, "GET messages/chatrooms", "", (405, "method_not_allowed", None, "Method Not Allowed")),
        // 413
        row(
            Who::App,
            "POST users",
            vec![b' '; 600 * 1024],
            (413, "Request Entity Too Large", None, "Request Entity Too Large"),
        ),
    ]
}

async fn started() -> TestServer {
    let app = TestApp::new().chat().feature("broadcast", false);
    let server = TestServer::builder().app(app).manual_clock().start().await;
    server.register(&["user1", "user2", "banned"]).await;
    let reply = server.chat().await.post(&server.chat_path("users/banned/deactivate"), &json!({})).await;
    assert_eq!(reply.code(), 200, "{}", reply.text());
    server
}

#[tokio::test]
async fn every_refusal_of_the_documents_has_its_status_key_exception_and_text() {
    let server = started().await;
    let (app, user) = (server.chat().await, server.chat_as("user1").await);
    let uuid = app.get(&server.chat_path("users/user1")).await.json()["application"].as_str().unwrap().to_owned();
    for row in table() {
        server.advance(Duration::from_secs(60));
        let http: Http = match row.who {
            Who::App => app.clone(),
            Who::User => user.clone(),
            Who::Nobody => server.anonymous(),
            Who::Token(token) => server.anonymous().bearer(token),
        };
        let reply = http.send(row.method.clone(), &server.chat_path(row.path), row.body.clone()).await;
        let body = reply.json();
        let of = |name: &str| body.get(name).and_then(Value::as_str);
        let text = row.text.replace("<app>", &uuid);
        assert_eq!(
            (reply.code(), of("error"), of("exception"), of("error_description")),
            (row.status, Some(row.error), row.exception, Some(text.as_str())),
            "{} {}",
            row.method,
            row.path
        );
        assert!(body["timestamp"].is_u64() && body["duration"].is_u64(), "{body}");
    }
}

#[tokio::test]
async fn an_expired_token_says_so_and_a_compressed_body_is_of_no_supported_type() {
    let server = started().await;
    let body = json!({ "grant_type": "client_credentials", "client_id": CHAT[2], "client_secret": CHAT[3], "ttl": 1 });
    let token = server.anonymous().post(&server.chat_path("token"), &body).await.json();
    let chat = server.anonymous().bearer(token["access_token"].as_str().unwrap());
    let path = server.chat_path("users");
    let reply = chat.clone().header("content-encoding", "gzip").post(&path, &json!({})).await;
    super::refused(&reply, 415, "web_application", "Unsupported Media Type");
    server.advance(Duration::from_secs(1));
    let reply = chat.get(&path).await;
    super::refused(&reply, 401, "unauthorized", "Unable to authenticate due to expired access token");
}

#[tokio::test]
async fn a_body_is_json_whatever_its_type_says() {
    let server = started().await;
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/octet-stream", "nonsense"] {
        let chat = server.chat().await.header("content-type", media_type);
        let body = json!({ "to": ["1"], "type": "txt", "body": { "msg": "a" } }).to_string();
        let reply = chat.send(Method::POST, &server.chat_path("messages/chatrooms"), body.into()).await;
        assert_eq!(reply.code(), 200, "{media_type}: {}", reply.text());
    }
}
