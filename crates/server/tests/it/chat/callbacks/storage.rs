//! `GET callbacks/storage/info` and `POST callbacks/storage/retry`.

use std::time::Duration;

use serde_json::{Value, json};
use stentor_testkit::{Behaviour, Http, TestApp, TestServer, eventually};

use super::{came, receiver, send, with_rule};
use crate::chat::refused;

/// Gives up at once: after the two tries that every callback has.
const QUICK: &str = "retry_first_ms = 0\nretry_longest_ms = 0\nretry_for_s = 0";

/// Waits until the list is as expected: (date, size, retry).
async fn listed(server: &TestServer, chat: &Http, expected: &[(&str, u64, u64)]) {
    let expected: Vec<_> =
        expected.iter().map(|(date, size, retry)| json!({ "date": date, "size": size, "retry": retry })).collect();
    eventually("the list", || async {
        let reply = chat.get(&server.chat_path("callbacks/storage/info")).await.json();
        if reply["data"] == Value::from(expected.clone()) { Ok(()) } else { Err(reply) }
    })
    .await;
}

async fn retry(server: &TestServer, chat: &Http, body: Value) -> Value {
    let reply = chat.post(&server.chat_path("callbacks/storage/retry"), &body).await;
    assert_eq!(reply.code(), 200, "{}", reply.text());
    reply.json()
}

#[tokio::test]
async fn failed_callbacks_are_listed_and_sent_again() {
    let receiver = receiver().await;
    receiver.behave(Behaviour::status(500));
    // Another address on a private network must be some rule's, too; this one is told nothing by itself.
    let elsewhere = super::receiver().await;
    let app = TestApp::new().chat().callback("audit", &receiver.url(), QUICK);
    let app = app.callback("elsewhere", &elsewhere.url(), "events = [\"status\"]");
    let server = TestServer::builder().app(app).manual_clock().start().await;
    let chat = server.chat().await;
    listed(&server, &chat, &[]).await;
    for number in 0..3 {
        send(&server, "bob", &number.to_string()).await;
    }
    listed(&server, &chat, &[("202311142210", 3, 0)]).await;
    server.advance(Duration::from_secs(600));
    send(&server, "bob", "3").await;
    listed(&server, &chat, &[("202311142210", 3, 0), ("202311142220", 1, 0)]).await;

    // It fails again, and is back in its set.
    retry(&server, &chat, json!({ "date": "202311142220", "retry": 0 })).await;
    listed(&server, &chat, &[("202311142210", 3, 0), ("202311142220", 1, 1)]).await;

    receiver.behave(Behaviour::OK);
    let before = receiver.received().len();
    let reply = retry(&server, &chat, json!({ "date": "202311142210", "targetUrl": "" })).await;
    assert_eq!(
        (&reply["data"], &reply["path"], &reply["action"]),
        (&json!("success"), &json!("/callbacks"), &json!("post"))
    );
    assert!(reply["uri"].as_str().is_some_and(|uri| uri.ends_with("/callbacks")), "{reply}");
    came(&receiver, before + 3).await;
    listed(&server, &chat, &[("202311142220", 1, 1)]).await;
    assert_eq!(receiver.taken().len(), 3);

    // Elsewhere.
    retry(&server, &chat, json!({ "date": "202311142220", "targetUrl": elsewhere.url() })).await;
    came(&elsewhere, 1).await;
    listed(&server, &chat, &[]).await;
    let reply = retry(&server, &chat, json!({ "date": "202311142220" })).await;
    assert_eq!(reply["data"], "failure", "there is nothing any more");
}

#[tokio::test]
async fn they_are_for_the_backend_and_well_formed_requests() {
    let receiver = receiver().await;
    let server = with_rule(&receiver, QUICK).start().await;
    server.register(&["bob"]).await;
    let (info, again) = (server.chat_path("callbacks/storage/info"), server.chat_path("callbacks/storage/retry"));
    let date = json!({ "date": "202311142210" });
    let bob = server.chat_as("bob").await;
    assert_eq!(bob.get(&info).await.code(), 401);
    assert_eq!(bob.post(&again, &date).await.code(), 401);
    assert_eq!(server.anonymous().get(&info).await.code(), 401);
    let chat = server.chat().await;
    for (body, field) in [
        (json!({}), "date"),
        (json!({ "date": "2023111422" }), "date"),
        (json!({ "date": "202311142215" }), "date"),
        (json!({ "date": 202_311_142_210_u64 }), "date"),
        (json!({ "date": "202311142210", "retry": "x" }), "retry"),
        (json!({ "date": "202311142210", "targetUrl": "ftp://a" }), "targetUrl"),
        (json!({ "date": "202311142210", "targetUrl": "https://user:secret@a" }), "targetUrl"),
    ] {
        let reply = chat.post(&again, &body).await;
        refused(&reply, 400, "illegal_argument", &format!("parameters is invalid : {field}"));
    }
    assert_eq!(chat.post(&info, &date).await.code(), 405);
    assert_eq!(retry(&server, &chat, date).await["data"], "failure");
}
