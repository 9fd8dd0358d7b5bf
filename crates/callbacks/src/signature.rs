//! Our signature of a request, beside what the body holds of the vendor's: `X-Stentor-Signature: t=1700000000,v1=…`.
//!
//! `v1` is the HMAC-SHA256, in hex, of the decimal `t`, a dot, and the body, with the rule's secret as key. `t` is when
//! this try was made, in Unix seconds: a receiver that refuses old ones cannot be sent a recorded request again.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The name of the header.
pub const HEADER: &str = "x-stentor-signature";

/// The header's value for a request made at `now_s` (Unix time in seconds).
#[must_use]
pub fn sign(secret: &str, now_s: u64, body: &[u8]) -> String {
    format!("t={now_s},v1={}", hex(&mac(secret, now_s, body).finalize().into_bytes()))
}

/// Whether a header's value is right: what a receiver does. In constant time. `None`: it is not ours; otherwise the time
/// at which it was made, in Unix seconds.
#[must_use]
pub fn verify(secret: &str, value: &str, body: &[u8]) -> Option<u64> {
    let (time, signature) = value.strip_prefix("t=")?.split_once(",v1=")?;
    let now_s = time.parse().ok()?;
    let signature = unhex(signature)?;
    mac(secret, now_s, body).verify_slice(&signature).ok().map(|()| now_s)
}

fn mac(secret: &str, now_s: u64, body: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.update(now_s.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_what_openssl_says() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
        let expected = "t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686";
        assert_eq!(sign("secret", 1_700_000_000, b"{\"a\":1}"), expected);
    }

    #[test]
    fn only_the_same_body_secret_and_time_are_right() {
        let value = sign("secret", 7, b"body");
        assert_eq!(verify("secret", &value, b"body"), Some(7));
        assert_eq!(verify("secret", &value, b"bodY"), None);
        assert_eq!(verify("other", &value, b"body"), None);
        assert_eq!(verify("secret", &value.replace("t=7", "t=8"), b"body"), None);
        for odd in ["", "t=7", "t=7,v1=", "t=7,v1=0g", "t=7,v1=000", "t=x,v1=00", "v1=00"] {
            assert_eq!(verify("secret", odd, b"body"), None, "{odd}");
        }
    }
}
