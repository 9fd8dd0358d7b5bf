//! What a client must not send, and the close code it gets. The server goes on for everybody else.

use std::time::Duration;

use crate::harness::{APP, Raw, gateway, gateway_with};

/// A client's frame: first byte, payload.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    if payload.len() < 126 {
        frame.push(0x80 | payload.len() as u8);
    } else {
        frame.extend_from_slice(&[0x80 | 127]);
        frame.extend_from_slice(&(payload.len() as u64).to_be_bytes());
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

fn text(json: &str) -> Vec<u8> {
    frame(0x81, json.as_bytes())
}

async fn assert_closed(mut raw: Raw, name: &str, bytes: &[u8], code: u16) {
    raw.bytes(bytes).await;
    assert_eq!(raw.close_code().await, Some(code), "{name}");
}

#[tokio::test]
async fn before_the_login() {
    let gateway = gateway().await;
    for (name, bytes, code) in [
        ("a request", text(r#"{"type":"join","id":1,"channel":"lobby"}"#), 4004),
        ("a ping", text(r#"{"type":"ping"}"#), 4004),
        ("an ack", text(r#"{"type":"ack","ids":[]}"#), 4004),
        ("garbage", text("hello"), 4004),
        ("an unknown type", text(r#"{"type":"hello","id":1}"#), 4004),
        ("a login without user", text(&format!(r#"{{"type":"login","version":1,"app":"{APP}"}}"#)), 4004),
        ("binary", frame(0x82, b"x"), 1003),
    ] {
        assert_closed(gateway.raw().await, name, &bytes, code).await;
    }
}

#[tokio::test]
async fn after_the_login() {
    let gateway = gateway().await;
    let login = format!(r#"{{"type":"login","version":1,"app":"{APP}","user":"bob"}}"#);
    for (name, bytes, code) in [
        ("garbage", text("hello"), 4004),
        ("nothing", text(""), 4004),
        ("a JSON array", text(r#"["join",1,"lobby"]"#), 4004),
        ("truncated JSON", text(r#"{"type":"join","id":1,"channel":"#), 4004),
        ("a missing field", text(r#"{"type":"join","id":1}"#), 4004),
        ("a mistyped field", text(r#"{"type":"join","id":1,"channel":["lobby"]}"#), 4004),
        ("no ID", text(r#"{"type":"join","channel":"lobby"}"#), 4004),
        ("a huge ID", text(r#"{"type":"join","id":9007199254740992,"channel":"lobby"}"#), 4004),
        ("a second login", text(&login), 4004),
        ("binary", frame(0x82, b"x"), 1003),
        ("not UTF-8", frame(0x81, &[0xff]), 1007),
        ("oversized", frame(0x81, &vec![b' '; 65_537]), 1009),
        ("oversized in parts", [frame(0x01, &[b' '; 100]), frame(0x80, &vec![b' '; 65_536])].concat(), 1009),
        ("unmasked", b"\x81\x02{}".to_vec(), 1002),
        ("a reserved bit", frame(0xc1, b"{}"), 1002),
        ("an unknown opcode", frame(0x83, b"{}"), 1002),
        ("a fragmented ping", frame(0x09, b""), 1002),
        ("a close frame of one byte", frame(0x88, b"x"), 1002),
        ("a close code of no meaning", frame(0x88, &1005u16.to_be_bytes()), 1002),
    ] {
        let raw = gateway.raw_as("bob").await;
        assert_closed(raw, name, &bytes, code).await;
    }
    assert_eq!(gateway.state.counters().violations, 19);
    gateway.client("bob").await.join("lobby").await.expect("the server goes on");
}

#[tokio::test]
async fn fragments_with_control_frames_between_them() {
    let gateway = gateway().await;
    let mut raw = gateway.raw_as("bob").await;
    let parts = [frame(0x01, br#"{"type":"jo"#), frame(0x89, b"?"), frame(0x80, br#"in","id":1,"channel":"lobby"}"#)];
    raw.bytes(&parts.concat()).await;
    assert_eq!(raw.message().await, Some(tokio_tungstenite::tungstenite::Message::Pong("?".into())));
    assert_eq!(raw.json_of("reply").await["count"], 1);
}

#[tokio::test]
async fn the_largest_message_is_taken() {
    let gateway = gateway().await;
    let mut raw = gateway.raw_as("bob").await;
    let mut join = r#"{"type":"join","id":1,"channel":"lobby"}"#.to_owned();
    join.push_str(&" ".repeat(65_536 - join.len()));
    raw.bytes(&text(&join)).await;
    assert_eq!(raw.json_of("reply").await["count"], 1);
}

#[tokio::test]
async fn bytes_that_trickle() {
    let gateway = gateway().await;
    let mut raw = gateway.raw().await;
    let login = format!(r#"{{"type":"login","version":1,"app":"{APP}","user":"bob"}}"#);
    for byte in [text(&login), text(r#"{"type":"join","id":1,"channel":"lobby"}"#)].concat() {
        raw.bytes(&[byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(raw.json().await["type"], "welcome");
    assert_eq!(raw.json_of("reply").await["count"], 1);
}

#[tokio::test]
async fn a_frame_that_never_ends() {
    let gateway = gateway_with(|setup| setup.config.frame_timeout = Duration::from_millis(20)).await;
    assert_closed(gateway.raw_as("bob").await, "half a header", &[0x81], 1002).await;
    assert_closed(gateway.raw_as("bob").await, "half a frame", &text("{}")[..7], 1002).await;
    assert_closed(gateway.raw_as("bob").await, "half a message", &frame(0x01, b"{"), 1002).await;
    // Whole frames between the parts do not help.
    let mut raw = gateway.raw_as("bob").await;
    raw.bytes(&frame(0x01, b"{")).await;
    let code = async {
        loop {
            match raw.message().await {
                Some(tokio_tungstenite::tungstenite::Message::Close(close)) => {
                    return close.map(|close| close.code.into());
                }
                _ => raw.bytes(&frame(0x89, b"")).await,
            }
        }
    };
    tokio::pin!(code);
    assert_eq!(code.await, Some(1002u16));
}

#[tokio::test]
async fn a_client_that_closes_gets_its_code_back() {
    let gateway = gateway().await;
    for (bytes, code) in
        [(frame(0x88, &1000u16.to_be_bytes()), Some(1000)), (frame(0x88, &3001u16.to_be_bytes()), Some(3001))]
    {
        let mut raw = gateway.raw_as("bob").await;
        raw.bytes(&bytes).await;
        assert_eq!(raw.close_code().await, code);
        gateway.detached(1).await;
    }
    let mut raw = gateway.raw_as("bob").await;
    raw.bytes(&frame(0x88, b"")).await;
    assert_eq!(raw.message().await, Some(tokio_tungstenite::tungstenite::Message::Close(None)));
}
