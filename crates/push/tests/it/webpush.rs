//! Web Push.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rcgen::KeyPair;
use serde_json::json;
use stentor_core::clock::ManualClock;
use stentor_push::counterparts::Answer;
use stentor_push::counterparts::webpush::WebPushCounterpart;
use stentor_push::webpush::{WebPush, WebPushSetup};
use stentor_push::{ErrorClass, Http, Provider, Push, PushError, Scope, Secret};

use crate::kit::{answered, class, clock, http, outage, push, setup, throttled};

async fn world() -> (Arc<ManualClock>, WebPushCounterpart, WebPush) {
    let clock = clock();
    let service = WebPushCounterpart::start(clock.clone()).await.expect("a counterpart");
    let provider = WebPush::new(&vapid(), http(&service), clock.clone()).expect("a sender");
    (clock, service, provider)
}

fn vapid() -> WebPushSetup {
    let key = KeyPair::generate().expect("a key").serialize_pem();
    WebPushSetup { private_key: Secret::new(key), public_key: None, contact: "mailto:ops@example.com".into() }
}

fn to_browser(service: &WebPushCounterpart, provider: &WebPush, name: &str) -> Push {
    let token = service.subscribe(name, provider.public_key()).expect("a subscription");
    Push { token, ..push("") }
}

#[tokio::test]
async fn a_browser_reads_it() {
    let (_clock, service, provider) = world().await;
    let push = to_browser(&service, &provider, "b1");
    let sent = provider.send(&push).await.expect("sent");
    assert_eq!(sent.id, format!("{}/message/b1", service.url()));
    assert_eq!(service.problems(), Vec::<String>::new());
    let received = service.received();
    assert_eq!(
        received[0].said,
        json!({"title": "Alice", "body": "Hi Bob 👋", "badge": 2, "tag": "chat:alice",
            "t": "bob", "f": "alice", "m": "m1", "g": "g1", "e": {"k": 1}})
    );
    assert_eq!(
        (&received[0].headers["ttl"], received[0].headers["topic"].len()),
        (&"86400".parse().expect("a value"), 32)
    );
}

#[tokio::test]
async fn the_longest_payload_fits() {
    let (_clock, service, provider) = world().await;
    let mut push = to_browser(&service, &provider, "b1");
    push.content = "x".repeat(10_000);
    push.ttl = Duration::MAX;
    provider.send(&push).await.expect("sent");
    assert_eq!(service.received()[0].headers["content-length"], "4096");
    assert_eq!(service.received()[0].headers["ttl"], "2419200");
    assert_eq!(service.problems(), Vec::<String>::new());
    push.custom.ext = Some("x".repeat(4_000).into());
    // Rather without it than not at all.
    provider.send(&push).await.expect("sent");
    push.custom.from = "x".repeat(4_096);
    assert_eq!(class(&provider, &push).await, ErrorClass::Refused);
}

#[tokio::test]
async fn the_identification_is_kept_for_hours_and_renewed() {
    let (clock, service, provider) = world().await;
    let push = to_browser(&service, &provider, "b1");
    for _ in 0..30 {
        provider.send(&push).await.expect("sent");
        clock.advance(Duration::from_secs(3_600));
    }
    assert_eq!(service.problems(), Vec::<String>::new());
    let received = service.received();
    let headers: std::collections::HashSet<_> = received.iter().map(|one| &one.headers["authorization"]).collect();
    assert_eq!(headers.len(), 3);
}

#[tokio::test]
async fn a_subscription_that_is_gone_is_a_dead_token() {
    let (_clock, service, provider) = world().await;
    let push = to_browser(&service, &provider, "b1");
    service.unsubscribe("b1");
    let dead = PushError::DeadToken { reason: "status 410".into(), since_ms: None };
    assert_eq!(provider.send(&push).await, Err(dead));
    assert_eq!(answered(&provider, &push, &service, Answer::status(404)).await.class(), ErrorClass::DeadToken);
    let text = push.token.as_str();
    for odd in [
        "",
        "{}",
        &text.replace("http:", "ftp:"),
        &text.replace("p256dh\":\"B", "p256dh\":\"A"),
        &text.replace("auth\":\"", "auth\":\"AAAA"),
    ] {
        let odd = Push { token: stentor_push::DeviceToken::new(odd), ..push.clone() };
        assert_eq!(class(&provider, &odd).await, ErrorClass::DeadToken, "{}", odd.token.as_str());
    }
    assert_eq!(service.received().len(), 2);
}

#[tokio::test]
async fn each_status_has_its_class() {
    use ErrorClass::{Credentials, Failed, Refused, Throttled};
    let (_clock, service, provider) = world().await;
    let push = to_browser(&service, &provider, "b1");
    for (status, expected) in [
        (400, Refused),
        (401, Credentials),
        (403, Credentials),
        (413, Refused),
        (429, Throttled),
        (500, Failed),
        (503, Failed),
    ] {
        assert_eq!(answered(&provider, &push, &service, Answer::status(status)).await.class(), expected, "{status}");
    }
    let error = answered(&provider, &push, &service, Answer::status(429).with("retry-after", 30)).await;
    assert_eq!(throttled(&error), (Some(30), Scope::Device));
    service.answer_next(Answer::status(202));
    assert!(provider.send(&push).await.is_ok());
}

#[tokio::test]
async fn an_outage_passes() {
    let (_clock, service, provider) = world().await;
    let push = to_browser(&service, &provider, "b1");
    outage(&provider, &push, &service, "").await;
    drop(service);
    assert_eq!(class(&provider, &push).await, ErrorClass::Failed);
}

#[tokio::test]
async fn another_key_is_not_let_in() {
    let (clock, service, provider) = world().await;
    let push = to_browser(&service, &provider, "b1");
    let other = WebPush::new(&vapid(), http(&service), clock).expect("a sender");
    assert_eq!(class(&other, &push).await, ErrorClass::Credentials);
    assert_eq!(service.problems().len(), 1);
}

#[tokio::test]
async fn a_subscription_does_not_lead_into_the_own_network() {
    let (clock, service, _provider) = world().await;
    let provider = WebPush::new(&vapid(), Http::new(&setup(&service)).expect("a client"), clock).expect("a sender");
    let push = to_browser(&service, &provider, "b1");
    assert_eq!(provider.send(&push).await, Err(PushError::Refused { reason: "the address is private".into() }));
    let by_name = push.token.as_str().replace("127.0.0.1", "localhost");
    let push = Push { token: stentor_push::DeviceToken::new(by_name), ..push };
    assert_eq!(provider.send(&push).await, Err(PushError::Refused { reason: "the address is private".into() }));
    assert_eq!(service.connections(), 0);
}

#[tokio::test]
async fn keys_are_read_in_both_forms_and_must_fit() {
    let (clock, service, _provider) = world().await;
    let pair = KeyPair::generate().expect("a key");
    // PKCS #8 of a P-256 key holds the 32 bytes at 36.
    let private = BASE64_URL_SAFE_NO_PAD.encode(&pair.serialize_der()[36..68]);
    let public = BASE64_URL_SAFE_NO_PAD.encode(pair.public_key_raw());
    let make = |private: &str, public: Option<&str>, contact: &str| {
        let setup = WebPushSetup {
            private_key: Secret::new(private),
            public_key: public.map(str::to_owned),
            contact: contact.into(),
        };
        WebPush::new(&setup, http(&service), clock.clone())
    };
    let contact = "https://example.com/contact";
    let raw = make(&private, Some(&public), contact).expect("a sender");
    assert_eq!(raw.public_key(), public);
    assert_eq!(make(&pair.serialize_pem(), None, contact).expect("a sender").public_key(), public);
    raw.send(&to_browser(&service, &raw, "b1")).await.expect("sent");
    let another = BASE64_URL_SAFE_NO_PAD.encode(KeyPair::generate().expect("a key").public_key_raw());
    assert!(make(&private, Some(&another), contact).is_err());
    assert!(make(&pair.serialize_pem(), Some(&another), contact).is_err());
    assert!(make(&private, None, contact).is_err());
    assert!(make(&private, Some(&public), "ops@example.com").is_err());
    assert!(!format!("{raw:?}").contains(&private));
}
