//! Huawei.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use stentor_core::clock::ManualClock;
use stentor_push::counterparts::huawei::{CLIENT_ID, CLIENT_SECRET, HuaweiCounterpart, TOKEN_S, answer};
use stentor_push::counterparts::{Answer, Behaviour};
use stentor_push::huawei::{Huawei, HuaweiSetup};
use stentor_push::{ErrorClass, Extensions, Provider, PushError, Scope, Secret};

use crate::kit::{class, clock, http, push, throttled};

const SEND: &str = "messages:send";

async fn world() -> (Arc<ManualClock>, HuaweiCounterpart, Huawei) {
    let clock = clock();
    let huawei = HuaweiCounterpart::start(clock.clone()).await.expect("a counterpart");
    let provider = sender(&huawei, CLIENT_SECRET, &clock);
    (clock, huawei, provider)
}

fn sender(huawei: &HuaweiCounterpart, secret: &str, clock: &Arc<ManualClock>) -> Huawei {
    let setup = HuaweiSetup {
        client_id: CLIENT_ID.into(),
        client_secret: Secret::new(secret),
        badge_class: Some("com.example.chat.Main".into()),
        base_url: huawei.url(),
        token_url: huawei.token_url(),
    };
    Huawei::new(setup, http(huawei), clock.clone()).expect("a sender")
}

async fn said(provider: &Huawei, huawei: &HuaweiCounterpart, answer: Answer) -> PushError {
    huawei.behave_next_at(SEND, Behaviour::Answer(answer));
    provider.send(&push("d1")).await.expect_err("it is not taken")
}

#[tokio::test]
async fn a_message_is_delivered() {
    let (_clock, huawei, provider) = world().await;
    let mut push = push("d1");
    assert_eq!(provider.send(&push).await.expect("sent").id, "157000006");
    let message = &huawei.received()[1].said["message"];
    assert_eq!(
        message["android"],
        json!({"ttl": "86400s", "notification": {"title": "Alice", "body": "Hi Bob 👋", "click_action": {"type": 3},
            "tag": "chat:alice", "badge": {"set_num": 2, "class": "com.example.chat.Main"}}})
    );
    let data: Value = serde_json::from_str(message["data"].as_str().expect("text")).expect("JSON");
    assert_eq!(data, json!({"t": "bob", "f": "alice", "m": "m1", "g": "g1", "e": {"k": 1}}));
    let ext = json!({"em_android_push_ext": {"huawei_click_action": "a.b", "huawei_channel_id": "ch", "huawei_category": "IM",
        "huawei_receipt_id": "RCP", "huawei_target_user_type": 1}});
    push.extensions = Extensions::of(ext.as_object().expect("an object"));
    push.content = "好".repeat(5_000);
    push.badge = Some(1_000);
    provider.send(&push).await.expect("sent");
    assert_eq!(huawei.problems(), Vec::<String>::new());
    let android = &huawei.received()[2].said["message"]["android"];
    assert_eq!(
        (&android["category"], &android["receipt_id"], &android["target_user_type"]),
        (&json!("IM"), &json!("RCP"), &json!(1))
    );
    assert_eq!(android["notification"]["badge"]["set_num"], 99);
    assert_eq!(android["notification"]["click_action"], json!({"type": 1, "action": "a.b"}));
    push.custom.ext = Some("x".repeat(4_096).into());
    // Rather without it than not at all.
    provider.send(&push).await.expect("sent");
    push.custom.from = "x".repeat(4_096);
    assert_eq!(class(&provider, &push).await, ErrorClass::Refused);
}

#[tokio::test]
async fn the_access_token_is_kept_and_renewed() {
    let (clock, huawei, provider) = world().await;
    for _ in 0..4 {
        provider.send(&push("d1")).await.expect("sent");
        clock.advance(Duration::from_secs(TOKEN_S / 2));
    }
    let tokens = huawei.received().iter().filter(|one| one.target.starts_with("/oauth2")).count();
    assert_eq!(tokens, 2);
    huawei.end_tokens();
    clock.advance(Duration::from_secs(TOKEN_S));
    provider.send(&push("d1")).await.expect("sent");
    huawei.end_tokens();
    assert_eq!(class(&provider, &push("d1")).await, ErrorClass::Failed);
    provider.send(&push("d1")).await.expect("sent");
    assert_eq!(huawei.problems(), Vec::<String>::new());
}

#[tokio::test]
async fn each_documented_code_has_its_class() {
    use ErrorClass::{Credentials, DeadToken, Failed, Refused};
    let (_clock, huawei, provider) = world().await;
    for (status, code, expected) in [
        (200, "80100000", DeadToken),
        (400, "80100001", Refused),
        (400, "80100003", Refused),
        (400, "80100004", Refused),
        (400, "80100013", Refused),
        (400, "80100016", Refused),
        (400, "80100018", Refused),
        (401, "80200001", Credentials),
        (401, "80200003", Failed),
        (400, "80300002", Credentials),
        (200, "80300007", DeadToken),
        (400, "80300008", Refused),
        (400, "80300010", Refused),
        (400, "80300011", Refused),
        (400, "80300013", Refused),
        (400, "80600003", Credentials),
        (500, "81000001", Failed),
    ] {
        assert_eq!(said(&provider, &huawei, answer(status, code)).await.class(), expected, "{code}");
    }
    for (status, expected) in [(200, Failed), (401, Credentials), (404, Refused), (500, Failed), (502, Failed)] {
        assert_eq!(said(&provider, &huawei, Answer::status(status)).await.class(), expected, "{status}");
    }
    huawei.kill("d1");
    assert_eq!(class(&provider, &push("d1")).await, ErrorClass::DeadToken);
}

#[tokio::test]
async fn flow_control_is_a_throttle_for_all() {
    let (_clock, huawei, provider) = world().await;
    assert_eq!(throttled(&said(&provider, &huawei, Answer::status(503)).await), (None, Scope::Provider));
    let error = said(&provider, &huawei, Answer::status(503).with("retry-after", 9)).await;
    assert_eq!(throttled(&error), (Some(9), Scope::Provider));
}

#[tokio::test]
async fn an_outage_passes() {
    let (clock, huawei, provider) = world().await;
    huawei.behave_next_at("/oauth2", Behaviour::Cut);
    assert_eq!(class(&provider, &push("d1")).await, ErrorClass::Failed);
    clock.advance(Duration::from_secs(2));
    huawei.behave_next_at(SEND, Behaviour::Cut);
    assert_eq!(class(&provider, &push("d1")).await, ErrorClass::Failed);
    provider.send(&push("d1")).await.expect("sent");
    drop(huawei);
    assert_eq!(class(&provider, &push("d1")).await, ErrorClass::Failed);
}

#[tokio::test]
async fn another_secret_is_not_let_in() {
    let (clock, huawei, _provider) = world().await;
    let provider = sender(&huawei, "other-secret", &clock);
    assert_eq!(class(&provider, &push("d1")).await, ErrorClass::Credentials);
    assert!(!format!("{provider:?}").contains("other-secret"));
}
