//! AccessToken "006" as RTM uses it (`RtmTokenBuilder`): the account in the place of the RTC
//! channel name, an empty uid, and the single privilege `kRtmLogin`.
//!
//! `"006"` ‖ App ID (32 bytes) ‖ base64( str signature, u32 crc_channel, u32 crc_uid, str m ),
//! m = u32 salt, u32 ts, u16 n, n × (u16 privilege, u32 expire); little-endian. The signature is
//! HMAC-SHA256(certificate, App ID ‖ account ‖ uid ‖ m). The token does not name the account in
//! clear, so the caller must.

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::{Grant, MAX_TOKEN_LEN, Refusal, mac, wire::Reader};

/// What a "006" token starts with.
pub const PREFIX: &str = "006";

/// The privilege `kRtmLogin`.
const RTM_LOGIN: u16 = 1000;
const APP_ID_LEN: usize = 32;

/// Verifies an RTM token of `user` at `now_s` (Unix seconds); the last good second is its `ts`.
///
/// The expiry stored with the privilege is not looked at: the documents declare it without
/// effect, and public samples put nonsense there.
///
/// # Errors
/// - [`Refusal::AppId`]: another App ID (`app_id` must be 32 bytes);
/// - [`Refusal::Invalid`]: malformed, another certificate, another user, an empty `user` or
///   `certificate`, or more than one privilege (see below);
/// - [`Refusal::NotAuthorized`]: no login privilege;
/// - [`Refusal::Expired`]: `now_s` is after `ts`.
///
/// # More than one privilege
/// Nothing in the signed text separates the account from m, and the CRCs are not signed. If m
/// could have any length, the holder of a token for `mallory123456` might move its last six
/// bytes into m and so own a token for `mallory`. With m at its fixed 16 bytes, which is what
/// every RTM builder makes, the signed text has one reading only.
pub fn verify(token: &str, app_id: &str, certificate: &str, user: &str, now_s: u64) -> Result<Grant, Refusal> {
    if token.len() > MAX_TOKEN_LEN || user.is_empty() || certificate.is_empty() {
        return Err(Refusal::Invalid);
    }
    let rest = token.strip_prefix(PREFIX).ok_or(Refusal::Invalid)?;
    let (token_app_id, text) = rest.as_bytes().split_at_checked(APP_ID_LEN).ok_or(Refusal::Invalid)?;
    if token_app_id != app_id.as_bytes() {
        return Err(Refusal::AppId);
    }
    let content = BASE64_STANDARD.decode(text).map_err(|_| Refusal::Invalid)?;
    let content = Content::parse(&content)?;
    if content.crc_channel != crc32fast::hash(user.as_bytes()) || content.crc_uid != 0 {
        return Err(Refusal::Invalid);
    }
    let signed = [app_id.as_bytes(), user.as_bytes(), content.message];
    mac::verify(certificate.as_bytes(), &signed, content.signature)?;
    let ts_s = u64::from(content.login_ts()?);
    if now_s > ts_s {
        return Err(Refusal::Expired);
    }
    Ok(Grant { user: user.to_owned(), expires_at_s: ts_s + 1 })
}

struct Content<'a> {
    signature: &'a [u8],
    crc_channel: u32,
    crc_uid: u32,
    message: &'a [u8],
}

impl<'a> Content<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes);
        let content = Self {
            signature: reader.bytes()?,
            crc_channel: reader.u32()?,
            crc_uid: reader.u32()?,
            message: reader.bytes()?,
        };
        if !reader.rest().is_empty() {
            return Err(Refusal::Invalid);
        }
        Ok(content)
    }

    /// The `ts` of a message that carries the login privilege and nothing else.
    fn login_ts(&self) -> Result<u32, Refusal> {
        let mut reader = Reader::new(self.message);
        let _salt = reader.u32()?;
        let ts = reader.u32()?;
        let count = reader.u16()?;
        let mut login = false;
        for _ in 0..count {
            login |= reader.u16()? == RTM_LOGIN;
            let _expire = reader.u32()?;
        }
        if !reader.rest().is_empty() {
            return Err(Refusal::Invalid);
        }
        match (login, count) {
            (true, 1) => Ok(ts),
            (true, _) => Err(Refusal::Invalid),
            (false, _) => Err(Refusal::NotAuthorized),
        }
    }
}

/// Builds the RTM token of `user`, byte for byte as Agora's `RtmTokenBuilder` does.
///
/// `salt` should be random. `ts` is the last good second (Unix time; the builders use now +
/// 24 h). `privilege_expire` is written as it is and has no effect; 0 is the documented value.
/// The result only verifies if `app_id` has 32 bytes and neither `user` nor `certificate` is
/// empty.
#[must_use]
pub fn build(app_id: &str, certificate: &str, user: &str, salt: u32, ts: u32, privilege_expire: u32) -> String {
    let mut message = [0; 16];
    message[..4].copy_from_slice(&salt.to_le_bytes());
    message[4..8].copy_from_slice(&ts.to_le_bytes());
    message[8..10].copy_from_slice(&1_u16.to_le_bytes());
    message[10..12].copy_from_slice(&RTM_LOGIN.to_le_bytes());
    message[12..].copy_from_slice(&privilege_expire.to_le_bytes());

    let signed = [app_id.as_bytes(), user.as_bytes(), &message];
    let signature = mac::sign(certificate.as_bytes(), &signed);
    let mut content = Vec::with_capacity(60);
    content.extend_from_slice(&[32, 0]);
    content.extend_from_slice(&signature);
    content.extend_from_slice(&crc32fast::hash(user.as_bytes()).to_le_bytes());
    content.extend_from_slice(&0_u32.to_le_bytes());
    content.extend_from_slice(&[16, 0]);
    content.extend_from_slice(&message);
    format!("{PREFIX}{app_id}{}", BASE64_STANDARD.encode(content))
}
