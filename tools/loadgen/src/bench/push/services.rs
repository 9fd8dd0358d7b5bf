//! The push services of the benchmark: strict counterparts in this process, whose CPU is not measured.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use rcgen::KeyPair;
use serde_json::{Value, json};
use stentor_core::clock::{Clock, SystemClock};
use stentor_push::Secret;
use stentor_push::counterparts::apns::{ApnsCounterpart, Expects};
use stentor_push::counterparts::fcm::FcmCounterpart;
use stentor_push::counterparts::huawei::{self, HuaweiCounterpart};
use stentor_push::counterparts::meizu::{self, MeizuCounterpart};
use stentor_push::counterparts::oppo::{self, OppoCounterpart};
use stentor_push::counterparts::vivo::{self, VivoCounterpart};
use stentor_push::counterparts::webpush::WebPushCounterpart;
use stentor_push::counterparts::xiaomi::{self, XiaomiCounterpart};
use stentor_push::counterparts::{Counterpart, Received, webhook};

/// A service, by its name in the metrics.
pub(in crate::bench) type ServiceName = &'static str;

/// All of them.
pub(in crate::bench) const SERVICES: [ServiceName; 9] =
    ["webhook", "fcm", "apns", "webpush", "huawei", "xiaomi", "oppo", "vivo", "meizu"];

const SECRET: &str = "a secret of the benchmark";
const TOPIC: &str = "com.example.chat";
const KEY_ID: &str = "ABC123DEFG";
const TEAM_ID: &str = "DEF123GHIJ";

enum Side {
    Webhook(Counterpart),
    Fcm(FcmCounterpart),
    Apns(ApnsCounterpart),
    WebPush(WebPushCounterpart),
    Huawei(HuaweiCounterpart),
    Xiaomi(XiaomiCounterpart),
    Oppo(OppoCounterpart),
    Vivo(VivoCounterpart),
    Meizu(MeizuCounterpart),
}

/// A service that listens.
pub(super) struct Service {
    pub(super) name: ServiceName,
    side: Side,
    /// The private key of the certificate, where the app has one.
    key: KeyPair,
}

impl Service {
    pub(super) async fn start(name: ServiceName) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let key = KeyPair::generate()?;
        let side = match name {
            "webhook" => Side::Webhook(webhook::start(Secret::new(SECRET), clock).await?),
            "fcm" => Side::Fcm(FcmCounterpart::start(clock).await?),
            "apns" => {
                let expects = Expects::token(&key.serialize_pem(), KEY_ID, TEAM_ID)?;
                Side::Apns(ApnsCounterpart::start(TOPIC, expects, clock).await?)
            }
            "webpush" => Side::WebPush(WebPushCounterpart::start(clock).await?),
            "huawei" => Side::Huawei(HuaweiCounterpart::start(clock).await?),
            "xiaomi" => Side::Xiaomi(XiaomiCounterpart::start(clock).await?),
            "oppo" => Side::Oppo(OppoCounterpart::start(clock).await?),
            "vivo" => Side::Vivo(VivoCounterpart::start(clock).await?),
            "meizu" => Side::Meizu(MeizuCounterpart::start(clock).await?),
            other => bail!("no service {other}"),
        };
        Ok(Self { name, side, key })
    }

    pub(super) fn counterpart(&self) -> &Counterpart {
        match &self.side {
            Side::Webhook(side) => side,
            Side::Fcm(side) => side,
            Side::Apns(side) => side,
            Side::WebPush(side) => side,
            Side::Huawei(side) => side,
            Side::Xiaomi(side) => side,
            Side::Oppo(side) => side,
            Side::Vivo(side) => side,
            Side::Meizu(side) => side,
        }
    }

    /// Whether a request is a push, and not one for an access token.
    pub(super) fn is_push(&self, request: &Received) -> bool {
        self.name == "webpush" || !["/token", "/auth", "oauth2"].iter().any(|part| request.target.contains(part))
    }

    /// How many pushes came.
    pub(super) fn pushes(&self) -> usize {
        self.counterpart().received().iter().filter(|request| self.is_push(request)).count()
    }

    /// Where it is, as lines of `[push]`.
    pub(super) fn config(&self, out: &Path) -> anyhow::Result<String> {
        let url = self.counterpart().url();
        let mut lines = match &self.side {
            Side::Webhook(_) | Side::WebPush(_) => String::new(),
            Side::Huawei(side) => format!("huawei_url = \"{url}\"\nhuawei_token_url = \"{}\"\n", side.token_url()),
            _ => format!("{}_url = \"{url}\"\n", self.name),
        };
        if let Some(certificate) = self.counterpart().certificate() {
            let file = out.join("push-authority.pem");
            let text = BASE64_STANDARD.encode(certificate);
            std::fs::write(&file, format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"))?;
            lines.push_str(&format!("ca_file = {file:?}\n"));
        }
        Ok(lines)
    }

    /// The body of the request that makes its certificate.
    pub(super) fn certificate(&self) -> Value {
        let pem = self.key.serialize_pem();
        let mut body = match &self.side {
            Side::Webhook(side) => json!({ "provider": "WEBHOOK", "certificate": SECRET,
                "webhookSettings": { "url": format!("{}/push", side.url()) } }),
            Side::Fcm(side) => json!({ "provider": "FCM", "certificate": side.account().expose() }),
            Side::Apns(_) => json!({ "provider": "APNS", "certificate": pem, "packageName": TOPIC,
                "apnsPushSettings": { "keyId": KEY_ID, "teamId": TEAM_ID } }),
            Side::WebPush(_) => {
                let public_key = BASE64_URL_SAFE_NO_PAD.encode(self.key.public_key_raw());
                json!({ "provider": "WEBPUSH", "certificate": pem,
                    "webPushSettings": { "contact": "mailto:ops@example.com", "publicKey": public_key } })
            }
            Side::Huawei(_) => json!({ "provider": "HUAWEIPUSH", "certificate": huawei::CLIENT_SECRET,
                "huaweiPushSettings": { "appId": huawei::CLIENT_ID } }),
            Side::Xiaomi(_) => json!({ "provider": "XIAOMIPUSH", "certificate": xiaomi::APP_SECRET,
                "packageName": xiaomi::PACKAGE }),
            Side::Oppo(_) => json!({ "provider": "OPPOPUSH", "certificate": oppo::MASTER_SECRET,
                "oppoPushSettings": { "appKey": oppo::APP_KEY } }),
            Side::Vivo(_) => json!({ "provider": "VIVOPUSH", "certificate": vivo::APP_SECRET,
                "vivoPushSettings": { "appId": vivo::APP_ID.to_string(), "appKey": vivo::APP_KEY } }),
            Side::Meizu(_) => json!({ "provider": "MEIZUPUSH", "certificate": meizu::APP_SECRET,
                "meizuPushSettings": { "appId": meizu::APP_ID } }),
        };
        body["name"] = self.name.into();
        body
    }

    /// The token of the device with this number. `made` is the answer that has the certificate.
    pub(super) fn token(&self, number: usize, made: &Value) -> anyhow::Result<String> {
        Ok(match &self.side {
            Side::Apns(_) => format!("{number:064x}"),
            Side::WebPush(side) => {
                let key = made["entities"][0]["webPushSettings"]["publicKey"].as_str().context("no public key")?;
                side.subscribe(&number.to_string(), key)?.as_str().to_owned()
            }
            Side::Oppo(_) => format!("CN_{number}"),
            _ => format!("token-{number}"),
        })
    }
}
