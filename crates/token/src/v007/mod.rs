//! AccessToken2 "007": one signed list of services, of which RTM and Chat are served here.
//!
//! `"007"` ‖ base64( zlib( str signature ‖ info ) ), info = str App ID, u32 issueTs, u32 expire,
//! u32 salt, u16 count, services; little-endian, str = u16 length and bytes. Key: k1 =
//! HMAC(le32 issueTs, certificate), k2 = HMAC(le32 salt, k1), signature = HMAC(k2, info), all
//! HMAC-SHA256 with the key first. Builders deflate differently, so two texts of the same token
//! may differ: compare [`AccessToken2::info`], never the text.

mod build;
mod service;
mod verify;

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::{MAX_TOKEN_LEN, Refusal, mac, wire::Reader, zlib};

pub use build::{Issue, build, encode_services};
pub use service::{Permissions, Privileges, Service, ServiceKind, Services, parse_services};
pub use verify::{ChatGrant, MAX_CHAT_TTL_S, MAX_RTM_TTL_S, MAX_SKEW_S, verify_chat, verify_rtm};

/// What a "007" token starts with.
pub const PREFIX: &str = "007";

/// Longest inflated token (signature and info) accepted or built, in bytes (64 KiB).
pub const MAX_BODY_LEN: usize = 64 * 1024;

/// A parsed but not yet trusted AccessToken2: call [`Self::verify_signature`] before believing
/// anything else it says.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken2 {
    /// The App ID the token says it is for.
    pub app_id: String,
    /// When the token was made, Unix seconds.
    pub issue_ts_s: u32,
    /// Life of the token in seconds after `issue_ts_s`, as written.
    pub expire_s: u32,
    /// The random number mixed into the signing key.
    pub salt: u32,
    signature: [u8; mac::LEN],
    info: Vec<u8>,
    services_at: usize,
}

// Signature and info together are the credential, so a log must not show them.
impl fmt::Debug for AccessToken2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken2")
            .field("app_id", &self.app_id)
            .field("issue_ts_s", &self.issue_ts_s)
            .field("expire_s", &self.expire_s)
            .finish_non_exhaustive()
    }
}

/// Decodes the text and reads the header; checks no signature and reads no service.
///
/// # Errors
/// [`Refusal::Invalid`] for another prefix, more than [`MAX_TOKEN_LEN`] bytes, base64 that is
/// not canonical, a zlib stream that is broken, unfinished, followed by other bytes or inflates
/// to more than [`MAX_BODY_LEN`], and a truncated header.
pub fn parse(token: &str) -> Result<AccessToken2, Refusal> {
    if token.len() > MAX_TOKEN_LEN {
        return Err(Refusal::Invalid);
    }
    let text = token.strip_prefix(PREFIX).ok_or(Refusal::Invalid)?;
    let packed = BASE64_STANDARD.decode(text).map_err(|_| Refusal::Invalid)?;
    let body = zlib::inflate(&packed, MAX_BODY_LEN)?;

    let mut reader = Reader::new(&body);
    let signature = reader.bytes()?.try_into().map_err(|_| Refusal::Invalid)?;
    let info = reader.rest();
    let app_id = reader.string()?;
    let issue_ts_s = reader.u32()?;
    let expire_s = reader.u32()?;
    let salt = reader.u32()?;
    Ok(AccessToken2 {
        app_id,
        issue_ts_s,
        expire_s,
        salt,
        signature,
        info: info.to_vec(),
        services_at: info.len() - reader.rest().len(),
    })
}

impl AccessToken2 {
    /// The signed bytes, as received.
    #[must_use]
    pub fn info(&self) -> &[u8] {
        &self.info
    }

    /// The HMAC-SHA256 signature, as received.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Checks the signature over all received info bytes, in constant time.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for another signature or an empty certificate.
    pub fn verify_signature(&self, certificate: &str) -> Result<(), Refusal> {
        if certificate.is_empty() {
            return Err(Refusal::Invalid);
        }
        let key = signing_key(certificate, self.issue_ts_s, self.salt);
        mac::verify(&key, &[&self.info], &self.signature)
    }

    /// Reads the list of services, see [`parse_services`].
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for a truncated list or text that is not UTF-8.
    pub fn services(&self) -> Result<Services, Refusal> {
        let bytes = self.info.get(self.services_at..);
        parse_services(bytes.ok_or(Refusal::Invalid)?)
    }
}

/// In both steps the number is the HMAC key, as odd as that looks.
fn signing_key(certificate: &str, issue_ts_s: u32, salt: u32) -> [u8; mac::LEN] {
    let first = mac::sign(&issue_ts_s.to_le_bytes(), &[certificate.as_bytes()]);
    mac::sign(&salt.to_le_bytes(), &[&first])
}
