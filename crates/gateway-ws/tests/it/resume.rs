//! Coming back: the session goes on, or a new one begins.

use std::time::Duration;

use stentor_gateway_ws::client::{ClientEvent, ClientLogin, ClientOptions, ResilientClient, Resume};

use crate::harness::{closed, event, gateway, login, soon, until};

#[tokio::test]
async fn a_session_goes_on_where_it_was() {
    let gateway = gateway().await;
    let mut bob = gateway.client("bob").await;
    bob.join("lobby").await.expect("joined");
    gateway.publish("lobby", "before").await;
    assert!(matches!(event(&mut bob).await, ClientEvent::ChannelMessage(_)));
    let point = bob.resume_point();
    drop(bob);
    gateway.detached(1).await;
    gateway.publish("lobby", "meanwhile").await;
    gateway.send("bob", "to you", false).await;

    let again = ClientLogin { resume: Some(point), ..login("bob") };
    let mut bob = gateway.try_client(again).await.expect("resumed");
    assert!(bob.welcome().resumed);
    assert_eq!(bob.welcome().channels, ["lobby"]);
    let mut payloads = Vec::new();
    for _ in 0..2 {
        match event(&mut bob).await {
            ClientEvent::ChannelMessage(message) => payloads.push(message.payload),
            ClientEvent::PeerMessage(message) => payloads.push(message.payload),
            other => panic!("{other:?}"),
        }
    }
    payloads.sort();
    assert_eq!(payloads, ["meanwhile", "to you"]);
}

#[tokio::test]
async fn a_resume_takes_over_from_a_connection_that_still_stands() {
    let gateway = gateway().await;
    let mut old = gateway.client("bob").await;
    let again = ClientLogin { resume: Some(old.resume_point()), ..login("bob") };
    let mut new = gateway.try_client(again).await.expect("resumed");
    assert!(new.welcome().resumed);
    assert_eq!(closed(&mut old).await, Some(4009));
    gateway.send("bob", "hi", false).await;
    assert!(matches!(event(&mut new).await, ClientEvent::PeerMessage(_)));
    // The end of the old connection does not touch the new one.
    until(|| gateway.state.counters().open == 1).await;
    assert_eq!(gateway.node.census().attached, 1);
}

#[tokio::test]
async fn what_was_not_acked_comes_again_and_is_dropped_if_seen() {
    let gateway = gateway().await;
    let options = ClientOptions { auto_ack: false, ..ClientOptions::default() };
    let mut bob = gateway.client_with("bob", options).await;
    let sent = gateway.send("bob", "seen", false).await;
    let ClientEvent::PeerMessage(message) = event(&mut bob).await else { panic!("a message") };
    assert_eq!(message.message_id, sent.id);
    let point = bob.resume_point();
    bob.close().await;
    gateway.detached(1).await;

    let again = ClientLogin { resume: Some(point), ..login("bob") };
    let mut bob = gateway.try_client(again).await.expect("resumed");
    gateway.send("bob", "new", false).await;
    let ClientEvent::PeerMessage(message) = event(&mut bob).await else { panic!("a message") };
    assert_eq!(message.payload, "new");
}

#[tokio::test]
async fn a_session_that_is_gone_begins_anew() {
    let gateway = gateway().await;
    let bob = gateway.client("bob").await;
    let point = bob.resume_point();
    bob.logout().await.expect("logged out");
    for resume in
        [point, Resume::new("0000000000000000", Default::default()), Resume::new("nonsense", Default::default())]
    {
        let again = ClientLogin { resume: Some(resume), ..login("bob") };
        let bob = gateway.try_client(again).await.expect("logged in");
        assert!(!bob.welcome().resumed);
    }
}

#[tokio::test]
async fn nobody_resumes_the_session_of_another_user() {
    let gateway = gateway().await;
    let bob = gateway.client("bob").await;
    let stolen = ClientLogin { resume: Some(bob.resume_point()), ..login("mallory") };
    let mallory = gateway.try_client(stolen).await.expect("logged in");
    assert!(!mallory.welcome().resumed);
    bob.member_counts(&[]).await.expect("untouched");
}

#[tokio::test]
async fn a_resilient_client_comes_back_and_joins_again() {
    let gateway = gateway().await;
    let mut bob = soon(ResilientClient::connect(&gateway.url(), login("bob"), ClientOptions::default()))
        .await
        .expect("logged in");
    bob.client().join("lobby").await.expect("joined");
    // Silent for too long, as far as the server knows: the session is gone.
    gateway.pass(Duration::from_secs(31));
    loop {
        match soon(bob.next()).await.expect("an event") {
            ClientEvent::Reconnected { resumed } => {
                assert!(!resumed);
                break;
            }
            ClientEvent::Closed { code } => panic!("given up: {code:?}"),
            _ => {}
        }
    }
    gateway.publish("lobby", "welcome back").await;
    loop {
        if let ClientEvent::ChannelMessage(message) = soon(bob.next()).await.expect("an event") {
            assert_eq!(message.payload, "welcome back");
            break;
        }
    }
    // Told to stay away, it stays away.
    let _other = gateway.client("bob").await;
    while !matches!(soon(bob.next()).await, Some(ClientEvent::Closed { code: Some(4002) })) {}
    assert_eq!(soon(bob.next()).await, None);
}
