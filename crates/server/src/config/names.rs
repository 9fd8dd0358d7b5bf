//! The names and secrets of an app as the file writes them.

use std::fmt;

use stentor_api_chat::PushZone;

use super::value::{Invalid, Raw, Setting, Shape, quoted, wrong_shape};

/// Text that is never shown: neither by `Debug` nor in an error.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl SecretText {
    /// Keeps a secret.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The secret itself, for whoever checks it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Setting for SecretText {
    const SHAPE: Shape = Shape::Text;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() { Err(Invalid("must not be empty".into())) } else { Ok(Self(text.to_owned())) }
    }

    fn to_toml(&self) -> Option<String> {
        Some(quoted(&self.0))
    }
}

/// A time zone, by its IANA name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneName {
    name: String,
    zone: PushZone,
}

impl ZoneName {
    /// The zone.
    #[must_use]
    pub fn zone(&self) -> &PushZone {
        &self.zone
    }
}

impl Default for ZoneName {
    fn default() -> Self {
        Self { name: "UTC".to_owned(), zone: PushZone::default() }
    }
}

impl Setting for ZoneName {
    const SHAPE: Shape = Shape::Text;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        let zone = PushZone::parse(text).ok_or_else(|| {
            Invalid(format!("expected the name of a time zone such as \"Asia/Shanghai\", found {text:?}"))
        })?;
        Ok(Self { name: text.to_owned(), zone })
    }

    fn to_toml(&self) -> Option<String> {
        Some(quoted(&self.name))
    }
}

/// Whether this is an App ID or certificate: 32 hex characters.
fn is_32_hex(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// An App ID: 32 hex characters, case kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppIdText(String);

impl AppIdText {
    /// The ID.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for AppIdText {
    const SHAPE: Shape = Shape::Text;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        if is_32_hex(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid(format!("expected 32 hex characters, found {text:?}")))
        }
    }

    fn to_toml(&self) -> Option<String> {
        Some(quoted(&self.0))
    }
}

/// An app certificate: 32 hex characters, case kept, secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate(SecretText);

impl Certificate {
    /// The certificate itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Setting for Certificate {
    const SHAPE: Shape = Shape::Text;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        if is_32_hex(text) {
            Ok(Self(SecretText::new(text.to_owned())))
        } else {
            Err(Invalid("expected 32 hex characters".into()))
        }
    }

    fn to_toml(&self) -> Option<String> {
        self.0.to_toml()
    }
}

/// Words that the first part of a URL path already means: no organisation may have one of these names.
pub const RESERVED_ORG_NAMES: [&str; 10] =
    ["app-id", "dev", "docs", "easemob", "healthz", "metrics", "readyz", "try", "websocket", "ws"];

/// One path segment of the Chat dialect: letters, digits, `-`, `_` and `.`, at most 64.
fn is_segment(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=64).contains(&text.len()) && text.bytes().all(allowed) && text.bytes().any(|byte| byte != b'.')
}

fn segment(text: &str) -> Result<(), Invalid> {
    if is_segment(text) {
        Ok(())
    } else {
        Err(Invalid(format!("expected 1 to 64 letters, digits, '-', '_' or '.', found {text:?}")))
    }
}

/// The organisation of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgName(String);

impl OrgName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for OrgName {
    const SHAPE: Shape = Shape::Text;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        segment(text)?;
        if RESERVED_ORG_NAMES.contains(&text.to_ascii_lowercase().as_str()) {
            return Err(Invalid(format!("{text:?} is reserved; so are {}", RESERVED_ORG_NAMES.join(", "))));
        }
        Ok(Self(text.to_owned()))
    }

    fn to_toml(&self) -> Option<String> {
        Some(quoted(&self.0))
    }
}

/// The name of an app inside its organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppName(String);

impl AppName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for AppName {
    const SHAPE: Shape = Shape::Text;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        segment(text)?;
        Ok(Self(text.to_owned()))
    }

    fn to_toml(&self) -> Option<String> {
        Some(quoted(&self.0))
    }
}

/// A pair of HTTP Basic credentials: `{ id = "…", secret = "…" }`, in the environment `id:secret`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The user of HTTP Basic.
    pub id: String,
    /// The password of HTTP Basic.
    pub secret: SecretText,
}

impl Setting for Customer {
    const SHAPE: Shape = Shape::Text;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        let Some((id, secret)) = text.split_once(':') else {
            return Err(Invalid("expected id:secret".into()));
        };
        if id.is_empty() {
            return Err(Invalid("the customer ID must not be empty".into()));
        }
        Ok(Self { id: id.to_owned(), secret: SecretText::from_text(secret)? })
    }

    fn from_toml(value: &toml::de::DeValue<'_>) -> Result<Self, Invalid> {
        let Some(table) = value.as_table() else {
            let Invalid(found) = wrong_shape(Shape::Text, value);
            return Err(Invalid(found.replace("a string", "{ id = \"…\", secret = \"…\" }")));
        };
        let (mut id, mut secret) = (None, None);
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "id" => id = Some(Raw::Toml(value.get_ref()).read::<String>()?),
                "secret" => secret = Some(Raw::Toml(value.get_ref()).read::<SecretText>()?),
                other => return Err(Invalid(format!("unknown key {other:?}; a customer has id and secret"))),
            }
        }
        match (id, secret) {
            (Some(id), Some(_)) if id.is_empty() || id.contains(':') => {
                Err(Invalid("a customer ID must not be empty or contain ':'".into()))
            }
            (Some(id), Some(secret)) => Ok(Self { id, secret }),
            _ => Err(Invalid("a customer needs both id and secret".into())),
        }
    }

    fn to_toml(&self) -> Option<String> {
        Some(format!("{{ id = {}, secret = {} }}", quoted(&self.id), quoted(self.secret.expose())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_organisations_are_refused() {
        for name in RESERVED_ORG_NAMES {
            assert!(OrgName::from_text(name).is_err(), "{name}");
        }
        assert!(OrgName::from_text("Docs").is_err());
        assert!(OrgName::from_text("a/b").is_err());
        assert!(OrgName::from_text("..").is_err());
        assert_eq!(OrgName::from_text("acme").unwrap().as_str(), "acme");
    }

    #[test]
    fn secrets_do_not_show() {
        let customer = Customer::from_text("cid:csec:with:colons").unwrap();
        assert_eq!(customer.secret.expose(), "csec:with:colons");
        assert!(!format!("{customer:?}").contains("csec"));
        assert!(!Certificate::from_text("secret").unwrap_err().0.contains("secret"));
    }
}
