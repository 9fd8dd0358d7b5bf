//! Logging in: welcomed, refused, too late, replaced.

use std::time::Duration;

use stentor_core::limits::Rule;
use stentor_gateway_ws::client::{ClientError, ClientEvent};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{APP, NOW_MS, closed, event, gateway, gateway_with, limit, login, soon};

#[tokio::test]
async fn the_welcome_says_what_a_client_needs() {
    let gateway = gateway().await;
    let mut raw = gateway.raw().await;
    raw.send(&format!(r#"{{"type":"login","version":1,"app":"{APP}","user":"bob"}}"#)).await;
    let mut welcome = raw.json().await;
    let session = welcome["session"].take();
    assert_eq!(session.as_str().map(str::len), Some(16));
    let expected = serde_json::json!({
        "type": "welcome", "version": 1, "session": null, "resumed": false, "channels": [], "server_time": NOW_MS,
        "ping_interval_ms": 2000, "grace_ms": 30000, "ack_timeout_ms": 8000, "max_frame_bytes": 65536,
    });
    assert_eq!(welcome, expected);
    assert_eq!(gateway.state.counters().open, 1);
}

#[tokio::test]
async fn refusals() {
    let gateway = gateway().await;
    for (fields, code) in [
        (r#""version":2,"user":"bob""#, 2),
        (r#""version":0,"user":"bob""#, 2),
        (r#""version":1,"user":"""#, 3),
        (r#""version":1,"user":"null""#, 3),
        (r#""version":1,"user":"Bob""#, 3),
        (r#""version":1,"user":"bob","app":"other""#, 4),
        (r#""version":1,"user":"bob","token":"other-app""#, 4),
        (r#""version":1,"user":"bob","token":"bad""#, 5),
        (r#""version":1,"user":"bob","token":"revoked-meanwhile""#, 5),
        (r#""version":1,"user":"bob","token":"expired""#, 6),
        (r#""version":1,"user":"bob","token":"unauthorized""#, 7),
    ] {
        let app = if fields.contains("\"app\"") { String::new() } else { format!(r#","app":"{APP}""#) };
        let mut raw = gateway.raw().await;
        raw.send(&format!(r#"{{"type":"login",{fields}{app}}}"#)).await;
        let refused = raw.json().await;
        assert_eq!((refused["type"].as_str(), refused["code"].as_u64()), (Some("refused"), Some(code)), "{fields}");
        assert_eq!(raw.close_code().await, Some(4001), "{fields}");
    }
    assert_eq!(gateway.state.counters().refused_logins, 11);
    assert_eq!(gateway.node.census().attached, 0);
}

#[tokio::test]
async fn too_many_logins_are_refused() {
    let gateway = gateway_with(|setup| limit(setup, Rule::Logins, 2)).await;
    let _first = gateway.client("bob").await;
    let _second = gateway.client("bob").await;
    let refused = gateway.try_client(login("bob")).await.expect_err("refused");
    assert!(matches!(refused, ClientError::LoginRefused { code: 10, .. }), "{refused}");
}

#[tokio::test]
async fn silence_is_refused() {
    let gateway = gateway_with(|setup| setup.config.login_timeout = Duration::from_millis(20)).await;
    let mut raw = gateway.raw().await;
    // A WebSocket ping is not a login.
    raw.0.get_mut().set_nodelay(true).expect("nodelay");
    soon(futures_util::SinkExt::send(&mut raw.0, Message::Ping("x".into()))).await.expect("sent");
    assert_eq!(raw.message().await, Some(Message::Pong("x".into())));
    assert_eq!(raw.json().await["code"], 9);
    assert_eq!(raw.close_code().await, Some(4005));
}

#[tokio::test]
async fn what_comes_with_the_login_is_answered_after_it() {
    let gateway = gateway().await;
    let mut raw = gateway.raw().await;
    let login = format!(r#"{{"type":"login","version":1,"app":"{APP}","user":"bob"}}"#);
    for text in [&login, r#"{"type":"ping"}"#, r#"{"type":"join","id":1,"channel":"lobby"}"#] {
        soon(futures_util::SinkExt::feed(&mut raw.0, Message::text(text))).await.expect("buffered");
    }
    soon(futures_util::SinkExt::flush(&mut raw.0)).await.expect("sent");
    assert_eq!(raw.json().await["type"], "welcome");
    assert_eq!(raw.json_of("pong").await["server_time"], NOW_MS);
    assert_eq!(raw.json_of("reply").await["ok"], true);
}

#[tokio::test]
async fn a_second_login_ends_the_first() {
    let gateway = gateway().await;
    let mut first = gateway.client("bob").await;
    let mut second = gateway.client("bob").await;
    assert_eq!(closed(&mut first).await, Some(4002));
    gateway.send("bob", "hi", false).await;
    assert!(matches!(event(&mut second).await, ClientEvent::PeerMessage(message) if message.payload == "hi"));
}

#[tokio::test]
async fn a_token_expires() {
    let gateway = gateway().await;
    let token = Some(format!("good-until:{}", NOW_MS + 60_000));
    let login = || stentor_gateway_ws::client::ClientLogin { token: token.clone(), ..login("bob") };
    let mut client = gateway.try_client(login()).await.expect("logged in");
    for _ in 0..2 {
        gateway.pass(Duration::from_secs(29));
        client.ping().await.expect("sent");
        // The answer shows that the ping was heard.
        client.query_presence(&[]).await.expect("answered");
    }
    assert_eq!(event(&mut client).await, ClientEvent::TokenWillExpire { expires_at: NOW_MS + 60_000 });
    let refused = client.renew_token("bad").await.expect_err("refused");
    assert!(matches!(refused, ClientError::Refused { code: 6, .. }), "{refused}");
    client.renew_token(&format!("good-until:{}", NOW_MS + 90_000)).await.expect("renewed");
    gateway.pass(Duration::from_secs(25));
    assert_eq!(event(&mut client).await, ClientEvent::TokenWillExpire { expires_at: NOW_MS + 90_000 });
    client.query_presence(&[]).await.expect("answered");
    gateway.pass(Duration::from_secs(10));
    assert_eq!(closed(&mut client).await, Some(4003));
}

#[tokio::test]
async fn a_silent_client_is_closed() {
    let gateway = gateway().await;
    let mut raw = gateway.raw_as("bob").await;
    gateway.pass(Duration::from_secs(31));
    assert_eq!(raw.close_code().await, Some(4007));
}
