//! From REST to connected clients and back, with the durable store: what `docs/delivery.md` promises.

use std::time::Duration;

use serde_json::{Value, json};
use stentor_gateway_ws::client::{Client, ClientEvent, ClientOptions, PeerMessage};
use stentor_testkit::{TestServer, eventually};

async fn server() -> TestServer {
    TestServer::builder().embedded().start().await
}

/// Longer than anything takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// Posts a peer message of alice and returns the reply's code, or its status if it was refused.
async fn post(server: &TestServer, query: &str, body: Value) -> Result<String, u16> {
    let path = server.path(&format!("users/alice/peer_messages{query}"));
    let reply = server.http().post(&path, &body).await;
    let code = reply.json()["code"].as_str().map(str::to_owned);
    if reply.code() == 200 { Ok(code.expect("a code")) } else { Err(reply.code()) }
}

async fn post_channel(server: &TestServer, channel: &str, payload: &str) {
    let path = server.path("users/alice/channel_messages");
    let reply = server.http().post(&path, &json!({"channel_name": channel, "payload": payload})).await;
    assert_eq!(reply.code(), 200, "{}", reply.text());
}

async fn next_event(client: &mut Client) -> Option<ClientEvent> {
    tokio::time::timeout(DEADLINE, client.next()).await.expect("an event in time")
}

async fn next_message(client: &mut Client) -> PeerMessage {
    loop {
        match next_event(client).await {
            Some(ClientEvent::PeerMessage(message)) => return message,
            Some(_) => {}
            None => panic!("the connection is gone"),
        }
    }
}

async fn next_channel_text(client: &mut Client) -> String {
    loop {
        match next_event(client).await {
            Some(ClientEvent::ChannelMessage(message)) => return message.payload,
            Some(_) => {}
            None => panic!("the connection is gone"),
        }
    }
}

/// Everything that the backend can pull now, as `Login bob` or `Join bob lobby`.
async fn events(server: &TestServer, endpoint: &str) -> Vec<String> {
    let reply = server.http().get(&server.path(&format!("vendor/{endpoint}"))).await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let events = reply.json()["events"].as_array().cloned().expect("events");
    events
        .iter()
        .map(|event| format!("{} {} {}", text(&event["type"]), text(&event["user_id"]), text(&event["channel_id"])))
        .map(|event| event.trim_end().to_owned())
        .collect()
}

fn never_acks() -> ClientOptions {
    ClientOptions { auto_ack: false, ..ClientOptions::default() }
}

#[tokio::test]
async fn delivered_is_what_a_client_acked() {
    let server = server().await;
    let mut bob = server.client("bob").await;
    let sent = post(&server, "?wait_for_ack=true", json!({"destination": "bob", "payload": "hello"}));
    let (code, message) = tokio::join!(sent, next_message(&mut bob));
    assert_eq!(code.as_deref(), Ok("message_delivered"));
    assert_eq!((message.from.as_str(), message.payload.as_str(), message.from_inbox), ("alice", "hello", false));
    let absent = post(&server, "?wait_for_ack=true", json!({"destination": "carol", "payload": "hello"})).await;
    assert_eq!(absent.as_deref(), Ok("message_offline"));
}

#[tokio::test]
async fn a_client_that_never_acks_has_not_got_it() {
    let server = TestServer::builder().embedded().config("[server]\nack_timeout_ms = 100").start().await;
    let mut bob = server.connect(server.login("bob"), never_acks()).await.expect("connects");
    let sent = post(&server, "?wait_for_ack=true", json!({"destination": "bob", "payload": "one"}));
    let (code, _) = tokio::join!(sent, next_message(&mut bob));
    assert_eq!(code, Err(408));
    let keep = json!({"destination": "bob", "payload": "two", "enable_offline_messaging": true});
    let (code, _) = tokio::join!(post(&server, "?wait_for_ack=true", keep), next_message(&mut bob));
    assert_eq!(code.as_deref(), Ok("message_offline"));

    bob.logout().await.expect("logs out");
    let mut bob = server.client("bob").await;
    let message = next_message(&mut bob).await;
    assert_eq!((message.payload.as_str(), message.from_inbox), ("two", true), "only the kept one comes again");
}

#[tokio::test]
async fn the_inbox_survives_a_restart_in_order() {
    let server = server().await;
    for number in 0..50 {
        let keep = json!({"destination": "bob", "payload": number.to_string(), "enable_offline_messaging": true});
        assert_eq!(post(&server, "", keep).await.as_deref(), Ok("message_sent"));
    }
    let directory = server.shutdown().await;
    let server = TestServer::builder().embedded().directory(directory).start().await;
    let mut bob = server.client("bob").await;
    for number in 0..50 {
        assert_eq!(next_message(&mut bob).await.payload, number.to_string());
    }
}

#[tokio::test]
async fn a_second_login_is_leave_logout_login() {
    let server = server().await;
    let mut first = server.client("bob").await;
    first.join("lobby").await.expect("joins");
    let second = server.client("bob").await;
    let closed = loop {
        match next_event(&mut first).await {
            Some(ClientEvent::Closed { code, .. }) => break code,
            Some(_) => {}
            None => panic!("closed without a word"),
        }
    };
    assert_eq!(closed, Some(4002));
    second.join("lobby").await.expect("joins");
    assert_eq!(events(&server, "user_events").await, ["Login bob", "Logout bob", "Login bob"]);
    assert_eq!(events(&server, "channel_events").await, ["Join bob lobby", "Leave bob lobby", "Join bob lobby"]);
    assert_eq!(events(&server, "user_events").await, [] as [&str; 0], "a pull takes them away");
}

#[tokio::test]
async fn back_within_the_grace_nothing_is_missing_and_nobody_notices() {
    let server = server().await;
    let mut bob = server.client("bob").await;
    bob.join("lobby").await.expect("joins");
    post_channel(&server, "lobby", "before").await;
    assert_eq!(next_channel_text(&mut bob).await, "before");
    let resume = bob.resume_point();
    drop(bob);
    post_channel(&server, "lobby", "gap").await;
    assert_eq!(
        post(&server, "", json!({"destination": "bob", "payload": "to bob"})).await.as_deref(),
        Ok("message_sent")
    );

    let mut login = server.login("bob");
    login.resume = Some(resume);
    let mut back = server.connect(login, ClientOptions::default()).await.expect("connects");
    assert!(back.welcome().resumed);
    let (mut texts, mut peers) = (Vec::new(), Vec::new());
    while texts.is_empty() || peers.is_empty() {
        match next_event(&mut back).await {
            Some(ClientEvent::ChannelMessage(message)) => texts.push(message.payload),
            Some(ClientEvent::PeerMessage(message)) => peers.push(message.payload),
            Some(_) => {}
            None => panic!("the connection is gone"),
        }
    }
    assert_eq!((texts, peers), (vec!["gap".to_owned()], vec!["to bob".to_owned()]));
    assert_eq!(events(&server, "user_events").await, ["Login bob"]);
    assert_eq!(events(&server, "channel_events").await, ["Join bob lobby"]);
}

#[tokio::test]
async fn after_the_grace_leave_and_logout() {
    let server = TestServer::builder().embedded().manual_clock().start().await;
    let bob = server.client("bob").await;
    bob.join("lobby").await.expect("joins");
    drop(bob);
    eventually("the lost connection is seen", || async {
        let detached = server.node().census().detached;
        if detached == 1 { Ok(()) } else { Err(detached) }
    })
    .await;
    server.advance(Duration::from_millis(29_999));
    assert_eq!(events(&server, "user_events").await, ["Login bob"]);
    server.advance(Duration::from_millis(1));
    assert_eq!(events(&server, "user_events").await, ["Logout bob"]);
    assert_eq!(events(&server, "channel_events").await, ["Join bob lobby", "Leave bob lobby"]);
}

#[tokio::test]
async fn history_finds_what_was_to_be_kept() {
    let server = server().await;
    let body = json!({"destination": "bob", "payload": "remember", "enable_historical_messaging": true});
    assert_eq!(post(&server, "", body).await.as_deref(), Ok("message_sent"));
    assert_eq!(
        post(&server, "", json!({"destination": "bob", "payload": "forget"})).await.as_deref(),
        Ok("message_sent")
    );
    let filter = json!({"filter": {"source": "alice", "destination": "bob",
        "start_time": "2020-01-01T00:00:00Z", "end_time": "2099-01-01T00:00:00Z"}});
    let query = server.http().post(&server.path("message/history/query"), &filter).await.json();
    let location = query["location"].as_str().expect("a location").trim_start_matches("~/rtm/").to_owned();
    let found = server.http().get(&server.path(&location)).await.json();
    let messages = found["messages"].as_array().expect("messages");
    assert_eq!(messages.len(), 1, "{found}");
    assert_eq!((&messages[0]["payload"], &messages[0]["src"]), (&json!("remember"), &json!("alice")));
}

#[tokio::test]
async fn clients_send_to_each_other_and_to_channels() {
    let server = server().await;
    let (mut bob, mut carol) = (server.client("bob").await, server.client("carol").await);
    bob.join("lobby").await.expect("joins");
    carol.join("lobby").await.expect("joins");
    let (sent, got) = tokio::join!(carol.send_peer("bob", "hi bob", false, false), next_message(&mut bob));
    assert_eq!((sent.expect("sent").code, got.from.as_str()), (0, "carol"));
    let kept = carol.send_peer("dave", "later", true, false).await.expect("sent");
    assert_eq!(kept.code, 4, "kept for who is away");
    let lost = carol.send_peer("dave", "never", false, false).await.expect("sent");
    assert_eq!(lost.code, 3, "unreachable");
    bob.send_channel("lobby", "hi all", false).await.expect("sent");
    assert_eq!(next_channel_text(&mut carol).await, "hi all");
    let counts = eventually("both are counted", || async {
        let counts = bob.member_counts(&["lobby"]).await.map_err(|error| error.to_string())?;
        if counts == [2] { Ok(counts) } else { Err(format!("{counts:?}")) }
    });
    assert_eq!(counts.await, [2]);
}
