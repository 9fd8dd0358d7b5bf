//! A text that must not be shown: never in a log, never measurable by timing.

use std::fmt;

use subtle::{Choice, ConstantTimeEq};

/// A password, certificate or key. `Debug` hides it; comparing it takes the same time whatever it holds.
#[derive(Clone)]
pub struct Secret(Box<str>);

impl Secret {
    /// Hides `text`.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself, for what must compute with it. Never log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is anything to keep secret.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `presented` is the secret. The time depends on the length of `presented` alone, not on the
    /// secret's bytes nor on its length.
    #[must_use]
    pub fn matches(&self, presented: &[u8]) -> Choice {
        let secret = self.0.as_bytes();
        let mut same = secret.len().ct_eq(&presented.len());
        for (index, byte) in presented.iter().enumerate() {
            // Beyond the secret's end the walk goes on, so that its length does not show.
            let expected = secret.get(index).copied().unwrap_or(0);
            same &= byte.ct_eq(&expected);
        }
        same
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.matches(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_text_matches() {
        let secret = Secret::new("csec");
        for (presented, expected) in [
            (&b"csec"[..], true),
            (b"", false),
            (b"cse", false),
            (b"csec\0", false),
            (b"csec0", false),
            (b"Csec", false),
        ] {
            assert_eq!(bool::from(secret.matches(presented)), expected, "{presented:?}");
        }
        assert!(bool::from(Secret::new("").matches(b"")));
        assert!(!bool::from(Secret::new("").matches(b"\0")));
    }

    #[test]
    fn equality_follows_the_text() {
        assert_eq!(Secret::new("a"), Secret::new("a"));
        assert_ne!(Secret::new("a"), Secret::new("ab"));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
    }
}
