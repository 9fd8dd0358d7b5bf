//! `security`: the MD5, in hex, of `callId`, the rule's secret and `timestamp`, one behind the other (callback documents).
//! It is weak: the body is not in it. Receivers should check our own header instead, which covers every byte.

use bytes::Bytes;
use md5::{Digest, Md5};
use stentor_callbacks::{Seal, Unsealed};

/// Puts the vendor's signature into a body.
#[derive(Debug)]
pub(super) struct Md5Seal;

impl Seal for Md5Seal {
    fn seal(&self, what: &Unsealed, secret: &str) -> Bytes {
        sealed(&what.body, &what.call_id, what.timestamp_ms, secret)
    }
}

/// The body with `security` as its last member. What is no object stays as it is: there is none such.
pub(super) fn sealed(body: &[u8], call_id: &str, timestamp_ms: u64, secret: &str) -> Bytes {
    let Some(open) = body.strip_suffix(b"}") else { return Bytes::copy_from_slice(body) };
    let comma = if open.ends_with(b"{") { "" } else { "," };
    let end = format!("{comma}\"security\":\"{}\"}}", security(call_id, timestamp_ms, secret));
    [open, end.as_bytes()].concat().into()
}

fn security(call_id: &str, timestamp_ms: u64, secret: &str) -> String {
    let digest = Md5::digest(format!("{call_id}{secret}{timestamp_ms}"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_what_md5sum_says() {
        // printf 'a#b_1secret7' | md5sum
        assert_eq!(security("a#b_1", 7, "secret"), "7fa73938fe5a13f179c3400891d56954");
        assert_eq!(
            sealed(b"{\"a\":1}", "a#b_1", 7, "secret"),
            "{\"a\":1,\"security\":\"7fa73938fe5a13f179c3400891d56954\"}"
        );
        assert_eq!(sealed(b"{}", "a#b_1", 7, "secret"), "{\"security\":\"7fa73938fe5a13f179c3400891d56954\"}");
    }
}
