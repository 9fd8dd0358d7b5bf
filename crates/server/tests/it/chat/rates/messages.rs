//! Messages are counted apart from calls, and clients by themselves: the core's rules.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stentor_api_chat::CORE_RATES;
use stentor_core::limits::Rule;
use stentor_testkit::{ChatOutgoing, ChatType, ClientError, ClientOptions, Http, Reply, TestApp, TestServer};

use super::{Duration, SECOND, refused};
use crate::chat::server;

const MINUTE: Duration = Duration::from_secs(60);

struct Backend {
    server: TestServer,
    chat: Http,
}

impl Backend {
    async fn new() -> Self {
        Self::of(server().await).await
    }

    async fn of(server: TestServer) -> Self {
        let chat = server.chat().await;
        Self { server, chat }
    }

    /// To so many receivers.
    async fn send(&self, endpoint: &str, receivers: usize, more: Value) -> Reply {
        let to: Vec<_> = (0..receivers).map(|number| format!("r{number}")).collect();
        let mut body = json!({ "to": to, "type": "txt", "body": { "msg": "hi" } });
        body.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        self.chat.post(&self.server.chat_path(&format!("messages/{endpoint}")), &body).await
    }

    #[track_caller]
    fn taken(reply: &Reply) {
        assert_eq!(reply.code(), 200, "{}", reply.text());
    }
}

#[track_caller]
fn too_many(reply: &Reply) {
    let body = refused(reply, 403, "message_send_error", "message send reach limit");
    assert_eq!(body["exception"], "MessageSendException");
}

#[track_caller]
fn too_often(reply: &Reply) {
    refused(reply, 429, "reach_limit", "This request has reached api limit");
}

#[test]
fn every_rule_has_the_number_of_the_documents() {
    let found: BTreeMap<_, _> = CORE_RATES.iter().map(|row| (row.name, (row.rate.count, row.rate.window_ms))).collect();
    let expected = [
        ("chat_client_logins_per_second", (10, 1000)),
        ("chat_client_messages_per_second", (100, 1000)),
        ("chat_messages_to_groups_per_second", (20, 1000)),
        ("chat_messages_to_rooms_per_second", (100, 1000)),
        ("chat_messages_to_users_per_minute", (6000, 60_000)),
        ("chat_targeted_messages_to_rooms_per_second", (100, 1000)),
    ];
    assert_eq!(found, expected.into());
    let rules: Vec<_> = CORE_RATES.iter().map(|row| row.rule).collect();
    let [users, groups, rooms] = [Rule::PeerSends, Rule::GroupSends, Rule::RoomSends];
    assert_eq!(rules, [users, groups, rooms, Rule::TargetedRoomSends, Rule::Logins, Rule::ClientSends]);
}

#[tokio::test]
async fn six_thousand_messages_a_minute_to_users() {
    let backend = Backend::new().await;
    for _ in 0..9 {
        Backend::taken(&backend.send("users", 600, json!({})).await);
    }
    Backend::taken(&backend.send("users", 599, json!({})).await);
    too_many(&backend.send("users", 2, json!({})).await);
    Backend::taken(&backend.send("users", 1, json!({})).await);
    too_many(&backend.send("users", 1, json!({})).await);
    backend.server.advance(MINUTE - Duration::from_millis(1));
    too_many(&backend.send("users", 1, json!({})).await);
    backend.server.advance(Duration::from_millis(1));
    Backend::taken(&backend.send("users", 600, json!({})).await);
}

#[tokio::test]
async fn twenty_messages_a_second_to_groups() {
    let backend = Backend::new().await;
    for groups in [3, 3, 3, 3, 3, 3, 1] {
        Backend::taken(&backend.send("chatgroups", groups, json!({})).await);
    }
    too_many(&backend.send("chatgroups", 2, json!({})).await);
    Backend::taken(&backend.send("chatgroups", 1, json!({})).await);
    too_many(&backend.send("chatgroups", 1, json!({})).await);
    backend.server.advance(SECOND);
    Backend::taken(&backend.send("chatgroups", 3, json!({})).await);
}

#[tokio::test]
async fn a_hundred_messages_a_second_to_rooms_and_a_call_for_ten_is_ten() {
    let backend = Backend::new().await;
    for _ in 0..9 {
        Backend::taken(&backend.send("chatrooms", 10, json!({})).await);
    }
    Backend::taken(&backend.send("chatrooms", 9, json!({})).await);
    too_many(&backend.send("chatrooms", 2, json!({})).await);
    Backend::taken(&backend.send("chatrooms", 1, json!({})).await);
    too_many(&backend.send("chatrooms", 1, json!({})).await);
    // Targeted ones have their own.
    Backend::taken(&backend.send("chatrooms/users", 1, json!({ "users": ["user2"] })).await);
    backend.server.advance(SECOND);
    Backend::taken(&backend.send("chatrooms", 10, json!({})).await);
}

#[tokio::test]
async fn a_hundred_targeted_messages_a_second_to_rooms() {
    let backend = Backend::new().await;
    let users = || json!({ "users": ["user2"] });
    for number in 0..100 {
        // Either route: it is the same message.
        let endpoint = if number % 2 == 0 { "chatrooms/users" } else { "chatrooms" };
        Backend::taken(&backend.send(endpoint, 1, users()).await);
    }
    too_many(&backend.send("chatrooms/users", 1, users()).await);
    too_many(&backend.send("chatrooms", 1, users()).await);
    // They have taken nothing of the others': a hundred, in twenty calls.
    for _ in 0..10 {
        Backend::taken(&backend.send("chatrooms", 10, json!({})).await);
    }
    backend.server.advance(SECOND - Duration::from_millis(1));
    too_many(&backend.send("chatrooms/users", 1, users()).await);
    backend.server.advance(Duration::from_millis(1));
    Backend::taken(&backend.send("chatrooms/users", 1, users()).await);
}

#[tokio::test]
async fn a_hundred_targeted_messages_a_second_to_groups() {
    let backend = Backend::new().await;
    let users = || json!({ "users": ["user2"] });
    for _ in 0..100 {
        Backend::taken(&backend.send("chatgroups/users", 1, users()).await);
    }
    too_often(&backend.send("chatgroups/users", 1, users()).await);
    // They have taken nothing of the others': twenty.
    for groups in [3, 3, 3, 3, 3, 3, 2] {
        Backend::taken(&backend.send("chatgroups", groups, json!({})).await);
    }
    backend.server.advance(SECOND);
    Backend::taken(&backend.send("chatgroups/users", 1, users()).await);
}

#[tokio::test]
async fn the_core_s_rates_are_configured_by_name() {
    let app = CORE_RATES.iter().fold(TestApp::new().chat(), |app, row| app.chat_limit(row.name, 1));
    let server = TestServer::builder().app(app).manual_clock().start().await;
    let backend = Backend::of(server).await;
    let targeted = json!({ "users": ["user2"] });
    for (endpoint, more) in
        [("users", json!({})), ("chatgroups", json!({})), ("chatrooms", json!({})), ("chatrooms/users", targeted)]
    {
        Backend::taken(&backend.send(endpoint, 1, more.clone()).await);
        too_many(&backend.send(endpoint, 1, more).await);
    }
}

#[tokio::test]
async fn ten_logins_a_second_of_one_user() {
    for (count, app) in
        [(10, TestApp::new().chat()), (1, TestApp::new().chat().chat_limit("chat_client_logins_per_second", 1))]
    {
        let server = TestServer::builder().app(app).manual_clock().start().await;
        server.register(&["user1", "user2"]).await;
        let mut clients = Vec::new();
        for _ in 0..count {
            clients.push(server.chat_client("user1").await);
        }
        let refusal = server.chat_connect(server.chat_login("user1"), ClientOptions::default()).await;
        assert!(matches!(&refusal, Err(ClientError::LoginRefused { code: 4, .. })), "{refusal:?}");
        clients.push(server.chat_client("user2").await);
        server.advance(SECOND);
        server.chat_client("user1").await;
    }
}

#[tokio::test]
async fn messages_of_one_client() {
    let app = TestApp::new().chat().chat_limit("chat_client_messages_per_second", 2);
    let server = TestServer::builder().app(app).manual_clock().start().await;
    server.register(&["user1", "user2"]).await;
    let (client, other) = (server.chat_client("user1").await, server.chat_client("user2").await);
    let hi = ChatOutgoing::text(ChatType::Chat, "user3", "hi");
    for _ in 0..2 {
        client.send(&hi).await.expect("taken");
    }
    let refusal = client.send(&hi).await;
    assert!(matches!(&refusal, Err(ClientError::Refused { code: 502, .. })), "{refusal:?}");
    other.send(&hi).await.expect("it has its own");
    server.advance(SECOND);
    client.send(&hi).await.expect("a second later");
}
