//! APNs.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair};
use serde_json::{Value, json};
use stentor_core::clock::ManualClock;
use stentor_push::apns::{Apns, ApnsAuth, ApnsSetup};
use stentor_push::counterparts::apns::{ApnsCounterpart, Expects, error};
use stentor_push::counterparts::{Answer, Behaviour};
use stentor_push::{ErrorClass, Extensions, Http, HttpSetup, Identity, Provider, PushError, Scope, Secret};

use crate::kit::{NOW_MS, answered, class, clock, http, outage, push, setup, throttled};

const DEVICE: &str = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";
const TOPIC: &str = "com.example.chat";

struct World {
    clock: Arc<ManualClock>,
    apns: ApnsCounterpart,
    provider: Apns,
    key: String,
}

async fn world() -> World {
    let clock = clock();
    let key = KeyPair::generate().expect("a key").serialize_pem();
    let expects = Expects::token(&key, "ABC123DEFG", "DEF123GHIJ").expect("a key");
    let apns = ApnsCounterpart::start(TOPIC, expects, clock.clone()).await.expect("a counterpart");
    let provider = sender(&apns, &key, "ABC123DEFG", &clock);
    World { clock, apns, provider, key }
}

fn sender(apns: &ApnsCounterpart, key: &str, key_id: &str, clock: &Arc<ManualClock>) -> Apns {
    let auth = ApnsAuth::Token { key_pem: Secret::new(key), key_id: key_id.into(), team_id: "DEF123GHIJ".into() };
    let setup = ApnsSetup { auth, topic: TOPIC.into(), base_url: apns.url() };
    Apns::new(setup, http(apns), clock.clone()).expect("a sender")
}

#[tokio::test]
async fn a_notification_is_delivered() {
    let World { apns, provider, .. } = world().await;
    let sent = provider.send(&push(DEVICE)).await.expect("sent");
    let received = apns.received();
    assert_eq!(apns.problems(), Vec::<String>::new());
    assert_eq!(
        received[0].said,
        json!({"aps": {"alert": {"title": "Alice", "body": "Hi Bob 👋"}, "badge": 2, "sound": "default"},
            "t": "bob", "f": "alice", "m": "m1", "g": "g1", "e": {"k": 1}})
    );
    let header = |name: &str| received[0].headers[name].to_str().expect("text").to_owned();
    assert_eq!(header("apns-id"), sent.id);
    assert_eq!(header("apns-expiration"), (NOW_MS / 1000 + 86_400).to_string());
    assert_eq!((header("apns-collapse-id").as_str(), header("apns-push-type").as_str()), ("chat:alice", "alert"));
    // The same push again has the same ID, over the same connection.
    assert_eq!(provider.send(&push(DEVICE)).await.expect("sent"), sent);
    assert_eq!((apns.connections(), apns.problems().len()), (1, 0));
}

#[tokio::test]
async fn many_go_over_one_connection() {
    let World { apns, provider, .. } = world().await;
    provider.send(&push(DEVICE)).await.expect("sent");
    let provider = Arc::new(provider);
    let mut sends = tokio::task::JoinSet::new();
    for number in 0..50 {
        let (provider, mut push) = (provider.clone(), push(DEVICE));
        push.dedup_key = number.to_string();
        sends.spawn(async move { provider.send(&push).await });
    }
    assert!(sends.join_all().await.iter().all(Result::is_ok));
    assert_eq!((apns.connections(), apns.received().len(), apns.problems().len()), (1, 51, 0));
}

#[tokio::test]
async fn wishes_and_odd_texts_keep_to_the_contract() {
    let World { apns, provider, .. } = world().await;
    let mut push = push(DEVICE);
    let ext = json!({"em_apns_ext": {"em_push_collapse_key": "用户", "em_push_sound": "a.caf", "thread_id": "t"}});
    push.extensions = Extensions::of(ext.as_object().expect("an object"));
    push.content = "👨‍👩‍👧‍👦".repeat(1_000);
    push.ttl = Duration::ZERO;
    provider.send(&push).await.expect("sent");
    let received = apns.received();
    assert_eq!(apns.problems(), Vec::<String>::new());
    assert_eq!(
        (&received[0].headers["apns-expiration"], &received[0].said["aps"]["sound"]),
        (&"0".parse().expect("a value"), &json!("a.caf"))
    );
}

#[tokio::test]
async fn the_token_is_renewed_between_20_and_60_minutes() {
    let World { clock, apns, provider, .. } = world().await;
    let mut tokens = std::collections::BTreeSet::new();
    for _ in 0..16 {
        provider.send(&push(DEVICE)).await.expect("sent");
        let received = apns.received();
        let last = received.last().expect("a request");
        tokens.insert(last.headers["authorization"].to_str().expect("text").to_owned());
        clock.advance(Duration::from_secs(600));
    }
    assert_eq!(apns.problems(), Vec::<String>::new());
    assert_eq!(tokens.len(), 4);
}

#[tokio::test]
async fn an_expired_token_is_renewed_for_the_next_try() {
    let World { clock, apns, provider, .. } = world().await;
    provider.send(&push(DEVICE)).await.expect("sent");
    clock.advance(Duration::from_secs(1_500));
    let expired = answered(&provider, &push(DEVICE), &apns, error(403, "ExpiredProviderToken")).await;
    assert_eq!(expired.class(), ErrorClass::Failed);
    provider.send(&push(DEVICE)).await.expect("sent");
    let received = apns.received();
    assert_ne!(received[1].headers["authorization"], received[2].headers["authorization"]);
    assert_eq!(apns.problems(), Vec::<String>::new());
}

#[tokio::test]
async fn dead_tokens_say_since_when() {
    let World { apns, provider, .. } = world().await;
    apns.kill(DEVICE, 1_799_999_999_000);
    let dead = PushError::DeadToken { reason: "Unregistered".into(), since_ms: Some(1_799_999_999_000) };
    assert_eq!(provider.send(&push(DEVICE)).await, Err(dead));
    for answer in [error(400, "BadDeviceToken"), error(400, "DeviceTokenNotForTopic"), error(410, "ExpiredToken")] {
        assert_eq!(answered(&provider, &push(DEVICE), &apns, answer).await.class(), ErrorClass::DeadToken);
    }
    let before = apns.received().len();
    for odd in ["", "../../x", "00fc?a=b", "zz"] {
        assert_eq!(class(&provider, &push(odd)).await, ErrorClass::DeadToken, "{odd}");
    }
    assert_eq!(apns.received().len(), before);
}

#[tokio::test]
async fn each_documented_reason_has_its_class() {
    use ErrorClass::{Credentials, DeadToken, Failed, Refused, Throttled};
    let World { apns, provider, .. } = world().await;
    let table: [(u16, &str, ErrorClass); 34] = [
        (400, "BadCollapseId", Refused),
        (400, "BadDeviceToken", DeadToken),
        (400, "BadExpirationDate", Refused),
        (400, "BadMessageId", Refused),
        (400, "BadPriority", Refused),
        (400, "BadTopic", Credentials),
        (400, "DeviceTokenNotForTopic", DeadToken),
        (400, "DuplicateHeaders", Refused),
        (400, "IdleTimeout", Failed),
        (400, "InvalidPushType", Refused),
        (400, "MissingDeviceToken", Refused),
        (400, "MissingTopic", Credentials),
        (400, "PayloadEmpty", Refused),
        (400, "TopicDisallowed", Credentials),
        (403, "BadCertificate", Credentials),
        (403, "BadCertificateEnvironment", Credentials),
        (403, "ExpiredProviderToken", Failed),
        (403, "Forbidden", Credentials),
        (403, "InvalidProviderToken", Credentials),
        (403, "MissingProviderToken", Credentials),
        (403, "UnrelatedKeyIdInToken", Credentials),
        (403, "BadEnvironmentKeyIdInToken", Credentials),
        (404, "BadPath", Refused),
        (405, "MethodNotAllowed", Refused),
        (410, "ExpiredToken", DeadToken),
        (410, "Unregistered", DeadToken),
        (413, "PayloadTooLarge", Refused),
        (429, "TooManyProviderTokenUpdates", Throttled),
        (429, "TooManyRequests", Throttled),
        (500, "InternalServerError", Failed),
        (503, "ServiceUnavailable", Failed),
        (503, "Shutdown", Failed),
        // What no document names.
        (400, "SomethingNew", Refused),
        (500, "SomethingNew", Failed),
    ];
    for (status, reason, expected) in table {
        // A refused token is forgotten, and the counterpart wants 20 minutes between tokens.
        let failure = answered(&provider, &push(DEVICE), &apns, error(status, reason)).await;
        assert_eq!(failure.class(), expected, "{status} {reason}");
        assert!(failure.to_string().contains(reason), "{failure}");
    }
    assert_eq!(answered(&provider, &push(DEVICE), &apns, Answer::status(403)).await.class(), Credentials);
    assert_eq!(answered(&provider, &push(DEVICE), &apns, Answer::status(302)).await.class(), Refused);
}

#[tokio::test]
async fn throttles_are_for_a_device_or_for_all() {
    let World { apns, provider, .. } = world().await;
    let device = answered(&provider, &push(DEVICE), &apns, error(429, "TooManyRequests")).await;
    assert_eq!(throttled(&device), (Some(60), Scope::Device));
    let device = answered(&provider, &push(DEVICE), &apns, error(429, "TooManyRequests").with("retry-after", 5)).await;
    assert_eq!(throttled(&device), (Some(5), Scope::Device));
    let all = answered(&provider, &push(DEVICE), &apns, error(429, "TooManyProviderTokenUpdates")).await;
    assert_eq!(throttled(&all), (Some(1_200), Scope::Provider));
}

#[tokio::test]
async fn an_outage_passes() {
    let World { apns, provider, .. } = world().await;
    outage(&provider, &push(DEVICE), &apns, "").await;
    let address = apns.url();
    drop(apns);
    assert_eq!(class(&provider, &push(DEVICE)).await, ErrorClass::Failed, "{address}");
}

#[tokio::test]
async fn nobody_waits_for_ever() {
    let World { clock, apns, key, .. } = world().await;
    let mut setup = setup(&apns);
    (setup.allow_private, setup.timeout) = (true, Duration::from_millis(50));
    let auth = ApnsAuth::Token { key_pem: Secret::new(key), key_id: "ABC123DEFG".into(), team_id: "DEF123GHIJ".into() };
    let apns_setup = ApnsSetup { auth, topic: TOPIC.into(), base_url: apns.url() };
    let provider = Apns::new(apns_setup, Http::new(&setup).expect("a client"), clock).expect("a sender");
    apns.behave(Some(Behaviour::Hang));
    let failed = provider.send(&push(DEVICE)).await;
    assert_eq!(failed, Err(PushError::Failed { reason: "no answer in time".into(), retry_after: None }));
}

#[tokio::test]
async fn wrong_keys_topics_and_authorities_are_noticed() {
    let World { clock, apns, key, .. } = world().await;
    let other = KeyPair::generate().expect("a key").serialize_pem();
    assert_eq!(class(&sender(&apns, &other, "ABC123DEFG", &clock), &push(DEVICE)).await, ErrorClass::Credentials);
    assert_eq!(class(&sender(&apns, &key, "OTHER", &clock), &push(DEVICE)).await, ErrorClass::Credentials);
    let setup = ApnsSetup { auth: ApnsAuth::Certificate, topic: TOPIC.into(), base_url: apns.url() };
    let provider = Apns::new(setup, http(&apns), clock.clone()).expect("a sender");
    assert_eq!(class(&provider, &push(DEVICE)).await, ErrorClass::Credentials);
    assert_eq!(apns.problems().len(), 3);
    let another = world().await;
    let setup = ApnsSetup { auth: ApnsAuth::Certificate, topic: TOPIC.into(), base_url: apns.url() };
    let distrusting = Apns::new(setup, http(&another.apns), clock).expect("a sender");
    let failed = distrusting.send(&push(DEVICE)).await.expect_err("it is not taken");
    assert!(failed.to_string().contains("invalid peer certificate"), "{failed}");
    assert!(!failed.to_string().contains(DEVICE), "{failed}");
    assert_eq!(apns.received().len(), 3);
}

#[tokio::test]
async fn a_certificate_does_instead_of_a_token() {
    let clock = clock();
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec!["apns.example.com".to_owned()]).expect("names");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = params.self_signed(&key).expect("a certificate");
    let expects = Expects::Certificate(certificate.der().to_vec());
    let apns = ApnsCounterpart::start(TOPIC, expects, clock.clone()).await.expect("a counterpart");
    let mut setup = setup(&apns);
    setup.allow_private = true;
    let sender = |setup: &HttpSetup| {
        let apns_setup = ApnsSetup { auth: ApnsAuth::Certificate, topic: TOPIC.into(), base_url: apns.url() };
        Apns::new(apns_setup, Http::new(setup).expect("a client"), clock.clone()).expect("a sender")
    };
    assert_eq!(class(&sender(&setup), &push(DEVICE)).await, ErrorClass::Credentials);
    setup.identity = Some(Identity::from_pem(&certificate.pem(), &key.serialize_pem()).expect("an identity"));
    sender(&setup).send(&push(DEVICE)).await.expect("sent");
    assert_eq!(apns.received().last().map(|last| last.said["m"].clone()), Some(Value::from("m1")));
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_at_the_start() {
    let World { clock, apns, key, .. } = world().await;
    for (key, topic, base_url) in [
        ("x", TOPIC, apns.url()),
        (&key, "", apns.url()),
        (&key, "a\nb", apns.url()),
        (&key, TOPIC, "api.push.apple.com".into()),
    ] {
        let auth = ApnsAuth::Token { key_pem: Secret::new(key), key_id: "K".into(), team_id: "T".into() };
        let setup = ApnsSetup { auth, topic: topic.into(), base_url };
        assert!(Apns::new(setup, http(&apns), clock.clone()).is_err(), "{topic}");
    }
}

#[tokio::test]
async fn secrets_are_not_in_debug() {
    let World { provider, apns, key, .. } = world().await;
    provider.send(&push(DEVICE)).await.expect("sent");
    let shown = format!("{provider:?}");
    let bearer = apns.received()[0].headers["authorization"].to_str().expect("text")[7..].to_owned();
    assert!(!shown.contains(&bearer) && !shown.contains(key.lines().nth(1).expect("a line")), "{shown}");
}
