//! What nobody may guess: the UUID of a file, and its secret. The secret is shown once, and only its digest is kept:
//! it has as much randomness as the digest, so nothing slower than SHA-256 is needed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::error::ChatError;

/// As many bytes as the vendor's secrets have, which are 48 characters.
const SECRET_BYTES: usize = 36;

fn random<const N: usize>() -> Result<[u8; N], ChatError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| ChatError::internal())?;
    Ok(bytes)
}

/// A UUID (version 4). For a file that anybody may read, it is all that keeps others away.
pub(super) fn uuid() -> Result<String, ChatError> {
    let bits = u128::from_be_bytes(random()?);
    let bits = bits & !(0xf << 76) | 4 << 76;
    let bits = bits & !(3 << 62) | 2 << 62;
    let hex = format!("{bits:032x}");
    Ok(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}

/// A share-secret.
pub(super) fn share_secret() -> Result<String, ChatError> {
    Ok(URL_SAFE_NO_PAD.encode(random::<SECRET_BYTES>()?))
}

/// What is kept of it.
pub(super) fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// Whether this is the secret. How long it takes says nothing about it.
pub(super) fn opens(secret_digest: &[u8], presented: Option<&str>) -> bool {
    let presented = digest(presented.unwrap_or_default());
    presented.ct_eq(secret_digest).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_of_version_4_and_never_the_same() {
        let uuid = uuid().unwrap();
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
        assert!(matches!(&uuid[19..20], "8" | "9" | "a" | "b"));
        assert_ne!(super::uuid().unwrap(), uuid);
    }

    #[test]
    fn only_the_secret_opens() {
        let secret = share_secret().unwrap();
        assert_eq!(secret.len(), 48);
        assert!(opens(&digest(&secret), Some(&secret)));
        for wrong in [None, Some(""), Some(&secret[1..]), Some("x")] {
            assert!(!opens(&digest(&secret), wrong));
        }
    }
}
