//! The webhook.

use std::sync::Arc;

use serde_json::json;
use stentor_core::clock::ManualClock;
use stentor_push::counterparts::{Answer, Counterpart, webhook};
use stentor_push::webhook::{Webhook, WebhookSetup};
use stentor_push::{ErrorClass, Extensions, Http, Provider, Scope, Secret};

use crate::kit::{answered, class, clock, http, outage, push, setup, throttled};

async fn world() -> (Arc<ManualClock>, Counterpart, Webhook) {
    let clock = clock();
    let hook = webhook::start(Secret::new("secret"), clock.clone()).await.expect("a counterpart");
    let provider = sender(&hook, "secret", http(&hook), &clock);
    (clock, hook, provider)
}

fn sender(hook: &Counterpart, secret: &str, http: Http, clock: &Arc<ManualClock>) -> Webhook {
    let setup = WebhookSetup { url: format!("{}/push", hook.url()), secret: Secret::new(secret) };
    Webhook::new(setup, http, clock.clone()).expect("a sender")
}

#[tokio::test]
async fn everything_is_handed_on() {
    let (_clock, hook, provider) = world().await;
    let mut push = push("device-1");
    let ext = json!({"em_harmony_push_ext": {"category": "IM"}});
    push.extensions = Extensions::of(ext.as_object().expect("an object"));
    assert_eq!(provider.send(&push).await.expect("sent").id, "taken-m1:d1");
    assert_eq!(hook.problems(), Vec::<String>::new());
    assert_eq!(
        hook.received()[0].said,
        json!({"id": "m1:d1", "token": "device-1", "title": "Alice", "content": "Hi Bob 👋", "badge": 2, "sound": null,
            "collapseId": "chat:alice", "ttl": 86_400,
            "custom": {"t": "bob", "f": "alice", "m": "m1", "g": "g1", "e": {"k": 1}},
            "em_apns_ext": {}, "em_android_push_ext": {}, "em_harmony_push_ext": {"category": "IM"}})
    );
}

#[tokio::test]
async fn each_status_has_its_class() {
    use ErrorClass::{Credentials, DeadToken, Failed, Refused, Throttled};
    let (_clock, hook, provider) = world().await;
    for (status, expected) in [
        (302, Refused),
        (400, Refused),
        (401, Credentials),
        (403, Credentials),
        (404, Refused),
        (408, Failed),
        (410, DeadToken),
        (413, Refused),
        (422, Refused),
        (425, Failed),
        (429, Throttled),
        (500, Failed),
        (503, Failed),
    ] {
        assert_eq!(answered(&provider, &push("d"), &hook, Answer::status(status)).await.class(), expected, "{status}");
    }
    let error = answered(&provider, &push("d"), &hook, Answer::status(429).with("retry-after", 3)).await;
    assert_eq!(throttled(&error), (Some(3), Scope::Provider));
    hook.answer_next(Answer::status(204));
    assert_eq!(provider.send(&push("d")).await.expect("sent").id, "");
}

#[tokio::test]
async fn an_outage_passes() {
    let (_clock, hook, provider) = world().await;
    outage(&provider, &push("d"), &hook, "").await;
    drop(hook);
    assert_eq!(class(&provider, &push("d")).await, ErrorClass::Failed);
}

#[tokio::test]
async fn another_secret_is_not_let_in() {
    let (clock, hook, _provider) = world().await;
    let provider = sender(&hook, "other", http(&hook), &clock);
    assert_eq!(class(&provider, &push("d")).await, ErrorClass::Credentials);
    assert_eq!(hook.problems().len(), 1);
    assert!(!format!("{provider:?}").contains("other"));
}

#[tokio::test]
async fn private_addresses_must_be_allowed() {
    let (clock, hook, _provider) = world().await;
    let provider = sender(&hook, "secret", Http::new(&setup(&hook)).expect("a client"), &clock);
    assert_eq!(class(&provider, &push("d")).await, ErrorClass::Refused);
    assert_eq!(hook.connections(), 0);
}

#[tokio::test]
async fn what_a_2xx_says_beside_it_does_not_matter() {
    let (_clock, hook, provider) = world().await;
    for body in [json!("x".repeat(100_000)), json!({"id": "y".repeat(500)}), json!([])] {
        hook.answer_next(Answer::json(200, &body));
        let sent = provider.send(&push("device-1")).await.expect("taken");
        assert!(sent.id.len() <= 200, "{}", sent.id);
    }
    assert_eq!(hook.received().len(), 3);
}
