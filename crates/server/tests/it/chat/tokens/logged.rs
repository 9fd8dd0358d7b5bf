//! What the log has of credentials, however much it says: nothing.

use serde_json::json;
use stentor_core::clock::{Clock, SystemClock};
use stentor_testkit::{
    APP, CERTIFICATE, CHAT, ChatAppName, ChatClient, ChatCredential, ChatLogin, ClientOptions, Receiver, TestApp,
    TestProcess,
};
use stentor_token::v007;

/// Passwords and secrets that nothing else is called.
const PASSWORD: &str = "correct-horse-battery";
const NEW_PASSWORD: &str = "staple-of-another-horse";
const WRONG: &str = "wrong-horse-wrong-battery";
const CALLBACK_SECRET: &str = "the-secret-of-the-callbacks";

#[tokio::test]
async fn no_password_and_no_token_is_in_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(CALLBACK_SECRET).await.unwrap();
    let app = TestApp::new().chat().callback("audit", &receiver.url(), "events = [\"chat\"]");
    let config = app.to_toml().replace(stentor_testkit::CALLBACK_SECRET, CALLBACK_SECRET);
    assert!(config.contains(CALLBACK_SECRET), "{config}");
    std::fs::write(directory.path().join("c.toml"), config).unwrap();
    let arguments = ["--config", "c.toml", "--data", "data"];
    let binary = env!("CARGO_BIN_EXE_stentor");
    let process = TestProcess::serve(binary, directory.path(), &arguments, &[("STENTOR_LOG", "trace")]).await;

    let [org, name, client_id, client_secret] = CHAT;
    let (http, path) = (process.http(), |path: &str| format!("/{org}/{name}/{path}"));
    let grant = json!({ "grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret });
    let app_token = http.post(&path("token"), &grant).await.json()["access_token"].as_str().unwrap().to_owned();
    let chat = http.clone().bearer(&app_token);
    for user in ["bob", "carol"] {
        let body = json!({ "username": user, "password": PASSWORD });
        assert_eq!(chat.post(&path("users"), &body).await.code(), 200);
    }
    let grant = |password: &str| json!({ "grant_type": "password", "username": "bob", "password": password });
    let reply = http.post(&path("token"), &grant(PASSWORD)).await.json();
    let user_token = reply["access_token"].as_str().unwrap().to_owned();
    assert_eq!(http.post(&path("token"), &grant(WRONG)).await.code(), 400);
    // Not JSON: an error that quotes what it could not read would quote the password.
    let broken = format!("{{\"grant_type\":\"password\",\"password\":\"{WRONG}\"").into();
    assert_eq!(http.send(http::Method::POST, &path("token"), broken).await.code(), 400);
    assert_eq!(http.clone().bearer(&user_token).get(&path("users/bob")).await.code(), 200);
    assert_eq!(http.clone().bearer(WRONG).get(&path("users/bob")).await.code(), 401);
    let new = json!({ "newpassword": NEW_PASSWORD });
    assert_eq!(chat.put(&path("users/bob/password"), &new).await.code(), 200);

    let now_s = SystemClock::new().wall_ms() / 1000;
    let issue = v007::Issue { issue_ts_s: u32::try_from(now_s).unwrap(), expire_s: 600, salt: 1 };
    let signed = v007::build(APP, CERTIFICATE, issue, &[v007::Service::chat_user("carol", 600)]).unwrap();
    let url = process.url().replace("http://", "ws://");
    let app = ChatAppName::Names { org: org.to_owned(), app_name: name.to_owned() };
    for (user, credential) in [
        ("bob", ChatCredential::Password(NEW_PASSWORD.to_owned())),
        ("carol", ChatCredential::Token(signed.clone())),
        ("bob", ChatCredential::Password(WRONG.to_owned())),
    ] {
        let login = ChatLogin { app: app.clone(), user: user.to_owned(), credential, ..ChatLogin::default() };
        let _ = ChatClient::connect_with(&url, login, ClientOptions::default()).await;
    }
    let body = json!({ "from": "bob", "to": ["carol"], "type": "txt", "body": { "msg": "hi" } });
    assert_eq!(chat.post(&path("messages/users"), &body).await.code(), 200);
    receiver.wait_for(1, stentor_testkit::DEADLINE).await.expect("a callback");
    assert_eq!(receiver.problems(), Vec::<String>::new(), "signed with the secret");

    let mut secrets =
        vec![PASSWORD, NEW_PASSWORD, WRONG, CALLBACK_SECRET, client_secret, CERTIFICATE, &app_token, &user_token];
    secrets.push(&signed);
    process.signal("TERM").await;
    let ended = process.end().await;
    assert!(ended.errors.contains("DEBUG"), "it is the whole log: {}", ended.errors);
    for secret in secrets {
        assert!(!ended.errors.contains(secret) && !ended.output.concat().contains(secret), "{secret} is in the log");
    }
    // What is kept of a password is a hash of the right kind.
    let kept = std::fs::read_dir(directory.path().join("data")).unwrap();
    let kept: Vec<u8> = kept.flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap_or_default()).collect();
    let holds = |text: &str| kept.windows(text.len()).any(|bytes| bytes == text.as_bytes());
    assert!(holds("$argon2id$") && !holds(PASSWORD) && !holds(NEW_PASSWORD));
}
