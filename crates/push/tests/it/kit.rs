//! What the tests share.

use std::sync::Arc;
use std::time::Duration;

use stentor_core::clock::ManualClock;
use stentor_push::counterparts::{Answer, Behaviour, Counterpart};
use stentor_push::{DeviceToken, ErrorClass, Http, HttpSetup, Provider, Push, PushError, Scope, Trust};

/// When the tests begin: Unix time in milliseconds.
pub(crate) const NOW_MS: u64 = 1_800_000_000_000;

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(NOW_MS))
}

/// A client for counterparts on this machine, which trusts this one.
pub(crate) fn http(counterpart: &Counterpart) -> Http {
    let mut setup = setup(counterpart);
    setup.allow_private = true;
    Http::new(&setup).expect("a client")
}

pub(crate) fn setup(counterpart: &Counterpart) -> HttpSetup {
    HttpSetup { timeout: Duration::from_secs(5), ..HttpSetup::new(Trust::only(counterpart.certificate())) }
}

pub(crate) fn push(token: &str) -> Push {
    let mut push = Push::new(DeviceToken::new(token), "Alice", "Hi Bob 👋", "m1:d1");
    push.badge = Some(2);
    push.collapse_id = Some("chat:alice".into());
    push.custom.to = "bob".into();
    push.custom.from = "alice".into();
    push.custom.message = "m1".into();
    push.custom.group = Some("g1".into());
    push.custom.ext = Some(serde_json::json!({"k": 1}));
    push
}

pub(crate) async fn class(provider: &dyn Provider, push: &Push) -> ErrorClass {
    provider.send(push).await.expect_err("it is not taken").class()
}

/// The next request is answered so: what becomes of the push?
pub(crate) async fn answered(
    provider: &dyn Provider,
    push: &Push,
    counterpart: &Counterpart,
    answer: Answer,
) -> PushError {
    counterpart.answer_next(answer);
    provider.send(push).await.expect_err("it is not taken")
}

pub(crate) fn throttled(error: &PushError) -> (Option<u64>, Scope) {
    let PushError::Throttled { retry_after, scope, .. } = error else { panic!("{error:?}") };
    (retry_after.map(|wait| wait.as_secs()), *scope)
}

/// The other side is out of order in every way; then it is well again. `part` is of the target of pushes.
pub(crate) async fn outage(provider: &dyn Provider, push: &Push, counterpart: &Counterpart, part: &str) {
    counterpart.behave_next_at(part, Behaviour::Cut);
    assert_eq!(class(provider, push).await, ErrorClass::Failed);
    let answer = Answer::json(503, &serde_json::json!({})).with("retry-after", 7);
    counterpart.behave_next_at(part, Behaviour::Answer(answer));
    let error = provider.send(push).await.expect_err("it is not taken");
    assert_eq!((error.class(), error.retry_after()), (ErrorClass::Failed, Some(Duration::from_secs(7))));
    counterpart.behave_next_at(part, Behaviour::Answer(Answer::status(502)));
    assert_eq!(class(provider, push).await, ErrorClass::Failed);
    assert!(provider.send(push).await.is_ok());
}
