//! Building an AccessToken2.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{MAX_BODY_LEN, PREFIX, Service, signing_key};
use crate::{BuildError, MAX_TOKEN_LEN, mac, wire::Writer, zlib};

/// The numbers of a new token that concern all its services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issue {
    /// Now, Unix seconds.
    pub issue_ts_s: u32,
    /// Life of the token in seconds; 0 means 24 h for RTM and no life at all for Chat.
    pub expire_s: u32,
    /// Should be random; the official builders use 1 to 99999999.
    pub salt: u32,
}

/// Builds the token that permits `services`, sorted by type as the official builders do.
///
/// The inflated bytes equal those of the official builders; the text may not, since every zlib
/// deflates in its own way.
///
/// # Errors
/// [`BuildError::TooLong`] past a limit of the format or of this crate, and
/// [`BuildError::Deflate`] if the compressor fails.
pub fn build(app_id: &str, certificate: &str, issue: Issue, services: &[Service]) -> Result<String, BuildError> {
    let mut info = Writer::default();
    info.bytes(app_id.as_bytes())?;
    info.u32(issue.issue_ts_s);
    info.u32(issue.expire_s);
    info.u32(issue.salt);
    info.0.extend_from_slice(&encode_services(services)?);

    let key = signing_key(certificate, issue.issue_ts_s, issue.salt);
    let mut body = Writer::default();
    body.bytes(&mac::sign(&key, &[&info.0]))?;
    body.0.extend_from_slice(&info.0);
    if body.0.len() > MAX_BODY_LEN {
        return Err(BuildError::TooLong);
    }
    let text = BASE64_STANDARD.encode(zlib::deflate(&body.0)?);
    if PREFIX.len() + text.len() > MAX_TOKEN_LEN {
        return Err(BuildError::TooLong);
    }
    Ok(format!("{PREFIX}{text}"))
}

/// The list of services as [`parse_services`](super::parse_services) reads it, sorted by type.
///
/// # Errors
/// [`BuildError::TooLong`] if a string or list does not fit its 16-bit length.
pub fn encode_services(services: &[Service]) -> Result<Vec<u8>, BuildError> {
    let mut sorted: Vec<&Service> = services.iter().collect();
    sorted.sort_by_key(|service| service.kind.number());
    let mut writer = Writer::default();
    writer.count(sorted.len())?;
    for service in sorted {
        service.write(&mut writer)?;
    }
    Ok(writer.0)
}
