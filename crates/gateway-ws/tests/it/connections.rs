//! The HTTP side, and connections that come and go.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{APP, Gateway, REQUEST_ID, gateway, gateway_with, soon, until};

async fn http(gateway: &Gateway, request: &str) -> String {
    let mut tcp = TcpStream::connect(gateway.address).await.expect("connected");
    tcp.write_all(request.as_bytes()).await.expect("written");
    let mut answer = String::new();
    soon(tcp.read_to_string(&mut answer)).await.expect("readable");
    answer
}

#[tokio::test]
async fn what_is_not_upgraded_gets_an_answer_in_json() {
    let gateway = gateway().await;
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade, close\r\n";
    for (head, status, hint) in [
        ("GET /ws/rtm HTTP/1.1\r\nConnection: close\r\n".to_owned(), 426, "upgrade: websocket"),
        ("POST /ws/rtm HTTP/1.1\r\nConnection: close\r\n".to_owned(), 405, "allow: GET"),
        (format!("GET /ws/rtm HTTP/1.1\r\n{upgrade}Sec-WebSocket-Version: 8\r\n"), 426, "sec-websocket-version: 13"),
        (format!("GET /ws/rtm HTTP/1.1\r\n{upgrade}Sec-WebSocket-Version: 13\r\n"), 400, ""),
    ] {
        let answer = http(&gateway, &format!("{head}Host: localhost\r\n\r\n")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head}: {answer}");
        assert!(answer.contains("content-type: application/json") && answer.contains(hint), "{head}: {answer}");
        let text = answer.split_once("\r\n\r\n").map(|(_, body)| body).expect("a body");
        let body: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let reason = &body["reason"];
        assert_eq!(
            text,
            format!(r#"{{"result":"failed","request_id":"{REQUEST_ID}","code":{status},"reason":{reason}}}"#)
        );
    }
    assert_eq!(gateway.state.counters().accepted, 0);
}

#[tokio::test]
async fn a_client_may_speak_before_it_read_the_answer() {
    let gateway = gateway().await;
    let login = format!(r#"{{"type":"login","version":1,"app":"{APP}","user":"bob"}}"#);
    let mut request = b"GET /ws/rtm HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        .to_vec();
    request.extend_from_slice(&[0x81, 0x80 | login.len() as u8, 0, 0, 0, 0]);
    request.extend_from_slice(login.as_bytes());
    let mut tcp = TcpStream::connect(gateway.address).await.expect("connected");
    tcp.write_all(&request).await.expect("written");
    let mut answer = Vec::new();
    while !answer.windows(9).any(|window| window == br#""welcome""#) {
        let mut buffer = [0; 1024];
        let count = soon(tcp.read(&mut buffer)).await.expect("readable");
        assert!(count > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&buffer[..count]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "));
    let accept = b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    assert!(answer.windows(accept.len()).any(|window| window.eq_ignore_ascii_case(accept)));
}

#[tokio::test]
async fn a_lost_connection_leaves_its_session() {
    let gateway = gateway().await;
    let raw = gateway.raw_as("bob").await;
    drop(raw);
    gateway.detached(1).await;
    until(|| gateway.state.counters().open == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_come_and_go() {
    // Room for everybody's joins and leaves.
    let gateway = gateway_with(|setup| setup.policy.sessions.mailbox_notices = 1000).await;
    let clients = (0..100).map(|number| {
        let gateway = &gateway;
        async move {
            let client = gateway.client(&format!("user-{number}")).await;
            client.join("lobby").await.expect("joined");
            match number % 3 {
                0 => client.logout().await.expect("logged out"),
                1 => client.close().await,
                // Whoever comes last is told nothing by anybody, and must not wait for it.
                _ => drop(client),
            }
        }
    });
    futures_util::future::join_all(clients).await;
    until(|| gateway.state.counters().open == 0).await;
    gateway.detached(66).await;
}
