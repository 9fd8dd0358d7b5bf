//! Firebase Cloud Messaging, HTTP v1.
//!
//! Sources:
//! * Request: <https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages> and
//!   <https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send>
//! * Errors: <https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode> and
//!   <https://firebase.google.com/docs/cloud-messaging/error-codes>
//! * 4096 bytes: <https://firebase.google.com/docs/cloud-messaging/customize-messages/set-message-type>
//! * OAuth: <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>
//!
//! Of `em_android_push_ext` the push extension documents name `fcm_options` and `fcm_channel_id`.

mod account;
mod message;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use stentor_core::clock::Clock;

use crate::bearer::Bearer;
use crate::error::{BadSetup, PushError, Scope};
use crate::http::{self, Http, Reply};
use crate::provider::{Provider, Sent};
use crate::push::{Push, rendered};
use account::Account;

/// The service.
pub const SERVICE: &str = "https://fcm.googleapis.com";

/// The wait after `QUOTA_EXCEEDED` without `Retry-After` (FCM error codes: "at least a minute").
const QUOTA_WAIT: Duration = Duration::from_secs(60);

/// The access token is not taken.
const UNAUTHENTICATED: &str = "UNAUTHENTICATED";

/// What [`Fcm`] needs.
#[derive(Debug)]
pub struct FcmSetup {
    /// The content of the service account's JSON file. Its `token_uri` is where access tokens come from.
    pub account_json: crate::Secret,
    /// Where to send: [`SERVICE`] or a stand-in.
    pub base_url: String,
}

/// Sends to FCM for one project.
#[derive(Debug)]
pub struct Fcm {
    http: Http,
    account: Account,
    bearer: Bearer,
    url: String,
    clock: Arc<dyn Clock>,
}

impl Fcm {
    /// A sender.
    ///
    /// # Errors
    /// When the account or the URL cannot be read.
    pub fn new(setup: &FcmSetup, http: Http, clock: Arc<dyn Clock>) -> Result<Self, BadSetup> {
        let account = Account::parse(setup.account_json.expose())?;
        let base = http::base(&setup.base_url, "the FCM URL")?;
        let url = format!("{base}/v1/projects/{}/messages:send", account.project());
        Ok(Self { http, account, bearer: Bearer::default(), url, clock })
    }
}

#[async_trait]
impl Provider for Fcm {
    fn name(&self) -> &'static str {
        "fcm"
    }

    async fn send(&self, push: &Push) -> Result<Sent, PushError> {
        let body = rendered(push, message::render)?;
        let now_ms = self.clock.wall_ms();
        let token = self.bearer.get(now_ms, || self.account.fetch(&self.http, now_ms)).await?;
        let request = self
            .http
            .post(http::join(&self.url, "")?)?
            .bearer_auth(token.expose())
            .header("content-type", "application/json")
            .body(body);
        let reply = http::send(request).await?;
        if reply.status == 200 {
            return Ok(Sent { id: reply.json()["name"].as_str().unwrap_or_default().to_owned() });
        }
        let error = read(&reply, now_ms);
        if matches!(&error, PushError::Failed { reason, .. } if reason == UNAUTHENTICATED) {
            self.bearer.forget(&token).await;
        }
        Err(error)
    }
}

/// What an answer that is not 200 means.
fn read(reply: &Reply, now_ms: u64) -> PushError {
    let body = reply.json();
    let error = &body["error"];
    let details = error["details"].as_array().map(Vec::as_slice).unwrap_or_default();
    let code = details.iter().find_map(|detail| detail["errorCode"].as_str());
    let code = code.or(error["status"].as_str()).unwrap_or_default();
    let retry_after = reply.retry_after(now_ms);
    match code {
        "UNREGISTERED" => PushError::dead(code),
        "INVALID_ARGUMENT" if is_about_token(details) => PushError::dead(code),
        // Another project's token, or another project's account: the token may be right.
        "INVALID_ARGUMENT" | "SENDER_ID_MISMATCH" => PushError::refused(code),
        "QUOTA_EXCEEDED" | "RESOURCE_EXHAUSTED" => {
            PushError::throttled(code, retry_after.or(Some(QUOTA_WAIT)), Scope::Provider)
        }
        "UNAVAILABLE" | "INTERNAL" => PushError::failed_until(code, retry_after),
        // APNs or Web Push behind FCM.
        "THIRD_PARTY_AUTH_ERROR" | "PERMISSION_DENIED" => PushError::credentials(code),
        // The access token ended, or was withdrawn; another is fetched before the next try, and that says if it is for good.
        UNAUTHENTICATED => PushError::failed(code),
        _ => reply.unexpected(now_ms),
    }
}

/// Whether the field that is wrong is the token (`google.rpc.BadRequest`).
fn is_about_token(details: &[Value]) -> bool {
    let fields = details.iter().filter_map(|detail| detail["fieldViolations"].as_array()).flatten();
    fields.into_iter().any(|field| field["field"] == "message.token")
}
