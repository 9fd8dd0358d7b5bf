//! `X-Stentor-Signature` as a receiver checks it (`docs/push.md`, `docs/operations.md`): `t=…,v1=…`, the HMAC-SHA256 in
//! hex of `t`, a dot and the body.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// When a body was signed with this secret: Unix time in seconds. `None` if it was not.
#[must_use]
pub fn verify(secret: &str, header: &str, body: &[u8]) -> Option<u64> {
    let (time, signature) = header.strip_prefix("t=")?.split_once(",v1=")?;
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    let pairs: Option<Vec<u8>> =
        (0..signature.len()).step_by(2).map(|at| u8::from_str_radix(signature.get(at..at + 2)?, 16).ok()).collect();
    mac.verify_slice(&pairs?).ok()?;
    time.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_body_and_secret_are_right() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
        let header = "t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686";
        assert_eq!(verify("secret", header, b"{\"a\":1}"), Some(1_700_000_000));
        assert_eq!(verify("secret", header, b"{\"a\":2}"), None);
        assert_eq!(verify("other", header, b"{\"a\":1}"), None);
        assert_eq!(verify("secret", &header.replace("t=17", "t=18"), b"{\"a\":1}"), None);
        assert_eq!(verify("secret", "", b""), None);
    }
}
