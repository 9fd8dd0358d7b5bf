//! The pre-send callback.

use serde_json::{Value, json};
use stentor_core::delivery::{Origin, SendError, SendOptions, SendPeer};
use stentor_core::id::UserId;
use stentor_core::message::Marks;
use stentor_core::notice::Notice;
use stentor_testkit::{Behaviour, Receiver, START_MS, TestApp, TestServer};

use super::{KEY, bodies, came, receiver, send, with_rule};
use crate::chat::{Connection, app};

async fn say(server: &TestServer, client: &Connection, payload: &str) -> Result<(), SendError> {
    let options = SendOptions { keep: true, marks: Marks::default(), ..SendOptions::default() };
    let (from, to) = (UserId::from_trusted("x"), UserId::from_trusted("bob"));
    let send = SendPeer { from, to, payload: payload.to_owned().into(), wait_for_ack: false, options };
    server.node().send_peer(&app(server), Origin::Client(&client.connected.session), send).await.map(|_| ())
}

const HELLO: &str = r#"{"type":"txt","body":{"msg":"hello"},"ext":{"k":1}}"#;

fn payloads(client: &Connection) -> Vec<String> {
    let payload = |notice| match notice {
        Notice::PeerMessage { message, .. } => Some(String::from_utf8(message.payload.to_vec()).expect("text")),
        _ => None,
    };
    client.take().into_iter().filter_map(payload).collect()
}

#[track_caller]
fn denied(outcome: Result<(), SendError>) -> String {
    match outcome {
        Err(SendError::Denied(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// A generous budget: the machine of a test may be busy.
const PATIENT: &str = "kind = \"pre\"\ntimeout_ms = 20000";

#[tokio::test]
async fn the_question_has_the_documented_body() {
    let receiver = receiver().await;
    receiver.behave(Behaviour::json(&json!({ "valid": true })));
    let server = with_rule(&receiver, PATIENT).start().await;
    let (alice, bob) = (Connection::open(&server, "alice", "web").await, Connection::open(&server, "bob", "web").await);
    say(&server, &alice, HELLO).await.expect("taken");
    assert_eq!(payloads(&bob), [HELLO]);
    let mut asked = bodies(&receiver, 1).await.remove(0);
    let id = asked.as_object_mut().and_then(|body| body.remove("msg_id")).expect("a number");
    assert!(id.as_str().is_some_and(|id| id.parse::<u64>().is_ok()), "{id}");
    let expected = json!({
        "timestamp": START_MS,
        "chat_type": "chat",
        "from": "alice",
        "to": "bob",
        "payload": { "msg": "hello", "type": "txt", "ext": { "k": 1 } },
        "securityVersion": "1.0.0",
        "appkey": KEY,
        "host": "stentor",
    });
    assert_eq!(asked, expected);
    // What the backend sends itself is not asked about.
    send(&server, "bob", "from the backend").await;
    assert_eq!((payloads(&bob).len(), receiver.received().len()), (1, 1));
}

#[tokio::test]
async fn the_answer_decides() {
    let receiver = receiver().await;
    let server = with_rule(&receiver, PATIENT).start().await;
    let (alice, bob) = (Connection::open(&server, "alice", "web").await, Connection::open(&server, "bob", "web").await);
    for (answer, why) in [
        (json!({ "valid": false }), "custom logic denied"),
        (json!({ "valid": false, "code": "" }), "Message blocked by external logic"),
        (json!({ "valid": false, "code": "HX:10000" }), "HX:10000"),
    ] {
        receiver.behave(Behaviour::json(&answer));
        assert_eq!(denied(say(&server, &alice, HELLO).await), why);
    }
    assert_eq!(payloads(&bob), [""; 0]);
    receiver.behave(Behaviour::json(&json!({ "valid": true, "payload": { "type": "txt", "msg": "****" } })));
    say(&server, &alice, HELLO).await.expect("taken");
    assert_eq!(payloads(&bob), [r#"{"type":"txt","body":{"msg":"****"},"ext":{"k":1}}"#]);
}

async fn without_an_answer(receiver: &Receiver, on_failure: &str) -> (Result<(), SendError>, usize) {
    let lines = format!("kind = \"pre\"\ntimeout_ms = 100\non_failure = \"{on_failure}\"");
    let server = with_rule(receiver, &lines).start().await;
    let (alice, bob) = (Connection::open(&server, "alice", "web").await, Connection::open(&server, "bob", "web").await);
    let outcome = say(&server, &alice, HELLO).await;
    (outcome, payloads(&bob).len())
}

#[tokio::test]
async fn without_an_answer_the_rule_decides() {
    let receiver = receiver().await;
    let long: Value = json!({ "valid": false, "code": "x".repeat(1000) });
    for behaviour in
        [Behaviour::Hang, Behaviour::status(500), Behaviour::Cut, Behaviour::json(&json!({})), Behaviour::json(&long)]
    {
        receiver.behave(behaviour.clone());
        let before = receiver.received().len();
        let (outcome, delivered) = without_an_answer(&receiver, "allow").await;
        assert!(outcome.is_ok() && delivered == 1, "{behaviour:?}: {outcome:?}");
        let (outcome, delivered) = without_an_answer(&receiver, "deny").await;
        assert_eq!((denied(outcome), delivered), ("custom internal error".to_owned(), 0), "{behaviour:?}");
        assert_eq!(receiver.received().len(), before + 2, "{behaviour:?}: not asked twice");
    }
}

#[tokio::test]
async fn a_refused_message_is_not_told() {
    let (pre, post) = (receiver().await, receiver().await);
    let app = TestApp::new().chat().callback("pre", &pre.url(), PATIENT).callback("post", &post.url(), "");
    let server = TestServer::builder().app(app).manual_clock().start().await;
    let alice = Connection::open(&server, "alice", "web").await;
    pre.behave_next([Behaviour::json(&json!({ "valid": false }))]);
    denied(say(&server, &alice, HELLO).await);
    pre.behave(Behaviour::json(&json!({ "valid": true, "payload": { "msg": "changed" } })));
    say(&server, &alice, HELLO).await.expect("taken");
    let told = came(&post, 1).await;
    assert_eq!(told[0].body["payload"]["bodies"][0]["msg"], "changed", "as it was taken");
    assert_eq!(post.received().len(), 1);
}

#[tokio::test]
async fn several_rules_are_asked_in_their_order() {
    let (first, second) = (receiver().await, receiver().await);
    let app = TestApp::new().chat().callback("one", &first.url(), PATIENT).callback("two", &second.url(), PATIENT);
    let server = TestServer::builder().app(app).manual_clock().start().await;
    let alice = Connection::open(&server, "alice", "web").await;
    first.behave(Behaviour::json(&json!({ "valid": true, "payload": { "msg": "changed" } })));
    second.behave(Behaviour::json(&json!({ "valid": true })));
    say(&server, &alice, HELLO).await.expect("taken");
    assert_eq!(came(&second, 1).await[0].body["payload"]["msg"], "changed");
    first.behave(Behaviour::json(&json!({ "valid": false, "code": "no" })));
    assert_eq!(denied(say(&server, &alice, HELLO).await), "no");
    assert_eq!(second.received().len(), 1, "what one refuses, the next is not asked about");
}
