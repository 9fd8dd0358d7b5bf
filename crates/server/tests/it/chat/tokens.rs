//! Tokens: how they are got, and what they let in.

mod bearer;
mod expiry;
mod grants;
mod logged;
mod revocation;

use serde_json::{Value, json};
use stentor_testkit::{APP, CERTIFICATE, CHAT, Http, Reply, TestServer};
use stentor_token::{dynamic, v007};

/// An AccessToken2 with the right to be this user (nobody: the app) in Chat, made now, good for `expire_s`.
fn token_007(server: &TestServer, user: &str, expire_s: u32) -> String {
    token_007_of(server, APP, user, expire_s)
}

fn token_007_of(server: &TestServer, app_id: &str, user: &str, expire_s: u32) -> String {
    let issue_ts_s = u32::try_from(server.now_ms() / 1000).unwrap();
    let issue = v007::Issue { issue_ts_s, expire_s, salt: 1 };
    let privilege = if user.is_empty() { 2 } else { 1 };
    let kind = v007::ServiceKind::Chat { user: user.to_owned() };
    let service = v007::Service { privileges: [(privilege, expire_s)].into(), kind };
    v007::build(app_id, CERTIFICATE, issue, &[service]).unwrap()
}

/// A dynamic token of a user, made now.
fn token_dynamic(server: &TestServer, user: &str, ttl_s: u64) -> String {
    let app_key = format!("{}#{}", CHAT[0], CHAT[1]);
    let issuer = dynamic::Issuer {
        app_key: &app_key,
        client_id: CHAT[2],
        client_secret: CHAT[3],
        max_ttl_s: dynamic::MAX_TTL_S,
    };
    dynamic::build(&issuer, user, server.now_ms() / 1000, ttl_s).unwrap()
}

async fn ask(server: &TestServer, http: &Http, body: Value) -> Reply {
    http.post(&server.chat_path("token"), &body).await
}

/// The token that a body gets.
async fn token(server: &TestServer, http: &Http, body: Value) -> String {
    let reply = ask(server, http, body).await;
    reply.json()["access_token"].as_str().unwrap_or_else(|| panic!("{}", reply.text())).to_owned()
}

async fn user_token(server: &TestServer, user: &str) -> String {
    let body = json!({ "grant_type": "password", "username": user, "password": "pw" });
    token(server, &server.anonymous(), body).await
}

/// What a token is answered when it reads this user.
async fn read(server: &TestServer, token: &str, user: &str) -> Reply {
    server.anonymous().bearer(token).get(&server.chat_path(&format!("users/{user}"))).await
}
