//! Callbacks, as a backend sees them: over a real socket, by a receiver that checks every signature.

mod asked;
mod restart;
mod rooms;
mod sent;
mod sessions;
mod storage;

use serde_json::{Value, json};
use stentor_testkit::{CALLBACK_SECRET, DEADLINE, Received, Receiver, TestApp, TestServer, TestServerBuilder};

/// The App Key of the tests' app.
const KEY: &str = "easemob-demo#wang";

async fn receiver() -> Receiver {
    Receiver::start(CALLBACK_SECRET).await.expect("a receiver")
}

/// A server whose app has one rule.
fn with_rule(receiver: &Receiver, lines: &str) -> TestServerBuilder {
    TestServer::builder().app(TestApp::new().chat().callback("audit", &receiver.url(), lines)).manual_clock()
}

/// What came, once so much came; and nothing was wrong with it.
async fn came(receiver: &Receiver, requests: usize) -> Vec<Received> {
    let Some(received) = receiver.wait_for(requests, DEADLINE).await else {
        panic!("only {} of {requests} came: {:#?}", receiver.received().len(), receiver.received());
    };
    assert_eq!(receiver.problems(), [""; 0]);
    received
}

/// The bodies of what came, without what differs from run to run, which is checked for its form.
async fn bodies(receiver: &Receiver, requests: usize) -> Vec<Value> {
    let mut bodies: Vec<_> = came(receiver, requests).await.into_iter().map(|one| one.body).collect();
    for body in &mut bodies {
        let fields = body.as_object_mut().expect("an object");
        let security = fields.remove("security").expect("signed");
        assert_eq!(security.as_str().map(str::len), Some(32), "an MD5 in hex; the receiver has checked it");
        let id = fields.remove("callId").expect("an ID");
        assert!(id.as_str().is_some_and(|id| id.starts_with(&format!("{KEY}_"))), "{id}");
    }
    // Several requests are under way at once.
    bodies.sort_by_key(|body| body["timestamp"].as_u64());
    bodies
}

/// Sends a text message to a user.
async fn send(server: &TestServer, to: &str, text: &str) -> String {
    let body = json!({ "from": "alice", "to": [to], "type": "txt", "body": { "msg": text } });
    let reply = server.chat().await.post(&server.chat_path("messages/users"), &body).await;
    assert_eq!(reply.code(), 200, "{}", reply.text());
    reply.json()["data"][to].as_str().expect("an ID").to_owned()
}
