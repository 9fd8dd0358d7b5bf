//! What is secret of a certificate, as it lies in the store: encrypted and bound to its place, so that nobody can read it
//! without the key, nor put it under another certificate or app.
//!
//! A version (1), a nonce of 12 bytes, and AES-256-GCM of the text with app and UUID as associated data. Nonces are
//! random: they repeat within some thousand millions of changes, and certificates change seldom.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// The first byte of what is sealed.
const VERSION: u8 = 1;

/// Why a secret cannot be sealed or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The key is another one, or the bytes were changed or moved.
    #[error("it was sealed with another key, or is damaged")]
    Unreadable,
    /// Another version wrote it.
    #[error("it was sealed by another version")]
    Version,
    /// There is no randomness, or the key cannot be used.
    #[error("it cannot be sealed")]
    Failed,
}

/// Seals what belongs to one app.
pub(super) struct Sealer {
    key: LessSafeKey,
    app: String,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("app", &self.app).finish_non_exhaustive()
    }
}

impl Sealer {
    /// A sealer with a key of 32 random bytes.
    ///
    /// # Errors
    /// When the key cannot be used, which does not happen.
    pub(super) fn new(key: &[u8; 32], app: &str) -> Result<Self, SealError> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| SealError::Failed)?;
        Ok(Self { key: LessSafeKey::new(key), app: app.to_owned() })
    }

    /// Where a secret belongs. No app's key has a line break.
    fn place(&self, uuid: &str) -> Aad<String> {
        Aad::from(format!("{}\n{uuid}", self.app))
    }

    /// Seals the secret of a certificate.
    ///
    /// # Errors
    /// When the operating system has no randomness.
    pub(super) fn seal(&self, uuid: &str, secret: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| SealError::Failed)?;
        let mut text = secret.to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), self.place(uuid), &mut text)
            .map_err(|_| SealError::Failed)?;
        Ok([&[VERSION], &nonce[..], &text].concat())
    }

    /// Reads the secret of a certificate.
    ///
    /// # Errors
    /// When it was not sealed with this key for this certificate.
    pub(super) fn open(&self, uuid: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (version, rest) = sealed.split_first().ok_or(SealError::Unreadable)?;
        if *version != VERSION {
            return Err(SealError::Version);
        }
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or(SealError::Unreadable)?;
        let mut text = text.to_vec();
        let opened = self.key.open_in_place(Nonce::assume_unique_for_key(*nonce), self.place(uuid), &mut text);
        opened.map(|secret| secret.to_vec()).map_err(|_| SealError::Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(key: u8, app: &str) -> Sealer {
        Sealer::new(&[key; 32], app).expect("a key")
    }

    #[test]
    fn what_is_sealed_can_be_read_in_its_place_only() {
        let sealed = sealer(1, "org#app").seal("u1", b"secret").expect("sealed");
        assert_eq!(sealer(1, "org#app").open("u1", &sealed).as_deref(), Ok(&b"secret"[..]));
        assert!(!sealed.windows(6).any(|bytes| bytes == b"secret"));
        for (sealer, uuid) in [
            (sealer(2, "org#app"), "u1"),
            (sealer(1, "org#other"), "u1"),
            (sealer(1, "org#app"), "u2"),
            (sealer(1, "org"), "#app\nu1"),
        ] {
            assert_eq!(sealer.open(uuid, &sealed), Err(SealError::Unreadable), "{sealer:?} {uuid}");
        }
    }

    #[test]
    fn the_same_secret_is_never_sealed_the_same() {
        let sealer = sealer(1, "org#app");
        assert_ne!(sealer.seal("u1", b"secret"), sealer.seal("u1", b"secret"));
    }

    #[test]
    fn changed_bytes_are_not_read() {
        let sealer = sealer(1, "org#app");
        let sealed = sealer.seal("u1", b"secret").expect("sealed");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(sealer.open("u1", &changed).is_err(), "byte {at}");
            assert!(sealer.open("u1", &sealed[..at]).is_err(), "{at} bytes");
        }
        assert_eq!(sealer.open("u1", &[&[2], &sealed[1..]].concat()), Err(SealError::Version));
    }
}
