//! Meizu (Flyme) push.
//!
//! Source, for every field and code: the vendor's repository, <https://github.com/MEIZUPUSH/PushAPI> ("pushId推送接口
//! （通知栏消息）", "接口签名规范", "接口响应规范"). It names the host; its example is without TLS, and we use TLS.
//!
//! Of `em_android_push_ext` the push extension documents name `meizu_click_activity`. They also name `meizu_notice_type`,
//! for which the vendor's document has no field that we could find: it is not sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use md5::{Digest, Md5};
use serde_json::{Value, json};
use stentor_core::clock::Clock;

use crate::error::{BadSetup, PushError, Scope};
use crate::http::{self, Http};
use crate::provider::{Provider, Sent};
use crate::push::{Push, text};
use crate::text::{chars, shown};

/// Where notifications go.
pub const SERVICE: &str = "https://server-api-push.meizu.com";

const PATH: &str = "/garcia/api/server/push/varnished/pushByPushId";

/// The longest title, in characters.
const MAX_TITLE: usize = 32;

/// The longest content, in characters.
const MAX_CONTENT: usize = 100;

/// What [`Meizu`] needs.
#[derive(Debug)]
pub struct MeizuSetup {
    /// The app's ID.
    pub app_id: String,
    /// The app's secret.
    pub app_secret: crate::Secret,
    /// Where to send: [`SERVICE`] or a stand-in.
    pub base_url: String,
}

/// Sends to Meizu for one app.
#[derive(Debug)]
pub struct Meizu {
    http: Http,
    app_id: String,
    app_secret: crate::Secret,
    base: String,
    clock: Arc<dyn Clock>,
}

impl Meizu {
    /// A sender.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn new(setup: MeizuSetup, http: Http, clock: Arc<dyn Clock>) -> Result<Self, BadSetup> {
        let base = http::base(&setup.base_url, "Meizu's URL")?;
        Ok(Self { http, app_id: setup.app_id, app_secret: setup.app_secret, base, clock })
    }
}

#[async_trait]
impl Provider for Meizu {
    fn name(&self) -> &'static str {
        "meizu"
    }

    async fn send(&self, push: &Push) -> Result<Sent, PushError> {
        if push.token.as_str().is_empty() || push.token.as_str().contains(',') {
            return Err(PushError::dead("not a push ID"));
        }
        let message = render(push);
        let mut form = BTreeMap::from([
            ("appId", self.app_id.as_str()),
            ("messageJson", &message),
            ("pushIds", push.token.as_str()),
        ]);
        let sign = sign(&form, self.app_secret.expose());
        form.insert("sign", &sign);
        let reply = http::send(self.http.post(http::join(&self.base, PATH)?)?.form(&form)).await?;
        if reply.status != 200 {
            return Err(reply.unexpected(self.clock.wall_ms()));
        }
        read(&reply.json())
    }
}

fn render(push: &Push) -> String {
    let click = match text(&push.extensions.android, "meizu_click_activity") {
        Some(activity) => json!({"clickType": 1, "activity": activity, "parameters": push.custom.to_map()}),
        None => json!({"clickType": 0, "parameters": push.custom.to_map()}),
    };
    let hours = push.ttl.as_secs().div_ceil(3_600).clamp(1, 72);
    let kept = if push.ttl.is_zero() { json!({"offLine": 0}) } else { json!({"offLine": 1, "validTime": hours}) };
    let mut message = json!({
        "noticeBarInfo": {
            "noticeBarType": 0,
            "title": shown(&push.title, MAX_TITLE, chars),
            "content": shown(&push.content, MAX_CONTENT, chars),
        },
        "noticeExpandInfo": {"noticeExpandType": 0},
        "clickTypeInfo": click,
        "pushTimeInfo": kept,
    });
    if let Some(collapse_id) = &push.collapse_id {
        // At most 8 characters of letters, digits, `_` and `-`.
        let key = BASE64_URL_SAFE_NO_PAD.encode(&digest(&SHA256, collapse_id.as_bytes()).as_ref()[..6]);
        message["advanceInfo"] = json!({"notifyKey": key});
    }
    message.to_string()
}

/// MD5 in hex of the parameters in the order of their names and the secret, without anything between.
pub(crate) fn sign(form: &BTreeMap<&str, &str>, secret: &str) -> String {
    let mut hash = Md5::new();
    for (name, value) in form {
        hash.update(format!("{name}={value}"));
    }
    hash.update(secret);
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What an answer means: first its code, then the codes of push IDs in `value`.
fn read(answer: &Value) -> Result<Sent, PushError> {
    let text_of = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let code = text_of(&answer["code"]);
    match code.as_str() {
        "200" => {}
        "110010" => return Err(PushError::throttled(code, None, Scope::Provider)),
        "1006" | "110000" | "110001" | "110009" => return Err(PushError::credentials(code)),
        "500" | "1001" | "1003" => return Err(PushError::failed(code)),
        "null" => return Err(PushError::failed("an answer without a code")),
        _ => return Err(PushError::refused(code)),
    }
    let Some(code) = answer["value"].as_object().and_then(|value| value.keys().next()) else {
        return Ok(Sent { id: answer["msgId"].as_str().unwrap_or_default().to_owned() });
    };
    Err(match code.as_str() {
        "110002" | "110003" => PushError::dead(code),
        "201" => PushError::credentials(code),
        "501" | "513" => PushError::failed(code),
        "519" => PushError::throttled(code, None, Scope::Provider),
        // Too many for this device within a minute.
        "520" => PushError::throttled(code, Some(std::time::Duration::from_secs(60)), Scope::Device),
        _ => PushError::refused(code),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_over_names_values_and_secret() {
        // printf 'appId=10000messageJson={}pushIds=RA50secret' | md5sum
        let form = BTreeMap::from([("pushIds", "RA50"), ("appId", "10000"), ("messageJson", "{}")]);
        assert_eq!(sign(&form, "secret"), "73da0283c56d5b11dface78e3c4e6f9a");
    }
}
