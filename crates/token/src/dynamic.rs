//! Dynamic user tokens, which a Chat backend makes without asking the server (`easemob_user_token.md` and
//! `token_overview.md` of the Chat documents).
//!
//! URL-safe base64 of `"dt-"` and a JSON object: `signature`, `appkey`, `userId`, `curTime` (when it was made, Unix
//! seconds) and `ttl` (seconds). `signature` is the SHA-256, in hexadecimal, of client ID, App Key, user ID, curTime,
//! ttl and client secret, one after the other.
//!
//! # What the format does not protect
//! Nothing separates the fields that are signed, so digits may move from one to the next: what was signed for the user
//! `alice1763` made at 1764117641 for 600 s is also right for `alice` at 1763176411 for 7641600 s, and who may choose
//! his own user ID could choose whose token he gets. A short [`Issuer::max_ttl_s`] is what helps: with [`MAX_TTL_S`], and
//! tokens made for 100 s or more, such a reading is good for a day at most, and years away except near times that
//! repeat themselves (1818181818, August 2027). An app that raises it should not let users choose IDs that end with a
//! digit.

use std::fmt;

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{BuildError, ChatRefusal};

/// What a dynamic token starts with: `dt-` in base64.
pub const PREFIX: &str = "ZHQt";

/// Longest text accepted or built, in bytes. A user ID of 64 bytes makes some 350.
pub const MAX_LEN: usize = 2048;

/// Longest `ttl` accepted unless an app wants otherwise, in seconds (24 h, as of an AccessToken2). The documents name
/// no limit; the [module](self) says why there is one.
pub const MAX_TTL_S: u64 = 86_400;

/// How far ahead of the clock here `curTime` may be, in seconds, since clocks differ.
pub const MAX_SKEW_S: u64 = 300;

const TYPE: &str = "dt-";

/// The documents' encoders pad; others do not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The app whose backend makes the tokens. `Debug` does not show the secret.
#[derive(Clone, Copy)]
pub struct Issuer<'a> {
    /// `org#app`.
    pub app_key: &'a str,
    /// The app's client ID.
    pub client_id: &'a str,
    /// The app's client secret.
    pub client_secret: &'a str,
    /// Longest `ttl` accepted, in seconds; [`MAX_TTL_S`] unless there is a reason.
    pub max_ttl_s: u64,
}

impl fmt::Debug for Issuer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("app_key", &self.app_key).finish_non_exhaustive()
    }
}

/// What an accepted dynamic token allows: `user` may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DynamicGrant {
    /// The user ID; never empty.
    pub user: String,
    /// When it was made, Unix seconds. Revocation goes by this.
    pub issued_at_s: u64,
    /// The first second (Unix time) at which it is no longer accepted.
    pub expires_at_s: u64,
}

/// The JSON object. Fields that are not known are ignored.
#[derive(Serialize, Deserialize)]
struct Claims {
    signature: String,
    appkey: String,
    #[serde(rename = "userId")]
    user_id: String,
    #[serde(rename = "curTime", deserialize_with = "whole")]
    cur_time_s: u64,
    #[serde(rename = "ttl", deserialize_with = "whole")]
    ttl_s: u64,
}

/// Verifies a token at `now_s` (Unix seconds).
///
/// # Errors
/// - [`ChatRefusal::Malformed`]: longer than [`MAX_LEN`], not base64, not such an object, an empty user, a `ttl` of 0 or
///   above the issuer's `max_ttl_s`, or made more than [`MAX_SKEW_S`] in the future;
/// - [`ChatRefusal::OtherApp`]: another App Key;
/// - [`ChatRefusal::ForeignIssuer`]: not signed with this client ID and secret, or these are empty;
/// - [`ChatRefusal::Expired`]: its time is over.
pub fn verify(token: &str, issuer: &Issuer<'_>, now_s: u64) -> Result<DynamicGrant, ChatRefusal> {
    let claims = parse(token).ok_or(ChatRefusal::Malformed)?;
    if claims.appkey != issuer.app_key {
        return Err(ChatRefusal::OtherApp);
    }
    if issuer.client_id.is_empty() || issuer.client_secret.is_empty() {
        return Err(ChatRefusal::ForeignIssuer);
    }
    let expected = signature(issuer, &claims.user_id, claims.cur_time_s, claims.ttl_s);
    let given = claims.signature.to_ascii_lowercase();
    if !bool::from(given.as_bytes().ct_eq(expected.as_bytes())) {
        return Err(ChatRefusal::ForeignIssuer);
    }
    let life = 1..=issuer.max_ttl_s;
    if !life.contains(&claims.ttl_s) || claims.cur_time_s > now_s.saturating_add(MAX_SKEW_S) {
        return Err(ChatRefusal::Malformed);
    }
    let expires_at_s = claims.cur_time_s.saturating_add(claims.ttl_s);
    if now_s >= expires_at_s {
        return Err(ChatRefusal::Expired);
    }
    Ok(DynamicGrant { user: claims.user_id, issued_at_s: claims.cur_time_s, expires_at_s })
}

/// Builds the token of `user`, made at `now_s` (Unix seconds) and good for `ttl_s` seconds.
///
/// # Errors
/// [`BuildError::NoName`] for an empty App Key or user, [`BuildError::TooLong`] past [`MAX_LEN`].
pub fn build(issuer: &Issuer<'_>, user: &str, now_s: u64, ttl_s: u64) -> Result<String, BuildError> {
    if issuer.app_key.is_empty() || user.is_empty() {
        return Err(BuildError::NoName);
    }
    let claims = Claims {
        signature: signature(issuer, user, now_s, ttl_s),
        appkey: issuer.app_key.to_owned(),
        user_id: user.to_owned(),
        cur_time_s: now_s,
        ttl_s,
    };
    #[expect(clippy::expect_used, reason = "texts and numbers always serialise")]
    let json = serde_json::to_string(&claims).expect("texts and numbers");
    let text = BASE64.encode(format!("{TYPE}{json}"));
    if text.len() > MAX_LEN { Err(BuildError::TooLong) } else { Ok(text) }
}

fn parse(token: &str) -> Option<Claims> {
    if token.len() > MAX_LEN {
        return None;
    }
    let bytes = BASE64.decode(token).ok()?;
    let json = bytes.strip_prefix(TYPE.as_bytes())?;
    // serde also takes an array for a struct, which no document allows.
    if !json.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let claims: Claims = serde_json::from_slice(json).ok()?;
    let hexadecimal = claims.signature.len() == 64 && claims.signature.bytes().all(|byte| byte.is_ascii_hexdigit());
    (hexadecimal && !claims.user_id.is_empty()).then_some(claims)
}

fn signature(issuer: &Issuer<'_>, user: &str, cur_time_s: u64, ttl_s: u64) -> String {
    let Issuer { app_key, client_id, client_secret, .. } = issuer;
    let signed = format!("{client_id}{app_key}{user}{cur_time_s}{ttl_s}{client_secret}");
    Sha256::digest(signed).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A whole number, also as text, but only as it would be signed: `"0600"` and `"+600"` are other texts.
fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Whole {
        Number(u64),
        Text(String),
    }
    match Whole::deserialize(deserializer)? {
        Whole::Number(number) => Ok(number),
        Whole::Text(text) => {
            let number = text.parse::<u64>().map_err(serde::de::Error::custom)?;
            let as_signed = number.to_string() == text;
            as_signed.then_some(number).ok_or_else(|| serde::de::Error::custom("not as it would be signed"))
        }
    }
}
