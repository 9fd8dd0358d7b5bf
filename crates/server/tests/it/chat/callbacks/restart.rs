//! No callback is lost by a crash, and none tells of what was not answered for.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;
use stentor_testkit::{Behaviour, CALLBACK_SECRET, CHAT, DEADLINE, Http, Receiver, TestApp, TestProcess};

use super::receiver;
use crate::STENTOR;

async fn serve(directory: &Path) -> TestProcess {
    TestProcess::serve(STENTOR, directory, &["--config", "c.toml", "--data", "data"], &[]).await
}

async fn app_token(http: &Http) -> Http {
    let [org, app, id, secret] = CHAT;
    let body = json!({ "grant_type": "client_credentials", "client_id": id, "client_secret": secret });
    let reply = http.post(&format!("/{org}/{app}/token"), &body).await.json();
    http.clone().bearer(reply["access_token"].as_str().expect("a token"))
}

/// Sends until the server is gone. Returns the IDs of the messages that were answered for.
async fn send_until_it_ends(http: Http) -> BTreeSet<String> {
    let [org, app, ..] = CHAT;
    let mut answered = BTreeSet::new();
    for number in 0.. {
        let body = json!({ "to": ["bob"], "type": "txt", "body": { "msg": number.to_string() } }).to_string();
        let path = format!("/{org}/{app}/messages/users");
        let Ok(reply) = http.try_send(http::Method::POST, &path, body.into()).await else { break };
        if reply.code() == 200 {
            answered.insert(reply.json()["data"]["bob"].as_str().expect("an ID").to_owned());
        }
    }
    answered
}

#[tokio::test]
async fn a_kill_loses_no_callback() {
    let directory = tempfile::tempdir().expect("a directory");
    let receiver = receiver().await;
    let rule = "retry_first_ms = 20\nretry_longest_ms = 100\nconcurrency = 3\nevents = [\"chat\", \"chat_offline\"]";
    let app =
        TestApp::new().chat().chat_limit("chat_user_messages_per_second", 0).callback("audit", &receiver.url(), rule);
    std::fs::write(directory.path().join("c.toml"), app.to_toml()).expect("written");
    let mut answered = BTreeSet::new();
    for round in 0..3 {
        // Under way, refused and waiting: of each there is something when the server is killed.
        receiver.behave_next((0..20).map(|number| match number % 4 {
            0 => Behaviour::status(500),
            1 => Behaviour::Cut,
            2 => Behaviour::Late(std::time::Duration::from_millis(30), 200, "".into()),
            _ => Behaviour::OK,
        }));
        let server = serve(directory.path()).await;
        let http = app_token(&server.http()).await;
        let senders: Vec<_> = (0..4).map(|_| tokio::spawn(send_until_it_ends(http.clone()))).collect();
        let enough = receiver.received().len() + 40;
        receiver.wait_for(enough, DEADLINE).await.expect("callbacks under load");
        server.kill().await;
        for sender in senders {
            answered.extend(sender.await.expect("a sender"));
        }
        assert!(!answered.is_empty(), "round {round}");
    }
    let server = serve(directory.path()).await;
    let expected: BTreeSet<_> =
        answered.iter().flat_map(|id| [(id.clone(), "chat"), (id.clone(), "chat_offline")]).collect();
    let missing = stentor_testkit::eventually("every callback came", || async {
        let came: BTreeSet<_> =
            receiver.taken().iter().map(|one| (one.text("msg_id").to_owned(), event(one))).collect();
        let missing = expected.difference(&came).count();
        if missing == 0 { Ok(missing) } else { Err(missing) }
    })
    .await;
    assert_eq!((missing, receiver.problems()), (0, Vec::<String>::new()), "and what came twice was the same");
    drop(server);
}

fn event(one: &stentor_testkit::Received) -> &'static str {
    if one.text("eventType") == "chat" { "chat" } else { "chat_offline" }
}

#[tokio::test]
async fn what_waits_survives_an_orderly_end() {
    let receiver = receiver().await;
    let address = receiver.address();
    let app = TestApp::new().chat().callback("audit", &receiver.url(), "retry_first_ms = 50\nretry_longest_ms = 50");
    let server = stentor_testkit::TestServer::builder().app(app.clone()).embedded().start().await;
    drop(receiver);
    for number in 0..10 {
        super::send(&server, "bob", &number.to_string()).await;
    }
    let directory = server.shutdown().await;
    let receiver =
        stentor_testkit::eventually("the port is free", || Receiver::start_at(CALLBACK_SECRET, address)).await;
    let _server = stentor_testkit::TestServer::builder().app(app).directory(directory).start().await;
    let received = super::came(&receiver, 10).await;
    let texts: BTreeSet<_> = received.iter().map(|one| one.body["payload"]["bodies"][0]["msg"].to_string()).collect();
    assert_eq!(texts.len(), 10);
}
