//! Voluntary application server identification (RFC 8292): a signed token per push service.

use std::collections::HashMap;

use base64::Engine;
use parking_lot::Mutex;
use serde_json::json;

use super::WebPushSetup;
use super::subscription::BASE64;
use crate::error::{BadSetup, PushError};
use crate::jwt::SigningKey;
use crate::secret::Secret;

/// How long a token is good; at most 24 hours are allowed.
const TOKEN_S: u64 = 12 * 3_600;

/// A token that has less left is renewed.
const LEFT_S: u64 = 3_600;

/// So many push services are remembered: there are few, but users choose them.
const MAX_ORIGINS: usize = 256;

#[derive(Debug)]
pub(super) struct Vapid {
    key: SigningKey,
    public: String,
    contact: String,
    /// By origin: the header and when its token ends (Unix time in seconds).
    headers: Mutex<HashMap<String, (Secret, u64)>>,
}

impl Vapid {
    pub(super) fn new(setup: &WebPushSetup) -> Result<Self, BadSetup> {
        const WHAT: &str = "the VAPID key";
        let bad = || BadSetup::Credential(WHAT);
        if !setup.contact.starts_with("mailto:") && !setup.contact.starts_with("https:") {
            return Err(BadSetup::Credential("the VAPID contact"));
        }
        let public = match &setup.public_key {
            Some(text) => Some(BASE64.decode(text).map_err(|_| bad())?),
            None => None,
        };
        let private = setup.private_key.expose().trim();
        let key = if private.starts_with("-----BEGIN") {
            SigningKey::es256_pem(private, WHAT)?
        } else {
            let private = BASE64.decode(private).map_err(|_| bad())?;
            SigningKey::es256_raw(&private, public.as_deref().ok_or_else(bad)?, WHAT)?
        };
        let point = key.public_point().ok_or_else(bad)?;
        if public.is_some_and(|public| public != point) {
            return Err(bad());
        }
        let (public, contact) = (BASE64.encode(point), setup.contact.clone());
        Ok(Self { key, public, contact, headers: Mutex::default() })
    }

    pub(super) fn public_key(&self) -> &str {
        &self.public
    }

    /// The `Authorization` header for a push service.
    pub(super) fn header(&self, origin: &str, now_ms: u64) -> Result<String, PushError> {
        let now_s = now_ms / 1000;
        let good = |expires_s: u64| (now_s + LEFT_S..=now_s + TOKEN_S).contains(&expires_s);
        let mut headers = self.headers.lock();
        if let Some((header, expires_s)) = headers.get(origin)
            && good(*expires_s)
        {
            return Ok(header.expose().to_owned());
        }
        let expires_s = now_s + TOKEN_S;
        let token = self.key.sign(None, &json!({"aud": origin, "exp": expires_s, "sub": self.contact}))?;
        let header = format!("vapid t={token}, k={}", self.public);
        if headers.len() >= MAX_ORIGINS {
            headers.clear();
        }
        headers.insert(origin.to_owned(), (Secret::new(header.as_str()), expires_s));
        Ok(header)
    }
}
