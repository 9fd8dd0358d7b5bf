//! Clients that read slowly or not at all, and sockets that take frames in pieces.

use std::time::Duration;

use stentor_gateway_ws::client::{ClientEvent, ClientOptions};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{Gateway, event, gateway, gateway_with, until};

const PAYLOAD: usize = 30_000;

pub(crate) fn payload(number: usize) -> String {
    format!("{number:06}{}", "x".repeat(PAYLOAD - 6))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_consumer_is_cut_and_its_neighbour_notices_nothing() {
    let gateway = gateway().await;
    let mut slow = gateway.raw_as("slow").await;
    slow.send(r#"{"type":"join","id":1,"channel":"lobby"}"#).await;
    slow.json_of("reply").await;
    let mut neighbour = gateway.client("neighbour").await;
    neighbour.join("lobby").await.expect("joined");

    let mut sent = 0;
    while gateway.state.counters().slow_consumers == 0 {
        gateway.publish("lobby", payload(sent)).await;
        let ClientEvent::ChannelMessage(message) = event(&mut neighbour).await else { panic!("a message") };
        assert_eq!(message.payload[..6], format!("{sent:06}"));
        assert!(gateway.node.census().waiting <= 65, "the mailbox is bounded");
        sent += 1;
        assert!(sent < 5_000, "the slow consumer was never cut");
    }
    // What the kernel had taken arrives; then the connection ends, with its code if there was room for it.
    let mut received = 0;
    let code = loop {
        match slow.message().await {
            Some(Message::Text(text)) => received += usize::from(text.contains("channel_message")),
            Some(Message::Close(close)) => break close.map(|close| close.code.into()),
            Some(_) => {}
            None => break None,
        }
    };
    assert!(matches!(code, None | Some(4006u16)), "{code:?}");
    assert!(received < sent, "{received} of {sent}");
    until(|| gateway.state.counters().open == 1).await;
}

/// Sends until the socket takes no more, and a bit beyond.
pub(crate) async fn block(gateway: &Gateway) -> usize {
    let blocked = || gateway.state.counters().blocked > 0;
    let mut sent = 0;
    while !blocked() {
        gateway.publish("lobby", payload(sent)).await;
        until(|| gateway.node.census().waiting == 0 || blocked()).await;
        sent += 1;
        assert!(sent < 5_000, "the socket was never full");
    }
    for _ in 0..20 {
        gateway.publish("lobby", payload(sent)).await;
        sent += 1;
    }
    sent
}

async fn gateway_with_room() -> Gateway {
    gateway_with(|setup| {
        setup.policy.sessions.mailbox_notices = 100_000;
        setup.policy.sessions.mailbox_bytes = 1 << 30;
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_go_out_in_pieces_arrive_whole() {
    let gateway = gateway_with_room().await;
    let mut late = gateway.raw_as("late").await;
    late.send(r#"{"type":"join","id":1,"channel":"lobby"}"#).await;
    late.json_of("reply").await;
    let sent = block(&gateway).await;
    for number in 0..sent {
        let message = late.json_of("channel_message").await;
        assert_eq!(message["payload"].as_str().expect("text"), payload(number));
    }
    // The connection is as good as new.
    late.send(r#"{"type":"ping"}"#).await;
    late.json_of("pong").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_wait_for_a_blocked_socket_and_stop_the_reading() {
    let gateway = gateway_with_room().await;
    let mut late = gateway.raw_as("late").await;
    late.send(r#"{"type":"join","id":1,"channel":"lobby"}"#).await;
    late.json_of("reply").await;
    let attributes = gateway.client("other").await;
    attributes.set_channel_attributes("lobby", &[("k", &"v".repeat(8000))], false).await.expect("set");
    block(&gateway).await;
    let before = gateway.state.counters().frames_in;
    for id in 0..200 {
        late.send(&format!(r#"{{"type":"get_channel_attributes","id":{id},"channel":"lobby"}}"#)).await;
    }
    // 256 KiB of replies are 33 requests; what comes behind them is not read.
    until(|| gateway.state.counters().frames_in >= before + 20).await;
    for id in 0..200 {
        assert_eq!(late.json_of("reply").await["id"], id);
    }
    assert_eq!(gateway.state.counters().frames_in, before + 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_takes_nothing_is_given_up_and_the_session_stays() {
    let gateway = gateway_with(|setup| {
        setup.policy.sessions.mailbox_notices = 100_000;
        setup.policy.sessions.mailbox_bytes = 1 << 30;
        setup.config.write_timeout = Duration::from_millis(50);
    })
    .await;
    let mut dead = gateway.raw_as("dead").await;
    dead.send(r#"{"type":"join","id":1,"channel":"lobby"}"#).await;
    dead.json_of("reply").await;
    block(&gateway).await;
    gateway.detached(1).await;
    until(|| gateway.state.counters().open == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_messages_keep_their_order_and_share_writes() {
    let gateway = gateway_with(|setup| setup.policy.sessions.mailbox_notices = 10_000).await;
    let options = || ClientOptions { event_queue: 10_000, ..ClientOptions::default() };
    let mut clients = Vec::new();
    for number in 0..20 {
        let client = gateway.client_with(&format!("user-{number}"), options()).await;
        client.join("lobby").await.expect("joined");
        clients.push(client);
    }
    for number in 0..1_000 {
        gateway.publish("lobby", number.to_string()).await;
    }
    for client in &mut clients {
        for number in 0..1_000 {
            let ClientEvent::ChannelMessage(message) = event(client).await else { panic!("a message") };
            assert_eq!(message.payload, number.to_string());
        }
    }
    let counters = gateway.state.counters();
    assert!(counters.frames_out >= 20_000);
    println!("{} frames in {} writes", counters.frames_out, counters.writes);
}
