//! A subscription, as a browser writes it.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use reqwest::Url;
use serde::Deserialize;

/// Base64 with or without padding: browsers write it without, some libraries with.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Deserialize)]
struct Json {
    endpoint: String,
    keys: Keys,
}

#[derive(Deserialize)]
struct Keys {
    p256dh: String,
    auth: String,
}

/// Where to send, and what to encrypt for.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) endpoint: Url,
    /// The browser's public key: 65 bytes, not compressed.
    pub(super) public: Vec<u8>,
    /// 16 bytes that browser and server share.
    pub(super) auth: Vec<u8>,
}

impl Subscription {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let json: Json = serde_json::from_str(text).ok()?;
        let endpoint = Url::parse(&json.endpoint).ok()?;
        let (public, auth) = (BASE64.decode(json.keys.p256dh).ok()?, BASE64.decode(json.keys.auth).ok()?);
        let good =
            matches!(endpoint.scheme(), "http" | "https") && endpoint.has_host() && endpoint.username().is_empty();
        (good && public.len() == 65 && auth.len() == 16).then_some(Self { endpoint, public, auth })
    }
}
