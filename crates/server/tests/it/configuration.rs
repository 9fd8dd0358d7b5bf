//! What the process says about its configuration, and what wins.

use std::fs;
use std::path::Path;

use stentor_testkit::{Ended, TestProcess};

use crate::STENTOR;

async fn check(directory: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let mut all = vec!["check-config"];
    all.extend(arguments);
    TestProcess::run(STENTOR, directory, &all, variables).await
}

#[tokio::test]
async fn flags_win_over_variables_over_the_file_over_defaults() {
    let directory = tempfile::tempdir().unwrap();
    let ok = |ended: &Ended, address: &str| {
        assert_eq!(ended.code(), Some(0), "{}", ended.errors);
        let line = ended.output.last().unwrap();
        assert!(line.starts_with(&format!("configuration ok: {address}, ")), "{line}");
    };
    ok(&check(directory.path(), &[], &[]).await, "127.0.0.1:8480");
    fs::write(directory.path().join("s.toml"), "[server]\nlisten = \"127.0.0.1:1\"\n").unwrap();
    ok(&check(directory.path(), &["--config", "s.toml"], &[]).await, "127.0.0.1:1");
    ok(&check(directory.path(), &[], &[("STENTOR_CONFIG", "s.toml")]).await, "127.0.0.1:1");
    let variable = [("STENTOR_SERVER_LISTEN", "127.0.0.1:2")];
    ok(&check(directory.path(), &["--config", "s.toml"], &variable).await, "127.0.0.1:2");
    let flag = ["--config", "s.toml", "--listen", "127.0.0.1:3"];
    ok(&check(directory.path(), &flag, &variable).await, "127.0.0.1:3");
}

#[tokio::test]
async fn a_bad_configuration_ends_the_start_with_key_and_line() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("s.toml"), "[server]\nlisen = \"x\"\nack_timeout_ms = -1\n").unwrap();
    for command in ["serve", "check-config"] {
        let ended = TestProcess::run(STENTOR, directory.path(), &[command, "--config", "s.toml"], &[]).await;
        assert_eq!(ended.code(), Some(2));
        assert!(ended.errors.contains("s.toml:2: server.lisen: unknown key"), "{}", ended.errors);
        assert!(ended.errors.contains("s.toml:3: server.ack_timeout_ms: expected a whole number"), "{}", ended.errors);
        assert!(ended.output.is_empty());
    }
    let ended = check(directory.path(), &["--config", "missing.toml"], &[]).await;
    assert_eq!(ended.code(), Some(2));
    assert!(ended.errors.contains("missing.toml"), "{}", ended.errors);
    let ended = check(directory.path(), &[], &[("STENTOR_SERVER_LISEN", "x")]).await;
    assert_eq!(ended.code(), Some(2));
    assert!(ended.errors.contains("STENTOR_SERVER_LISEN: server.lisen: unknown key"), "{}", ended.errors);
    assert!(!directory.path().join("stentor-data").exists(), "nothing was made");
}

#[tokio::test]
async fn the_authorities_of_push_services_are_looked_at() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("ca.pem"), "no certificate").unwrap();
    for file in ["ca.pem", "missing.pem"] {
        let variables = [("STENTOR_PUSH_CA_FILE", file)];
        for command in ["serve", "check-config"] {
            let arguments = [command, "--listen", "127.0.0.1:0"];
            let ended = TestProcess::run(STENTOR, directory.path(), &arguments, &variables).await;
            assert_eq!(ended.code(), Some(2), "{command} {file}: {}", ended.errors);
            assert!(ended.errors.contains("push.ca_file"), "{}", ended.errors);
        }
    }
}

#[tokio::test]
async fn plain_http_beyond_loopback_is_refused_unless_allowed() {
    let directory = tempfile::tempdir().unwrap();
    let ended = check(directory.path(), &["--listen", "0.0.0.0:1"], &[]).await;
    assert_eq!(ended.code(), Some(2));
    assert!(ended.errors.contains("--listen: server.listen: plain HTTP beyond loopback"), "{}", ended.errors);
    let allowed = [("STENTOR_SERVER_ALLOW_PLAIN_HTTP", "true")];
    let ended = check(directory.path(), &["--listen", "0.0.0.0:1"], &allowed).await;
    assert_eq!(ended.code(), Some(0));
    assert!(ended.output[0].starts_with("warning: plain HTTP on 0.0.0.0:1"), "{:?}", ended.output);
}

#[tokio::test]
async fn a_wrong_command_line_is_2() {
    let directory = tempfile::tempdir().unwrap();
    for arguments in [&["--lisen", "x"][..], &["nonsense"], &["send", "--from", "a", "x"], &["token", "rtm"]] {
        let ended = TestProcess::run(STENTOR, directory.path(), arguments, &[]).await;
        assert_eq!(ended.code(), Some(2), "{arguments:?}");
    }
}
