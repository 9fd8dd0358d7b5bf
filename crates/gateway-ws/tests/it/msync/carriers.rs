//! The same messages in SockJS and behind a length, and what is not allowed there.

use std::time::Duration;

use base64::Engine as _;
use futures_util::SinkExt;
use stentor_core::directory::rooms::RoomKind;
use stentor_core::session::LogoutReason;
use stentor_gateway_ws::{Carrier, GatewayConfig};
use stentor_msync::{BodyType, Command, ErrorCode, MSync, Message as _, MucOperation};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use super::{CONFERENCES, STANDARD, Sdk, USERS, body, jid, provision, status, text};
use crate::chat::{chat_gateway, gateway, user};
use crate::harness::{Gateway, soon, until};

const ALL: [Carrier; 3] = [Carrier::WebSocket, Carrier::SockJs, Carrier::Tcp];

impl Gateway {
    async fn sdk_by(&self, carrier: Carrier, user: &str) -> Sdk {
        let mut sdk = self.stranger(carrier).await;
        let answer = sdk.login(&provision(user, "web", "good")).await;
        assert_eq!(answer.status.expect("a status").error_code, Some(ErrorCode::Ok as i32));
        sdk
    }
}

#[tokio::test]
async fn everybody_hears_everybody() {
    let gateway = gateway().await;
    let room = gateway.place(RoomKind::Room, &[]).await;
    let mut all = Vec::new();
    for (carrier, name) in ALL.into_iter().zip(["alice", "bob", "dave"]) {
        let mut sdk = gateway.sdk_by(carrier, name).await;
        sdk.join(&room).await;
        all.push((name, sdk));
    }
    for speaker in 0..all.len() {
        let name = all[speaker].0;
        all[speaker].1.sent(jid(room.as_str(), CONFERENCES), &text(BodyType::Chatroom, name)).await;
        for (listener, sdk) in all.iter_mut().filter(|(other, _)| *other != name) {
            let chat = sdk.down(|down| down.metas.iter().any(|meta| meta.ns == Some(1))).await;
            assert_eq!(body(&chat.metas[0]).contents[0].text.as_deref(), Some(name), "{listener}");
        }
    }
    for (name, sdk) in &mut all {
        gateway.text_to(name, "to you").await;
        let pushed = sdk.down(|down| down.next_key.is_some()).await;
        sdk.pull(jid("backend", USERS), pushed.next_key).await;
        until_nothing_waits(&gateway, name).await;
        assert!(sdk.unread().await.is_empty());
        assert_eq!(status(&sdk.muc(&room, MucOperation::Leave).await), (0, ""));
    }
}

async fn until_nothing_waits(gateway: &Gateway, name: &str) {
    while gateway.node.offline_messages(&gateway.chat, &user(name)).await.expect("counted") > 0 {
        tokio::task::yield_now().await;
    }
}

/// Phones give a sign of life every two minutes, browsers every one.
#[tokio::test]
async fn who_comes_by_tcp_may_be_silent_for_longer() {
    const A_MOMENT: Duration = Duration::from_millis(1);
    let gateway = chat_gateway(|setup| {
        setup.chat.sessions.silence_ms = 120_000;
        setup.config.sdk_tcp_silence = Duration::from_secs(200);
    })
    .await;
    for (carrier, silence) in ALL.into_iter().zip([120, 120, 200].map(Duration::from_secs)) {
        let mut bob = gateway.sdk_by(carrier, "bob").await;
        for _ in 0..2 {
            gateway.pass(silence - A_MOMENT);
            bob.unread().await;
        }
        gateway.pass(silence - A_MOMENT);
        assert_eq!(gateway.node.census().attached, 1, "{carrier:?}");
        gateway.pass(A_MOMENT);
        until(|| gateway.node.census().attached + gateway.node.census().detached == 0).await;
    }
    // Unless something else is configured, two signs may be late.
    assert!(GatewayConfig::default().sdk_tcp_silence >= Duration::from_secs(300));
}

#[tokio::test]
async fn a_sockjs_connection_is_closed_in_its_words() {
    let gateway = gateway().await;
    let mut refused = gateway.stranger(Carrier::SockJs).await;
    let answer = refused.login(&provision("bob", "web", "bad")).await;
    assert_eq!(answer.status.expect("a status").error_code, Some(1));
    assert_eq!(refused.raw.message().await, Some(Message::text(r#"c[4001,"login refused"]"#)));
    assert_eq!(refused.raw.close_code().await, Some(4001));
    let mut bob = gateway.sdk_by(Carrier::SockJs, "bob").await;
    gateway.node.disconnect(&gateway.chat, &user("bob"), None, LogoutReason::Forced).await;
    bob.items().await;
    assert!(matches!(bob.raw.message().await, Some(Message::Text(text)) if text.starts_with("c[4010,")));
    assert_eq!(bob.raw.close_code().await, Some(4010));
}

#[tokio::test]
async fn what_is_no_sockjs_closes() {
    let gateway = gateway().await;
    let many = format!("[{}]", vec![r#""QAE=""#; 17].join(","));
    for malformed in ["x", "{}", r#"["?"]"#, r#"["/w=="]"#, &many] {
        let mut bob = gateway.sdk_by(Carrier::SockJs, "bob").await;
        bob.raw.send(malformed).await;
        assert_eq!(bob.raw.close_code().await, Some(4004), "{malformed}");
    }
    let mut bob = gateway.sdk_by(Carrier::SockJs, "bob").await;
    soon(bob.raw.0.send(Message::binary(vec![0x40, 1]))).await.expect("sent");
    assert_eq!(bob.raw.close_code().await, Some(1003));
    // More than one message in a text, and none, are allowed; behind a login they would be lost.
    let mut bob = gateway.sdk_by(Carrier::SockJs, "bob").await;
    bob.raw.send("").await;
    bob.raw.send(r#"["QAE=","QAE="]"#).await;
    bob.of(Command::Unread).await;
    bob.of(Command::Unread).await;
    let mut eve = gateway.stranger(Carrier::SockJs).await;
    let login = base64::Engine::encode(&super::STANDARD, provision("eve", "web", "good").encode_to_vec());
    eve.raw.send(&format!(r#"["{login}","QAE="]"#)).await;
    assert_eq!(eve.raw.close_code().await, Some(4004));
}

#[tokio::test]
async fn a_sockjs_client_hears_that_the_server_is_there() {
    let gateway = chat_gateway(|setup| setup.config.sockjs_heartbeat = Duration::from_millis(5)).await;
    let mut bob = gateway.stranger(Carrier::SockJs).await;
    for _ in 0..3 {
        assert_eq!(bob.raw.message().await, Some(Message::text("h")));
    }
}

#[tokio::test]
async fn the_info_of_sockjs() {
    let gateway = gateway().await;
    let mut numbers = Vec::new();
    for _ in 0..2 {
        let mut tcp = TcpStream::connect(gateway.address).await.expect("connected");
        soon(tcp.write_all(b"GET /ws/info?t=1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")).await.expect("asked");
        let mut reply = String::new();
        soon(tcp.read_to_string(&mut reply)).await.expect("answered");
        assert!(reply.starts_with("HTTP/1.1 200") && reply.contains("cache-control: no-store"), "{reply}");
        let json = reply.split("\r\n\r\n").nth(1).expect("a body");
        let info: serde_json::Value = serde_json::from_str(json).expect("JSON");
        assert_eq!((&info["websocket"], &info["cookie_needed"]), (&true.into(), &false.into()));
        assert_eq!(info["origins"][0], "*:*");
        numbers.push(info["entropy"].as_u64().filter(|number| *number < 1 << 32).expect("a number"));
    }
    assert_ne!(numbers[0], numbers[1]);
}

#[tokio::test]
async fn what_is_too_long_or_no_message_ends_a_tcp_connection() {
    let gateway = gateway().await;
    for bytes in [&65_537u32.to_be_bytes()[..], &[0xff; 4], b"GET / HTTP/1.1\r\n\r\n", &[0, 0, 0, 1, 0xff], &[0; 4]] {
        let mut stranger = gateway.stranger(Carrier::Tcp).await;
        stranger.raw.bytes(bytes).await;
        while stranger.raw.prefixed().await.is_some() {}
    }
    assert_eq!(gateway.state.counters().violations, 5);
}

/// A sign of life of so many bytes: its unknown field is ignored.
fn padded(length: usize) -> Vec<u8> {
    let mut frame = MSync { command: Some(Command::Unread as i32), ..MSync::default() }.encode_to_vec();
    let left = length - frame.len() - 5;
    frame.extend_from_slice(&[
        0xfa,
        0x07,
        0x80 | (left & 0x7f) as u8,
        0x80 | (left >> 7 & 0x7f) as u8,
        (left >> 14) as u8,
    ]);
    frame.resize(length, 0);
    frame
}

/// The same messages fit, whatever they travel in.
#[tokio::test]
async fn a_message_may_have_64_kib_by_every_carrier() {
    let gateway = gateway().await;
    for carrier in ALL {
        let mut bob = gateway.sdk_by(carrier, "bob").await;
        bob.bytes(padded(65_536)).await;
        bob.of(Command::Unread).await;
        bob.bytes(padded(65_537)).await;
        match carrier {
            Carrier::Tcp => while bob.raw.prefixed().await.is_some() {},
            _ => assert_eq!(bob.raw.close_code().await, Some(1009), "{carrier:?}"),
        }
    }
    // Nor are more in one text, or a text that is none.
    let two = STANDARD.encode(padded(40_000));
    for text in [format!(r#"["{two}","{two}"]"#), " ".repeat(100_000)] {
        let mut bob = gateway.sdk_by(Carrier::SockJs, "bob").await;
        bob.raw.send(&text).await;
        assert_eq!(bob.raw.close_code().await, Some(1009));
    }
}

#[tokio::test]
async fn bytes_of_tcp_may_trickle_but_not_for_ever() {
    let gateway = chat_gateway(|setup| setup.config.frame_timeout = Duration::from_millis(20)).await;
    let mut bob = gateway.stranger(Carrier::Tcp).await;
    let login = provision("bob", "web", "good").encode_to_vec();
    let length = u32::try_from(login.len()).expect("short").to_be_bytes();
    for byte in [&length[..], &login].concat() {
        bob.raw.bytes(&[byte]).await;
    }
    bob.of(Command::Provision).await;
    bob.raw.bytes(&[0, 0]).await;
    assert_eq!(bob.raw.prefixed().await, None);
}

#[tokio::test]
async fn a_tcp_client_is_told_why_it_is_put_out_and_may_log_out() {
    let gateway = gateway().await;
    let mut bob = gateway.sdk_by(Carrier::Tcp, "bob").await;
    gateway.node.disconnect(&gateway.chat, &user("bob"), None, LogoutReason::Forced).await;
    assert_eq!(bob.items().await.metas[0].ns, Some(0));
    assert_eq!(bob.raw.prefixed().await, None);
    let mut bob = gateway.sdk_by(Carrier::Tcp, "bob").await;
    bob.say(&super::frame(Command::Logout, &stentor_msync::Logout::default())).await;
    bob.of(Command::Logout).await;
    assert_eq!(bob.raw.prefixed().await, None);
    until(|| gateway.node.census().attached == 0).await;
    // Who says nothing is not waited for.
    let gateway = chat_gateway(|setup| setup.config.login_timeout = Duration::from_millis(20)).await;
    let mut stranger = gateway.stranger(Carrier::Tcp).await;
    assert!(stranger.raw.prefixed().await.is_some(), "the refusal");
    assert_eq!(stranger.raw.prefixed().await, None);
    until(|| gateway.state.counters().open == 0).await;
}
