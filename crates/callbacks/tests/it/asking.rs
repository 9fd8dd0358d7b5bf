//! Questions: answered in time, or not at all.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::json;
use stentor_callbacks::asker::Asker;
use stentor_callbacks::metrics::Metrics;
use stentor_callbacks::receiver::{Behaviour, Receiver};
use stentor_callbacks::{PostError, Rule, Seal, SystemNames};
use stentor_core::clock::ManualClock;

use crate::kit::{DEADLINE, Md5Seal, NOW_MS, SECRET, callback, client, rule};

fn asker(rule: Rule) -> Asker {
    let metrics = Metrics::default().rule("org#app", "gate");
    Asker::new(rule, client(Arc::new(SystemNames)), Arc::new(ManualClock::new(NOW_MS)), metrics)
}

fn question(number: u64) -> Bytes {
    Md5Seal.seal(&callback(number), SECRET)
}

#[tokio::test]
async fn the_answer_is_returned() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    receiver.behave(Behaviour::json(&json!({"valid": true})));
    let asker = asker(rule("gate", &receiver));
    for number in 0..5 {
        assert_eq!(asker.ask(question(number), 100).await.unwrap(), "{\"valid\":true}");
    }
    assert_eq!((receiver.connections(), receiver.problems()), (1, vec![]));
}

#[tokio::test]
async fn the_answer_may_be_as_long_as_said_and_no_longer() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    let asker = asker(rule("gate", &receiver));
    receiver.behave(Behaviour::Answer(200, vec![b'x'; 100].into()));
    assert_eq!(asker.ask(question(1), 100).await.unwrap().len(), 100);
    receiver.behave(Behaviour::Answer(200, vec![b'x'; 101].into()));
    assert_eq!(asker.ask(question(2), 100).await.unwrap_err(), PostError::TooLong);
}

#[tokio::test]
async fn the_budget_is_kept() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    let asker = asker(Rule { timeout: Duration::from_millis(50), ..rule("gate", &receiver) });
    for slow in [Behaviour::Hang, Behaviour::Late(DEADLINE, 200, Bytes::new())] {
        receiver.behave(slow);
        let began = Instant::now();
        assert_eq!(asker.ask(question(1), 100).await.unwrap_err(), PostError::Timeout);
        assert!(began.elapsed() < DEADLINE / 2);
    }
}

#[tokio::test]
async fn other_answers_are_none() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    let asker = asker(rule("gate", &receiver));
    for (behaviour, expected) in [
        (Behaviour::status(500), PostError::Status(500)),
        (Behaviour::Redirect(receiver.url()), PostError::Status(302)),
        (Behaviour::Cut, PostError::Lost),
    ] {
        receiver.behave(behaviour);
        let before = receiver.received().len();
        assert_eq!(asker.ask(question(1), 100).await.unwrap_err(), expected);
        assert_eq!(receiver.received().len(), before + 1, "not tried again");
    }
    let private = self::asker(Rule { allow_private: false, ..rule("gate", &receiver) });
    assert_eq!(private.ask(question(1), 100).await.unwrap_err(), PostError::Forbidden);
}

#[tokio::test]
async fn too_many_questions_are_not_asked() {
    let receiver = Receiver::start(SECRET).await.unwrap();
    receiver.behave(Behaviour::Hang);
    let asker = Arc::new(asker(Rule { concurrency: 2, ..rule("gate", &receiver) }));
    for number in 0..2 {
        let asker = asker.clone();
        tokio::spawn(async move { asker.ask(question(number), 100).await });
    }
    receiver.wait_for(2, DEADLINE).await.expect("two questions");
    assert_eq!(asker.ask(question(3), 100).await.unwrap_err(), PostError::Busy);
    assert_eq!(receiver.received().len(), 2);
}
