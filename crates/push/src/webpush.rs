//! Web Push: to browsers, through the push service that each subscription names.
//!
//! Sources: RFC 8030 (the request, its answers, `TTL`, `Urgency`, `Topic`), RFC 8188 and RFC 8291 (encryption
//! `aes128gcm`, at most 4096 bytes), RFC 8292 (VAPID), and the Push API (<https://www.w3.org/TR/push-api/>) for the form of
//! a subscription.
//!
//! The device's token is the subscription as `PushSubscription.toJSON()` writes it:
//! `{"endpoint":"https://…","keys":{"p256dh":"…","auth":"…"}}`. The endpoint is the user's choice, so it must not lead to a
//! private address: leave [`crate::HttpSetup::allow_private`] off.

mod encrypt;
mod subscription;
mod vapid;

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;
use stentor_core::clock::Clock;

use crate::error::{BadSetup, PushError, Scope};
use crate::http::{self, Http, Reply};
use crate::provider::{Provider, Sent};
use crate::push::{Push, rendered};
use crate::text::fit;
use subscription::Subscription;
use vapid::Vapid;

/// The longest JSON before encryption, in bytes: 4096 without header (86), delimiter (1) and tag (16).
pub const MAX_PLAINTEXT: usize = 3_993;

/// Four weeks: nobody keeps a push longer, and one that asks for more might be refused.
const MAX_TTL_S: u64 = 2_419_200;

/// What [`WebPush`] needs.
#[derive(Debug)]
pub struct WebPushSetup {
    /// The private key of VAPID: its 32 bytes in URL-safe base64 as `web-push generate-vapid-keys` writes it, or a P-256
    /// key in PEM.
    pub private_key: crate::Secret,
    /// The public key in URL-safe base64 (65 bytes), as the browser got it as `applicationServerKey`. It must belong to the
    /// private key; with PEM it may be left out.
    pub public_key: Option<String>,
    /// Whom a push service may ask: a `mailto:` or `https:` URL.
    pub contact: String,
}

/// Sends to browsers with one VAPID key.
#[derive(Debug)]
pub struct WebPush {
    http: Http,
    vapid: Vapid,
    clock: Arc<dyn Clock>,
}

impl WebPush {
    /// A sender.
    ///
    /// # Errors
    /// When a key cannot be read, or the contact is neither `mailto:` nor `https:`.
    pub fn new(setup: &WebPushSetup, http: Http, clock: Arc<dyn Clock>) -> Result<Self, BadSetup> {
        Ok(Self { http, vapid: Vapid::new(setup)?, clock })
    }

    /// The public key in URL-safe base64: what a browser needs as `applicationServerKey`.
    #[must_use]
    pub fn public_key(&self) -> &str {
        self.vapid.public_key()
    }
}

#[async_trait]
impl Provider for WebPush {
    fn name(&self) -> &'static str {
        "webpush"
    }

    /// The push service: users choose it, and one that fails says nothing of the others.
    fn part(&self, push: &Push) -> String {
        let subscription = Subscription::parse(push.token.as_str());
        subscription.map(|subscription| subscription.endpoint.origin().ascii_serialization()).unwrap_or_default()
    }

    async fn send(&self, push: &Push) -> Result<Sent, PushError> {
        let subscription =
            Subscription::parse(push.token.as_str()).ok_or_else(|| PushError::dead("not a subscription"))?;
        let body = encrypt::encrypt(&subscription, rendered(push, render)?.as_bytes())
            .map_err(|_| PushError::dead("the subscription's keys cannot be used"))?;
        let now_ms = self.clock.wall_ms();
        let origin = subscription.endpoint.origin().ascii_serialization();
        let mut request = self
            .http
            .post(subscription.endpoint)?
            .header("authorization", self.vapid.header(&origin, now_ms)?)
            .header("content-encoding", "aes128gcm")
            .header("content-type", "application/octet-stream")
            .header("ttl", push.ttl.as_secs().min(MAX_TTL_S).to_string())
            .header("urgency", "high")
            .body(body);
        if let Some(collapse_id) = &push.collapse_id {
            request = request.header("topic", topic(collapse_id));
        }
        let reply = http::send(request).await?;
        match reply.status {
            200..=299 => Ok(Sent { id: reply.header("location").to_owned() }),
            _ => Err(read(&reply, now_ms)),
        }
    }
}

/// What the page's service worker gets: `title`, `body`, and if there are any `badge` and `tag`, beside the custom fields.
fn render(push: &Push) -> Result<String, PushError> {
    let mut payload = push.custom.to_map();
    payload.insert("title".into(), push.title.as_str().into());
    payload.insert("body".into(), push.content.as_str().into());
    payload.extend(push.badge.map(|badge| ("badge".into(), badge.into())));
    payload.extend(push.collapse_id.as_deref().map(|id| ("tag".into(), id.into())));
    fit(json!(payload), MAX_PLAINTEXT, &["/body", "/title"])
        .ok_or_else(|| PushError::refused("the payload is longer than 3993 bytes"))
}

/// A topic is at most 32 characters of URL-safe base64 (RFC 8030, 5.4).
fn topic(collapse_id: &str) -> String {
    let hash = digest(&SHA256, collapse_id.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(&hash.as_ref()[..24])
}

/// What an answer that is not 2xx means (RFC 8030, 5 to 8; RFC 8292, 4.2).
fn read(reply: &Reply, now_ms: u64) -> PushError {
    let reason = format!("status {}", reply.status);
    match reply.status {
        404 | 410 => PushError::dead(reason),
        // Push services throttle by subscription.
        429 => PushError::throttled(reason, reply.retry_after(now_ms), Scope::Device),
        _ => reply.unexpected(now_ms),
    }
}
