//! The Chat side of the app: tokens, rooms and groups, messages, and logging in.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use serde_json::{Value, json};

use super::login::{LoggedIn, wait_for};
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

/// A backend's token, and the requests that it makes with it.
#[derive(Debug, Clone)]
pub struct AppToken(String);

impl AppToken {
    /// A request without a body.
    #[must_use]
    pub fn get(&self, path: &str) -> Vec<u8> {
        request("GET", path, Some(&self.0), "")
    }

    /// A request with a body of JSON.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Vec<u8> {
        request("POST", path, Some(&self.0), &body.to_string())
    }

    /// The same with PUT.
    #[must_use]
    pub fn put(&self, path: &str, body: &Value) -> Vec<u8> {
        request("PUT", path, Some(&self.0), &body.to_string())
    }

    /// A text to a room. `level` is `high`, `normal` or `low`. Nothing may need escaping.
    #[must_use]
    pub fn room_message(&self, room: &str, level: &str, text: &str) -> Vec<u8> {
        let more = format!(r#","chatroom_msg_level":"{level}""#);
        self.message("messages/chatrooms", "admin", room, text, &more)
    }

    /// A text to a user. Nothing may need escaping.
    #[must_use]
    pub fn user_message(&self, from: &str, user: &str, text: &str) -> Vec<u8> {
        self.message("messages/users", from, user, text, "")
    }

    fn message(&self, path: &str, from: &str, to: &str, text: &str, more: &str) -> Vec<u8> {
        let body = format!(r#"{{"from":"{from}","to":["{to}"],"type":"txt","body":{{"msg":"{text}"}}{more}}}"#);
        request("POST", path, Some(&self.0), &body)
    }
}

/// A backend with a token.
#[derive(Debug)]
pub struct Backend {
    connection: HttpConnection,
    token: AppToken,
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
        let body = connection.expect_ok(&request("POST", "token", None, &asked.to_string())).await?;
        Ok(Self { token: AppToken(access_token(&serde_json::from_slice(&body)?)?), connection })
    }

    /// Connects with a token from before.
    ///
    /// # Errors
    /// When the server does not accept.
    pub async fn with_token(server: SocketAddr, token: AppToken) -> anyhow::Result<Self> {
        Ok(Self { connection: HttpConnection::open(server).await?, token })
    }

    /// The token.
    #[must_use]
    pub fn token(&self) -> &AppToken {
        &self.token
    }

    /// A token of a user, who is registered if that is not so yet. No password is hashed for it.
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn user_token(&mut self, user: &str) -> anyhow::Result<String> {
        let asked = json!({"grant_type": "inherit", "username": user, "autoCreateUser": true});
        access_token(&self.post("token", &asked).await?)
    }

    /// Makes a room of these users, the first of whom owns it. Returns its ID.
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn room(&mut self, users: &[String]) -> anyhow::Result<String> {
        let (owner, members) = users.split_first().context("a room has an owner")?;
        let asked = json!({"name": "room", "description": "room", "maxusers": users.len().max(2), "owner": owner});
        let reply = self.post("chatrooms", &asked).await?;
        let room = reply["data"]["id"].as_str().context("no room ID")?.to_owned();
        for members in members.chunks(AT_ONCE) {
            self.post(&format!("chatrooms/{room}/users"), &json!({"usernames": members})).await?;
        }
        Ok(room)
    }

    /// Makes a group. Returns its ID.
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn group(&mut self, owner: &str, members: &[&str]) -> anyhow::Result<String> {
        let asked = json!({
            "groupname": "group", "description": "group", "public": true, "maxusers": members.len() + 1,
            "owner": owner, "members": members,
        });
        let reply = self.post("chatgroups", &asked).await?;
        Ok(reply["data"]["groupid"].as_str().context("no group ID")?.to_owned())
    }

    /// What became of the messages of a room, by level: the `levels` of `GET chatrooms/{id}/delivery`.
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn delivery(&mut self, room: &str) -> anyhow::Result<Value> {
        let path = format!("chatrooms/{room}/delivery");
        let body = self.connection.expect_ok(&self.token.get(&path)).await.context(path)?;
        Ok(serde_json::from_slice::<Value>(&body)?["data"]["levels"].take())
    }

    /// Makes a push certificate of a webhook of the app's own.
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn webhook(&mut self, name: &str, url: &str, secret: &str) -> anyhow::Result<()> {
        let asked =
            json!({"name": name, "provider": "WEBHOOK", "certificate": secret, "webhookSettings": {"url": url}});
        self.post("notifiers", &asked).await.map(drop)
    }

    /// Binds a user's device with a push certificate.
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn bind(&mut self, user: &str, device: &str, notifier: &str, token: &str) -> anyhow::Result<()> {
        let asked = json!({"device_id": device, "notifier_name": notifier, "device_token": token});
        self.put(&format!("users/{user}/push/binding"), &asked).await.map(drop)
    }

    /// Puts, and returns the answer.
    ///
    /// # Errors
    /// When there is none, or it is not 200.
    pub async fn put(&mut self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let body = self.connection.expect_ok(&self.token.put(path, body)).await.with_context(|| path.to_owned())?;
        Ok(serde_json::from_slice(&body)?)
    }

    /// Posts, and returns the answer.
    ///
    /// # Errors
    /// When there is none, or it is not 200.
    pub async fn post(&mut self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let body = self.connection.expect_ok(&self.token.post(path, body)).await.with_context(|| path.to_owned())?;
        Ok(serde_json::from_slice(&body)?)
    }
}

fn access_token(reply: &Value) -> anyhow::Result<String> {
    Ok(reply["access_token"].as_str().context("no token")?.to_owned())
}

fn request(method: &str, path: &str, token: Option<&str>, body: &str) -> Vec<u8> {
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    format!(
        "{method} /{ORG}/{NAME}/{path} HTTP/1.1\r\nHost: localhost\r\n{authorization}\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Who logs in.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    /// The user.
    pub user: &'a str,
    /// Which of its devices.
    pub device: &'a str,
    /// The user's token.
    pub token: &'a str,
}

/// Connects a Chat client and logs it in. `resume` is the field of that name; `from` is the local address, where one
/// has not ports enough.
///
/// # Errors
/// When the connection fails or the login is refused ([`super::login::Refused`]).
pub async fn log_in(
    server: SocketAddr,
    from: Option<Ipv4Addr>,
    who: Login<'_>,
    resume: Option<Value>,
    scratch: &Scratch,
) -> anyhow::Result<LoggedIn> {
    let (mut source, sink) = connect(server, from, PATH, scratch).await?;
    let mut login = json!({
        "type": "login", "version": 1, "org": ORG, "app_name": NAME, "user": who.user, "device": who.device,
        "token": who.token,
    });
    if let Some(resume) = resume {
        login["resume"] = resume;
    }
    sink.send_text(&login.to_string())?;
    let mut early = Vec::new();
    let welcome = wait_for(&mut source, &mut early, |frame| frame["type"] == "welcome").await?;
    Ok(LoggedIn { source, sink, welcome, early })
}
