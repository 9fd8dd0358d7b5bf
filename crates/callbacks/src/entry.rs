//! What is kept of a callback, and under which key. Keys of waiting callbacks order by rule and by when they are due;
//! those of dead letters by set and by how often the set was sent again.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use minicbor::{Decode, Encode};
use stentor_core::records::{Record, RecordKind, encode};
use stentor_core::store::Change;

use crate::outbox::Unsealed;
use crate::set::SetDate;

/// A callback that is to be delivered, or could not be.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Entry {
    /// Which rule it belongs to.
    #[n(0)]
    pub(crate) rule: String,
    /// The callback's own ID: stays through every try.
    #[n(1)]
    pub(crate) call_id: String,
    /// When what it tells of happened: Unix time in milliseconds.
    #[n(2)]
    pub(crate) timestamp_ms: u64,
    /// The body without its signature.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub(crate) body: Vec<u8>,
    /// When it was queued, or sent again: Unix time in milliseconds.
    #[n(4)]
    pub(crate) queued_ms: u64,
    /// How often it was tried since.
    #[n(5)]
    pub(crate) attempts: u32,
    /// How often it was sent again by hand.
    #[n(6)]
    pub(crate) resends: u32,
    /// Where it goes instead of the rule's URL.
    #[n(7)]
    pub(crate) target: Option<String>,
    /// The set that it came from, if it was sent again.
    #[n(8)]
    pub(crate) set: Option<String>,
    /// Why it could not be delivered the last time.
    #[n(9)]
    pub(crate) failure: Option<String>,
}

impl Entry {
    /// A callback that was not tried yet.
    pub(crate) fn new(rule: &str, what: &Unsealed, now_ms: u64) -> Self {
        Self {
            rule: rule.to_owned(),
            call_id: what.call_id.clone(),
            timestamp_ms: what.timestamp_ms,
            body: what.body.to_vec(),
            queued_ms: now_ms,
            attempts: 0,
            resends: 0,
            target: None,
            set: None,
            failure: None,
        }
    }

    pub(crate) fn unsealed(&self) -> Unsealed {
        Unsealed {
            call_id: self.call_id.clone(),
            timestamp_ms: self.timestamp_ms,
            body: Bytes::copy_from_slice(&self.body),
        }
    }
}

/// An entry of the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub(crate) struct Waiting(#[n(0)] pub(crate) Entry);

impl Record for Waiting {
    const KIND: RecordKind = RecordKind::Callback;
}

/// A dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub(crate) struct Dead(#[n(0)] pub(crate) Entry);

impl Record for Dead {
    const KIND: RecordKind = RecordKind::FailedCallback;
}

/// Numbers the keys of one run of the process.
#[derive(Debug)]
pub(crate) struct Numbers {
    /// Random: two runs, or two nodes, do not make the same key.
    run: u64,
    next: AtomicU64,
}

impl Numbers {
    pub(crate) fn new(run: u64) -> Self {
        Self { run, next: AtomicU64::new(0) }
    }

    fn next(&self) -> String {
        format!("{:016x}{:016x}", self.next.fetch_add(1, Ordering::Relaxed), self.run)
    }

    /// Puts an entry into the outbox, due at `due_ms`.
    pub(crate) fn put_waiting(&self, entry: Entry, due_ms: u64) -> Change {
        let key = format!("{}/{due_ms:016x}{}", entry.rule, self.next());
        Change::Put { kind: RecordKind::Callback, key, value: encode(&Waiting(entry)) }
    }

    /// Puts an entry among the dead letters: into the set that it came from, or that of now.
    pub(crate) fn put_dead(&self, entry: Entry, now_ms: u64) -> Change {
        let set = entry.set.clone().unwrap_or_else(|| SetDate::of(now_ms).to_string());
        let key = format!("{set}/{:08}/{}", entry.resends, self.next());
        Change::Put { kind: RecordKind::FailedCallback, key, value: encode(&Dead(entry)) }
    }
}

/// When the entry of this key is due: Unix time in milliseconds. `None`: this is no key of the outbox.
pub(crate) fn due_ms(key: &str) -> Option<u64> {
    let (_, rest) = key.split_once('/')?;
    u64::from_str_radix(rest.get(..16)?, 16).ok()
}

/// The rule whose entry this key is of.
pub(crate) fn rule_of(key: &str) -> &str {
    key.split_once('/').map_or(key, |(rule, _)| rule)
}

/// The set and the number of times it was sent again, of the key of a dead letter.
pub(crate) fn set_of(key: &str) -> Option<(SetDate, u32)> {
    let mut parts = key.split('/');
    Some((SetDate::parse(parts.next()?)?, parts.next()?.parse().ok()?))
}

/// The prefix of a rule's keys, or of a set's.
pub(crate) fn prefix(of: &str) -> String {
    format!("{of}/")
}

/// A key behind every key that begins with `of` and a slash: `0` is the character behind it.
pub(crate) fn behind(of: &str) -> String {
    format!("{of}0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use stentor_core::records::decode;

    fn entry() -> Entry {
        let what = Unsealed { call_id: "a#b_1".to_owned(), timestamp_ms: 7, body: Bytes::from_static(b"{}") };
        Entry { failure: Some("status 500".to_owned()), ..Entry::new("audit", &what, 9) }
    }

    fn key_of(change: &Change) -> &str {
        let Change::Put { key, .. } = change else { panic!("{change:?}") };
        key
    }

    #[test]
    fn entries_read_back() {
        let Change::Put { value, kind, .. } = Numbers::new(1).put_waiting(entry(), 1) else { panic!() };
        assert_eq!((kind, decode::<Waiting>(&value).expect("an entry").0), (RecordKind::Callback, entry()));
    }

    #[test]
    fn keys_order_by_rule_and_due_time() {
        let numbers = Numbers::new(u64::MAX);
        let keys: Vec<_> = [(1, "a"), (255, "a"), (256, "a"), (256, "a"), (1, "a-b"), (0, "b")]
            .map(|(due, rule)| key_of(&numbers.put_waiting(Entry { rule: rule.to_owned(), ..entry() }, due)).to_owned())
            .into();
        let dues: Vec<_> = keys.iter().map(|key| due_ms(key).expect("due")).collect();
        assert_eq!(dues, [1, 255, 256, 256, 1, 0]);
        assert_eq!(rule_of(&keys[4]), "a-b");
        let of_a: Vec<_> = keys.iter().filter(|key| key.starts_with(&prefix("a"))).collect();
        assert_eq!(of_a.len(), 4);
        assert!(of_a.is_sorted());
        assert!(of_a.iter().all(|key| key.as_str() < behind("a").as_str()));
    }

    #[test]
    fn dead_letters_stay_in_their_set() {
        let numbers = Numbers::new(1);
        let fresh = numbers.put_dead(entry(), 1_700_000_000_000);
        assert_eq!(set_of(key_of(&fresh)), Some((SetDate::of(1_700_000_000_000), 0)));
        let again = Entry { set: Some("202109091440".to_owned()), resends: 3, ..entry() };
        assert_eq!(
            set_of(key_of(&numbers.put_dead(again, 1_700_000_000_000)))
                .map(|(set, resends)| (set.to_string(), resends)),
            Some(("202109091440".to_owned(), 3))
        );
    }
}
