//! What lets in at one app lets in at no other.

use http::Method;
use serde_json::{Value, json};
use stentor_testkit::{
    APP, CERTIFICATE, CHAT, ChatCredential, ChatLogin, ClientError, ClientOptions, OTHER_APP, OTHER_CHAT, TestServer,
};
use stentor_token::{dynamic, v007};

use super::{sides, started};
use crate::chat::refused;

const CORRUPT: (&str, &str) = ("auth_bad_access_token", "Unable to authenticate due to corrupt access token");

/// Every kind of token of the first app: of the app and of user1.
async fn tokens(server: &TestServer) -> Vec<(&'static str, String)> {
    let tenant = server.tenant(CHAT);
    let now_s = server.now_ms() / 1000;
    let key = tenant.key();
    let [_, _, client_id, client_secret] = CHAT;
    let issuer = dynamic::Issuer { app_key: &key, client_id, client_secret, max_ttl_s: dynamic::MAX_TTL_S };
    let of_007 = |user: &str, privilege: u16| {
        let kind = v007::ServiceKind::Chat { user: user.to_owned() };
        let issue = v007::Issue { issue_ts_s: u32::try_from(now_s).expect("a time"), expire_s: 600, salt: 1 };
        let service = v007::Service { privileges: [(privilege, 600)].into(), kind };
        v007::build(APP, CERTIFICATE, issue, &[service]).expect("a token")
    };
    vec![
        ("app", tenant.app_token().await),
        ("user", tenant.user_token("user1").await),
        ("app 007", of_007("", 2)),
        ("user 007", of_007("user1", 1)),
        ("dynamic", dynamic::build(&issuer, "user1", now_s, 600).expect("a token")),
    ]
}

/// Every endpoint that needs a token, as the description has it, with something in the place of its parameters.
fn endpoints() -> Vec<(Method, String)> {
    let described: Value =
        serde_json::from_str(&stentor_api_chat::openapi().to_json().expect("a description")).expect("JSON");
    let mut endpoints = Vec::new();
    for (path, methods) in described["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let method: Method = method.to_ascii_uppercase().parse().expect("a method");
            let open = operation["security"]
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one == &json!({})) || all.is_empty());
            if !open {
                let path = path.replace("{org_name}", OTHER_CHAT[0]).replace("{app_name}", OTHER_CHAT[1]);
                let parts = path.split('/').map(|part| if part.starts_with('{') { "user1" } else { part });
                endpoints.push((method, parts.collect::<Vec<_>>().join("/")));
            }
        }
    }
    assert!(endpoints.len() > 90, "{}", endpoints.len());
    endpoints
}

#[tokio::test]
async fn every_token_of_one_is_refused_at_every_endpoint_of_the_other() {
    let server = started().await;
    let endpoints = endpoints();
    for (kind, token) in tokens(&server).await {
        let http = server.anonymous().bearer(&token);
        let own = http.get(&server.tenant(CHAT).path("users/user1")).await;
        assert_eq!(own.code(), 200, "{kind}: good where it is from: {}", own.text());
        for (method, path) in &endpoints {
            let reply = http.send(method.clone(), path, "{}".into()).await;
            let body = reply.json();
            let found =
                (body["error"].as_str().unwrap_or_default(), body["error_description"].as_str().unwrap_or_default());
            // Registration has words of its own.
            let expected = if path.ends_with("/users")
                && method == Method::POST
                && !path.contains("/chat")
                && !path.contains("/messages")
                && !path.contains("/blocks")
            {
                ("unauthorized", "token is illegal.")
            } else {
                CORRUPT
            };
            assert_eq!((reply.code(), found), (401, expected), "{kind}: {method} {path}");
        }
        let by_id = http.get(&format!("/app-id/{OTHER_APP}/users/user1")).await;
        refused(&by_id, 401, CORRUPT.0, CORRUPT.1);
        // Neither here nor there, whatever it names.
        let crossed = http.get(&format!("/{}/{}/users/user1", CHAT[0], OTHER_CHAT[1])).await;
        assert_eq!(
            (crossed.code(), crossed.json()["error"].clone()),
            (404, json!("organization_application_not_found"))
        );
    }
}

#[tokio::test]
async fn credentials_of_one_get_no_token_of_the_other() {
    let server = started().await;
    let (ours, theirs) = sides(&server).await;
    let [_, _, id, secret] = CHAT;
    let body = json!({ "grant_type": "client_credentials", "client_id": id, "client_secret": secret });
    refused(&theirs.post("token", body).await, 400, "invalid_grant", "client_id does not match");
    let body = json!({ "grant_type": "client_credentials", "client_id": OTHER_CHAT[2], "client_secret": secret });
    refused(&theirs.post("token", body).await, 400, "invalid_grant", "client_secret does not match");
    ours.done("users", json!([{ "username": "only", "password": "pw" }])).await;
    ours.call(Method::PUT, "users/user1/password", r#"{"newpassword":"ours"}"#).await;
    let password = |user: &str| json!({ "grant_type": "password", "username": user, "password": "ours" });
    refused(&theirs.post("token", password("only")).await, 404, "invalid_grant", "user not found");
    refused(&theirs.post("token", password("user1")).await, 400, "invalid_grant", "invalid password");
    let http = ours.http.clone();
    let inherit = json!({ "grant_type": "inherit", "username": "user1" });
    let reply = http.post(&server.tenant(OTHER_CHAT).path("token"), &inherit).await;
    refused(&reply, 401, CORRUPT.0, CORRUPT.1);
}

#[tokio::test]
async fn credentials_of_one_connect_no_client_of_the_other() {
    let server = started().await;
    let (ours, _) = sides(&server).await;
    ours.call(Method::PUT, "users/user2/password", r#"{"newpassword":"ours"}"#).await;
    let theirs = server.tenant(OTHER_CHAT);
    let code = async |login: ChatLogin| match theirs.connect(login, ClientOptions::default()).await {
        Err(ClientError::LoginRefused { code, .. }) => code,
        other => panic!("not refused: {other:?}"),
    };
    for (kind, token) in tokens(&server).await {
        let login = ChatLogin { credential: ChatCredential::Token(token), ..theirs.login("user1") };
        assert_eq!(code(login).await, 104, "{kind}");
    }
    let login = ChatLogin { credential: ChatCredential::Password("ours".to_owned()), ..theirs.login("user2") };
    assert_eq!(code(login).await, 202);
    theirs.client("user2").await;
}
