//! OPPO push.
//!
//! Sources: the vendor's documents at <https://open.oppomobile.com/documentation/page/info?id=11236> and beside it.
//! * Authentication (signature, a day's validity): <https://open.oppomobile.com/new/developmentDoc/info?id=11234>
//! * The notification's fields and their limits: <https://open.oppomobile.com/documentation/page/info?id=11236>
//! * `unicast` (request, answer, 10000): "单点推送", which we read in the copy <https://www.yimenapp.com/kb-yimen/11093>
//! * Hosts and codes: "调用地址，公共参数和返回码" of the same documents
//!
//! Of `em_android_push_ext` the push extension documents name `oppo_channel_id`, `oppo_click_activity`, `oppo_category` and
//! `oppo_notify_level` (which needs a category). Pushes are not collapsed: we found no page that explains `notify_id`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};
use stentor_core::clock::Clock;

use crate::bearer::{Bearer, Fetched};
use crate::error::{BadSetup, PushError, Scope};
use crate::http::{self, Http};
use crate::provider::{Provider, Sent};
use crate::push::{Push, rendered, text};
use crate::quota::rest_of_day;
use crate::text::{chars, shown};

/// Where messages to devices of mainland China go.
pub const SERVICE: &str = "https://api.push.oppomobile.com";

/// Where messages to other devices go.
pub const ABROAD: &str = "https://api-intl.push.oppomobile.com";

/// How long a token is used: it is good for a day.
const TOKEN_FOR: Duration = Duration::from_secs(12 * 3_600);

/// The longest title, in characters.
const MAX_TITLE: usize = 50;

/// The longest content in the standard style, in characters.
const MAX_CONTENT: usize = 50;

/// The longest content in the style for long texts, in characters.
const MAX_LONG_CONTENT: usize = 128;

/// The longest JSON for the app, in characters.
const MAX_PARAMETERS: usize = 4_000;

/// The longest time that a message is kept: ten days.
const MAX_TTL_S: u64 = 864_000;

/// The token is not taken.
const BAD_TOKEN: i64 = 11;

/// What [`Oppo`] needs.
#[derive(Debug)]
pub struct OppoSetup {
    /// The app's key (`AppKey`).
    pub app_key: crate::Secret,
    /// The server's secret (`MasterSecret`).
    pub master_secret: crate::Secret,
    /// Where to send: [`SERVICE`], [`ABROAD`] or a stand-in.
    pub base_url: String,
}

/// Sends to OPPO for one app.
#[derive(Debug)]
pub struct Oppo {
    http: Http,
    app_key: crate::Secret,
    master_secret: crate::Secret,
    bearer: Bearer,
    base: String,
    clock: Arc<dyn Clock>,
}

impl Oppo {
    /// A sender.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn new(setup: OppoSetup, http: Http, clock: Arc<dyn Clock>) -> Result<Self, BadSetup> {
        let base = http::base(&setup.base_url, "OPPO's URL")?;
        let OppoSetup { app_key, master_secret, .. } = setup;
        Ok(Self { http, app_key, master_secret, bearer: Bearer::default(), base, clock })
    }

    async fn fetch(&self, now_ms: u64) -> Result<Fetched, PushError> {
        let key = self.app_key.expose();
        let sign = hex(digest(&SHA256, format!("{key}{now_ms}{}", self.master_secret.expose()).as_bytes()).as_ref());
        let timestamp = now_ms.to_string();
        let form = [("app_key", key), ("sign", &sign), ("timestamp", &timestamp)];
        let answer = self.post("/server/v1/auth", &form, now_ms).await?;
        let token = answer["data"]["auth_token"].as_str();
        let token = token.ok_or_else(|| PushError::failed("an answer without a token"))?;
        Ok(Fetched::new(token, now_ms, TOKEN_FOR))
    }

    /// Posts a form. The answer if its code is 0.
    async fn post(&self, path: &str, form: &[(&str, &str)], now_ms: u64) -> Result<Value, PushError> {
        let reply = http::send(self.http.post(http::join(&self.base, path)?)?.form(form)).await?;
        if reply.status != 200 {
            return Err(reply.unexpected(now_ms));
        }
        let answer = reply.json();
        match answer["code"].as_i64() {
            Some(0) => Ok(answer),
            Some(code) => Err(read(code, now_ms)),
            None => Err(PushError::failed("an answer without a code")),
        }
    }
}

#[async_trait]
impl Provider for Oppo {
    fn name(&self) -> &'static str {
        "oppo"
    }

    async fn send(&self, push: &Push) -> Result<Sent, PushError> {
        let message = rendered(push, render)?;
        let now_ms = self.clock.wall_ms();
        let token = self.bearer.get(now_ms, || self.fetch(now_ms)).await?;
        let form = [("auth_token", token.expose()), ("message", &message)];
        let answer = self.post("/server/v1/message/notification/unicast", &form, now_ms).await;
        if matches!(&answer, Err(PushError::Failed { reason, .. }) if *reason == format!("code {BAD_TOKEN}")) {
            self.bearer.forget(&token).await;
        }
        Ok(Sent { id: answer?["data"]["messageId"].as_str().unwrap_or_default().to_owned() })
    }
}

fn render(push: &Push) -> Result<String, PushError> {
    let ext = &push.extensions.android;
    let parameters = Value::from(push.custom.to_map()).to_string();
    if chars(&parameters) > MAX_PARAMETERS {
        return Err(PushError::refused("the custom fields are longer than 4000 characters"));
    }
    let (style, max) = if chars(&push.content) > MAX_CONTENT { (2, MAX_LONG_CONTENT) } else { (1, MAX_CONTENT) };
    let mut notification = json!({
        // Of messages with the same one a device gets one.
        "app_message_id": hex(&digest(&SHA256, push.dedup_key.as_bytes()).as_ref()[..16]),
        "style": style,
        "title": shown(&push.title, MAX_TITLE, chars),
        "content": shown(&push.content, max, chars),
        "click_action_type": 0,
        "action_parameters": parameters,
        "off_line": !push.ttl.is_zero(),
    });
    if !push.ttl.is_zero() {
        notification["off_line_ttl"] = push.ttl.as_secs().clamp(1, MAX_TTL_S).into();
    }
    if let Some(activity) = text(ext, "oppo_click_activity") {
        notification["click_action_type"] = 4.into();
        notification["click_action_activity"] = activity.into();
    }
    if let Some(channel) = text(ext, "oppo_channel_id") {
        notification["channel_id"] = channel.into();
    }
    if let Some(category) = text(ext, "oppo_category") {
        notification["category"] = category.into();
        let level =
            ext.get("oppo_notify_level").and_then(|level| level.as_u64().or_else(|| level.as_str()?.parse().ok()));
        if let Some(level @ (1 | 2 | 16)) = level {
            notification["notify_level"] = level.into();
        }
    }
    Ok(json!({"target_type": 2, "target_value": push.token.as_str(), "notification": notification}).to_string())
}

/// What a code means that is not 0.
fn read(code: i64, now_ms: u64) -> PushError {
    let reason = format!("code {code}");
    match code {
        10_000 => PushError::dead(reason),
        // Flow control, too many calls, too often.
        -2 | 13 | 55 => PushError::throttled(reason, None, Scope::Provider),
        // The quota of the day.
        33 => PushError::throttled(reason, Some(rest_of_day(now_ms)), Scope::Provider),
        // Another token is fetched before the next try.
        -1 | BAD_TOKEN => PushError::failed(reason),
        // Key, signature, time, black list, permissions, token missing.
        14..=19 | 26..=30 => PushError::credentials(reason),
        _ => PushError::refused(reason),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
