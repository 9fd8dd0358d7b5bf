//! Request IDs: what a caller quotes when it asks what became of its request.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderName, HeaderValue};
use serde::{Serialize, Serializer};

/// The response header that repeats the request ID, as the vendor's gateway does.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// One request's ID. On the wire it is a decimal `u64` in a string, as in the RTM event documents' example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(pub u64);

impl RequestId {
    /// The ID as a header value.
    #[must_use]
    pub fn header_value(self) -> HeaderValue {
        HeaderValue::from(self.0)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Hands out request IDs: no two of one source are equal, and they look random.
#[derive(Debug)]
pub struct RequestIds {
    next: AtomicU64,
}

/// The step of splitmix64: odd, so that the counter meets every `u64` once.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl RequestIds {
    /// Starts at `seed`: from the operating system in production, so that processes do not repeat each other;
    /// fixed in tests.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { next: AtomicU64::new(seed) }
    }

    /// The next ID.
    pub fn next(&self) -> RequestId {
        RequestId(mix(self.next.fetch_add(STEP, Ordering::Relaxed)))
    }
}

/// splitmix64's finisher: a bijection, so distinct counters stay distinct.
const fn mix(counter: u64) -> u64 {
    let z = (counter ^ (counter >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_do_not_repeat() {
        let ids = RequestIds::new(7);
        let seen: HashSet<_> = (0..10_000).map(|_| ids.next()).collect();
        assert_eq!(seen.len(), 10_000);
    }

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        assert_eq!(RequestIds::new(1).next(), RequestIds::new(1).next());
        assert_ne!(RequestIds::new(1).next(), RequestIds::new(2).next());
    }

    #[test]
    fn an_id_is_decimal_in_a_string() {
        let id = RequestId(10_116_762_670_167_749_259);
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"10116762670167749259\"");
        assert_eq!(id.header_value(), "10116762670167749259");
    }
}
