//! History handles: a query that was checked, signed, so that the server keeps nothing between two requests.
//!
//! The bytes are a version, the expiry, the query, and an HMAC-SHA256 over the App ID and all of these. The text is
//! URL-safe base64 with padding: the vendor's handles have padding, and clients paste them into URLs unescaped.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use stentor_core::id::UserId;
use stentor_core::store::{HistoryFilter, HistoryPage};

/// How long a handle may be used, in milliseconds. The documents say that handles expire, not when.
pub const HANDLE_LIFE_MS: u64 = 5 * 60 * 1000;

const VERSION: u8 = 1;
const MAC_BYTES: usize = 32;
/// Longer texts are refused before they are decoded. RTM names make handles of up to 272 bytes; this is enough for
/// any two names that fit their length byte.
const MAX_TEXT_BYTES: usize = 1024;

/// What handles are signed with. `Debug` does not show it.
#[derive(Clone)]
pub struct HandleKey([u8; 32]);

impl HandleKey {
    /// A key of 32 random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for HandleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandleKey(…)")
    }
}

/// A query that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Which messages.
    pub filter: HistoryFilter,
    /// Which of them.
    pub page: HistoryPage,
}

/// Why a handle is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// Not one that this server made for this App ID.
    #[error("the handle is not valid for this App ID")]
    Invalid,
    /// Made by this server, too long ago.
    #[error("the handle has expired")]
    Expired,
}

/// Makes a handle for `query`, for use until [`HANDLE_LIFE_MS`] after `now_ms` (Unix time in milliseconds).
#[must_use]
pub fn seal(key: &HandleKey, app_id: &str, query: &Query, now_ms: u64) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&now_ms.saturating_add(HANDLE_LIFE_MS).to_be_bytes());
    for number in [query.filter.start_ms, query.filter.end_ms, query.page.offset, query.page.limit] {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    bytes.push(u8::from(query.page.newest_first));
    let names = [query.filter.from.as_ref().map(UserId::as_str), query.filter.to.as_deref()];
    for name in names.map(Option::unwrap_or_default) {
        // A name was checked to be short, so the cast to one byte does not cut; an empty one stands for none.
        bytes.push(u8::try_from(name.len()).unwrap_or(0));
        bytes.extend_from_slice(name.as_bytes());
    }
    if let Some(mac) = mac(key, app_id, &bytes) {
        bytes.extend_from_slice(&mac.finalize().into_bytes());
    }
    BASE64_URL_SAFE.encode(bytes)
}

/// Reads a handle at `now_ms` (Unix time in milliseconds).
///
/// # Errors
/// When it was not made by [`seal`] with the same key for the same App ID, or is too old.
pub fn open(key: &HandleKey, app_id: &str, text: &str, now_ms: u64) -> Result<Query, HandleError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(HandleError::Invalid);
    }
    let bytes = BASE64_URL_SAFE.decode(text).map_err(|_| HandleError::Invalid)?;
    let signed_bytes = bytes.len().checked_sub(MAC_BYTES).ok_or(HandleError::Invalid)?;
    let (signed, signature) = bytes.split_at(signed_bytes);
    let mac = mac(key, app_id, signed).ok_or(HandleError::Invalid)?;
    mac.verify_slice(signature).map_err(|_| HandleError::Invalid)?;
    let (expires_at_ms, query) = decode(signed).ok_or(HandleError::Invalid)?;
    if now_ms > expires_at_ms { Err(HandleError::Expired) } else { Ok(query) }
}

fn mac(key: &HandleKey, app_id: &str, signed: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).ok()?;
    // An App ID has 32 bytes always, so where it ends is no question.
    mac.update(b"stentor rtm history handle\0");
    mac.update(app_id.as_bytes());
    mac.update(signed);
    Some(mac)
}

/// Reads the signed part: when it expires, and the query. Public so that a fuzzer gets past the signature.
#[must_use]
pub fn decode(signed: &[u8]) -> Option<(u64, Query)> {
    let (version, mut rest) = signed.split_first()?;
    if *version != VERSION {
        return None;
    }
    let rest = &mut rest;
    let (expires_at_ms, start_ms, end_ms) = (number(rest)?, number(rest)?, number(rest)?);
    let (offset, limit) = (number(rest)?, number(rest)?);
    let newest_first = byte(rest)? != 0;
    let from = name(rest)?.map(UserId::from_trusted);
    let to = name(rest)?.map(str::to_owned);
    let query = Query {
        filter: HistoryFilter { from, to, start_ms, end_ms, ..HistoryFilter::ALL },
        page: HistoryPage { offset, limit, newest_first },
    };
    rest.is_empty().then_some((expires_at_ms, query))
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    let (first, others) = rest.split_first()?;
    *rest = others;
    Some(*first)
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let (first, others) = rest.split_first_chunk()?;
    *rest = others;
    Some(u64::from_be_bytes(*first))
}

fn name<'a>(rest: &mut &'a [u8]) -> Option<Option<&'a str>> {
    let length = usize::from(byte(rest)?);
    let (first, others) = rest.split_at_checked(length)?;
    *rest = others;
    let name = str::from_utf8(first).ok()?;
    Some((!name.is_empty()).then_some(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::APP;

    const KEY: HandleKey = HandleKey::new([7; 32]);
    const NOW_MS: u64 = 1_700_000_000_000;

    fn query() -> Query {
        Query {
            filter: HistoryFilter {
                from: Some(UserId::from_trusted("userA")),
                to: Some("channel A".into()),
                start_ms: 1,
                end_ms: 2,
                ..HistoryFilter::ALL
            },
            page: HistoryPage { offset: 100, limit: 20, newest_first: true },
        }
    }

    #[test]
    fn a_handle_carries_its_query() {
        let text = seal(&KEY, APP, &query(), NOW_MS);
        assert_eq!(open(&KEY, APP, &text, NOW_MS), Ok(query()));
        let long = |name: char| name.to_string().repeat(64);
        let mut query = query();
        query.filter.from = Some(UserId::from_trusted(&long('x')));
        query.filter.to = Some(long('y'));
        let text = seal(&KEY, APP, &query, NOW_MS);
        assert_eq!(text.len(), 272);
        assert_eq!(open(&KEY, APP, &text, NOW_MS), Ok(query));
    }

    #[test]
    fn a_handle_expires() {
        let text = seal(&KEY, APP, &query(), NOW_MS);
        assert_eq!(open(&KEY, APP, &text, NOW_MS + HANDLE_LIFE_MS), Ok(query()));
        assert_eq!(open(&KEY, APP, &text, NOW_MS + HANDLE_LIFE_MS + 1), Err(HandleError::Expired));
    }

    #[test]
    fn a_handle_is_of_one_app_and_one_key() {
        let text = seal(&KEY, APP, &query(), NOW_MS);
        let invalid = Err(HandleError::Invalid);
        assert_eq!(open(&KEY, &APP.to_lowercase(), &text, NOW_MS), invalid);
        assert_eq!(open(&HandleKey::new([8; 32]), APP, &text, NOW_MS), invalid);
        // Whoever forges learns nothing from "expired".
        assert_eq!(open(&HandleKey::new([8; 32]), APP, &text, u64::MAX), invalid);
    }

    #[test]
    fn a_changed_handle_is_refused() {
        let bytes = BASE64_URL_SAFE.decode(seal(&KEY, APP, &query(), NOW_MS)).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            let text = BASE64_URL_SAFE.encode(&changed);
            assert_eq!(open(&KEY, APP, &text, NOW_MS), Err(HandleError::Invalid), "byte {index}");
            let text = BASE64_URL_SAFE.encode(&bytes[..index]);
            assert_eq!(open(&KEY, APP, &text, NOW_MS), Err(HandleError::Invalid), "cut at {index}");
        }
        for text in ["", "=", "123456123456", "MjIzMDA3OjEyODA5MzkyOQ==", "é", &"A".repeat(10_000)] {
            assert_eq!(open(&KEY, APP, text, NOW_MS), Err(HandleError::Invalid), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_query_is_read_back(
            from in proptest::option::of("[ -~]{1,64}"),
            to in proptest::option::of("[ -~]{1,64}"),
            numbers: [u64; 4],
            newest_first: bool,
        ) {
            let [start_ms, end_ms, offset, limit] = numbers;
            let from = from.as_deref().map(UserId::from_trusted);
            let query = Query {
                filter: HistoryFilter { from, to, start_ms, end_ms, ..HistoryFilter::ALL },
                page: HistoryPage { offset, limit, newest_first },
            };
            let text = seal(&KEY, APP, &query, NOW_MS);
            prop_assert_eq!(open(&KEY, APP, &text, NOW_MS), Ok(query));
        }

        #[test]
        fn nothing_makes_it_panic(text in ".{0,300}") {
            prop_assert_eq!(open(&KEY, APP, &text, NOW_MS), Err(HandleError::Invalid));
        }

        #[test]
        fn signed_nonsense_is_not_read(signed in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut bytes = signed.clone();
            bytes.extend_from_slice(&mac(&KEY, APP, &signed).unwrap().finalize().into_bytes());
            let _ = open(&KEY, APP, &BASE64_URL_SAFE.encode(bytes), NOW_MS);
        }
    }
}
