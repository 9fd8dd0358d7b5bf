//! Xiaomi push (Mi Push).
//!
//! Sources:
//! * `/v3/message/regid`, `Authorization: key=…`, fields of the form, hosts in China:
//!   <https://dev.mi.com/xiaomihyperos/documentation/detail?pId=1559>; elsewhere:
//!   <https://dev.mi.com/xiaomihyperos/documentation/detail?pId=1696>
//! * Limits of texts, of `time_to_live` and `registration_id`, in a copy of that page:
//!   <https://git.apinb.com/bsm-sdk/client/src/commit/b6465628532b9f40a5f87a7deb3c18798a527b64/docs/passport/notify/push_xiaomi.md>
//! * `pass_through`, `notify_type`, `notify_id` ("without it only one notification is shown, with the same one the last"):
//!   <https://www.npmjs.com/package/node-mi-push>; how they are written:
//!   <https://blog.csdn.net/jinguo888/article/details/108466930>
//! * The form of an answer: <https://dev.mi.com/xiaomihyperos/documentation/detail?pId=1705>
//! * Codes: <https://dev.mi.com/xiaomihyperos/documentation/detail?pId=1560>
//!
//! Of `em_android_push_ext` the push extension documents name `xiaomi_channel_id` (the form's `extra.channel_id`, in a copy of
//! <https://uniapp.dcloud.net.cn/uniCloud/uni-cloud-push/options>). They also name `xiaomi_click_action`: it is not sent, because
//! we found no page that says which field takes an action.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;
use stentor_core::clock::Clock;

use crate::error::{BadSetup, PushError, Scope};
use crate::http::{self, Http};
use crate::provider::{Provider, Sent};
use crate::push::{Push, text};
use crate::text::{chars, shown};

/// Where messages go in mainland China. Elsewhere the host is another: see the documents.
pub const SERVICE: &str = "https://api.xmpush.xiaomi.com";

/// The longest title, in characters ("less than 50").
const MAX_TITLE: usize = 49;

/// The longest content, in characters ("less than 128").
const MAX_CONTENT: usize = 127;

/// The longest time that a message is kept: two weeks.
const MAX_TTL_S: u64 = 14 * 86_400;

/// The wait after the quota of a day is used up: it is not said when it begins again.
const QUOTA_WAIT: Duration = Duration::from_secs(3_600);

/// What [`Xiaomi`] needs.
#[derive(Debug)]
pub struct XiaomiSetup {
    /// The app's secret (`AppSecret`).
    pub app_secret: crate::Secret,
    /// The app's package name.
    pub package: String,
    /// Where to send: [`SERVICE`], another of the vendor's hosts, or a stand-in.
    pub base_url: String,
}

/// Sends to Xiaomi for one app.
#[derive(Debug)]
pub struct Xiaomi {
    http: Http,
    app_secret: crate::Secret,
    package: String,
    base: String,
    clock: Arc<dyn Clock>,
}

impl Xiaomi {
    /// A sender.
    ///
    /// # Errors
    /// When the URL cannot be read, or the secret cannot stand in a header.
    pub fn new(setup: XiaomiSetup, http: Http, clock: Arc<dyn Clock>) -> Result<Self, BadSetup> {
        let base = http::base(&setup.base_url, "Xiaomi's URL")?;
        if !http::is_header_text(setup.app_secret.expose()) {
            return Err(BadSetup::Credential("Xiaomi's secret"));
        }
        Ok(Self { http, app_secret: setup.app_secret, package: setup.package, base, clock })
    }
}

/// Notifications with the same number replace each other.
fn notify_id(push: &Push) -> u32 {
    let hash = digest(&SHA256, push.collapse_id.as_ref().unwrap_or(&push.dedup_key).as_bytes());
    // The device's number has a sign.
    hash.as_ref().iter().take(4).fold(0, |id, byte| id << 8 | u32::from(*byte)) & 0x7fff_ffff
}

#[async_trait]
impl Provider for Xiaomi {
    fn name(&self) -> &'static str {
        "xiaomi"
    }

    async fn send(&self, push: &Push) -> Result<Sent, PushError> {
        // Several are separated by commas.
        if push.token.as_str().is_empty() || push.token.as_str().contains(',') {
            return Err(PushError::dead("not a registration ID"));
        }
        let mut form = vec![
            ("registration_id", push.token.as_str().to_owned()),
            ("restricted_package_name", self.package.clone()),
            ("title", shown(&push.title, MAX_TITLE, chars)),
            ("description", shown(&push.content, MAX_CONTENT, chars)),
            ("payload", Value::from(push.custom.to_map()).to_string()),
            ("pass_through", "0".to_owned()),
            ("notify_type", "-1".to_owned()),
            ("notify_id", notify_id(push).to_string()),
            ("time_to_live", (push.ttl.as_secs().min(MAX_TTL_S) * 1_000).to_string()),
        ];
        if let Some(channel) = text(&push.extensions.android, "xiaomi_channel_id") {
            form.push(("extra.channel_id", channel.to_owned()));
        }
        let request = self
            .http
            .post(http::join(&self.base, "/v3/message/regid")?)?
            .header("authorization", format!("key={}", self.app_secret.expose()))
            .form(&form);
        let reply = http::send(request).await?;
        if reply.status != 200 {
            return Err(reply.unexpected(self.clock.wall_ms()));
        }
        read(&reply.json())
    }
}

/// What an answer means, by its code.
fn read(answer: &Value) -> Result<Sent, PushError> {
    let Some(code) = answer["code"].as_i64() else {
        return Err(PushError::failed("an answer without a code"));
    };
    let reason = format!("code {code}");
    Err(match code {
        0 => return Ok(Sent { id: answer["data"]["id"].as_str().unwrap_or_default().to_owned() }),
        // "Not a device".
        10029 => PushError::dead(reason),
        // Unknown, internal, system, busy, remote, database.
        -1 | 1 | 10001..=10003 | 20607 | 26003 | 65029 => PushError::failed(reason),
        // Too many calls.
        10027 => PushError::throttled(reason, None, Scope::Provider),
        // Too many messages of a day.
        10034 => PushError::throttled(reason, Some(QUOTA_WAIT), Scope::Provider),
        // Black-listed, forbidden, not authenticated, not an app, ID, key or package.
        10031 | 10036 | 21301..=21303 | 22000 | 22006 | 22007 | 22022 => PushError::credentials(reason),
        _ => PushError::refused(reason),
    })
}
