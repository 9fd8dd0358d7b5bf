//! Xiaomi.

use serde_json::json;
use stentor_push::counterparts::Answer;
use stentor_push::counterparts::xiaomi::{APP_SECRET, PACKAGE, XiaomiCounterpart, answer};
use stentor_push::xiaomi::{Xiaomi, XiaomiSetup};
use stentor_push::{ErrorClass, Extensions, Provider, Scope, Secret};

use crate::kit::{answered, class, clock, http, outage, push, throttled};

async fn world() -> (XiaomiCounterpart, Xiaomi) {
    let xiaomi = XiaomiCounterpart::start(clock()).await.expect("a counterpart");
    let provider = sender(&xiaomi, APP_SECRET);
    (xiaomi, provider)
}

fn sender(xiaomi: &XiaomiCounterpart, secret: &str) -> Xiaomi {
    let setup = XiaomiSetup { app_secret: Secret::new(secret), package: PACKAGE.into(), base_url: xiaomi.url() };
    Xiaomi::new(setup, http(xiaomi), clock()).expect("a sender")
}

#[tokio::test]
async fn a_notification_is_delivered() {
    let (xiaomi, provider) = world().await;
    let mut push = push("d+1/=");
    assert_eq!(provider.send(&push).await.expect("sent").id, "scm1");
    let said = &xiaomi.received()[0].said;
    assert_eq!(
        (&said["registration_id"], &said["title"], &said["description"]),
        (&json!("d+1/="), &json!("Alice"), &json!("Hi Bob 👋"))
    );
    assert_eq!(said["time_to_live"], "86400000");
    let id = said["notify_id"].clone();
    push.title = "  ".into();
    push.content = "好".repeat(500);
    push.ttl = std::time::Duration::from_secs(10_000_000);
    let ext = json!({"em_android_push_ext": {"xiaomi_channel_id": "ch"}});
    push.extensions = Extensions::of(ext.as_object().expect("an object"));
    provider.send(&push).await.expect("sent");
    assert_eq!(xiaomi.problems(), Vec::<String>::new());
    assert_eq!(xiaomi.received()[1].said["extra.channel_id"], "ch");
    assert_eq!(xiaomi.received()[1].said["notify_id"], id);
    // Without a collapse ID each push is shown; a title is cut at its limit.
    push.title = "t".repeat(50);
    push.collapse_id = None;
    provider.send(&push).await.expect("sent");
    assert_ne!(xiaomi.received()[2].said["notify_id"], id);
    assert_eq!(xiaomi.received()[2].said["title"], format!("{}…", "t".repeat(48)));
    assert_eq!(xiaomi.problems(), Vec::<String>::new());
}

#[tokio::test]
async fn each_documented_code_has_its_class() {
    use ErrorClass::{Credentials, DeadToken, Failed, Refused, Throttled};
    let (xiaomi, provider) = world().await;
    for (code, expected) in [
        (-1, Failed),
        (1, Failed),
        (10_001, Failed),
        (10_002, Failed),
        (10_003, Failed),
        (10_008, Refused),
        (10_012, Refused),
        (10_016, Refused),
        (10_017, Refused),
        (10_027, Throttled),
        (10_029, DeadToken),
        (10_031, Credentials),
        (10_034, Throttled),
        (10_036, Credentials),
        (20_301, Refused),
        (20_607, Failed),
        (21_301, Credentials),
        (21_302, Credentials),
        (21_303, Credentials),
        (21_305, Refused),
        (22_000, Credentials),
        (22_006, Credentials),
        (22_007, Credentials),
        (22_022, Credentials),
        (26_003, Failed),
        (27_001, Refused),
        (65_009, Refused),
        (65_029, Failed),
    ] {
        assert_eq!(answered(&provider, &push("d1"), &xiaomi, answer(code)).await.class(), expected, "{code}");
    }
    assert_eq!(throttled(&answered(&provider, &push("d1"), &xiaomi, answer(10_027)).await), (None, Scope::Provider));
    assert_eq!(
        throttled(&answered(&provider, &push("d1"), &xiaomi, answer(10_034)).await),
        (Some(3_600), Scope::Provider)
    );
    assert_eq!(answered(&provider, &push("d1"), &xiaomi, Answer::status(200)).await.class(), Failed);
    xiaomi.kill("d1");
    assert_eq!(class(&provider, &push("d1")).await, DeadToken);
    assert_eq!(class(&provider, &push("d1,d2")).await, DeadToken);
}

#[tokio::test]
async fn an_outage_passes() {
    let (xiaomi, provider) = world().await;
    outage(&provider, &push("d1"), &xiaomi, "").await;
    drop(xiaomi);
    assert_eq!(class(&provider, &push("d1")).await, ErrorClass::Failed);
}

#[tokio::test]
async fn another_secret_is_not_let_in() {
    let (xiaomi, _provider) = world().await;
    let provider = sender(&xiaomi, "other-secret");
    assert_eq!(class(&provider, &push("d1")).await, ErrorClass::Credentials);
    assert!(!format!("{provider:?}").contains("other-secret"));
}
