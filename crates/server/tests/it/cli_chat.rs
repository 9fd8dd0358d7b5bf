//! The command line as a Chat client, and its Chat tokens.

use serde_json::{Value, json};
use stentor_testkit::{Ended, Http, TestApp, TestProcess};
use tempfile::TempDir;

use crate::STENTOR;

/// A server with a made-up app, and commands that find it by its data directory.
struct Local {
    directory: TempDir,
    server: TestProcess,
    /// `/org/app`
    prefix: String,
    names: [String; 2],
}

impl Local {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let server = TestProcess::serve(STENTOR, directory.path(), &[], &[]).await;
        let text = std::fs::read_to_string(directory.path().join("stentor-data/credentials.toml")).unwrap();
        let config = stentor_server::config::Config::parse("credentials.toml", &text).unwrap();
        let app = &config.apps[0].app;
        let names = [&app.org_name.as_ref().unwrap().as_str(), &app.app_name.as_ref().unwrap().as_str()];
        let names = names.map(|name| (*name).to_owned());
        Self { directory, server, prefix: format!("/{}/{}", names[0], names[1]), names }
    }

    async fn run(&self, arguments: &[&str]) -> Ended {
        TestProcess::run(STENTOR, self.directory.path(), arguments, &[]).await
    }

    async fn token(&self, arguments: &[&str]) -> String {
        let made = self.run(&[&["token"], arguments].concat()).await;
        assert_eq!(made.code(), Some(0), "{}", made.errors);
        made.output[0].clone()
    }

    /// A client of the REST API with the app's token.
    async fn backend(&self) -> Http {
        self.server.http().bearer(&self.token(&["chat-app"]).await)
    }

    async fn post(&self, backend: &Http, endpoint: &str, body: Value) -> Value {
        let reply = backend.post(&format!("{}/{endpoint}", self.prefix), &body).await;
        assert_eq!(reply.code(), 200, "{}", reply.text());
        reply.json()
    }

    /// bob, and a room of bob's.
    async fn bob(&self, backend: &Http) -> String {
        self.post(backend, "users", json!({ "username": "bob", "password": "secret" })).await;
        let room = json!({ "name": "lobby", "description": "-", "owner": "bob" });
        self.post(backend, "chatrooms", room).await["data"]["id"].as_str().unwrap().to_owned()
    }

    /// `stentor listen --chat --json`, connected.
    async fn listen(&self, arguments: &[&str]) -> (TestProcess, Value) {
        let all = [&["listen", "--chat", "--json"], arguments].concat();
        let mut process = TestProcess::start(STENTOR, self.directory.path(), &all, &[]);
        let connected = next(&mut process).await;
        (process, connected)
    }
}

async fn next(process: &mut TestProcess) -> Value {
    serde_json::from_str(&process.line().await).unwrap()
}

/// The next line of that type, letter for letter.
async fn line_of(process: &mut TestProcess, kind: &str) -> String {
    loop {
        let line = process.line().await;
        if serde_json::from_str::<Value>(&line).unwrap()["type"] == kind {
            return line;
        }
    }
}

#[tokio::test]
async fn listen_prints_what_programs_were_promised() {
    let local = Local::start().await;
    let backend = local.backend().await;
    let room = local.bob(&backend).await;
    let (mut bob, connected) = local.listen(&["--user", "bob", "--password", "secret", "--room", &room]).await;
    assert_eq!(
        (&connected["type"], &connected["user"], &connected["device"]),
        (&json!("connected"), &json!("bob"), &json!("cli"))
    );
    assert_eq!(connected["rooms"], json!([room]));

    let send = json!({
        "from": "alice", "to": [room], "type": "custom", "body": { "customEvent": "gift", "customExts": { "n": "1" } },
        "ext": { "k": "v" }, "chatroom_msg_level": "high",
    });
    let id = local.post(&backend, "messages/chatrooms", send).await["data"][&room].as_str().unwrap().to_owned();
    let line = line_of(&mut bob, "chat_message").await;
    let ts = serde_json::from_str::<Value>(&line).unwrap()["ts"].as_u64().unwrap();
    let expected = format!(
        r#"{{"type":"chat_message","chat_type":"chatroom","id":"{id}","from":"alice","to":"{room}","body_type":"custom","body":{{"customEvent":"gift","customExts":{{"n":"1"}}}},"ext":{{"k":"v"}},"level":"high","targeted":false,"broadcast":false,"ts":{ts}}}"#
    );
    assert_eq!(line, expected);

    let send = json!({ "from": "alice", "to": ["bob"], "type": "txt", "body": { "msg": "hi" } });
    local.post(&backend, "messages/users", send).await;
    let message: Value = serde_json::from_str(&line_of(&mut bob, "chat_message").await).unwrap();
    assert_eq!(
        (&message["chat_type"], &message["body"], &message["ext"]),
        (&json!("chat"), &json!({ "msg": "hi" }), &json!({}))
    );
    // It was acked when it was printed: it does not come again.
    bob.signal("TERM").await;
    assert_eq!(bob.end().await.code(), Some(0));
    let (mut bob, _) = local.listen(&["--user", "bob"]).await;
    let send = json!({ "from": "alice", "to": ["bob"], "type": "txt", "body": { "msg": "next" } });
    local.post(&backend, "messages/users", send).await;
    let message: Value = serde_json::from_str(&line_of(&mut bob, "chat_message").await).unwrap();
    assert_eq!(message["body"]["msg"], "next");
}

#[tokio::test]
async fn tokens_are_good_for_rest_and_for_logging_in() {
    let local = Local::start().await;
    let backend = local.backend().await;
    local.bob(&backend).await;
    let bobs = local.token(&["chat-user", "--user", "BOB", "--ttl", "60"]).await;
    let own = local.server.http().bearer(&bobs).get(&format!("{}/users/bob", local.prefix)).await;
    assert_eq!(own.code(), 200, "{}", own.text());
    // Elsewhere, without the data directory.
    let elsewhere = tempfile::tempdir().unwrap();
    let [org, name] = &local.names;
    let remote = ["--server", local.server.url(), "--org", org, "--app-name", name];
    let listen = [&["listen", "--chat", "--json", "--user", "bob", "--token", &bobs], &remote[..]].concat();
    let mut bob = TestProcess::start(STENTOR, elsewhere.path(), &listen, &[]);
    assert_eq!(next(&mut bob).await["type"], "connected");
    let listen = [&["listen", "--chat", "--user", "bob"], &remote[..]].concat();
    let ended = TestProcess::run(STENTOR, elsewhere.path(), &listen, &[]).await;
    assert_eq!(ended.code(), Some(2));
    assert!(ended.errors.contains("--password"), "{}", ended.errors);
    let listen = ["listen", "--chat", "--user", "bob", "--token", "x", "--server", local.server.url()];
    let ended = TestProcess::run(STENTOR, elsewhere.path(), &listen, &[]).await;
    assert_eq!(ended.code(), Some(2));
    assert!(ended.errors.contains("--org and --app-name"), "{}", ended.errors);

    for (arguments, error) in [
        (&["--user", "bob", "--password", "wrong"][..], "wrong user or password (202)"),
        (&["--user", "bob", "--token", "nonsense"], "invalid token (104)"),
        (&["--user", "nobody"], "invalid token (104)"),
        (&["--user", "b*b"], "the user ID contains a character that is not allowed"),
        (&["--user", "bob", "--room", "1"], "cannot join 1: there is no such room (705)"),
    ] {
        let ended = local.run(&[&["listen", "--chat"], arguments].concat()).await;
        assert!(ended.errors.contains(error) && ended.code() != Some(0), "{arguments:?}: {}", ended.errors);
    }
}

#[tokio::test]
async fn without_a_certificate_tokens_are_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let app = TestApp::open().chat();
    std::fs::write(directory.path().join("s.toml"), app.to_toml()).unwrap();
    let arguments = ["--config", "s.toml", "--data", "d"];
    let offline =
        TestProcess::run(STENTOR, directory.path(), &[&["token", "chat-app"], &arguments[..]].concat(), &[]).await;
    assert_eq!(offline.code(), Some(7), "{}", offline.errors);
    let server = TestProcess::serve(STENTOR, directory.path(), &arguments, &[]).await;
    let made =
        TestProcess::run(STENTOR, directory.path(), &[&["token", "chat-app"], &arguments[..]].concat(), &[]).await;
    assert_eq!(made.code(), Some(0), "{}", made.errors);
    let [org, name, ..] = stentor_testkit::CHAT;
    let users = format!("/{org}/{name}/users");
    let body = json!({ "username": "bob", "password": "secret" });
    assert_eq!(server.http().bearer(&made.output[0]).post(&users, &body).await.code(), 200);
    let user = ["token", "chat-user", "--user", "bob", "--org", org, "--app-name", name];
    let made = TestProcess::run(STENTOR, directory.path(), &[&user[..], &arguments].concat(), &[]).await;
    assert_eq!(made.code(), Some(0), "{}", made.errors);
    assert_eq!(server.http().bearer(&made.output[0]).get(&format!("{users}/bob")).await.code(), 200);
    let nobody = ["token", "chat-user", "--user", "nobody"];
    let refused = TestProcess::run(STENTOR, directory.path(), &[&nobody[..], &arguments].concat(), &[]).await;
    assert_eq!(refused.code(), Some(1));
    assert!(refused.errors.contains("404"), "{}", refused.errors);
    // And so are those of a client that was given none.
    let listen = ["listen", "--chat", "--json", "--data", "d", "--user", "bob"];
    let mut bob = TestProcess::start(STENTOR, directory.path(), &listen, &[]);
    assert_eq!(next(&mut bob).await["type"], "connected");
    server.kill().await;
}

#[tokio::test]
async fn listen_comes_back_and_misses_nothing() {
    let local = Local::start().await;
    let backend = local.backend().await;
    local.bob(&backend).await;
    let address = local.server.address().to_string();
    let (mut bob, first) = local.listen(&["--user", "bob", "--password", "secret"]).await;
    local.server.kill().await;
    line_of(&mut bob, "disconnected").await;
    let server = TestProcess::serve(STENTOR, local.directory.path(), &["--listen", &address], &[]).await;
    let send = json!({ "from": "alice", "to": ["bob"], "type": "txt", "body": { "msg": "meanwhile" } });
    assert_eq!(backend.post(&format!("{}/messages/users", local.prefix), &send).await.code(), 200);
    let again: Value = serde_json::from_str(&line_of(&mut bob, "connected").await).unwrap();
    assert_eq!((&again["resumed"], &again["session"]), (&json!(true), &first["session"]));
    let message: Value = serde_json::from_str(&line_of(&mut bob, "chat_message").await).unwrap();
    assert_eq!(message["body"]["msg"], "meanwhile");
    server.kill().await;
}
