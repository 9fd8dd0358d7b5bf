//! Client credentials of OAuth 2.0 (RFC 6749, 4.4), as Huawei and Honor use them.

use std::time::Duration;

use reqwest::Url;

use crate::bearer::Fetched;
use crate::error::{BadSetup, PushError};
use crate::http::{self, Http};
use crate::secret::Secret;

/// One client of a token endpoint.
#[derive(Debug)]
pub(crate) struct Client {
    url: Url,
    id: String,
    secret: Secret,
}

impl Client {
    pub(crate) fn new(url: &str, id: &str, secret: &Secret, what: &'static str) -> Result<Self, BadSetup> {
        let url = Url::parse(&http::base(url, what)?).map_err(|_| BadSetup::Url(what))?;
        Ok(Self { url, id: id.to_owned(), secret: secret.clone() })
    }

    /// Fetches an access token.
    pub(crate) async fn fetch(&self, http: &Http, now_ms: u64) -> Result<Fetched, PushError> {
        let form =
            [("grant_type", "client_credentials"), ("client_id", &self.id), ("client_secret", self.secret.expose())];
        let reply = http::send(http.post(self.url.clone())?.form(&form)).await?;
        let body = reply.json();
        match (reply.status, body["access_token"].as_str()) {
            (200, Some(token)) => {
                let good_for = Duration::from_secs(body["expires_in"].as_u64().unwrap_or(3_600));
                Ok(Fetched::new(token, now_ms, good_for))
            }
            (200, None) => Err(PushError::failed("the token endpoint answered without a token")),
            (400, _) => Err(PushError::credentials(format!("the token endpoint refused: {}", body["error"]))),
            _ => Err(reply.unexpected(now_ms)),
        }
    }
}
