//! The texts that official clients branch on, from one table: status, key, exception and text of every refusal of the
//! documents' list that there is here.

mod served;
mod table;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use stentor_core::store::Store;
use stentor_core::store::memory::MemoryStore;
use stentor_testkit::{CHAT, Http, TestApp, TestServer};

/// Who asks.
#[derive(Debug, Clone, Copy)]
enum Who {
    App,
    /// `user1`, with its own token.
    User,
    Nobody,
    /// The app's backend, with a token of yesterday.
    Expired,
    /// With this text behind `Bearer `.
    Token(&'static str),
}

/// Where it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum World {
    /// An app as it is without configuration.
    Usual,
    /// Every feature is off.
    Off,
    /// Of everything there may be one.
    Small,
    /// The store takes nothing more.
    Full,
    /// The store does not work.
    Broken,
}

const WORLDS: [World; 5] = [World::Usual, World::Off, World::Small, World::Full, World::Broken];

/// One request and its refusal.
struct Row {
    world: World,
    who: Who,
    /// Requests of the backend that succeed before: method, path and body.
    before: &'static [&'static str],
    method: Method,
    /// Behind the app, or from the root if it begins with a slash.
    path: &'static str,
    header: Option<(&'static str, &'static str)>,
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
    (status, error, exception, text): (u16, &'static str, Option<&'static str>, &'static str),
) -> Row {
    let (method, path) = request.split_once(' ').expect("a method and a path");
    let (method, body) = (method.parse().expect("a method"), body.into());
    Row { world: World::Usual, who, before: &[], method, path, header: None, body, status, error, exception, text }
}

impl Row {
    fn at(self, world: World) -> Self {
        Self { world, ..self }
    }

    fn after(self, before: &'static [&'static str]) -> Self {
        Self { before, ..self }
    }

    fn with(self, name: &'static str, value: &'static str) -> Self {
        Self { header: Some((name, value)), ..self }
    }
}

/// A form with a file that holds `text`, and the boundary `b`.
fn form(text: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n{text}\r\n--b--\r\n")
}

struct Asked {
    server: TestServer,
    app: Http,
    user: Http,
    expired: Http,
    /// What stands for what in paths and texts.
    names: Vec<(&'static str, String)>,
}

impl Asked {
    async fn new(world: World) -> Self {
        let app = TestApp::new().chat();
        let app = match world {
            World::Usual | World::Full | World::Broken => app,
            World::Off => ["broadcast", "recall", "rewrite", "roaming", "presence", "metadata"]
                .into_iter()
                .fold(app, |app, feature| app.feature(feature, false)),
            World::Small => ["rooms", "rooms_per_user", "file_bytes", "broadcasts_per_day"]
                .into_iter()
                .fold(app, |app, key| app.chat_option(&format!("{key} = 1")))
                .chat_option("users = 3\nfile_retention_s = 30")
                .chat_limit("chat_messages_to_rooms_per_second", 1)
                .chat_limit("chat_user_reads_per_second", 1),
        };
        let store = Arc::new(MemoryStore::new());
        let server = TestServer::builder().app(app).store(store.clone()).manual_clock().start().await;
        server.register(&["user1", "user2", "banned"]).await;
        let body =
            json!({ "grant_type": "client_credentials", "client_id": CHAT[2], "client_secret": CHAT[3], "ttl": 1 });
        let token = server.anonymous().post(&server.chat_path("token"), &body).await.json();
        let expired = server.anonymous().bearer(token["access_token"].as_str().expect("a token"));
        let (app, user) = (server.chat().await, server.chat_as("user1").await);
        let mut asked = Self { server, app, user, expired, names: Vec::new() };
        asked.prepare(token["application"].as_str().expect("a UUID")).await;
        match world {
            World::Full => store.refuse_writes(true),
            World::Broken => store.close().await.expect("closes"),
            _ => {}
        }
        asked
    }

    async fn prepare(&mut self, uuid: &str) {
        self.ok("POST users/banned/deactivate").await;
        let room = self.ok(r#"POST chatrooms {"name":"r","description":"d","owner":"user1"}"#).await;
        let group = self.ok(r#"POST chatgroups {"groupname":"g","public":true,"owner":"user1"}"#).await;
        let message = r#"POST messages/users {"from":"user1","to":["user2"],"type":"txt","body":{"msg":"a"}}"#;
        let message = self.ok(message).await;
        let http = self.app.clone().header("content-type", "multipart/form-data; boundary=b");
        let file = http.send(Method::POST, &self.server.chat_path("chatfiles"), form("x").into()).await.json();
        let found = [
            ("<app>", &json!(uuid)),
            ("<room>", &room["data"]["id"]),
            ("<group>", &group["data"]["groupid"]),
            ("<message>", &message["data"]["user2"]),
            ("<file>", &file["entities"][0]["uuid"]),
        ];
        self.names = found.map(|(name, value)| (name, value.as_str().expect("an ID").to_owned())).into();
    }

    fn named(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    /// A request of the backend that succeeds.
    async fn ok(&self, request: &str) -> Value {
        let mut parts = request.splitn(3, ' ');
        let method: Method = parts.next().expect("a method").parse().expect("a method");
        let path = self.server.chat_path(&self.named(parts.next().expect("a path")));
        let body = parts.next().unwrap_or_default().to_owned();
        let reply = self.app.send(method, &path, body.into()).await;
        assert_eq!(reply.code(), 200, "{request}: {}", reply.text());
        reply.json()
    }

    async fn check(&self, row: &Row) {
        // Every row begins with all of its rates, apart from those of a day.
        self.server.advance(Duration::from_secs(60));
        for request in row.before {
            self.ok(request).await;
        }
        let http = match row.who {
            Who::App => self.app.clone(),
            Who::User => self.user.clone(),
            Who::Nobody => self.server.anonymous(),
            Who::Expired => self.expired.clone(),
            Who::Token(token) => self.server.anonymous().bearer(token),
        };
        let http = row.header.iter().fold(http, |http, (name, value)| http.header(name, value));
        let path = self.named(row.path);
        let path = if path.starts_with('/') { path } else { self.server.chat_path(&path) };
        let reply = http.send(row.method.clone(), &path, row.body.clone()).await;
        let body = reply.json();
        let of = |name: &str| body.get(name).and_then(Value::as_str);
        assert_eq!(
            (reply.code(), of("error"), of("exception"), of("error_description")),
            (row.status, Some(row.error), row.exception, Some(self.named(row.text).as_str())),
            "{} {} ({:?})",
            row.method,
            row.path,
            row.world
        );
        assert!(body["timestamp"].is_u64() && body["duration"].is_u64(), "{body}");
    }
}

/// Every row.
fn rows() -> Vec<Row> {
    table::table().into_iter().chain(table::more()).collect()
}

#[tokio::test]
async fn every_refusal_of_the_documents_has_its_status_key_exception_and_text() {
    let rows = rows();
    for world in WORLDS {
        let asked = Asked::new(world).await;
        for row in rows.iter().filter(|row| row.world == world) {
            asked.check(row).await;
        }
    }
}

#[tokio::test]
async fn a_body_is_json_whatever_its_type_says() {
    let server = super::server().await;
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/octet-stream", "nonsense"] {
        let chat = server.chat().await.header("content-type", media_type);
        let body = json!({ "to": ["1"], "type": "txt", "body": { "msg": "a" } }).to_string();
        let reply = chat.send(Method::POST, &server.chat_path("messages/chatrooms"), body.into()).await;
        assert_eq!(reply.code(), 200, "{media_type}: {}", reply.text());
    }
}
