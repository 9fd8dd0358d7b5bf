//! FCM.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use stentor_core::clock::ManualClock;
use stentor_push::counterparts::fcm::{FcmCounterpart, TOKEN_S, bad_field, error};
use stentor_push::counterparts::{Answer, Behaviour};
use stentor_push::fcm::{Fcm, FcmSetup};
use stentor_push::{ErrorClass, Provider, PushError, Scope, Secret};

use crate::kit::{answered, class, clock, http, outage, push, throttled};

const SEND: &str = "messages:send";

async fn world() -> (Arc<ManualClock>, FcmCounterpart, Fcm) {
    let clock = clock();
    let fcm = FcmCounterpart::start(clock.clone()).await.expect("a counterpart");
    let setup = FcmSetup { account_json: fcm.account(), base_url: fcm.url() };
    let provider = Fcm::new(&setup, http(&fcm), clock.clone()).expect("a sender");
    (clock, fcm, provider)
}

fn tokens_fetched(fcm: &FcmCounterpart) -> usize {
    fcm.received().iter().filter(|one| one.target == "/token").count()
}

#[tokio::test]
async fn a_message_is_delivered() {
    let (_clock, fcm, provider) = world().await;
    let sent = provider.send(&push("device-1")).await.expect("sent");
    assert!(sent.id.starts_with("projects/test-project/messages/"), "{sent:?}");
    assert_eq!(fcm.problems(), Vec::<String>::new());
    assert_eq!(
        fcm.received()[1].said,
        json!({"message": {"token": "device-1", "notification": {"title": "Alice", "body": "Hi Bob 👋"},
            "data": {"t": "bob", "f": "alice", "m": "m1", "g": "g1", "e": "{\"k\":1}"},
            "android": {"priority": "HIGH", "ttl": "86400s", "collapse_key": "chat:alice",
                "notification": {"notification_count": 2, "tag": "chat:alice"}}}})
    );
}

#[tokio::test]
async fn what_the_sender_adds_is_left_out_if_it_is_too_long() {
    let (_clock, fcm, provider) = world().await;
    let mut push = push("device-1");
    push.custom.ext = Some(json!({"k": "x".repeat(4_600)}));
    provider.send(&push).await.expect("sent");
    let data = fcm.received()[1].said["message"]["data"].clone();
    assert_eq!(data, json!({"t": "bob", "f": "alice", "m": "m1", "g": "g1"}));
    assert_eq!(fcm.problems(), Vec::<String>::new());
}

#[tokio::test]
async fn one_access_token_is_fetched_for_all_until_it_ends() {
    let (clock, fcm, provider) = world().await;
    let (one, two) = (push("device-1"), push("device-2"));
    let (first, second) = tokio::join!(provider.send(&one), provider.send(&two));
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(tokens_fetched(&fcm), 1);
    clock.advance(Duration::from_secs(TOKEN_S - 61));
    provider.send(&one).await.expect("sent");
    assert_eq!(tokens_fetched(&fcm), 1);
    clock.advance(Duration::from_secs(1));
    provider.send(&one).await.expect("sent");
    assert_eq!(tokens_fetched(&fcm), 2);
    assert_eq!(fcm.problems(), Vec::<String>::new());
}

#[tokio::test]
async fn a_withdrawn_access_token_is_replaced() {
    let (_clock, fcm, provider) = world().await;
    provider.send(&push("device-1")).await.expect("sent");
    fcm.revoke();
    assert_eq!(class(&provider, &push("device-1")).await, ErrorClass::Failed);
    provider.send(&push("device-1")).await.expect("sent");
    assert_eq!(tokens_fetched(&fcm), 2);
}

#[tokio::test]
async fn dead_tokens_are_told_from_bad_requests() {
    let (_clock, fcm, provider) = world().await;
    fcm.kill("device-1");
    let dead = PushError::DeadToken { reason: "UNREGISTERED".into(), since_ms: None };
    assert_eq!(provider.send(&push("device-1")).await, Err(dead));
    let other = push("device-2");
    assert_eq!(answered(&provider, &other, &fcm, bad_field("message.token")).await.class(), ErrorClass::DeadToken);
    assert_eq!(answered(&provider, &other, &fcm, bad_field("message.android.ttl")).await.class(), ErrorClass::Refused);
}

#[tokio::test]
async fn each_documented_code_has_its_class() {
    use ErrorClass::{Credentials, DeadToken, Failed, Refused, Throttled};
    let (_clock, fcm, provider) = world().await;
    provider.send(&push("device-1")).await.expect("sent");
    for (status, state, code, expected) in [
        (400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", Refused),
        (401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR", Credentials),
        (403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH", Refused),
        (404, "NOT_FOUND", "UNREGISTERED", DeadToken),
        (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", Throttled),
        (500, "INTERNAL", "INTERNAL", Failed),
        (503, "UNAVAILABLE", "UNAVAILABLE", Failed),
        (500, "UNKNOWN", "UNSPECIFIED_ERROR", Failed),
    ] {
        let failure = answered(&provider, &push("device-1"), &fcm, error(status, state, code)).await;
        assert_eq!(failure.class(), expected, "{code}");
    }
    let plain = json!({"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "The API is off"}});
    assert_eq!(answered(&provider, &push("device-1"), &fcm, Answer::json(403, &plain)).await.class(), Credentials);
    assert_eq!(answered(&provider, &push("device-1"), &fcm, Answer::status(404)).await.class(), Refused);
}

#[tokio::test]
async fn a_throttle_is_for_all_and_lasts_a_minute_or_as_told() {
    let (_clock, fcm, provider) = world().await;
    provider.send(&push("device-1")).await.expect("sent");
    let quota = error(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED");
    let error = answered(&provider, &push("device-1"), &fcm, quota.clone()).await;
    assert_eq!(throttled(&error), (Some(60), Scope::Provider));
    let error = answered(&provider, &push("device-1"), &fcm, quota.with("retry-after", 90)).await;
    assert_eq!(throttled(&error), (Some(90), Scope::Provider));
}

#[tokio::test]
async fn an_outage_passes() {
    let (clock, fcm, provider) = world().await;
    let push = push("device-1");
    outage(&provider, &push, &fcm, SEND).await;
    // Without a token nothing is sent, and nobody asks again at once.
    clock.advance(Duration::from_secs(TOKEN_S));
    fcm.behave_next_at("/token", Behaviour::Answer(Answer::status(503)));
    let before = fcm.received().len();
    assert_eq!(class(&provider, &push).await, ErrorClass::Failed);
    assert_eq!(class(&provider, &push).await, ErrorClass::Failed);
    assert_eq!(fcm.received().len(), before + 1);
    clock.advance(Duration::from_secs(2));
    provider.send(&push).await.expect("sent");
    drop(fcm);
    assert_eq!(class(&provider, &push).await, ErrorClass::Failed);
}

#[tokio::test]
async fn another_key_is_not_let_in() {
    let (clock, fcm, _provider) = world().await;
    let another = FcmCounterpart::start(clock.clone()).await.expect("a counterpart");
    let account = another.account().expose().replace(&another.url(), &fcm.url());
    let setup = FcmSetup { account_json: Secret::new(account), base_url: fcm.url() };
    let provider = Fcm::new(&setup, http(&fcm), clock).expect("a sender");
    assert_eq!(class(&provider, &push("device-1")).await, ErrorClass::Credentials);
    assert_eq!(fcm.problems().len(), 1);
    let shown = format!("{provider:?} {setup:?}");
    assert!(!shown.contains("PRIVATE KEY"), "{shown}");
}

#[tokio::test]
async fn accounts_that_cannot_be_read_are_refused() {
    let (clock, fcm, _provider) = world().await;
    let good: serde_json::Value = serde_json::from_str(fcm.account().expose()).expect("JSON");
    for (field, value) in [("project_id", "a/b"), ("project_id", ""), ("private_key", "x"), ("token_uri", "ftp://a")] {
        let mut account = good.clone();
        account[field] = value.into();
        let setup = FcmSetup { account_json: Secret::new(account.to_string()), base_url: fcm.url() };
        assert!(Fcm::new(&setup, http(&fcm), clock.clone()).is_err(), "{field} {value}");
    }
}
