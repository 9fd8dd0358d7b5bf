//! A service account: from its JSON file to an access token (Google: "Using OAuth 2.0 for server to server applications").

use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;
use serde_json::json;

use crate::bearer::Fetched;
use crate::error::{BadSetup, PushError};
use crate::http::{self, Http};
use crate::jwt::SigningKey;

/// What the access token may be used for.
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";

/// What the assertion is, in the words of RFC 7523.
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// How long an assertion is good: the longest time allowed.
const ASSERTION_S: u64 = 3_600;

/// The fields of the file that are needed.
#[derive(Deserialize)]
struct File {
    project_id: String,
    private_key_id: String,
    private_key: String,
    client_email: String,
    token_uri: String,
}

/// A service account.
#[derive(Debug)]
pub(super) struct Account {
    project: String,
    email: String,
    key_id: String,
    key: SigningKey,
    token_uri: Url,
}

impl Account {
    pub(super) fn parse(text: &str) -> Result<Self, BadSetup> {
        const WHAT: &str = "the FCM service account";
        let file: File = serde_json::from_str(text).map_err(|_| BadSetup::Credential(WHAT))?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':' | b'_');
        if file.project_id.is_empty() || !file.project_id.bytes().all(plain) {
            return Err(BadSetup::Credential(WHAT));
        }
        let token_uri = http::base(&file.token_uri, "token_uri of the FCM service account")?;
        Ok(Self {
            key: SigningKey::rs256_pem(&file.private_key, WHAT)?,
            token_uri: Url::parse(&token_uri).map_err(|_| BadSetup::Credential(WHAT))?,
            project: file.project_id,
            email: file.client_email,
            key_id: file.private_key_id,
        })
    }

    pub(super) fn project(&self) -> &str {
        &self.project
    }

    /// Fetches an access token.
    pub(super) async fn fetch(&self, http: &Http, now_ms: u64) -> Result<Fetched, PushError> {
        let now_s = now_ms / 1000;
        let claims = json!({"iss": self.email, "scope": SCOPE, "aud": self.token_uri.as_str(), "iat": now_s,
            "exp": now_s + ASSERTION_S});
        let assertion = self.key.sign(Some(&self.key_id), &claims)?;
        let form = [("grant_type", GRANT), ("assertion", assertion.as_str())];
        let reply = http::send(http.post(self.token_uri.clone())?.form(&form)).await?;
        let body = reply.json();
        match (reply.status, body["access_token"].as_str(), body["error"].as_str()) {
            (200, Some(token), _) => {
                let good_for = Duration::from_secs(body["expires_in"].as_u64().unwrap_or(ASSERTION_S));
                Ok(Fetched::new(token, now_ms, good_for))
            }
            (200, None, _) => Err(PushError::failed("the token endpoint answered without a token")),
            (400 | 401 | 403, _, Some(error)) => Err(PushError::credentials(error)),
            (400, _, None) => Err(PushError::credentials("status 400")),
            _ => Err(reply.unexpected(now_ms)),
        }
    }
}
