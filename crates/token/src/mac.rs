//! HMAC-SHA256 as the binary token formats use it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::Refusal;

/// Length of an HMAC-SHA256 signature in bytes.
pub(crate) const LEN: usize = 32;

fn keyed(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC is defined for a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key length");
    for part in parts {
        mac.update(part);
    }
    mac
}

/// HMAC-SHA256 of the concatenated `parts`.
pub(crate) fn sign(key: &[u8], parts: &[&[u8]]) -> [u8; LEN] {
    keyed(key, parts).finalize().into_bytes().into()
}

/// Compares `signature` with the HMAC of `parts` in constant time.
pub(crate) fn verify(key: &[u8], parts: &[&[u8]], signature: &[u8]) -> Result<(), Refusal> {
    keyed(key, parts).verify_slice(signature).map_err(|_| Refusal::Invalid)
}
