//! HTTPS, WSS, and certificates that are replaced.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use stentor_testkit::{TestProcess, TestServer, eventually};

use crate::STENTOR;

fn write_certificate(directory: &Path, name: &str) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    fs::write(directory.join("tls.crt"), made.cert.pem()).unwrap();
    fs::write(directory.join("tls.key"), made.signing_key.serialize_pem()).unwrap();
}

const FILES: [(&str, &str); 2] = [("STENTOR_TLS_CERTIFICATE", "tls.crt"), ("STENTOR_TLS_KEY", "tls.key")];

#[tokio::test]
async fn the_command_line_speaks_tls_to_the_local_server() {
    let directory = tempfile::tempdir().unwrap();
    write_certificate(directory.path(), "chat.example.com");
    let server = TestProcess::serve(STENTOR, directory.path(), &[], &FILES).await;
    assert!(server.url().starts_with("https://127.0.0.1:"), "{}", server.url());

    let mut bob = TestProcess::start(STENTOR, directory.path(), &["listen", "--user", "bob", "--json"], &[]);
    let connected: Value = serde_json::from_str(&bob.line().await).unwrap();
    assert_eq!(connected["type"], "connected");
    let send = ["send", "--from", "alice", "--user", "bob", "--ack", "over tls"];
    let sent = TestProcess::run(STENTOR, directory.path(), &send, &[]).await;
    assert_eq!((sent.code(), sent.output.join("")), (Some(0), "message_delivered".to_owned()), "{}", sent.errors);
    let message: Value = serde_json::from_str(&bob.line().await).unwrap();
    assert_eq!(message["payload"], json!("over tls"));

    // Somebody else's certificate is not trusted.
    let other = tempfile::tempdir().unwrap();
    write_certificate(other.path(), "chat.example.com");
    let authority = other.path().join("tls.crt").display().to_string();
    let sent = TestProcess::run(STENTOR, directory.path(), &[&send[..], &["--ca", &authority]].concat(), &[]).await;
    assert_eq!(sent.code(), Some(7), "{}", sent.errors);
    server.kill().await;
}

#[tokio::test]
async fn sighup_reads_the_certificate_again() {
    let directory = tempfile::tempdir().unwrap();
    write_certificate(directory.path(), "old.example.com");
    let server = TestProcess::serve(STENTOR, directory.path(), &[], &FILES).await;
    let doctor = async || {
        let ended = TestProcess::run(STENTOR, directory.path(), &["doctor"], &[]).await;
        ended.output.iter().any(|line| line.ends_with("is ready"))
    };
    assert!(doctor().await, "the certificate in the file is the one in use");
    write_certificate(directory.path(), "new.example.com");
    assert!(!doctor().await, "the new one is not in use yet");
    let text = TestProcess::run(STENTOR, directory.path(), &["doctor"], &[]).await.output.join("\n");
    assert!(text.contains("another certificate") && !text.contains("ended without"), "{text}");
    server.signal("HUP").await;
    eventually("the new one is in use", async || if doctor().await { Ok(()) } else { Err(()) }).await;

    fs::write(directory.path().join("tls.key"), "no key").unwrap();
    server.signal("HUP").await;
    eventually("the refusal is in the log", async || {
        let log = server.errors();
        if log.contains("stay as they were") { Ok(()) } else { Err(log) }
    })
    .await;
    assert!(doctor().await, "the server goes on with the one before");
    server.kill().await;
}

#[tokio::test]
async fn sighup_without_tls_reads_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let server = TestProcess::serve(STENTOR, directory.path(), &[], &[]).await;
    server.signal("HUP").await;
    eventually("the log says so", async || {
        let log = server.errors();
        if log.contains("has nothing to read again") { Ok(()) } else { Err(log) }
    })
    .await;
    assert!(!server.errors().contains("were read again"), "{}", server.errors());
    server.kill().await;
}

#[tokio::test]
async fn bad_files_end_the_start() {
    let directory = tempfile::tempdir().unwrap();
    write_certificate(directory.path(), "a.example.com");
    fs::write(directory.path().join("tls.crt"), "no certificate").unwrap();
    for command in ["serve", "check-config"] {
        let ended = TestProcess::run(STENTOR, directory.path(), &[command, "--listen", "127.0.0.1:0"], &FILES).await;
        assert_eq!(ended.code(), Some(2), "{}", ended.errors);
        assert!(ended.errors.contains("tls.crt"), "{}", ended.errors);
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_cut() {
    let directory = tempfile::tempdir().unwrap();
    write_certificate(directory.path(), "a.example.com");
    let files = format!(
        "[tls]\ncertificate = \"{0}/tls.crt\"\nkey = \"{0}/tls.key\"\nhandshake_timeout_ms = 100",
        directory.path().display()
    );
    let server = TestServer::builder().config(&files).start().await;
    assert_eq!(stentor_testkit::exchange(server.address(), b"").await, "");
    let plain = stentor_testkit::exchange(server.address(), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(!plain.contains("HTTP/1.1"), "{plain}");
}
