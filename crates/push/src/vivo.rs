//! vivo push.
//!
//! Sources: the vendor's "服务端API接口文档" (<https://dev.vivo.com.cn/documentCenter/doc/363>), which we read in these copies:
//! * `/message/auth` (fields, signature, a day's validity): <http://www.qro.cn/post/302609.html>
//! * `/message/send` (fields, answers, 10302): <https://ov.liuad.com/2304.html>; widths of texts, `timeToLive`, `skipType`:
//!   <http://www.qro.cn/post/302611.html>
//! * `appId` in bodies, 10070 and 10094: <https://www.yimenapp.com/kb-yimen/12123/>
//!
//! * `category` and 1024 characters of `clientCustomMap`: <https://pkg.go.dev/github.com/modood/pushapi/vivopush>, which cites
//!   the vendor's documents 362 and 359
//!
//! Of `em_android_push_ext` the push extension documents name `vivo_click_activity` and `vivo_category`. Codes that these pages
//! do not explain count as a refusal; none is said to mean that the token was withdrawn, so the next push has another.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use md5::{Digest, Md5};
use serde_json::{Value, json};
use stentor_core::clock::Clock;

use crate::bearer::{Bearer, Fetched};
use crate::error::{BadSetup, PushError, Scope};
use crate::http::{self, Http};
use crate::provider::{Provider, Sent};
use crate::push::{Push, rendered, text};
use crate::quota::rest_of_day;
use crate::text::{chars, shown};

/// Where messages go.
pub const SERVICE: &str = "https://api-push.vivo.com.cn";

/// How long a token is used: it is good for a day, and should be renewed every one or two hours.
const TOKEN_FOR: Duration = Duration::from_secs(2 * 3_600);

/// The widest title: 20 Chinese characters.
const MAX_TITLE: usize = 40;

/// The widest content: 50 Chinese characters.
const MAX_CONTENT: usize = 100;

/// Characters of all keys and values of `clientCustomMap`.
const MAX_CUSTOM: usize = 1024;

/// A token that is younger is not to blame for a refusal.
const TRUSTED_FOR_MS: u64 = 60_000;

/// What [`Vivo`] needs.
#[derive(Debug)]
pub struct VivoSetup {
    /// The app's ID.
    pub app_id: u64,
    /// The app's key.
    pub app_key: crate::Secret,
    /// The app's secret.
    pub app_secret: crate::Secret,
    /// Where to send: [`SERVICE`] or a stand-in.
    pub base_url: String,
}

/// Sends to vivo for one app.
#[derive(Debug)]
pub struct Vivo {
    http: Http,
    app_id: u64,
    app_key: crate::Secret,
    app_secret: crate::Secret,
    bearer: Bearer,
    base: String,
    clock: Arc<dyn Clock>,
}

impl Vivo {
    /// A sender.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn new(setup: VivoSetup, http: Http, clock: Arc<dyn Clock>) -> Result<Self, BadSetup> {
        let base = http::base(&setup.base_url, "vivo's URL")?;
        let VivoSetup { app_id, app_key, app_secret, .. } = setup;
        Ok(Self { http, app_id, app_key, app_secret, bearer: Bearer::default(), base, clock })
    }

    async fn fetch(&self, now_ms: u64) -> Result<Fetched, PushError> {
        let (key, secret) = (self.app_key.expose().trim(), self.app_secret.expose().trim());
        let sign = Md5::digest(format!("{}{key}{now_ms}{secret}", self.app_id));
        let sign: String = sign.iter().map(|byte| format!("{byte:02x}")).collect();
        let body = json!({"appId": self.app_id, "appKey": key, "timestamp": now_ms, "sign": sign});
        let answer = self.post("/message/auth", None, &body, now_ms).await?;
        match (answer["result"].as_i64(), answer["authToken"].as_str()) {
            (Some(0), Some(token)) => Ok(Fetched::new(token, now_ms, TOKEN_FOR)),
            (Some(code), _) if code != 0 => Err(PushError::credentials(format!("code {code}"))),
            _ => Err(PushError::failed("an answer without a token")),
        }
    }

    async fn post(&self, path: &str, token: Option<&str>, body: &Value, now_ms: u64) -> Result<Value, PushError> {
        let mut request = self.http.post(http::join(&self.base, path)?)?.header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authToken", token);
        }
        let reply = http::send(request.body(body.to_string())).await?;
        if reply.status == 200 { Ok(reply.json()) } else { Err(reply.unexpected(now_ms)) }
    }

    fn render(&self, push: &Push) -> Result<Value, PushError> {
        let custom = push.custom.to_texts();
        let length = |(key, value): (&String, &Value)| chars(key) + value.as_str().map_or(0, chars);
        if custom.iter().map(length).sum::<usize>() > MAX_CUSTOM {
            return Err(PushError::refused("the custom fields are longer than 1024 characters"));
        }
        let request_id: String = digest(&SHA256, push.dedup_key.as_bytes()).as_ref()[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let mut message = json!({
            "appId": self.app_id,
            "regId": push.token.as_str(),
            "notifyType": 4,
            "title": shown(&push.title, MAX_TITLE, width),
            "content": shown(&push.content, MAX_CONTENT, width),
            // From a quarter of an hour to seven days.
            "timeToLive": push.ttl.as_secs().clamp(900, 604_800),
            "skipType": 1,
            "clientCustomMap": custom,
            "requestId": request_id,
        });
        if let Some(activity) = text(&push.extensions.android, "vivo_click_activity") {
            message["skipType"] = 4.into();
            message["skipContent"] = activity.into();
        }
        if let Some(category) = text(&push.extensions.android, "vivo_category") {
            message["category"] = category.into();
        }
        Ok(message)
    }
}

#[async_trait]
impl Provider for Vivo {
    fn name(&self) -> &'static str {
        "vivo"
    }

    async fn send(&self, push: &Push) -> Result<Sent, PushError> {
        let message = rendered(push, |push| self.render(push))?;
        let now_ms = self.clock.wall_ms();
        let token = self.bearer.get(now_ms, || self.fetch(now_ms)).await?;
        let answer = self.post("/message/send", Some(token.expose()), &message, now_ms).await?;
        let id = || answer["taskId"].as_str().unwrap_or_default().to_owned();
        match answer["result"].as_i64() {
            Some(0) => Ok(Sent { id: id() }),
            Some(10302) => Err(PushError::dead("code 10302")),
            Some(10070) => Err(PushError::throttled("code 10070", Some(rest_of_day(now_ms)), Scope::Provider)),
            Some(10094) => Err(PushError::credentials("code 10094")),
            Some(code) => {
                self.bearer.forget_older(&token, now_ms.saturating_sub(TRUSTED_FOR_MS)).await;
                Err(PushError::refused(format!("code {code}")))
            }
            None => Err(PushError::failed("an answer without a code")),
        }
    }
}

/// A Latin character counts once, another twice; the document lets an emoji count once, which is never less than this.
fn width(text: &str) -> usize {
    text.chars().map(|char| if char.is_ascii() { 1 } else { 2 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_measured_by_width() {
        assert_eq!((width("ab"), width("你好"), width("a你")), (2, 4, 3));
        assert_eq!(shown(&"你".repeat(21), MAX_TITLE, width), format!("{}…", "你".repeat(19)));
    }
}
