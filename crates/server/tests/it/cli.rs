//! The command line against a running server.

use serde_json::{Value, json};
use stentor_testkit::{Ended, Http, OPEN_APP, TestApp, TestProcess, eventually};
use tempfile::TempDir;

use crate::STENTOR;

/// A server, and commands that find it by its data directory.
struct Local {
    directory: TempDir,
    server: TestProcess,
}

impl Local {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let server = TestProcess::serve(STENTOR, directory.path(), &[], &[]).await;
        Self { directory, server }
    }

    async fn run(&self, arguments: &[&str]) -> Ended {
        TestProcess::run(STENTOR, self.directory.path(), arguments, &[]).await
    }

    /// `stentor listen --json`, connected.
    async fn listen(&self, arguments: &[&str]) -> (TestProcess, Value) {
        let mut all = vec!["listen", "--json"];
        all.extend(arguments);
        let mut process = TestProcess::start(STENTOR, self.directory.path(), &all, &[]);
        let connected = next(&mut process).await;
        (process, connected)
    }

    /// The first app's ID, and a client with its customer's credentials.
    fn rest(&self) -> (String, Http) {
        let text = std::fs::read_to_string(self.directory.path().join("stentor-data/credentials.toml")).unwrap();
        let config = stentor_server::config::Config::parse("credentials.toml", &text).unwrap();
        let customer = &config.apps[0].app.customers[0];
        (config.apps[0].app_id().to_owned(), self.server.http().basic(&customer.id, customer.secret.expose()))
    }
}

async fn next(process: &mut TestProcess) -> Value {
    serde_json::from_str(&process.line().await).unwrap()
}

/// The next line of that type.
async fn next_of(process: &mut TestProcess, kind: &str) -> Value {
    loop {
        let line = next(process).await;
        if line["type"] == kind {
            return line;
        }
    }
}

#[tokio::test]
async fn listen_and_send_meet() {
    let local = Local::start().await;
    let (mut bob, connected) = local.listen(&["--user", "bob", "--channel", "lobby", "--channel", "b 2"]).await;
    assert_eq!(connected["type"], "connected");
    assert_eq!(connected["channels"], json!(["lobby", "b 2"]));

    let sent = local.run(&["send", "--from", "alice x", "--user", "bob", "--ack", "hi \"bob\"\n"]).await;
    assert_eq!((sent.code(), sent.output), (Some(0), vec!["message_delivered".to_owned()]), "{}", sent.errors);
    let message = next_of(&mut bob, "peer_message").await;
    assert_eq!(message["from"], "alice x");
    assert_eq!(message["payload"], "hi \"bob\"\n");
    assert_eq!((&message["channel"], &message["from_inbox"]), (&Value::Null, &json!(false)));
    assert!(message["ts"].is_u64() && message["message_id"].is_string());

    let sent = local.run(&["send", "--from", "alice", "--channel", "b 2", "hi all"]).await;
    assert_eq!((sent.code(), sent.output), (Some(0), vec!["message_sent".to_owned()]));
    let message = next_of(&mut bob, "channel_message").await;
    assert_eq!((&message["channel"], &message["payload"]), (&json!("b 2"), &json!("hi all")));
    assert_eq!(message["from_inbox"], json!(false));
}

#[tokio::test]
async fn the_exit_code_of_send_says_what_became_of_it() {
    let local = Local::start().await;
    for (arguments, code, output) in [
        (&["--user", "nobody", "x"][..], 0, "message_sent"),
        (&["--user", "nobody", "--ack", "x"], 5, "message_offline"),
        (&["--user", "nobody", "--ack", "--keep", "kept"], 5, "message_offline"),
        (&["--user", "no*body", "x"], 1, ""),
    ] {
        let sent = local.run(&[&["send", "--from", "alice"], arguments].concat()).await;
        assert_eq!((sent.code(), sent.output.join("").as_str()), (Some(code), output), "{arguments:?} {}", sent.errors);
    }
    let (mut nobody, _) = local.listen(&["--user", "nobody"]).await;
    let kept = next_of(&mut nobody, "peer_message").await;
    assert_eq!((&kept["payload"], &kept["from_inbox"]), (&json!("kept"), &json!(true)));
}

#[tokio::test]
async fn both_signals_log_out() {
    let local = Local::start().await;
    let (app, http) = local.rest();
    let events = format!("/dev/v2/project/{app}/rtm/vendor/user_events");
    for signal in ["TERM", "INT"] {
        let (bob, _) = local.listen(&["--user", "bob"]).await;
        bob.signal(signal).await;
        let ended = bob.end().await;
        assert_eq!(ended.code(), Some(0), "{}", ended.errors);
        let reply = http.get(&events).await.json();
        let types: Vec<&str> =
            reply["events"].as_array().unwrap().iter().map(|e| e["type"].as_str().unwrap()).collect();
        assert_eq!(types, ["Login", "Logout"], "at once, not after the grace");
    }
}

#[tokio::test]
async fn listen_comes_back_and_misses_nothing() {
    let local = Local::start().await;
    let address = local.server.address().to_string();
    let (mut bob, first) = local.listen(&["--user", "bob", "--channel", "lobby"]).await;
    local.server.kill().await;
    assert_eq!(next_of(&mut bob, "disconnected").await["code"], Value::Null);
    let directory = local.directory;
    let server = TestProcess::serve(STENTOR, directory.path(), &["--listen", &address], &[]).await;
    let again = next_of(&mut bob, "connected").await;
    assert_eq!((&again["resumed"], &again["session"]), (&json!(true), &first["session"]));
    let sent =
        TestProcess::run(STENTOR, directory.path(), &["send", "--from", "a", "--channel", "lobby", "x"], &[]).await;
    assert_eq!(sent.code(), Some(0), "{}", sent.errors);
    assert_eq!(next_of(&mut bob, "channel_message").await["payload"], "x");
    server.kill().await;
}

#[tokio::test]
async fn a_login_elsewhere_ends_listen() {
    let local = Local::start().await;
    let (first, _) = local.listen(&["--user", "bob"]).await;
    let (_second, _) = local.listen(&["--user", "bob"]).await;
    let ended = first.end().await;
    assert_eq!(ended.code(), Some(1));
    assert!(ended.errors.contains("logged in elsewhere (4002)"), "{}", ended.errors);
}

#[tokio::test]
async fn tokens_log_in() {
    let local = Local::start().await;
    let (app, _) = local.rest();
    for format in ["006", "007"] {
        let made =
            local.run(&["token", "rtm", "--app", &app, "--user", "bob", "--format", format, "--ttl", "60"]).await;
        assert_eq!(made.code(), Some(0), "{}", made.errors);
        let token = made.output[0].as_str();
        assert!(token.starts_with(format));
        // Elsewhere, without the data directory.
        let elsewhere = tempfile::tempdir().unwrap();
        let remote = ["--server", local.server.url(), "--app", &app, "--token", token];
        let listen = [&["listen", "--json", "--user", "bob"], &remote[..]].concat();
        let mut bob = TestProcess::start(STENTOR, elsewhere.path(), &listen, &[]);
        assert_eq!(next(&mut bob).await["type"], "connected");
        let send = [&["send", "--from", "bob", "--user", "bob", "--ack", "to myself"], &remote[..]].concat();
        let sent = TestProcess::run(STENTOR, elsewhere.path(), &send, &[]).await;
        assert_eq!(sent.output, ["message_delivered"], "{}", sent.errors);
        let send = [&["send", "--from", "alice", "--user", "bob", "x"], &remote[..]].concat();
        let sent = TestProcess::run(STENTOR, elsewhere.path(), &send, &[]).await;
        assert_eq!(sent.code(), Some(1), "a token of bob is not alice's");
    }
    let made = local.run(&["token", "rtm", "--app", OPEN_APP, "--user", "bob"]).await;
    assert_eq!(made.code(), Some(2));
    let refused = local.run(&["listen", "--user", "bob", "--token", "nonsense"]).await;
    assert_eq!(refused.code(), Some(1));
    assert!(refused.errors.contains("invalid token (5)"), "{}", refused.errors);
}

#[tokio::test]
async fn without_a_server_the_errors_say_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let send = ["send", "--from", "a", "--user", "b", "x"];
    let ended = TestProcess::run(STENTOR, directory.path(), &send, &[]).await;
    assert_eq!(ended.code(), Some(7));
    assert!(ended.errors.contains("there is no data directory ./stentor-data"), "{}", ended.errors);
    let server = TestProcess::serve(STENTOR, directory.path(), &[], &[]).await;
    server.kill().await;
    let ended = TestProcess::run(STENTOR, directory.path(), &send, &[]).await;
    assert_eq!(ended.code(), Some(7));
    assert!(ended.errors.contains("cannot be reached"), "{}", ended.errors);
    let ended = TestProcess::run(STENTOR, directory.path(), &["listen", "--user", "b"], &[]).await;
    assert_eq!(ended.code(), Some(7), "{}", ended.errors);
    let elsewhere = [("STENTOR_SERVER_DATA_DIR", "elsewhere")];
    let ended = TestProcess::run(STENTOR, directory.path(), &send, &elsewhere).await;
    assert!(ended.errors.contains("no data directory elsewhere"), "{}", ended.errors);
}

#[tokio::test]
async fn several_apps_must_be_named() {
    let directory = tempfile::tempdir().unwrap();
    let text = TestApp::new().to_toml() + &TestApp::open().to_toml();
    std::fs::write(directory.path().join("s.toml"), text).unwrap();
    let server = TestProcess::serve(STENTOR, directory.path(), &["--config", "s.toml", "--data", "d"], &[]).await;
    let send = ["send", "--data", "d", "--from", "a", "--user", "b", "--ack", "x"];
    let ended = TestProcess::run(STENTOR, directory.path(), &send, &[]).await;
    assert_eq!(ended.code(), Some(2));
    assert!(ended.errors.contains("name one with --app"), "{}", ended.errors);
    for app in [stentor_testkit::APP, OPEN_APP] {
        let ended = TestProcess::run(STENTOR, directory.path(), &[&send[..], &["--app", app]].concat(), &[]).await;
        assert_eq!(ended.output, ["message_offline"], "{}", ended.errors);
    }
    server.kill().await;
}

#[tokio::test]
async fn doctor_finds_what_is_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let doctor = || TestProcess::run(STENTOR, directory.path(), &["doctor"], &[]);
    assert_eq!(doctor().await.code(), Some(0), "nothing is wrong before the first start");
    let server = TestProcess::serve(STENTOR, directory.path(), &[], &[]).await;
    let healthy = doctor().await;
    assert_eq!(healthy.code(), Some(0));
    assert!(healthy.output.iter().any(|line| line.ends_with("is ready")), "{:?}", healthy.output);
    let credentials = directory.path().join("stentor-data/credentials.toml");
    std::fs::set_permissions(&credentials, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    server.kill().await;
    let sick = doctor().await;
    assert_eq!(sick.code(), Some(1));
    let text = sick.output.join("\n");
    assert!(text.contains("is readable by others") && text.contains("it ended without cleaning up"), "{text}");
}

#[tokio::test]
async fn listen_for_people_is_readable() {
    let local = Local::start().await;
    let mut bob = TestProcess::start(STENTOR, local.directory.path(), &["listen", "--user", "bob"], &[]);
    assert_eq!(bob.line().await, "* connected as bob");
    eventually("sent", async || {
        let sent = local.run(&["send", "--from", "alice", "--user", "bob", "--ack", "你好 \u{1b}[2J"]).await;
        if sent.code() == Some(0) { Ok(()) } else { Err(sent) }
    })
    .await;
    assert_eq!(bob.line().await, "alice → you: 你好 \\u{1b}[2J");
}
