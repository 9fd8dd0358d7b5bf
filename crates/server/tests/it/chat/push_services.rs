//! One message, and each service of push gets it as its contract says: certificates over REST, real sockets, strict
//! counterparts.

use std::io::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use rcgen::KeyPair;
use serde_json::{Map, Value, json};
use stentor_core::clock::{Clock, ManualClock};
use stentor_push::Secret;
use stentor_push::counterparts::apns::{ApnsCounterpart, Expects};
use stentor_push::counterparts::fcm::FcmCounterpart;
use stentor_push::counterparts::huawei::{self, HuaweiCounterpart};
use stentor_push::counterparts::meizu::{self, MeizuCounterpart};
use stentor_push::counterparts::oppo::{self, OppoCounterpart};
use stentor_push::counterparts::vivo::{self, VivoCounterpart};
use stentor_push::counterparts::webpush::WebPushCounterpart;
use stentor_push::counterparts::xiaomi::{self, XiaomiCounterpart};
use stentor_push::counterparts::{Counterpart, webhook};
use stentor_testkit::{Http, START_MS, TestApp, TestServer, eventually};

const TOPIC: &str = "com.example.chat";
const DEVICE: &str = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";
const HOOK: &str = "webhook-secret-0123456789";

/// The other sides.
struct Services {
    apple: ApnsCounterpart,
    apple_key: String,
    google: FcmCounterpart,
    huawei: HuaweiCounterpart,
    meizu: MeizuCounterpart,
    oppo: OppoCounterpart,
    vivo: VivoCounterpart,
    browsers: WebPushCounterpart,
    xiaomi: XiaomiCounterpart,
    hook: Counterpart,
}

impl Services {
    async fn start() -> Self {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(START_MS));
        let apple_key = KeyPair::generate().expect("a key").serialize_pem();
        let expects = Expects::token(&apple_key, "ABC123DEFG", "DEF123GHIJ").expect("a key");
        Self {
            apple: ApnsCounterpart::start(TOPIC, expects, clock.clone()).await.expect("Apple"),
            apple_key,
            google: FcmCounterpart::start(clock.clone()).await.expect("Google"),
            huawei: HuaweiCounterpart::start(clock.clone()).await.expect("Huawei"),
            meizu: MeizuCounterpart::start(clock.clone()).await.expect("Meizu"),
            oppo: OppoCounterpart::start(clock.clone()).await.expect("OPPO"),
            vivo: VivoCounterpart::start(clock.clone()).await.expect("vivo"),
            browsers: WebPushCounterpart::start(clock.clone()).await.expect("a push service"),
            xiaomi: XiaomiCounterpart::start(clock.clone()).await.expect("Xiaomi"),
            hook: webhook::start(Secret::new(HOOK), clock).await.expect("a webhook"),
        }
    }

    fn config(&self, ca_file: &str) -> String {
        let urls = [
            ("apns_url", self.apple.url()),
            ("fcm_url", self.google.url()),
            ("huawei_url", self.huawei.url()),
            ("huawei_token_url", self.huawei.token_url()),
            ("meizu_url", self.meizu.url()),
            ("oppo_url", self.oppo.url()),
            ("vivo_url", self.vivo.url()),
            ("xiaomi_url", self.xiaomi.url()),
            ("ca_file", ca_file.to_owned()),
        ];
        let lines = urls.iter().map(|(name, url)| format!("{name} = \"{url}\"\n"));
        format!("[push]\nallow_private = true\n{}", lines.collect::<String>())
    }

    /// A certificate for each, under its name.
    fn certificates(&self) -> Vec<(&'static str, Value)> {
        let account: Value = serde_json::from_str(self.google.account().expose()).expect("JSON");
        let vapid = KeyPair::generate().expect("a key");
        let public_key = BASE64_URL_SAFE_NO_PAD.encode(vapid.public_key_raw());
        let vapid = vapid.serialize_pem();
        vec![
            (
                "apns",
                json!({ "provider": "APNS", "certificate": self.apple_key, "packageName": TOPIC,
                    "apnsPushSettings": { "keyId": "ABC123DEFG", "teamId": "DEF123GHIJ" } }),
            ),
            ("fcm", json!({ "provider": "FCM", "certificate": account })),
            (
                "huawei",
                json!({ "provider": "HUAWEIPUSH", "certificate": huawei::CLIENT_SECRET,
                    "huaweiPushSettings": { "appId": huawei::CLIENT_ID } }),
            ),
            (
                "xiaomi",
                json!({ "provider": "XIAOMIPUSH", "certificate": xiaomi::APP_SECRET, "packageName": xiaomi::PACKAGE }),
            ),
            (
                "oppo",
                json!({ "provider": "OPPOPUSH", "certificate": oppo::MASTER_SECRET,
                    "oppoPushSettings": { "appKey": oppo::APP_KEY } }),
            ),
            (
                "vivo",
                json!({ "provider": "VIVOPUSH", "certificate": vivo::APP_SECRET,
                    "vivoPushSettings": { "appId": vivo::APP_ID.to_string(), "appKey": vivo::APP_KEY } }),
            ),
            (
                "meizu",
                json!({ "provider": "MEIZUPUSH", "certificate": meizu::APP_SECRET,
                    "meizuPushSettings": { "appId": meizu::APP_ID } }),
            ),
            (
                "webpush",
                json!({ "provider": "WEBPUSH", "certificate": vapid,
                    "webPushSettings": { "contact": "mailto:ops@example.com", "publicKey": public_key } }),
            ),
            (
                "webhook",
                json!({ "provider": "WEBHOOK", "certificate": HOOK,
                    "webhookSettings": { "url": format!("{}/push", self.hook.url()) } }),
            ),
        ]
    }

    fn each(&self) -> [(&'static str, &Counterpart); 9] {
        [
            ("apns", &self.apple),
            ("fcm", &self.google),
            ("huawei", &self.huawei),
            ("xiaomi", &self.xiaomi),
            ("oppo", &self.oppo),
            ("vivo", &self.vivo),
            ("meizu", &self.meizu),
            ("webpush", &self.browsers),
            ("webhook", &self.hook),
        ]
    }
}

/// The certificate of a counterpart as a file of authorities.
fn authorities(certificate: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    let text = BASE64_STANDARD.encode(certificate);
    writeln!(file, "-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----").expect("written");
    file
}

async fn made(server: &TestServer, chat: &Http, name: &str, certificate: &Value) -> Value {
    let mut body: Map<_, _> = certificate.as_object().expect("an object").clone();
    body.insert("name".to_owned(), name.into());
    let reply = chat.post(&server.chat_path("notifiers"), &Value::from(body)).await;
    assert_eq!(reply.code(), 200, "{}", reply.text());
    let made = reply.json()["entities"][0].clone();
    assert_eq!(made["usable"], true, "{made}");
    made
}

#[tokio::test]
async fn each_service_gets_a_message_as_its_contract_says() {
    let services = Services::start().await;
    let authority = authorities(&services.apple.certificate().expect("TLS"));
    let config = services.config(&authority.path().to_string_lossy());
    let server = TestServer::builder().app(TestApp::new().chat()).config(&config).manual_clock().start().await;
    server.register(&["user1", "user2"]).await;
    let chat = server.chat().await;
    for (name, certificate) in services.certificates() {
        let made = made(&server, &chat, name, &certificate).await;
        let token = match name {
            "apns" => DEVICE.to_owned(),
            "webpush" => {
                let key = made["webPushSettings"]["publicKey"].as_str().expect("a key").to_owned();
                services.browsers.subscribe("b1", &key).expect("a subscription").as_str().to_owned()
            }
            "oppo" => "CN_1".to_owned(),
            _ => format!("token-{name}"),
        };
        let body = json!({ "device_id": format!("phone-{name}"), "notifier_name": name, "device_token": token });
        let reply = chat.put(&server.chat_path("users/user2/push/binding"), &body).await;
        assert_eq!(reply.code(), 200, "{}", reply.text());
    }
    let say = json!({ "from": "user1", "to": ["user2"], "type": "txt", "body": { "msg": "Hello" } });
    let reply = chat.post(&server.chat_path("messages/users"), &say).await;
    let message = reply.json()["data"]["user2"].as_str().expect("an ID").to_owned();
    let path = server.chat_path(&format!("push/log?user=user2&msg_id={message}"));
    let devices = eventually("all are sent", async || {
        let log = chat.get(&path).await.json()["data"][0].clone();
        let devices = log["devices"].as_array().cloned().unwrap_or_default();
        let done = devices.len() == 9 && devices.iter().all(|device| device["status"] != "waiting");
        if done { Ok(devices) } else { Err(log) }
    })
    .await;
    for ((name, counterpart), device) in services.each().into_iter().zip(&devices) {
        assert_eq!(counterpart.problems(), [""; 0], "{name}");
        assert_eq!(
            (&device["provider"], &device["status"], &device["attempts"]),
            (&json!(name), &json!("sent"), &json!(1)),
            "{device}"
        );
    }
}
