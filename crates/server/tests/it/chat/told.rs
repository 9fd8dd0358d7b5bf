//! What clients are told of REST calls: contacts, settings, whose doing something was; and tokens that are renewed by asking.

use std::time::Duration;

use serde_json::{Value, json};
use stentor_testkit::{ChatClient, ChatCredential, ChatEvent, ChatLogin, ClientOptions, DEADLINE, Http, TestServer};

use super::server;

/// The next of what is told that is no message.
async fn told(client: &mut ChatClient, kind: &str) -> Value {
    loop {
        match tokio::time::timeout(DEADLINE, client.next()).await.expect("in time").expect("an event") {
            ChatEvent::Other(value) if value["type"] == kind => return value,
            ChatEvent::Closed { code } => panic!("closed: {code:?}"),
            _ => {}
        }
    }
}

async fn post(server: &TestServer, http: &Http, path: &str, body: Value) {
    let reply = http.post(&server.chat_path(path), &body).await;
    assert_eq!(reply.code(), 200, "{path}: {}", reply.text());
}

#[tokio::test]
async fn contacts_are_told_what_becomes_of_them() {
    let server = server().await;
    server.register(&["alice", "bob"]).await;
    let (by_alice, by_bob) = (server.chat_as("alice").await, server.chat_as("bob").await);
    let (mut alice, mut bob) = (server.chat_client("alice").await, server.chat_client("bob").await);
    let asks = json!({ "usernames": ["bob"], "reason": "hello" });
    post(&server, &by_alice, "users/alice/contacts/apply", asks.clone()).await;
    let notice = told(&mut bob, "notice").await;
    assert_eq!(
        (&notice["event"], &notice["from"], &notice["to"], &notice["reason"]),
        (&json!("contact_invited"), &json!("alice"), &json!("bob"), &json!("hello"))
    );
    post(&server, &by_bob, "users/bob/contacts/decline/users/alice", json!({})).await;
    assert_eq!(told(&mut alice, "notice").await["event"], "contact_declined");
    post(&server, &by_alice, "users/alice/contacts/apply", asks).await;
    told(&mut bob, "notice").await;
    for _ in 0..2 {
        post(&server, &by_bob, "users/bob/contacts/accept/users/alice", json!({})).await;
    }
    let notice = told(&mut alice, "notice").await;
    assert_eq!((&notice["event"], &notice["agreed"]), (&json!("contact_added"), &json!(true)));
    let notice = told(&mut bob, "notice").await;
    assert_eq!((&notice["event"], &notice["agreed"]), (&json!("contact_added"), &json!(false)));
    for _ in 0..2 {
        assert_eq!(by_alice.delete(&server.chat_path("users/alice/contacts/users/bob")).await.code(), 200);
    }
    assert_eq!(told(&mut bob, "notice").await["event"], "contact_removed");
    // The backend asks nobody; twice is once.
    let backend = server.chat().await;
    for _ in 0..2 {
        post(&server, &backend, "users/alice/contacts/users/bob", json!({})).await;
    }
    for client in [&mut alice, &mut bob] {
        assert_eq!(told(client, "notice").await["event"], "contact_added");
    }
    post(&server, &by_alice, "users/alice/blocks/users", json!({ "usernames": ["bob"] })).await;
    let notice = told(&mut alice, "notice").await;
    assert_eq!((&notice["event"], &notice["users"]), (&json!("user_blocked"), &json!(["bob"])));
    assert_eq!(by_alice.delete(&server.chat_path("users/alice/blocks/users/bob")).await.code(), 200);
    assert_eq!(told(&mut alice, "notice").await["event"], "user_unblocked");
}

#[tokio::test]
async fn devices_are_told_of_settings() {
    let server = server().await;
    server.register(&["alice"]).await;
    let http = server.chat_as("alice").await;
    let mut alice = server.chat_client("alice").await;
    for (path, body, with, group, data) in [
        ("user/alice", json!({ "type": "NONE" }), "alice", false, json!({ "type": "NONE", "ignoreInterval": "" })),
        ("chatgroup/77", json!({ "type": "AT" }), "77", true, json!({ "type": "AT" })),
        ("user/bob", json!({ "type": "DEFAULT" }), "bob", false, json!({})),
    ] {
        let path = server.chat_path(&format!("users/alice/notification/{path}?resource=phone"));
        assert_eq!(http.put(&path, &body).await.code(), 200);
        let notice = told(&mut alice, "notice").await;
        assert_eq!((&notice["event"], &notice["device"]), (&json!("push_settings"), &json!("phone")));
        assert_eq!((&notice["with"], &notice["group"], &notice["data"]), (&json!(with), &json!(group), &data));
    }
}

#[tokio::test]
async fn a_room_is_told_whose_doing_it_was() {
    let server = server().await;
    server.register(&["owner", "bob"]).await;
    let (backend, owner) = (server.chat().await, server.chat_as("owner").await);
    let made = json!({ "name": "n", "description": "d", "owner": "owner", "maxusers": 9, "members": ["bob"] });
    let made = backend.post(&server.chat_path("chatrooms"), &made).await.json();
    let id = made["data"]["id"].as_str().unwrap();
    let mut bob = server.chat_client("bob").await;
    bob.join(id).await.unwrap();
    let mute = json!({ "usernames": ["bob"], "mute_duration": 60_000 });
    for (http, by) in [(&owner, json!("owner")), (&backend, Value::Null)] {
        post(&server, http, &format!("chatrooms/{id}/mute"), mute.clone()).await;
        let event = told(&mut bob, "room_event").await;
        assert_eq!((&event["event"], &event["by"]), (&json!("muted"), &by));
    }
}

/// The Web SDK says nothing of a new token to its connection: it only asks when the token ends.
#[tokio::test]
async fn a_new_token_that_is_asked_about_keeps_the_user_connected() {
    let server = server().await;
    server.register(&["bob", "carol"]).await;
    let token = async |user: &str, ttl: u64| {
        let body = json!({ "grant_type": "password", "username": user, "password": "pw", "ttl": ttl });
        let reply = server.anonymous().post(&server.chat_path("token"), &body).await.json();
        reply["access_token"].as_str().unwrap().to_owned()
    };
    let connect = async |user: &str, ttl: u64| {
        let login = ChatLogin { credential: ChatCredential::Token(token(user, ttl).await), ..server.chat_login(user) };
        server.chat_connect(login, ClientOptions::default()).await.unwrap()
    };
    let (mut bob, mut carol) = (connect("bob", 600).await, connect("carol", 600).await);
    let ask = async |user: &str, ttl: u64| {
        let http = server.anonymous().bearer(&token(user, ttl).await);
        http.get(&server.chat_path(&format!("sdk/users/{user}/token/expires"))).await
    };
    // A shorter one takes nothing away, and nobody's else is renewed.
    assert_eq!(ask("bob", 60).await.code(), 200);
    let asked = ask("bob", 3600).await;
    assert_eq!(asked.json()["expire_timestamp"], server.now_ms() + 3_600_000);
    let pass = async |client: &mut ChatClient, seconds: u64| {
        for _ in 0..seconds / 100 {
            client.rooms().await.expect("still there");
            server.advance(Duration::from_secs(100));
        }
    };
    for _ in 0..5 {
        pass(&mut bob, 100).await;
        carol.rooms().await.expect("still there");
    }
    bob.rooms().await.expect("still there");
    server.advance(Duration::from_secs(100));
    assert_eq!(closed(&mut carol).await, Some(4003));
    pass(&mut bob, 3000).await;
    assert_eq!(closed(&mut bob).await, Some(4003));
}

async fn closed(client: &mut ChatClient) -> Option<u16> {
    loop {
        match tokio::time::timeout(DEADLINE, client.next()).await.expect("in time") {
            Some(ChatEvent::Closed { code }) => return code,
            Some(_) => {}
            None => return None,
        }
    }
}
