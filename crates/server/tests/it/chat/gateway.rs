//! Chat clients of the whole server: who gets in and for how long, and what REST and clients send each other.

use std::time::Duration;

use serde_json::{Value, json};
use stentor_testkit::{
    APP, CERTIFICATE, CHAT, ChatAppName, ChatClient, ChatCredential, ChatEvent, ChatLogin, ChatMessage, ChatOutgoing,
    ChatType, ClientError, ClientOptions, DEADLINE, Http, TestApp, TestServer, token,
};
use stentor_token::v007;

use super::{app, server};

/// A token of the service Chat, made now.
fn token_007(server: &TestServer, service: v007::Service) -> String {
    let issue_ts_s = u32::try_from(server.now_ms() / 1000).unwrap();
    v007::build(APP, CERTIFICATE, v007::Issue { issue_ts_s, expire_s: 600, salt: 1 }, &[service]).unwrap()
}

fn with(server: &TestServer, user: &str, credential: ChatCredential) -> ChatLogin {
    ChatLogin { credential, ..server.chat_login(user) }
}

fn by_token(server: &TestServer, user: &str, token: &str) -> ChatLogin {
    with(server, user, ChatCredential::Token(token.to_owned()))
}

async fn connect(server: &TestServer, login: ChatLogin) -> Result<ChatClient, ClientError> {
    tokio::time::timeout(DEADLINE, server.chat_connect(login, ClientOptions::default())).await.expect("in time")
}

async fn refused(server: &TestServer, login: ChatLogin) -> u32 {
    match connect(server, login).await {
        Err(ClientError::LoginRefused { code, .. }) => code,
        other => panic!("not refused: {other:?}"),
    }
}

async fn event(client: &mut ChatClient) -> ChatEvent {
    tokio::time::timeout(DEADLINE, client.next()).await.expect("in time").expect("an event")
}

async fn message(client: &mut ChatClient) -> ChatMessage {
    loop {
        match event(client).await {
            ChatEvent::Message(message) => return message,
            ChatEvent::Closed { code } => panic!("closed: {code:?}"),
            _ => {}
        }
    }
}

async fn closed(client: &mut ChatClient) -> Option<u16> {
    loop {
        if let ChatEvent::Closed { code } = event(client).await {
            return code;
        }
    }
}

fn text(message: &ChatMessage) -> String {
    message.body.value()["msg"].as_str().unwrap().to_owned()
}

async fn post(server: &TestServer, chat: &Http, path: &str, body: Value) -> Value {
    let reply = chat.post(&server.chat_path(path), &body).await;
    assert_eq!(reply.code(), 200, "{path}: {}", reply.text());
    reply.json()
}

async fn user_token(server: &TestServer, ttl: u64) -> String {
    let body = json!({ "grant_type": "password", "username": "bob", "password": "pw", "ttl": ttl });
    let reply = post(server, &server.anonymous(), "token", body).await;
    reply["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_credential_of_a_user_lets_in() {
    let server = server().await;
    server.register(&["bob"]).await;
    let ours = user_token(&server, 600).await;
    let signed = token_007(&server, v007::Service::chat_user("bob", 600));
    let by_id = ChatAppName::Id { app_id: APP.to_owned() };
    let in_capitals = ChatAppName::Names { org: CHAT[0].to_uppercase(), app_name: CHAT[1].to_uppercase() };
    for login in [
        server.chat_login("bob"),
        server.chat_login("BOB"),
        by_token(&server, "bob", &ours),
        by_token(&server, "bob", &signed),
        ChatLogin { app: by_id, ..server.chat_login("bob") },
        ChatLogin { app: in_capitals, ..server.chat_login("bob") },
    ] {
        let client = connect(&server, login).await.expect("logged in");
        assert_eq!((client.welcome().user.as_str(), client.welcome().device.as_str()), ("bob", "web"));
    }
}

#[tokio::test]
async fn nobody_else_gets_in() {
    let server = server().await;
    server.register(&["bob", "carol"]).await;
    let password = |password: &str| ChatCredential::Password(password.to_owned());
    let bobs = user_token(&server, 600).await;
    let apps = token_007(&server, v007::Service::chat_app(600));
    let rtm = token("bob", server.now_ms());
    for (login, expected) in [
        (with(&server, "bob", password("other")), 202),
        (with(&server, "nobody", password("pw")), 202),
        (with(&server, "bob", ChatCredential::None), 104),
        (by_token(&server, "bob", "nonsense"), 104),
        (by_token(&server, "carol", &bobs), 104),
        (by_token(&server, "bob", &apps), 104),
        (by_token(&server, "bob", &rtm), 104),
    ] {
        assert_eq!(refused(&server, login.clone()).await, expected, "{login:?}");
    }
    let elsewhere = ChatAppName::Names { org: CHAT[0].to_owned(), app_name: "other".to_owned() };
    assert_eq!(refused(&server, ChatLogin { app: elsewhere, ..server.chat_login("bob") }).await, 100);

    let chat = server.chat().await;
    post(&server, &chat, "users/carol/deactivate", json!({})).await;
    assert_eq!(refused(&server, server.chat_login("carol")).await, 305);
    post(&server, &chat, "users/carol/activate", json!({})).await;
    connect(&server, server.chat_login("carol")).await.expect("logged in");
    // The Chat side is no app of RTM clients.
    let rtm = stentor_testkit::ClientLogin { app: format!("{}#{}", CHAT[0], CHAT[1]), ..server.login("bob") };
    let refused = server.connect(rtm, ClientOptions::default()).await.unwrap_err();
    assert!(matches!(refused, ClientError::LoginRefused { code: 4, .. }), "{refused}");
}

#[tokio::test]
async fn a_session_ends_with_its_token() {
    let server = server().await;
    server.register(&["bob"]).await;
    let short = user_token(&server, 60).await;
    let mut bob = connect(&server, by_token(&server, "bob", &short)).await.expect("logged in");
    server.advance(Duration::from_secs(31));
    let expires_at = server.now_ms() + 29_000;
    assert_eq!(event(&mut bob).await, ChatEvent::TokenWillExpire { expires_at });
    let longer = user_token(&server, 90).await;
    bob.renew_token(&longer).await.expect("renewed");
    let apps = token_007(&server, v007::Service::chat_app(600));
    assert!(matches!(bob.renew_token(&apps).await, Err(ClientError::Refused { code: 104, .. })));
    server.advance(Duration::from_secs(50));
    bob.rooms().await.expect("still there");
    server.advance(Duration::from_secs(41));
    assert_eq!(closed(&mut bob).await, Some(4003));
    assert_eq!(refused(&server, by_token(&server, "bob", &longer)).await, 108);
}

#[tokio::test]
async fn the_backend_ends_sessions() {
    let server = server().await;
    server.register(&["bob"]).await;
    let chat = server.chat().await;
    let path = |path: &str| server.chat_path(path);

    let mut bob = server.chat_client("bob").await;
    let reply = chat.get(&path("users/bob/disconnect")).await;
    assert_eq!(reply.code(), 200, "{}", reply.text());
    assert_eq!(closed(&mut bob).await, Some(4010));

    let bobs = user_token(&server, 600).await;
    let mut bob = server.chat_client("bob").await;
    let reply = chat.put(&path("users/bob/password"), &json!({ "newpassword": "pw" })).await;
    assert_eq!(reply.code(), 200, "{}", reply.text());
    assert_eq!(closed(&mut bob).await, Some(4011));
    assert_eq!(refused(&server, by_token(&server, "bob", &bobs)).await, 104, "tokens from before are void");

    let mut bob = server.chat_client("bob").await;
    post(&server, &chat, "users/bob/deactivate", json!({})).await;
    assert_eq!(closed(&mut bob).await, Some(4012));
    post(&server, &chat, "users/bob/activate", json!({})).await;

    let mut bob = server.chat_client("bob").await;
    assert_eq!(chat.delete(&path("users/bob")).await.code(), 200);
    assert_eq!(closed(&mut bob).await, Some(4013));
    assert_eq!(refused(&server, server.chat_login("bob")).await, 202);
}

#[tokio::test]
async fn messages_over_rest_have_all_their_fields() {
    let server = server().await;
    server.register(&["alice", "bob"]).await;
    let chat = server.chat().await;
    let mut bob = server.chat_client("bob").await;
    let group = json!({ "groupname": "g", "desc": "-", "public": true, "owner": "alice", "members": ["bob"] });
    let group = post(&server, &chat, "chatgroups", group).await["data"]["groupid"].as_str().unwrap().to_owned();
    for (path, to, chat_type) in
        [("messages/users", "bob", ChatType::Chat), ("messages/chatgroups", group.as_str(), ChatType::GroupChat)]
    {
        let send = json!({
            "from": "alice", "to": [to], "type": "loc", "body": { "lat": "39.966", "lng": "116.322", "addr": "北京" },
            "ext": { "k": { "n": 1 } },
        });
        let reply = post(&server, &chat, path, send).await;
        let got = message(&mut bob).await;
        assert_eq!((got.chat_type, got.to.as_str(), got.from.as_str()), (chat_type, to, "alice"));
        assert_eq!(reply["data"][to], got.id.to_string());
        assert_eq!((got.body_type.as_str(), got.ts), ("loc", server.now_ms()));
        assert_eq!(got.body.value(), json!({ "lat": "39.966", "lng": "116.322", "addr": "北京" }));
        assert_eq!(got.ext.value(), json!({ "k": { "n": 1 } }));
        assert_eq!((got.level.as_str(), got.targeted, got.broadcast, got.from_inbox), ("normal", false, false, false));
    }
}

#[tokio::test]
async fn what_a_device_has_not_acked_survives_a_restart() {
    let server = TestServer::builder().app(TestApp::new().chat()).embedded().start().await;
    server.register(&["alice", "bob"]).await;
    let no_acks = || ClientOptions { auto_ack: false, ..ClientOptions::default() };
    let on =
        |server: &TestServer, device: &str| ChatLogin { device: Some(device.to_owned()), ..server.chat_login("bob") };
    let mut phone = server.chat_connect(on(&server, "phone"), no_acks()).await.unwrap();
    let mut web = server.chat_connect(on(&server, "web"), no_acks()).await.unwrap();
    let alice = server.chat_client("alice").await;
    let sent = alice.send(&ChatOutgoing::text(ChatType::Chat, "bob", "hi")).await.unwrap().message_id;
    assert_eq!(message(&mut phone).await.id, sent);
    assert_eq!(message(&mut web).await.id, sent);
    phone.ack(&[sent]).await.unwrap();
    phone.logout().await.unwrap();
    web.logout().await.unwrap();
    let directory = server.shutdown().await;

    let server = TestServer::builder().app(TestApp::new().chat()).directory(directory).start().await;
    let mut phone = server.chat_connect(on(&server, "phone"), no_acks()).await.unwrap();
    let mut web = server.chat_connect(on(&server, "web"), no_acks()).await.unwrap();
    let again = message(&mut web).await;
    assert_eq!((again.id, again.from_inbox), (sent, true));
    let alice = server.chat_client("alice").await;
    alice.send(&ChatOutgoing::text(ChatType::Chat, "bob", "next")).await.unwrap();
    assert_eq!(text(&message(&mut phone).await), "next", "what it has acked does not come again");
    assert_eq!(text(&message(&mut web).await), "next");
}

/// The durable store answers what is asked before a message is taken in its own time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_come_in_the_order_of_their_requests() {
    let server = TestServer::builder().app(TestApp::new().chat()).embedded().manual_clock().start().await;
    server.register(&["alice", "bob"]).await;
    let (alice, mut bob) = (server.chat_client("alice").await, server.chat_client("bob").await);
    for round in 0..5 {
        for number in 0..90 {
            let (id, body) = (round * 100 + number, json!({ "msg": number.to_string() }));
            let send = json!({
                "type": "send", "id": 1_000_000 + id, "chat_type": "chat", "to": "bob", "body_type": "txt", "body": body,
            });
            alice.send_text(send.to_string()).await.unwrap();
        }
        for number in 0..90 {
            assert_eq!(text(&message(&mut bob).await), number.to_string(), "round {round}");
        }
        server.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_session_goes_on_over_a_restart() {
    let server = TestServer::builder().app(TestApp::new().chat()).embedded().start().await;
    server.register(&["alice", "bob"]).await;
    let chat = server.chat().await;
    let room = json!({ "name": "stage", "description": "-", "owner": "alice", "members": ["bob"] });
    let room = post(&server, &chat, "chatrooms", room).await["data"]["id"].as_str().unwrap().to_owned();
    let bob = server.chat_client("bob").await;
    assert_eq!(bob.welcome().rooms, [room.as_str()]);
    let point = bob.resume_point();
    drop(bob);
    let directory = server.shutdown().await;

    let server = TestServer::builder().app(TestApp::new().chat()).directory(directory).start().await;
    let chat = server.chat().await;
    let again = ChatLogin { resume: Some(point), ..server.chat_login("bob") };
    let mut bob = connect(&server, again).await.expect("resumed");
    assert!(bob.welcome().resumed);
    assert_eq!(bob.welcome().rooms, [room.as_str()]);
    let send = json!({ "from": "alice", "to": [room], "type": "txt", "body": { "msg": "hi" } });
    post(&server, &chat, "messages/chatrooms", send).await;
    assert_eq!(text(&message(&mut bob).await), "hi");
    assert!(server.node().is_online(&app(&server), &stentor_core::id::UserId::from_trusted("bob")));
}
