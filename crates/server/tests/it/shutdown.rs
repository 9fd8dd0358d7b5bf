//! Going down in order.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stentor_testkit::{APP, ClientEvent, OPEN_APP, TestApp, TestProcess, TestServer, eventually};

use crate::STENTOR;

#[tokio::test]
async fn both_signals_end_the_process_with_0_in_time() {
    for signal in ["TERM", "INT"] {
        let directory = tempfile::tempdir().unwrap();
        let server = TestProcess::serve(STENTOR, directory.path(), &[], &[]).await;
        let started = Instant::now();
        server.signal(signal).await;
        let ended = server.end().await;
        assert_eq!(ended.code(), Some(0), "{}", ended.errors);
        assert!(started.elapsed() < Duration::from_secs(5), "an idle server is down at once");
    }
}

#[tokio::test]
async fn a_request_under_way_is_finished_and_nobody_new_is_let_in() {
    let directory = tempfile::tempdir().unwrap();
    let app = TestApp::open().to_toml();
    std::fs::write(directory.path().join("s.toml"), format!("[server]\nack_timeout_ms = 1500\n{app}")).unwrap();
    let server = TestProcess::serve(STENTOR, directory.path(), &["--config", "s.toml"], &[]).await;
    let listener = silent_client(&server).await;
    let http = server.http().basic("cid", "csec");
    let path = format!("/dev/v2/project/{OPEN_APP}/rtm/users/alice/peer_messages?wait_for_ack=true");
    let sending = tokio::spawn({
        let http = http.clone();
        async move { http.post(&path, &json!({ "destination": "bob", "payload": "x" })).await }
    });
    let mut listener = listener;
    assert!(matches!(listener.next().await, Some(ClientEvent::PeerMessage(_))), "the request is under way");

    let started = Instant::now();
    server.signal("TERM").await;
    let mut told = Vec::new();
    while let Some(event) = listener.next().await {
        told.push(event);
    }
    assert!(matches!(told.first(), Some(ClientEvent::Reconnect { .. })), "{told:?}");
    assert_eq!(told.last(), Some(&ClientEvent::Closed { code: Some(1012) }));
    eventually("nobody is let in", async || {
        let refused = http.try_send(http::Method::GET, "/healthz", bytes::Bytes::new()).await;
        refused.map_or_else(|_| Ok(()), |reply| Err(reply.code()))
    })
    .await;
    assert_eq!(sending.await.unwrap().code(), 408, "nobody has acked it");
    let ended = server.end().await;
    assert_eq!(ended.code(), Some(0), "{}", ended.errors);
    assert!(started.elapsed() < Duration::from_secs(10));
}

/// A client that never acks.
async fn silent_client(server: &TestProcess) -> stentor_testkit::Client {
    let login = stentor_testkit::ClientLogin { app: OPEN_APP.into(), user: "bob".into(), ..Default::default() };
    let options = stentor_testkit::ClientOptions { auto_ack: false, ..Default::default() };
    stentor_testkit::Client::connect_with(server.url(), login, options).await.unwrap()
}

#[tokio::test]
async fn a_connection_that_does_not_end_is_cut() {
    let server = TestServer::builder().config("[server]\ndrain_timeout_ms = 50").start().await;
    let mut slow = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut slow, b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    let gate = server.anonymous();
    eventually("the connection is accepted", async || {
        let page = gate.get("/metrics").await.text();
        if page.contains("stentor_http_connections 2.0\n") { Ok(()) } else { Err(()) }
    })
    .await;
    let started = Instant::now();
    server.shutdown().await;
    assert!(started.elapsed() < Duration::from_secs(5));
    let mut rest = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut slow, &mut rest).await;
    assert!(rest.is_empty());
}

#[tokio::test]
async fn what_was_accepted_is_there_after_a_restart() {
    let server = TestServer::builder().embedded().start().await;
    let body = json!({ "destination": "bob", "payload": "kept", "enable_offline_messaging": true });
    assert_eq!(server.http().post(&server.path("users/alice/peer_messages"), &body).await.code(), 200);
    let directory = server.shutdown().await;
    let server = TestServer::builder().directory(directory).start().await;
    let mut bob = server.client("bob").await;
    match bob.next().await {
        Some(ClientEvent::PeerMessage(message)) => {
            assert_eq!((message.payload.as_str(), message.from_inbox), ("kept", true));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_killed_process_leaves_a_directory_that_starts_again() {
    let directory = tempfile::tempdir().unwrap();
    let app = TestApp::new().to_toml();
    std::fs::write(directory.path().join("s.toml"), app).unwrap();
    let server = TestProcess::serve(STENTOR, directory.path(), &["--config", "s.toml"], &[]).await;
    let path = format!("/dev/v2/project/{APP}/rtm/users/alice/peer_messages");
    let body = json!({ "destination": "bob", "payload": "kept", "enable_offline_messaging": true });
    assert_eq!(server.http().basic("cid", "csec").post(&path, &body).await.code(), 200);
    server.kill().await;

    let server = TestProcess::serve(STENTOR, directory.path(), &["--config", "s.toml"], &[]).await;
    let mut bob = TestProcess::start(STENTOR, directory.path(), &["listen", "--user", "bob", "--json"], &[]);
    let connected: Value = serde_json::from_str(&bob.line().await).unwrap();
    assert_eq!(connected["type"], "connected");
    let message: Value = serde_json::from_str(&bob.line().await).unwrap();
    assert_eq!((&message["payload"], &message["from_inbox"]), (&json!("kept"), &json!(true)));
    server.kill().await;
}
