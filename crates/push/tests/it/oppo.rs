//! OPPO.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use stentor_core::clock::ManualClock;
use stentor_push::counterparts::oppo::{APP_KEY, MASTER_SECRET, OppoCounterpart, answer};
use stentor_push::counterparts::{Answer, Behaviour};
use stentor_push::oppo::{Oppo, OppoSetup};
use stentor_push::{ErrorClass, Extensions, Provider, PushError, Scope, Secret};

use crate::kit::{class, clock, http, outage, push, throttled};

const SEND: &str = "unicast";

async fn world() -> (Arc<ManualClock>, OppoCounterpart, Oppo) {
    let clock = clock();
    let oppo = OppoCounterpart::start(clock.clone()).await.expect("a counterpart");
    let provider = sender(&oppo, MASTER_SECRET, &clock);
    (clock, oppo, provider)
}

fn sender(oppo: &OppoCounterpart, secret: &str, clock: &Arc<ManualClock>) -> Oppo {
    let (app_key, master_secret) = (Secret::new(APP_KEY), Secret::new(secret));
    let setup = OppoSetup { app_key, master_secret, base_url: oppo.url() };
    Oppo::new(setup, http(oppo), clock.clone()).expect("a sender")
}

async fn said(provider: &Oppo, oppo: &OppoCounterpart, answer: Answer) -> PushError {
    oppo.behave_next_at(SEND, Behaviour::Answer(answer));
    provider.send(&push("CN_1")).await.expect_err("it is not taken")
}

#[tokio::test]
async fn a_notification_is_delivered() {
    let (_clock, oppo, provider) = world().await;
    let mut push = push("CN_1");
    assert!(provider.send(&push).await.expect("sent").id.starts_with("ZngnvJIM7wQusNtbqYnpH6XX"));
    let first = oppo.received()[1].said["notification"].clone();
    assert_eq!(
        (&first["style"], &first["content"], &first["off_line_ttl"]),
        (&json!(1), &json!("Hi Bob 👋"), &json!(86_400))
    );
    let ext = json!({"em_android_push_ext": {"oppo_click_activity": "a.B", "oppo_channel_id": "ch", "oppo_category": "IM",
        "oppo_notify_level": "16"}});
    push.extensions = Extensions::of(ext.as_object().expect("an object"));
    (push.title, push.content) = ("好".repeat(60), "好".repeat(500));
    push.ttl = Duration::ZERO;
    provider.send(&push).await.expect("sent");
    let mut blank = push.clone();
    (blank.title, blank.content) = (" ".into(), String::new());
    blank.dedup_key = "m2:d1".into();
    provider.send(&blank).await.expect("sent");
    assert_eq!(oppo.problems(), Vec::<String>::new());
    let second = oppo.received()[2].said["notification"].clone();
    assert_eq!((&second["style"], &second["notify_level"], &second["category"]), (&json!(2), &json!(16), &json!("IM")));
    assert_eq!((&second["click_action_activity"], &second["off_line"]), (&json!("a.B"), &json!(false)));
    // The same push has the same ID.
    assert_eq!(first["app_message_id"], second["app_message_id"]);
    push.custom.ext = Some("x".repeat(4_000).into());
    // Rather without it than not at all.
    provider.send(&push).await.expect("sent");
    push.custom.from = "x".repeat(4_096);
    assert_eq!(class(&provider, &push).await, ErrorClass::Refused);
}

#[tokio::test]
async fn the_token_is_kept_and_replaced() {
    let (clock, oppo, provider) = world().await;
    for _ in 0..6 {
        provider.send(&push("CN_1")).await.expect("sent");
        clock.advance(Duration::from_secs(4 * 3_600));
    }
    let tokens = || oppo.received().iter().filter(|one| one.target.ends_with("/auth")).count();
    assert_eq!(tokens(), 2);
    oppo.revoke();
    clock.advance(Duration::from_secs(12 * 3_600));
    provider.send(&push("CN_1")).await.expect("sent");
    oppo.revoke();
    assert_eq!(class(&provider, &push("CN_1")).await, ErrorClass::Failed);
    provider.send(&push("CN_1")).await.expect("sent");
    assert_eq!((tokens(), oppo.problems().len()), (4, 0));
}

#[tokio::test]
async fn each_documented_code_has_its_class() {
    use ErrorClass::{Credentials, DeadToken, Failed, Refused, Throttled};
    let (_clock, oppo, provider) = world().await;
    for (code, expected) in [
        (-2, Throttled),
        (-1, Failed),
        (11, Failed),
        (12, Refused),
        (13, Throttled),
        (14, Credentials),
        (15, Credentials),
        (16, Credentials),
        (17, Credentials),
        (18, Credentials),
        (19, Credentials),
        (20, Refused),
        (25, Refused),
        (26, Credentials),
        (27, Credentials),
        (28, Credentials),
        (29, Credentials),
        (30, Credentials),
        (31, Refused),
        (32, Refused),
        (33, Throttled),
        (40, Refused),
        (41, Refused),
        (55, Throttled),
        (67, Refused),
        (10_000, DeadToken),
    ] {
        assert_eq!(said(&provider, &oppo, answer(code)).await.class(), expected, "{code}");
    }
    assert_eq!(said(&provider, &oppo, Answer::status(200)).await.class(), Failed);
    assert_eq!(throttled(&said(&provider, &oppo, answer(13)).await), (None, Scope::Provider));
    assert_eq!(throttled(&said(&provider, &oppo, answer(33)).await), (Some(8 * 3_600), Scope::Provider));
    oppo.kill("CN_1");
    assert_eq!(class(&provider, &push("CN_1")).await, DeadToken);
}

#[tokio::test]
async fn an_outage_passes() {
    let (_clock, oppo, provider) = world().await;
    outage(&provider, &push("CN_1"), &oppo, SEND).await;
    drop(oppo);
    assert_eq!(class(&provider, &push("CN_1")).await, ErrorClass::Failed);
}

#[tokio::test]
async fn another_secret_is_not_let_in() {
    let (clock, oppo, _provider) = world().await;
    let provider = sender(&oppo, "other-secret", &clock);
    assert_eq!(class(&provider, &push("CN_1")).await, ErrorClass::Credentials);
    assert!(!format!("{provider:?}").contains("other-secret"));
}
