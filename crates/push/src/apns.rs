//! The Apple Push Notification service, over HTTP/2.
//!
//! Source: Apple's "User Notifications" documents.
//! * Request, headers, 4096 bytes: <https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns>
//! * Payload keys: <https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification>
//! * Answers and reasons: <https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns>
//! * Token: <https://developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns>
//!   (ES256, `kid`, `iss`, `iat`; renewed at least every 60 and at most every 20 minutes)
//! * Certificate: <https://developer.apple.com/documentation/usernotifications/establishing-a-certificate-based-connection-to-apns>
//!
//! Of `em_apns_ext` the push extension documents name `em_push_category`, `em_push_mutable_content`, `em_push_sound`,
//! `em_push_badge`, `thread_id`, `em_push_content_available`, and older ones `em_push_collapse_key`.

mod payload;
mod reason;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::json;
use stentor_core::clock::Clock;

use crate::bearer::{Bearer, Fetched};
use crate::error::{BadSetup, PushError};
use crate::http::{self, Http, Reply};
use crate::jwt::SigningKey;
use crate::provider::{Provider, Sent};
use crate::push::{Push, rendered, text};

/// Where production notifications go.
pub const PRODUCTION: &str = "https://api.push.apple.com";

/// Where notifications of apps in development go.
pub const SANDBOX: &str = "https://api.sandbox.push.apple.com";

/// How long a signed token is used: it must be renewed within 60 minutes of `iat`, and [`Bearer`] does so a minute early.
const TOKEN_FOR: Duration = Duration::from_secs(50 * 60);

/// Signed tokens may be renewed every 20 minutes, so that is the wait when they came too often.
const TOKEN_AT_LEAST: Duration = Duration::from_secs(20 * 60);

/// The longest `apns-collapse-id`, in bytes.
const MAX_COLLAPSE_ID: usize = 64;

/// How we show who we are.
#[derive(Debug)]
pub enum ApnsAuth {
    /// With tokens that a key signs.
    Token {
        /// The content of the `.p8` file: a P-256 key in PEM.
        key_pem: crate::Secret,
        /// The key's ID: 10 characters.
        key_id: String,
        /// The team's ID: 10 characters.
        team_id: String,
    },
    /// With the client certificate that the [`crate::HttpSetup::identity`] holds.
    Certificate,
}

/// What [`Apns`] needs.
#[derive(Debug)]
pub struct ApnsSetup {
    /// How we show who we are.
    pub auth: ApnsAuth,
    /// The app's bundle ID.
    pub topic: String,
    /// Where to send: [`PRODUCTION`], [`SANDBOX`] or a stand-in.
    pub base_url: String,
}

#[derive(Debug)]
struct Signer {
    key: SigningKey,
    key_id: String,
    team_id: String,
    bearer: Bearer,
}

/// Sends to APNs for one app.
#[derive(Debug)]
pub struct Apns {
    http: Http,
    signer: Option<Signer>,
    topic: String,
    base: String,
    clock: Arc<dyn Clock>,
}

impl Apns {
    /// A sender.
    ///
    /// # Errors
    /// When the key, the topic or the URL cannot be read.
    pub fn new(setup: ApnsSetup, http: Http, clock: Arc<dyn Clock>) -> Result<Self, BadSetup> {
        let signer = match setup.auth {
            ApnsAuth::Certificate => None,
            ApnsAuth::Token { key_pem, key_id, team_id } => {
                let key = SigningKey::es256_pem(key_pem.expose(), "the APNs key")?;
                Some(Signer { key, key_id, team_id, bearer: Bearer::default() })
            }
        };
        let base = http::base(&setup.base_url, "the APNs URL")?;
        if !http::is_header_text(&setup.topic) {
            return Err(BadSetup::Credential("the APNs topic"));
        }
        Ok(Self { http, signer, topic: setup.topic, base, clock })
    }

    async fn refused(&self, reply: &Reply, token: Option<&crate::Secret>, now_ms: u64) -> PushError {
        let body = reply.json();
        let reason = body["reason"].as_str().unwrap_or_default();
        if reason == "ExpiredProviderToken"
            && let (Some(signer), Some(token)) = (&self.signer, token)
        {
            signer.bearer.forget(token).await;
        }
        reason::read(reply, reason, body["timestamp"].as_u64(), now_ms)
    }
}

impl Signer {
    async fn token(&self, now_ms: u64) -> Result<crate::Secret, PushError> {
        let sign = async || {
            let claims = json!({"iss": self.team_id, "iat": now_ms / 1000});
            Ok(Fetched::new(self.key.sign(Some(&self.key_id), &claims)?, now_ms, TOKEN_FOR))
        };
        self.bearer.get(now_ms, sign).await
    }
}

#[async_trait]
impl Provider for Apns {
    fn name(&self) -> &'static str {
        "apns"
    }

    async fn send(&self, push: &Push) -> Result<Sent, PushError> {
        let now_ms = self.clock.wall_ms();
        let device = push.token.as_str();
        // Device tokens are hexadecimal; anything else must not become a path.
        if device.is_empty() || device.len() > 200 || !device.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(PushError::dead("BadDeviceToken"));
        }
        let expires_s = if push.ttl.is_zero() { 0 } else { (now_ms / 1000).saturating_add(push.ttl.as_secs()) };
        let mut request = self
            .http
            .post(http::join(&self.base, &format!("/3/device/{device}"))?)?
            .header("apns-topic", &self.topic)
            .header("apns-push-type", "alert")
            .header("apns-priority", "10")
            .header("apns-expiration", expires_s.to_string())
            .header("apns-id", apns_id(&push.dedup_key))
            .body(rendered(push, payload::render)?);
        if let Some(collapse_id) = text(&push.extensions.apns, "em_push_collapse_key").or(push.collapse_id.as_deref()) {
            request = request.header("apns-collapse-id", header_text(collapse_id));
        }
        let token = match &self.signer {
            Some(signer) => Some(signer.token(now_ms).await?),
            None => None,
        };
        if let Some(token) = &token {
            request = request.bearer_auth(token.expose());
        }
        let reply = http::send(request).await?;
        if reply.status == 200 {
            return Ok(Sent { id: reply.header("apns-id").to_owned() });
        }
        Err(self.refused(&reply, token.as_ref(), now_ms).await)
    }
}

/// At most 64 bytes that may stand in a header: others are replaced, so that equal IDs stay equal.
fn header_text(id: &str) -> String {
    if http::is_header_text(id) && id.len() <= MAX_COLLAPSE_ID {
        return id.to_owned();
    }
    digest(&SHA256, id.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A UUID that is the same for every try of a push (RFC 9562, version 8).
fn apns_id(dedup_key: &str) -> String {
    let hash = digest(&SHA256, dedup_key.as_bytes());
    let hex: String = hash.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-8{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_stable_uuids() {
        let id = apns_id("m1:d1");
        assert_eq!(id, apns_id("m1:d1"));
        assert_ne!(id, apns_id("m1:d2"));
        let lengths: Vec<_> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
    }

    #[test]
    fn collapse_ids_fit_into_the_header() {
        assert_eq!(header_text("chat:bob"), "chat:bob");
        assert_eq!(header_text("用户").len(), 64);
        assert_eq!(header_text(&"x".repeat(64)), "x".repeat(64));
        assert_eq!(header_text(&"x".repeat(65)).len(), 64);
        assert_ne!(header_text(&"x".repeat(65)), header_text(&"x".repeat(66)));
    }
}
