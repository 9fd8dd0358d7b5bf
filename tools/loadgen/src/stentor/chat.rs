//! The Chat side of the app: tokens, a room full of members, messages to it, and logging in.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::login::{LoggedIn, wait_for};
use super::request::Template;
use crate::wire::http::HttpConnection;
use crate::wire::websocket::{Scratch, connect};

/// The app's organisation.
pub const ORG: &str = "acme";
/// Its name.
pub const NAME: &str = "demo";
/// What its backend gets tokens with.
pub const CLIENT_ID: &str = "YXA6demo";
/// The secret of it.
pub const CLIENT_SECRET: &str = "YXA6secret";

/// Where Chat clients connect.
pub const PATH: &str = "/ws/chat";

/// Users that are put into a room in one call (Chat room documents).
const AT_ONCE: usize = 60;

/// A backend with an app token.
#[derive(Debug)]
pub struct Backend {
    connection: HttpConnection,
    token: String,
}

impl Backend {
    /// Connects and gets a token.
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn open(server: SocketAddr) -> anyhow::Result<Self> {
        let mut connection = HttpConnection::open(server).await?;
        let asked = json!({
            "grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
        });
        let body = connection.expect_ok(&request("POST", "token", None, Some(&asked.to_string()))).await?;
        Ok(Self { token: access_token(&body)?, connection })
    }

    /// A token of a user, who is registered if that is not so yet. No password is hashed for it.
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn user_token(&mut self, user: &str) -> anyhow::Result<String> {
        let asked = json!({"grant_type": "inherit", "username": user, "autoCreateUser": true});
        access_token(&self.call("POST", "token", Some(&asked)).await?)
    }

    /// Makes a room of these users, the first of whom owns it. Returns its ID.
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn room(&mut self, users: &[String]) -> anyhow::Result<String> {
        let (owner, members) = users.split_first().context("a room has an owner")?;
        let asked = json!({
            "name": "bench", "description": "bench", "maxusers": users.len(), "owner": owner,
        });
        let body = self.call("POST", "chatrooms", Some(&asked)).await?;
        let reply: Value = serde_json::from_slice(&body)?;
        let room = reply["data"]["id"].as_str().context("no room ID")?.to_owned();
        for members in members.chunks(AT_ONCE) {
            let asked = json!({"usernames": members});
            self.call("POST", &format!("chatrooms/{room}/users"), Some(&asked)).await?;
        }
        Ok(room)
    }

    /// What became of the messages of a room, by level: the `levels` of `GET chatrooms/{id}/delivery`.
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn delivery(&mut self, room: &str) -> anyhow::Result<Value> {
        let body = self.call("GET", &format!("chatrooms/{room}/delivery"), None).await?;
        Ok(serde_json::from_slice::<Value>(&body)?["data"]["levels"].take())
    }

    /// A request that sends to a room. The payload is a [`super::notice::blank_payload`].
    #[must_use]
    pub fn room_message(&self, room: &str, level: &str, payload: &str) -> Template {
        let body = format!(
            r#"{{"from":"admin","to":["{room}"],"type":"txt","body":{{"msg":"{payload}"}},"chatroom_msg_level":"{level}"}}"#
        );
        Template::new(request("POST", "messages/chatrooms", Some(&self.token), Some(&body)))
    }

    async fn call(&mut self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Vec<u8>> {
        let body = body.map(ToString::to_string);
        let bytes = request(method, path, Some(&self.token), body.as_deref());
        self.connection.expect_ok(&bytes).await.with_context(|| format!("{method} {path}"))
    }
}

fn access_token(body: &[u8]) -> anyhow::Result<String> {
    let reply: Value = serde_json::from_slice(body)?;
    Ok(reply["access_token"].as_str().context("no token")?.to_owned())
}

fn request(method: &str, path: &str, token: Option<&str>, body: Option<&str>) -> Vec<u8> {
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let body = body.unwrap_or_default();
    format!(
        "{method} /{ORG}/{NAME}/{path} HTTP/1.1\r\nHost: localhost\r\n{authorization}\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Connects a Chat client and logs it in.
///
/// # Errors
/// When the connection fails or the login is refused.
pub async fn log_in(server: SocketAddr, user: &str, token: &str, scratch: &Scratch) -> anyhow::Result<LoggedIn> {
    let (mut source, sink) = connect(server, None, PATH, scratch).await?;
    let login = json!({"type": "login", "version": 1, "org": ORG, "app_name": NAME, "user": user, "token": token});
    sink.send_text(&login.to_string())?;
    let mut early = Vec::new();
    let welcome = wait_for(&mut source, &mut early, |frame| frame["type"] == "welcome").await?;
    if welcome["rooms"].as_array().is_none_or(Vec::is_empty) {
        bail!("{user} is in no room");
    }
    Ok(LoggedIn { source, sink, welcome, early })
}
