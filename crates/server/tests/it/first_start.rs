//! The first start and those after it; who may use a data directory.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use stentor_testkit::TestProcess;

use crate::STENTOR;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn an_app_is_made_up_kept_and_never_shown_in_a_log() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("stentor-data");
    let server = TestProcess::serve(STENTOR, directory.path(), &[], &[]).await;
    assert_eq!(mode(&data), 0o700);
    let credentials = fs::read_to_string(data.join("credentials.toml")).unwrap();
    for file in fs::read_dir(&data).unwrap() {
        let path = file.unwrap().path();
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&path), expected, "{}", path.display());
    }
    server.signal("TERM").await;
    let ended = server.end().await;
    assert_eq!(ended.code(), Some(0));
    assert!(ended.output.is_empty(), "one line on stdout: {:?}", ended.output);
    for secret in credentials.split('"').filter(|word| word.len() >= 20 && !word.contains(' ')) {
        assert!(!ended.errors.contains(secret), "a secret is in the log: {}", ended.errors);
    }
    assert!(ended.errors.contains("credentials.toml"), "{}", ended.errors);
    assert!(!data.join("local.toml").exists(), "nobody can be reached any more");

    let again = TestProcess::serve(STENTOR, directory.path(), &[], &[]).await;
    assert_eq!(fs::read_to_string(data.join("credentials.toml")).unwrap(), credentials);
    again.kill().await;
}

#[tokio::test]
async fn configured_apps_come_instead() {
    let directory = tempfile::tempdir().unwrap();
    let app = [("STENTOR_APPS_0_APP_ID", stentor_testkit::OPEN_APP)];
    let server = TestProcess::serve(STENTOR, directory.path(), &[], &app).await;
    assert!(!directory.path().join("stentor-data/credentials.toml").exists());
    let ended = TestProcess::run(STENTOR, directory.path(), &["send", "--from", "a", "--user", "b", "x"], &[]).await;
    assert_eq!(ended.code(), Some(2));
    assert!(ended.errors.contains("no credentials for the app"), "{}", ended.errors);
    server.kill().await;
}

#[tokio::test]
async fn a_directory_serves_one_process_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let server = TestProcess::serve(STENTOR, directory.path(), &[], &[]).await;
    let second = TestProcess::run(STENTOR, directory.path(), &["--listen", "127.0.0.1:0"], &[]).await;
    assert_eq!(second.code(), Some(3));
    assert!(second.errors.contains("in use by another process"), "{}", second.errors);
    server.kill().await;
    TestProcess::serve(STENTOR, directory.path(), &[], &[]).await.kill().await;
}

#[tokio::test]
async fn a_directory_that_cannot_be_used_is_3() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("stentor-data");
    let start = || TestProcess::run(STENTOR, directory.path(), &["--listen", "127.0.0.1:0"], &[]);
    fs::write(&data, "a file").unwrap();
    assert_eq!(start().await.code(), Some(3));
    fs::remove_file(&data).unwrap();
    fs::create_dir(&data).unwrap();
    fs::write(data.join("stentor.db"), "not a database, but long enough to be looked at").unwrap();
    let ended = start().await;
    assert_eq!(ended.code(), Some(3), "{}", ended.errors);
    assert!(ended.errors.contains("stentor.db"), "{}", ended.errors);
    fs::remove_file(data.join("stentor.db")).unwrap();
    fs::write(data.join("credentials.toml"), "[[apps]]\napp_id = 5\n").unwrap();
    let ended = start().await;
    assert_eq!(ended.code(), Some(3));
    assert!(ended.errors.contains("credentials.toml:2: apps[0].app_id"), "{}", ended.errors);
}

#[tokio::test]
async fn an_address_that_is_taken_is_4() {
    let directory = tempfile::tempdir().unwrap();
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = TestProcess::run(STENTOR, directory.path(), &["--listen", &address], &[]).await;
    assert_eq!(ended.code(), Some(4));
    assert!(ended.errors.contains(&format!("cannot listen on {address}")), "{}", ended.errors);
}
