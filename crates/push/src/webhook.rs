//! A generic webhook: hands a push to a service of the operator's, signed like a callback
//! ([`stentor_callbacks::signature`]). The contract is ours: `docs/push.md`.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::Url;
use serde_json::json;
use stentor_callbacks::signature;
use stentor_core::clock::Clock;

use crate::error::{BadSetup, PushError, Scope};
use crate::http::{self, Http};
use crate::provider::{Provider, Sent};
use crate::push::Push;

/// What [`Webhook`] needs.
#[derive(Debug)]
pub struct WebhookSetup {
    /// Where pushes go.
    pub url: String,
    /// What they are signed with.
    pub secret: crate::Secret,
}

/// Sends to a webhook.
#[derive(Debug)]
pub struct Webhook {
    http: Http,
    /// May hold a secret in its path or query: not shown.
    url: Hidden,
    secret: crate::Secret,
    clock: Arc<dyn Clock>,
}

struct Hidden(Url);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.host_str().unwrap_or_default())
    }
}

impl Webhook {
    /// A sender.
    ///
    /// # Errors
    /// When the URL cannot be read, or is neither `http` nor `https`, or holds a user name.
    pub fn new(setup: WebhookSetup, http: Http, clock: Arc<dyn Clock>) -> Result<Self, BadSetup> {
        const WHAT: &str = "the webhook's URL";
        let url = Url::parse(&setup.url).map_err(|_| BadSetup::Url(WHAT))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !url.username().is_empty() {
            return Err(BadSetup::Url(WHAT));
        }
        Ok(Self { http, url: Hidden(url), secret: setup.secret, clock })
    }
}

#[async_trait]
impl Provider for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    async fn send(&self, push: &Push) -> Result<Sent, PushError> {
        let body = render(push);
        let now_ms = self.clock.wall_ms();
        let request = self
            .http
            .post(self.url.0.clone())?
            .header("content-type", "application/json")
            .header(signature::HEADER, signature::sign(self.secret.expose(), now_ms / 1000, body.as_bytes()))
            .body(body);
        let reply = http::send_for_status(request).await?;
        match reply.status {
            200..=299 => Ok(Sent { id: reply.json()["id"].as_str().unwrap_or_default().chars().take(200).collect() }),
            410 => Err(PushError::dead("status 410")),
            429 => Err(PushError::throttled("status 429", reply.retry_after(now_ms), Scope::Provider)),
            _ => Err(reply.unexpected(now_ms)),
        }
    }
}

fn render(push: &Push) -> String {
    json!({
        "id": push.dedup_key,
        "token": push.token.as_str(),
        "title": push.title,
        "content": push.content,
        "badge": push.badge,
        "sound": push.sound,
        "collapseId": push.collapse_id,
        "ttl": push.ttl.as_secs(),
        "custom": push.custom.to_map(),
        "em_apns_ext": push.extensions.apns,
        "em_android_push_ext": push.extensions.android,
        "em_harmony_push_ext": push.extensions.harmony,
    })
    .to_string()
}
