//! Meizu.

use serde_json::json;
use stentor_push::counterparts::Answer;
use stentor_push::counterparts::meizu::{APP_ID, APP_SECRET, MeizuCounterpart, answer, of_device};
use stentor_push::meizu::{Meizu, MeizuSetup};
use stentor_push::{ErrorClass, Extensions, Provider, Scope, Secret};

use crate::kit::{answered, class, clock, http, outage, push, throttled};

async fn world() -> (MeizuCounterpart, Meizu) {
    let meizu = MeizuCounterpart::start(clock()).await.expect("a counterpart");
    let provider = sender(&meizu, APP_SECRET);
    (meizu, provider)
}

fn sender(meizu: &MeizuCounterpart, secret: &str) -> Meizu {
    let setup = MeizuSetup { app_id: APP_ID.into(), app_secret: Secret::new(secret), base_url: meizu.url() };
    Meizu::new(setup, http(meizu), clock()).expect("a sender")
}

#[tokio::test]
async fn a_notification_is_delivered() {
    let (meizu, provider) = world().await;
    let mut push = push("d1");
    assert_eq!(provider.send(&push).await.expect("sent").id, "c2ee5c3bf00448cfbceb7fdf68c3c8eb");
    let said = &meizu.received()[0].said;
    assert_eq!(said["noticeBarInfo"], json!({"noticeBarType": 0, "title": "Alice", "content": "Hi Bob 👋"}));
    assert_eq!(said["pushTimeInfo"], json!({"offLine": 1, "validTime": 24}));
    assert_eq!(said["clickTypeInfo"]["parameters"]["t"], "bob");
    push.title = "好".repeat(40);
    push.content = "好".repeat(200);
    push.ttl = std::time::Duration::ZERO;
    let ext = json!({"em_android_push_ext": {"meizu_click_activity": "com.example.Main"}});
    push.extensions = Extensions::of(ext.as_object().expect("an object"));
    provider.send(&push).await.expect("sent");
    let mut blank = push.clone();
    (blank.title, blank.content) = (" ".into(), String::new());
    blank.dedup_key = "m2:d1".into();
    provider.send(&blank).await.expect("sent");
    assert_eq!(meizu.problems(), Vec::<String>::new());
    assert_eq!(meizu.received()[1].said["clickTypeInfo"]["activity"], "com.example.Main");
}

#[tokio::test]
async fn each_documented_code_has_its_class() {
    use ErrorClass::{Credentials, DeadToken, Failed, Refused, Throttled};
    let (meizu, provider) = world().await;
    for (code, expected) in [
        ("500", Failed),
        ("1001", Failed),
        ("1003", Failed),
        ("1005", Refused),
        ("1006", Credentials),
        ("110000", Credentials),
        ("110001", Credentials),
        ("110004", Refused),
        ("110009", Credentials),
        ("110010", Throttled),
        ("110053", Refused),
    ] {
        assert_eq!(answered(&provider, &push("d1"), &meizu, answer(code)).await.class(), expected, "{code}");
    }
    for (code, expected) in [
        ("201", Credentials),
        ("501", Failed),
        ("513", Failed),
        ("519", Throttled),
        ("520", Throttled),
        ("110002", DeadToken),
        ("110003", DeadToken),
    ] {
        assert_eq!(answered(&provider, &push("d1"), &meizu, of_device(code, "d1")).await.class(), expected, "{code}");
    }
    let error = answered(&provider, &push("d1"), &meizu, of_device("520", "d1")).await;
    assert_eq!(throttled(&error), (Some(60), Scope::Device));
    assert_eq!(throttled(&answered(&provider, &push("d1"), &meizu, answer("110010")).await), (None, Scope::Provider));
    assert_eq!(answered(&provider, &push("d1"), &meizu, Answer::status(200)).await.class(), Failed);
    meizu.kill("d1");
    assert_eq!(class(&provider, &push("d1")).await, DeadToken);
    assert_eq!(class(&provider, &push("d1,d2")).await, DeadToken);
}

#[tokio::test]
async fn an_outage_passes() {
    let (meizu, provider) = world().await;
    outage(&provider, &push("d1"), &meizu, "").await;
    drop(meizu);
    assert_eq!(class(&provider, &push("d1")).await, ErrorClass::Failed);
}

#[tokio::test]
async fn another_secret_is_not_let_in() {
    let (meizu, _provider) = world().await;
    let provider = sender(&meizu, "other-secret");
    assert_eq!(class(&provider, &push("d1")).await, ErrorClass::Credentials);
    assert!(!format!("{provider:?}").contains("other-secret"));
}
