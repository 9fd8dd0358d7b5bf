//! Huawei Push Kit (HMS Core, `v1`): phones with HarmonyOS up to 4 and EMUI.
//!
//! Sources, for every field and code:
//! * Request, limits, answers, error codes:
//!   <https://developer.huawei.com/consumer/cn/doc/HMSCore-References/https-send-api-0000001050986197>
//! * Access token (client credentials):
//!   <https://developer.huawei.com/consumer/cn/doc/HMSCore-Guides/oauth2-0000001212610981>
//!
//! Of `em_android_push_ext` the push extension documents name `huawei_click_action`, `huawei_channel_id`,
//! `huawei_category`, `huawei_receipt_id` and `huawei_target_user_type`.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use stentor_core::clock::Clock;

use crate::bearer::Bearer;
use crate::error::{BadSetup, PushError, Scope};
use crate::http::{self, Http, Reply};
use crate::oauth;
use crate::provider::{Provider, Sent};
use crate::push::{Push, rendered, text};
use crate::text::fit;

/// Where messages go.
pub const SERVICE: &str = "https://push-api.cloud.huawei.com";

/// Where access tokens come from.
pub const TOKENS: &str = "https://oauth-login.cloud.huawei.com/oauth2/v3/token";

/// The longest message without its token, in bytes.
const MAX_MESSAGE: usize = 4096;

/// The longest time that a message is kept: 15 days.
const MAX_TTL_S: u64 = 1_296_000;

/// The access token has ended.
const TOKEN_ENDED: &str = "80200003";

/// What [`Huawei`] needs.
#[derive(Debug)]
pub struct HuaweiSetup {
    /// The OAuth 2.0 client ID: the app's ID.
    pub client_id: String,
    /// The OAuth 2.0 client secret.
    pub client_secret: crate::Secret,
    /// The full class name of the app's entry activity. Without it no badge is set (documented: it is required for one).
    pub badge_class: Option<String>,
    /// Where to send: [`SERVICE`] or a stand-in.
    pub base_url: String,
    /// Where access tokens come from: [`TOKENS`] or a stand-in.
    pub token_url: String,
}

/// Sends to Huawei for one app.
#[derive(Debug)]
pub struct Huawei {
    http: Http,
    client: oauth::Client,
    bearer: Bearer,
    url: String,
    badge_class: Option<String>,
    clock: Arc<dyn Clock>,
}

impl Huawei {
    /// A sender.
    ///
    /// # Errors
    /// When a URL or the client's ID cannot be read.
    pub fn new(setup: HuaweiSetup, http: Http, clock: Arc<dyn Clock>) -> Result<Self, BadSetup> {
        let client =
            oauth::Client::new(&setup.token_url, &setup.client_id, &setup.client_secret, "Huawei's token URL")?;
        if setup.client_id.is_empty() || !setup.client_id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(BadSetup::Credential("Huawei's client ID"));
        }
        let url = format!("{}/v1/{}/messages:send", http::base(&setup.base_url, "Huawei's URL")?, setup.client_id);
        Ok(Self { http, client, bearer: Bearer::default(), url, badge_class: setup.badge_class, clock })
    }

    fn render(&self, push: &Push) -> Result<String, PushError> {
        let message = json!({
            "data": Value::from(push.custom.to_map()).to_string(),
            "android": self.android(push),
        });
        let message = fit(message, MAX_MESSAGE, &["/android/notification/body", "/android/notification/title"])
            .ok_or_else(|| PushError::refused("the message is longer than 4096 bytes"))?;
        let mut message: Value = serde_json::from_str(&message).map_err(|_| PushError::refused("no JSON"))?;
        message["token"] = json!([push.token.as_str()]);
        Ok(json!({"validate_only": false, "message": message}).to_string())
    }

    fn android(&self, push: &Push) -> Map<String, Value> {
        let ext = &push.extensions.android;
        let mut notification = Map::new();
        notification.insert("title".into(), push.title.as_str().into());
        notification.insert("body".into(), push.content.as_str().into());
        let click = match text(ext, "huawei_click_action") {
            Some(action) => json!({"type": 1, "action": action}),
            None => json!({"type": 3}),
        };
        notification.insert("click_action".into(), click);
        if let Some(channel) = text(ext, "huawei_channel_id") {
            notification.insert("channel_id".into(), channel.into());
        }
        if let Some(tag) = &push.collapse_id {
            notification.insert("tag".into(), tag.as_str().into());
        }
        if let Some(sound) = &push.sound {
            notification.insert("sound".into(), sound.as_str().into());
            notification.insert("default_sound".into(), false.into());
        }
        if let (Some(badge), Some(class)) = (push.badge, &self.badge_class) {
            notification.insert("badge".into(), json!({"set_num": badge.min(99), "class": class}));
        }
        let mut android = Map::new();
        android.insert("ttl".into(), format!("{}s", push.ttl.as_secs().min(MAX_TTL_S)).into());
        android.insert("notification".into(), notification.into());
        for (key, wish) in [("category", "huawei_category"), ("receipt_id", "huawei_receipt_id")] {
            if let Some(value) = text(ext, wish) {
                android.insert(key.into(), value.into());
            }
        }
        if let Some(kind @ 0..=1) = ext.get("huawei_target_user_type").and_then(Value::as_u64) {
            android.insert("target_user_type".into(), kind.into());
        }
        android
    }
}

#[async_trait]
impl Provider for Huawei {
    fn name(&self) -> &'static str {
        "huawei"
    }

    async fn send(&self, push: &Push) -> Result<Sent, PushError> {
        let body = rendered(push, |push| self.render(push))?;
        let now_ms = self.clock.wall_ms();
        let token = self.bearer.get(now_ms, || self.client.fetch(&self.http, now_ms)).await?;
        let request = self
            .http
            .post(http::join(&self.url, "")?)?
            .bearer_auth(token.expose())
            .header("content-type", "application/json;charset=UTF-8")
            .body(body);
        let reply = http::send(request).await?;
        let answer = reply.json();
        let code = answer["code"].as_str().unwrap_or_default();
        if reply.status == 200 && code == "80000000" {
            return Ok(Sent { id: answer["requestId"].as_str().unwrap_or_default().to_owned() });
        }
        if code == TOKEN_ENDED {
            self.bearer.forget(&token).await;
        }
        Err(read(&reply, code, now_ms))
    }
}

/// What an answer means that is not `80000000`.
fn read(reply: &Reply, code: &str, now_ms: u64) -> PushError {
    match code {
        // "Some tokens": there is one.
        "80100000" | "80300007" => PushError::dead(code),
        "80200001" | "80300002" | "80600003" => PushError::credentials(code),
        TOKEN_ENDED | "81000001" => PushError::failed(code),
        _ if reply.status == 503 => PushError::throttled("status 503", reply.retry_after(now_ms), Scope::Provider),
        "" if reply.status == 200 => PushError::failed("an answer without a code"),
        _ if matches!(reply.status, 200 | 400) && !code.is_empty() => PushError::refused(code),
        _ => reply.unexpected(now_ms),
    }
}
