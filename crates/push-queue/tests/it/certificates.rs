//! Certificates: what is kept, what is seen, and where pushes go.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use stentor_core::push::{NotifierChange, NotifierSetup};
use stentor_core::records::RecordKind;
use stentor_core::store::{RecordStore, Scan};
use stentor_push::counterparts::{Answer, Counterpart, webhook};
use stentor_push::{DeviceToken, ErrorClass, Line, Push, PushError, Secret, Trust};
use stentor_push_queue::certificates::setup::field;
use stentor_push_queue::certificates::{
    BadCertificate, CertificateChange, CertificateError, Certificates, CertificatesSetup, Fields, ServiceKind,
    Services, Setup,
};
use stentor_push_queue::route::{Route, Routes};

use crate::kit::{self, NOW_MS};

const SECRET: &str = "the-secret-of-the-webhook";
const KEY: [u8; 32] = [7; 32];

struct World {
    world: kit::World,
    hook: Counterpart,
}

impl Deref for World {
    type Target = kit::World;

    fn deref(&self) -> &kit::World {
        &self.world
    }
}

async fn world() -> World {
    let world = kit::world().await;
    let hook = webhook::start(Secret::new(SECRET), world.clock.clone()).await.expect("a counterpart");
    World { world, hook }
}

impl World {
    async fn open(&self, sealing_key: [u8; 32]) -> Certificates {
        let services = Services { allow_private: true, ..Services::new(Trust::only([])) };
        let setup = CertificatesSetup { node: self.node.clone(), app: self.app.clone(), sealing_key, services };
        Certificates::open(setup).await.expect("opened")
    }

    fn hook(&self) -> Setup {
        setup(
            ServiceKind::Webhook,
            &[],
            &[(field::CERTIFICATE, SECRET), (field::URL, &format!("{}/push", self.hook.url()))],
        )
    }

    /// Everything in the store, as bytes.
    async fn kept(&self) -> Vec<u8> {
        let found = self.store.scan_records(self.app.id(), Scan::of(RecordKind::Notifier, "", 1000)).await;
        found.expect("read").into_iter().flat_map(|(_, bytes)| bytes).collect()
    }
}

fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn setup(service: ServiceKind, open: &[(&str, &str)], secret: &[(&str, &str)]) -> Setup {
    Setup { service, open: fields(open), secret: fields(secret) }
}

fn line(certificates: &Certificates, name: &str) -> Arc<Line> {
    match certificates.route(name) {
        Route::Open(line) => line,
        other => panic!("{other:?}"),
    }
}

fn push() -> Push {
    Push::new(DeviceToken::new("token"), "T", "C", "m:d")
}

#[tokio::test]
async fn a_certificate_leads_to_its_service_and_follows_every_change() {
    let world = world().await;
    let certificates = world.open(KEY).await;
    assert!(matches!(certificates.route("hook"), Route::Missing));
    let made = certificates.create("hook", world.hook()).await.expect("made");
    assert_eq!((made.name.as_str(), made.service, made.disabled), ("hook", Some(ServiceKind::Webhook), false));
    line(&certificates, "hook").send(&push()).await.expect("sent");
    assert_eq!(world.hook.problems(), Vec::<String>::new());

    let change = |disabled| CertificateChange { disabled: Some(disabled), setup: None };
    let before = line(&certificates, "hook");
    let changed = certificates.change(&made.uuid, change(true)).await.expect("changed").expect("there");
    assert!(changed.disabled && matches!(certificates.route("hook"), Route::Disabled));
    certificates.change(&made.uuid, change(false)).await.expect("changed").expect("there");
    assert!(Arc::ptr_eq(&before, &line(&certificates, "hook")), "its connections are the same");

    // Another setup is another line.
    let wrong = setup(
        ServiceKind::Webhook,
        &[],
        &[(field::CERTIFICATE, "wrong"), (field::URL, &format!("{}/push", world.hook.url()))],
    );
    let change = CertificateChange { disabled: None, setup: Some(wrong) };
    certificates.change(&made.uuid, change).await.expect("changed").expect("there");
    let error = line(&certificates, "hook").send(&push()).await.expect_err("not taken");
    assert_eq!(error.class(), ErrorClass::Credentials);

    let again = world.open(KEY).await;
    assert_eq!(line(&again, "hook").send(&push()).await.expect_err("the same").class(), ErrorClass::Credentials);
    let gone = certificates.delete(&made.uuid).await.expect("deleted").expect("there");
    assert_eq!(gone.name, "hook");
    assert!(matches!(certificates.route("hook"), Route::Missing));
    assert_eq!(certificates.delete(&made.uuid).await.expect("nothing"), None);
    assert_eq!(certificates.get(&made.uuid).await.expect("nothing"), None);
}

#[tokio::test]
async fn secrets_are_sealed_and_not_seen() {
    let world = world().await;
    let certificates = world.open(KEY).await;
    let setup = world.hook();
    let made = certificates.create("hook", setup.clone()).await.expect("made");
    let kept = world.kept().await;
    let has = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(has(&kept, "hook") && has(&kept, &made.uuid));
    for shown in [format!("{setup:?}"), format!("{made:?}"), format!("{certificates:?}")] {
        let path = format!("{}/push", world.hook.url());
        assert!(!shown.contains(SECRET) && !shown.contains(&path), "{shown}");
    }
    for secret in [SECRET, "/push", &world.hook.url()] {
        assert!(!has(&kept, secret), "{secret}");
    }
}

#[tokio::test]
async fn with_another_key_a_certificate_is_there_and_cannot_be_used() {
    let world = world().await;
    let made = world.open(KEY).await.create("hook", world.hook()).await.expect("made");
    let other = world.open([8; 32]).await;
    let shown = other.list().await.expect("read").remove(0);
    assert_eq!(shown.unusable.as_deref(), Some("it was sealed with another key, or is damaged"));
    let error = line(&other, "hook").send(&push()).await.expect_err("not taken");
    assert!(matches!(&error, PushError::Credentials { reason } if reason.contains("another key")), "{error:?}");
    // It can be made usable again, or deleted.
    let change = CertificateChange { disabled: None, setup: Some(world.hook()) };
    let changed = other.change(&made.uuid, change).await.expect("changed").expect("there");
    assert_eq!(changed.unusable, None);
    line(&other, "hook").send(&push()).await.expect("sent");
}

#[tokio::test]
async fn a_sealed_secret_cannot_be_moved() {
    let world = world().await;
    let certificates = world.open(KEY).await;
    let (one, two) = (certificates.create("one", world.hook()).await, certificates.create("two", world.hook()).await);
    let (one, two) = (one.expect("made").uuid, two.expect("made").uuid);
    let notifier = world.node.notifier(&world.app, &one).await.expect("read").expect("there");
    let change =
        NotifierChange { disabled: None, setup: Some(NotifierSetup { open: notifier.open, sealed: notifier.sealed }) };
    world.node.change_notifier(&world.app, &two, &change).await.expect("changed").expect("there");
    let shown = world.open(KEY).await.get(&two).await.expect("read").expect("there");
    assert!(shown.unusable.is_some(), "{shown:?}");
}

#[tokio::test]
async fn dead_tokens_are_forgotten_only_by_who_has_delivered() {
    let world = world().await;
    let certificates = world.open(KEY).await;
    certificates.create("hook", world.hook()).await.expect("made");
    let line = line(&certificates, "hook");
    let send = async |answer: Option<u16>| {
        if let Some(status) = answer {
            world.hook.answer_next(Answer::status(status));
        }
        certificates.note("hook", &line, &line.send(&push()).await);
        certificates.may_forget("hook")
    };
    assert!(!certificates.may_forget("hook"));
    assert!(!send(Some(410)).await, "a wrong environment says so of every token");
    assert!(certificates.list().await.expect("read")[0].holds_tokens);
    assert!(!send(Some(422)).await, "a refusal is no delivery");
    assert!(send(None).await);
    assert!(send(Some(410)).await);
    assert!(!certificates.list().await.expect("read")[0].holds_tokens);
    assert!(!certificates.may_forget("other"));

    assert!(send(Some(401)).await);
    world.clock.advance(Duration::from_secs(1));
    let trouble = certificates.list().await.expect("read").remove(0).trouble.expect("trouble");
    assert_eq!((trouble.class, trouble.reason.as_str()), (ErrorClass::Credentials, "status 401"));
    assert_eq!(trouble.at_ms, NOW_MS);
}

#[tokio::test]
async fn what_cannot_send_is_refused_with_the_field_at_fault() {
    let world = world().await;
    let certificates = world.open(KEY).await;
    let key = rcgen::KeyPair::generate().expect("a key").serialize_pem();
    let cert = ("certificate", "hush-hush");
    let pem = ("certificate", key.as_str());
    let ids = [("keyId", "K"), ("teamId", "T"), ("packageName", "com.example")];
    type Pairs<'a> = &'a [(&'a str, &'a str)];
    type Fault<'a> = (ServiceKind, &'a str, Pairs<'a>, Pairs<'a>, &'a str);
    let faults: &[Fault<'_>] = &[
        (ServiceKind::Apns, "n", &ids, &[], "certificate"),
        (ServiceKind::Apns, "n", &ids, &[cert], "certificate"),
        (ServiceKind::Apns, "n", &ids[1..], &[pem], "keyId"),
        (ServiceKind::Apns, "n", &[ids[0], ids[2]], &[pem], "teamId"),
        (ServiceKind::Apns, "n", &ids[..2], &[pem], "packageName"),
        (ServiceKind::Apns, "n", &ids, &[("certificate", "-----BEGIN CERTIFICATE-----")], "certificate"),
        (ServiceKind::Fcm, "n", &[], &[cert], "certificate"),
        (ServiceKind::Huawei, "not hex!", &[], &[cert], "appId"),
        (ServiceKind::Xiaomi, "1", &[], &[cert], "packageName"),
        (ServiceKind::Xiaomi, "1", &[ids[2]], &[("certificate", "a b\n")], "certificate"),
        (ServiceKind::Vivo, "n", &[], &[cert], "appId"),
        (ServiceKind::Vivo, "n#k", &[], &[cert], "appId"),
        (ServiceKind::Vivo, "1#", &[], &[cert], "appKey"),
        (ServiceKind::WebPush, "n", &[], &[pem], "contact"),
        (ServiceKind::WebPush, "n", &[("contact", "ops@example.com")], &[pem], "contact"),
        (ServiceKind::WebPush, "n", &[("contact", "mailto:ops@example.com")], &[cert], "certificate"),
        (ServiceKind::Webhook, "n", &[], &[cert], "url"),
        (ServiceKind::Webhook, "n", &[], &[cert, ("url", "ftp://a")], "url"),
    ];
    for (service, name, open, secret, fault) in faults {
        let made = certificates.create(name, setup(*service, open, secret)).await;
        let Err(CertificateError::Bad(BadCertificate { field, why })) = made else { panic!("{service:?} {made:?}") };
        assert_eq!(field, *fault, "{service:?} {name}: {why}");
        assert!(!why.contains("hush"), "{why}");
    }
    assert_eq!(certificates.list().await.expect("read"), []);
    let good: &[(ServiceKind, &str, Pairs<'_>, Pairs<'_>)] = &[
        (ServiceKind::Apns, "apns", &ids, &[pem]),
        (ServiceKind::Huawei, "10492024", &[], &[cert]),
        (ServiceKind::Xiaomi, "2882303761517426801", &[ids[2]], &[cert]),
        (ServiceKind::Oppo, "key", &[], &[cert]),
        (ServiceKind::Vivo, "1#key", &[], &[cert]),
        (ServiceKind::Vivo, "vivo", &[("appId", "1"), ("appKey", "k")], &[cert]),
        (ServiceKind::Meizu, "1", &[], &[cert]),
        (ServiceKind::WebPush, "web", &[("contact", "mailto:ops@example.com")], &[pem]),
    ];
    for (service, name, open, secret) in good {
        let made = certificates.create(name, setup(*service, open, secret)).await.expect("made");
        assert_eq!((line(&certificates, name).name(), made.unusable), (service.name(), None));
    }
    let change = CertificateChange { disabled: None, setup: Some(setup(ServiceKind::Oppo, &[], &[cert])) };
    let found = certificates.list().await.expect("read").into_iter().find(|one| one.name == "apns");
    let uuid = found.expect("there").uuid;
    let changed = certificates.change(&uuid, change).await;
    assert!(matches!(changed, Err(CertificateError::Bad(BadCertificate { field: "provider", .. }))), "{changed:?}");
}
