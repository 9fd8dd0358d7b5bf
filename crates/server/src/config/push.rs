//! `[push]`: where the services of offline push are, and how they are spoken to.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use stentor_push::{apns, fcm, huawei, meizu, oppo, vivo, xiaomi};

use super::names::SecretText;
use super::section::section;
use super::server::Directory;
use super::value::{Bounded, Invalid, Setting, Shape, quoted};

section! {
    /// Offline push. Each app makes its certificates over REST: `POST /{org}/{app}/notifiers`.
    pub struct PushSection {
        /// What the secrets of certificates are sealed with: 32 random bytes in base64 (openssl rand -base64 32). Without
        /// one, those of the file push-seal.key in the data directory. With another one, certificates cannot be used.
        sealing_key: Option<SealingKey> = None, example "\"…\"";
        /// Apple.
        apns_url: ServiceUrl = ServiceUrl::from(apns::PRODUCTION);
        /// Apple, for certificates with the environment DEVELOPMENT.
        apns_sandbox_url: ServiceUrl = ServiceUrl::from(apns::SANDBOX);
        /// Google. Access tokens come from where the certificate says.
        fcm_url: ServiceUrl = ServiceUrl::from(fcm::SERVICE);
        /// Huawei.
        huawei_url: ServiceUrl = ServiceUrl::from(huawei::SERVICE);
        /// Huawei's access tokens.
        huawei_token_url: ServiceUrl = ServiceUrl::from(huawei::TOKENS);
        /// Xiaomi.
        xiaomi_url: ServiceUrl = ServiceUrl::from(xiaomi::SERVICE);
        /// OPPO.
        oppo_url: ServiceUrl = ServiceUrl::from(oppo::SERVICE);
        /// vivo.
        vivo_url: ServiceUrl = ServiceUrl::from(vivo::SERVICE);
        /// Meizu.
        meizu_url: ServiceUrl = ServiceUrl::from(meizu::SERVICE);
        /// Certificate authorities that are trusted beside the system's, PEM.
        ca_file: Option<Directory> = None, example "\"/etc/stentor/push-ca.pem\"";
        /// Whether certificates and devices may lead to this machine or a private network: webhooks, the push services
        /// of browsers, Google's access tokens and fcm_url.
        allow_private: bool = false;
        /// How long a request to a service may take.
        timeout_ms: Bounded<100, 60_000> = Bounded::clamped(10_000);
        /// Requests at once with each certificate.
        concurrency: Bounded<1, 10_000> = Bounded::clamped(64);
        /// A LibreTranslate server that translates what pushes show, for receivers who have set a language that the sender
        /// has attached no translation in. Without one nothing is translated. All such texts go to this server.
        translator_url: Option<ServiceUrl> = None, example "\"http://127.0.0.1:5000\"";
        /// Its API key.
        translator_key: Option<SecretText> = None, example "\"…\"";
        /// How long a translation may wait for its turn, and how long the server may take for it then. Then the push shows the
        /// original. Nobody else's push waits for that.
        translator_timeout_ms: Bounded<50, 30_000> = Bounded::clamped(2_000);
        /// Translations at once.
        translator_concurrency: Bounded<1, 1_000> = Bounded::clamped(8);
        /// Translations that are remembered.
        translator_cached: Bounded<0, 1_000_000> = Bounded::clamped(4_096);
    }
}

/// The URL of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceUrl(String);

impl ServiceUrl {
    fn from(url: &str) -> Self {
        Self(url.to_owned())
    }

    /// As the file writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for ServiceUrl {
    const SHAPE: Shape = Shape::Text;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        stentor_push::check_url(text).map_err(|error| Invalid(error.to_string()))?;
        Ok(Self(text.to_owned()))
    }

    fn to_toml(&self) -> Option<String> {
        Some(quoted(&self.0))
    }
}

/// A key of 32 bytes, never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SealingKey([u8; 32]);

impl SealingKey {
    /// The key, for whoever seals with it.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Setting for SealingKey {
    const SHAPE: Shape = Shape::Text;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        let key = STANDARD.decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
        key.map(Self).ok_or_else(|| Invalid("expected 32 bytes in base64".into()))
    }

    fn to_toml(&self) -> Option<String> {
        Some(quoted(&STANDARD.encode(self.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_32_bytes_and_is_not_seen() {
        let key = SealingKey::from_text("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
        assert_eq!((key.expose(), format!("{key:?}")), (&[0; 32], "***".to_owned()));
        for wrong in ["", "secret", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            let Err(Invalid(why)) = SealingKey::from_text(wrong) else { panic!("{wrong}") };
            assert_eq!(why, "expected 32 bytes in base64");
        }
    }

    #[test]
    fn services_are_urls() {
        assert_eq!(ServiceUrl::from_text("http://127.0.0.1:1/a").unwrap().as_str(), "http://127.0.0.1:1/a");
        for wrong in ["", "push.example.com", "ftp://a", "https://u:p@a", "https://a?b"] {
            assert!(ServiceUrl::from_text(wrong).is_err(), "{wrong}");
        }
    }
}
