//! The access tokens this server issues itself, for `POST token` of the Chat API: opaque to clients, and nothing to
//! look up, since all a token says is in it and signed.
//!
//! URL-safe base64 without padding of: `"ac-"` (which makes the text start with `YWMt`, as the vendor's do), `"ST1"`
//! (ours, version 1), u8 flags (1 a user's, 2 expires), u64 issued at, u64 nonce, u64 expires at if it does, str App
//! Key, str user if it is a user's, and the HMAC-SHA256 of all these bytes. Numbers are little-endian, times Unix
//! milliseconds, str is a u16 length and bytes.
//!
//! A token has one text only: each that is accepted is, letter for letter, what [`issue`] makes of its content.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::wire::{Reader, Writer};
use crate::{BuildError, ChatHolder, ChatRefusal, Refusal, mac};

/// What an access token starts with.
pub const PREFIX: &str = "YWMt";

/// Longest text accepted or issued, in bytes. A user ID of 64 bytes makes some 250.
pub const MAX_LEN: usize = 1024;

const TYPE: &[u8] = b"ac-";
const OURS: &[u8] = b"ST1";
const OF_USER: u8 = 1;
const EXPIRES: u8 = 2;

/// What access tokens are signed with. `Debug` does not show it.
#[derive(Clone)]
pub struct AccessKey([u8; 32]);

impl AccessKey {
    /// A key of 32 random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Signs something that is no token, for one purpose: what is signed for another is another signature.
    #[must_use]
    pub fn sign(&self, purpose: &str, text: &str) -> [u8; 32] {
        mac::sign(&self.of(purpose), &[text.as_bytes()])
    }

    /// Whether a signature is the one of [`Self::sign`]. Takes the same time whatever it holds.
    #[must_use]
    pub fn verify(&self, purpose: &str, text: &str, signature: &[u8]) -> bool {
        mac::verify(&self.of(purpose), &[text.as_bytes()], signature).is_ok()
    }

    fn of(&self, purpose: &str) -> [u8; 32] {
        mac::sign(&self.0, &[b"purpose:", purpose.as_bytes()])
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessKey(…)")
    }
}

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The app it is for, `org#app`; compared letter by letter, so bring names into one case first.
    pub app_key: String,
    /// Whom it speaks for.
    pub holder: ChatHolder,
    /// When it was issued, Unix milliseconds. Revocation goes by this: remember when a user's (or the app's) tokens
    /// were revoked, and refuse what was issued before.
    pub issued_at_ms: u64,
    /// The first millisecond (Unix time) at which it is no longer accepted; `None` is never (the Chat API's ttl 0).
    pub expires_at_ms: Option<u64>,
    /// A random number, so that no two tokens are alike.
    pub nonce: u64,
}

/// Makes the text of `token`.
///
/// # Errors
/// [`BuildError::NoName`] for an empty App Key or user, [`BuildError::TooLong`] past [`MAX_LEN`].
pub fn issue(token: &AccessToken, key: &AccessKey) -> Result<String, BuildError> {
    let user = token.holder.user();
    if token.app_key.is_empty() || user == Some("") {
        return Err(BuildError::NoName);
    }
    let mut writer = Writer([TYPE, OURS].concat());
    let expires = if token.expires_at_ms.is_some() { EXPIRES } else { 0 };
    writer.0.push(expires | if user.is_some() { OF_USER } else { 0 });
    writer.u64(token.issued_at_ms);
    writer.u64(token.nonce);
    if let Some(expires_at_ms) = token.expires_at_ms {
        writer.u64(expires_at_ms);
    }
    writer.bytes(token.app_key.as_bytes())?;
    if let Some(user) = user {
        writer.bytes(user.as_bytes())?;
    }
    let signature = mac::sign(&key.0, &[&writer.0]);
    writer.0.extend_from_slice(&signature);
    let text = BASE64_URL_SAFE_NO_PAD.encode(&writer.0);
    if text.len() > MAX_LEN { Err(BuildError::TooLong) } else { Ok(text) }
}

/// Verifies a token for `app_key` at `now_ms` (Unix milliseconds). Whether it was revoked is for the caller to say,
/// see [`AccessToken::issued_at_ms`].
///
/// # Errors
/// - [`ChatRefusal::Malformed`]: longer than [`MAX_LEN`], another prefix, not base64, or not laid out as ours;
/// - [`ChatRefusal::ForeignIssuer`]: the vendor's, or of another server: of the type, but not signed with `key`;
/// - [`ChatRefusal::OtherApp`]: issued here for another App Key;
/// - [`ChatRefusal::Expired`]: its time is over.
pub fn verify(token: &str, key: &AccessKey, app_key: &str, now_ms: u64) -> Result<AccessToken, ChatRefusal> {
    if token.len() > MAX_LEN {
        return Err(ChatRefusal::Malformed);
    }
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).map_err(|_| ChatRefusal::Malformed)?;
    let content = bytes.strip_prefix(TYPE).ok_or(ChatRefusal::Malformed)?;
    let content = content.strip_prefix(OURS).ok_or(ChatRefusal::ForeignIssuer)?;
    let (token, signature) = read(content).map_err(|_| ChatRefusal::Malformed)?;
    let signed = bytes.strip_suffix(signature).ok_or(ChatRefusal::Malformed)?;
    mac::verify(&key.0, &[signed], signature).map_err(|_| ChatRefusal::ForeignIssuer)?;
    if token.app_key != app_key {
        return Err(ChatRefusal::OtherApp);
    }
    if token.expires_at_ms.is_some_and(|end_ms| now_ms >= end_ms) {
        return Err(ChatRefusal::Expired);
    }
    Ok(token)
}

/// What stands behind the type, and the signature; nothing may follow it.
fn read(content: &[u8]) -> Result<(AccessToken, &[u8]), Refusal> {
    let mut reader = Reader::new(content);
    let flags = reader.u8()?;
    let issued_at_ms = reader.u64()?;
    let nonce = reader.u64()?;
    let expires_at_ms = if flags & EXPIRES == 0 { None } else { Some(reader.u64()?) };
    let app_key = reader.string()?;
    let holder = if flags & OF_USER == 0 { ChatHolder::App } else { ChatHolder::User(reader.string()?) };
    let signature = reader.rest();
    let unknown = flags & !(EXPIRES | OF_USER) != 0;
    if unknown || app_key.is_empty() || holder.user() == Some("") || signature.len() != mac::LEN {
        return Err(Refusal::Invalid);
    }
    Ok((AccessToken { app_key, holder, issued_at_ms, expires_at_ms, nonce }, signature))
}
