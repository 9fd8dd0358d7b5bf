//! vivo.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use stentor_core::clock::ManualClock;
use stentor_push::counterparts::vivo::{APP_ID, APP_KEY, APP_SECRET, VivoCounterpart, answer};
use stentor_push::counterparts::{Answer, Behaviour};
use stentor_push::vivo::{Vivo, VivoSetup};
use stentor_push::{ErrorClass, Extensions, Provider, PushError, Scope, Secret};

use crate::kit::{class, clock, http, outage, push, throttled};

const SEND: &str = "/message/send";

async fn world() -> (Arc<ManualClock>, VivoCounterpart, Vivo) {
    let clock = clock();
    let vivo = VivoCounterpart::start(clock.clone()).await.expect("a counterpart");
    let provider = sender(&vivo, APP_SECRET, &clock);
    (clock, vivo, provider)
}

fn sender(vivo: &VivoCounterpart, secret: &str, clock: &Arc<ManualClock>) -> Vivo {
    let (app_key, app_secret) = (Secret::new(APP_KEY), Secret::new(secret));
    let setup = VivoSetup { app_id: APP_ID, app_key, app_secret, base_url: vivo.url() };
    Vivo::new(setup, http(vivo), clock.clone()).expect("a sender")
}

async fn said(provider: &Vivo, vivo: &VivoCounterpart, answer: Answer) -> PushError {
    vivo.behave_next_at(SEND, Behaviour::Answer(answer));
    provider.send(&push("d1")).await.expect_err("it is not taken")
}

#[tokio::test]
async fn a_notification_is_delivered() {
    let (_clock, vivo, provider) = world().await;
    let mut push = push("d1");
    assert_eq!(provider.send(&push).await.expect("sent").id, "121397329");
    let said = vivo.received()[1].said.clone();
    assert_eq!((&said["title"], &said["timeToLive"], &said["skipType"]), (&json!("Alice"), &json!(86_400), &json!(1)));
    assert_eq!(said["clientCustomMap"], json!({"t": "bob", "f": "alice", "m": "m1", "g": "g1", "e": "{\"k\":1}"}));
    let ext = json!({"em_android_push_ext": {"vivo_click_activity": "vpush://a/b", "vivo_category": "IM"}});
    push.extensions = Extensions::of(ext.as_object().expect("an object"));
    push.title = "好".repeat(30);
    push.content = "好".repeat(500);
    push.ttl = Duration::from_secs(1);
    provider.send(&push).await.expect("sent");
    let mut blank = push.clone();
    (blank.title, blank.content) = (" ".into(), String::new());
    blank.dedup_key = "m2:d1".into();
    provider.send(&blank).await.expect("sent");
    assert_eq!(vivo.problems(), Vec::<String>::new());
    let again = vivo.received()[2].said.clone();
    assert_eq!((&again["skipType"], &again["skipContent"]), (&json!(4), &json!("vpush://a/b")));
    assert_eq!((&said["category"], &again["category"]), (&serde_json::Value::Null, &json!("IM")));
    // The same push has the same ID.
    assert_eq!(again["requestId"], said["requestId"]);
}

#[tokio::test]
async fn the_token_is_kept_for_two_hours() {
    let (clock, vivo, provider) = world().await;
    for _ in 0..6 {
        provider.send(&push("d1")).await.expect("sent");
        clock.advance(Duration::from_secs(3_500));
    }
    let tokens = vivo.received().iter().filter(|one| one.target == "/message/auth").count();
    assert_eq!((tokens, vivo.problems().len()), (2, 0));
}

#[tokio::test]
async fn each_documented_code_has_its_class() {
    use ErrorClass::{Credentials, DeadToken, Failed, Refused};
    let (_clock, vivo, provider) = world().await;
    for (code, expected) in [(10_302, DeadToken), (10_094, Credentials), (10_252, Refused), (1, Refused)] {
        assert_eq!(said(&provider, &vivo, answer(code)).await.class(), expected, "{code}");
    }
    assert_eq!(said(&provider, &vivo, Answer::status(500)).await.class(), Failed);
    assert_eq!(said(&provider, &vivo, Answer::status(200)).await.class(), Failed);
    // Not before the next day in China, eight hours from now.
    assert_eq!(throttled(&said(&provider, &vivo, answer(10_070)).await), (Some(8 * 3_600), Scope::Provider));
    vivo.kill("d1");
    assert_eq!(class(&provider, &push("d1")).await, DeadToken);
}

#[tokio::test]
async fn an_outage_passes() {
    let (_clock, vivo, provider) = world().await;
    outage(&provider, &push("d1"), &vivo, SEND).await;
    drop(vivo);
    assert_eq!(class(&provider, &push("d1")).await, ErrorClass::Failed);
}

#[tokio::test]
async fn another_secret_is_not_let_in() {
    let (clock, vivo, _provider) = world().await;
    let provider = sender(&vivo, "other-secret", &clock);
    assert_eq!(class(&provider, &push("d1")).await, ErrorClass::Credentials);
    assert!(!format!("{provider:?}").contains("other-secret"));
}

#[tokio::test]
async fn custom_fields_beyond_its_limit_go_without_the_senders() {
    let (_clock, vivo, provider) = world().await;
    let mut push = push("d1");
    // t, f, m, g, and their values, and the quotes of the text.
    let others = "tbobfalicemm1gg1e".len();
    for (length, there) in [(1024 - others, true), (1025 - others, false)] {
        push.custom.ext = Some(json!("x".repeat(length)));
        provider.send(&push).await.expect("sent");
        assert_eq!(vivo.received().last().expect("one").said["clientCustomMap"]["e"].is_string(), there);
    }
    assert_eq!(vivo.problems(), Vec::<String>::new());
}

#[tokio::test]
async fn a_token_that_may_have_been_withdrawn_is_not_used_on() {
    let (clock, vivo, provider) = world().await;
    provider.send(&push("d1")).await.expect("sent");
    let tokens = || vivo.received().iter().filter(|one| one.target == "/message/auth").count();
    assert_eq!((said(&provider, &vivo, answer(10_000)).await.class(), tokens()), (ErrorClass::Refused, 1));
    provider.send(&push("d1")).await.expect("sent");
    assert_eq!(tokens(), 1, "it was new");
    clock.advance(Duration::from_secs(60));
    assert_eq!(said(&provider, &vivo, answer(10_000)).await.class(), ErrorClass::Refused);
    provider.send(&push("d1")).await.expect("sent");
    assert_eq!(tokens(), 2);
}
