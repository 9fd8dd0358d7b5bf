//! The names and numbers things are known by. Parsing is validating: a value of these types keeps its rule.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a user or room name of an app may look like. Each dialect brings its own rule in its app policy.
#[derive(Debug, Clone, Copy)]
pub struct NameRule {
    max_bytes: usize,
    ascii: u128,
}

impl NameRule {
    /// A rule that allows 1 to `max_bytes` of the ASCII characters in `allowed`.
    #[must_use]
    pub const fn ascii(max_bytes: usize, allowed: &str) -> Self {
        let mut ascii = 0u128;
        let bytes = allowed.as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            ascii |= 1u128 << (bytes[i] & 0x7f);
            i += 1;
        }
        Self { max_bytes, ascii }
    }

    /// Checks a name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, name: &str) -> Result<(), NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.len() > self.max_bytes {
            return Err(NameError::TooLong { max: self.max_bytes });
        }
        let allowed = |b: u8| b < 128 && self.ascii & (1u128 << b) != 0;
        if name.bytes().all(allowed) { Ok(()) } else { Err(NameError::Character) }
    }
}

/// Why a name was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The name has no characters.
    #[error("must not be empty")]
    Empty,
    /// The name has more than `max` bytes.
    #[error("must not be longer than {max} characters")]
    TooLong {
        /// The limit, in bytes.
        max: usize,
    },
    /// The name holds a character outside the rule's set.
    #[error("contains a character that is not allowed")]
    Character,
}

/// A UUID (version 4) made of random bits.
#[must_use]
pub fn uuid(random: u128) -> String {
    let bits = random & !(0xf << 76) | 4 << 76;
    let bits = bits & !(3 << 62) | 2 << 62;
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses a name by the app's rule.
            ///
            /// # Errors
            /// When the rule refuses it.
            pub fn parse(name: &str, rule: &NameRule) -> Result<Self, NameError> {
                rule.check(name)?;
                Ok(Self(name.into()))
            }

            /// Takes over a name that was checked before: it comes from a store, another node or a constant.
            #[must_use]
            pub fn from_trusted(name: &str) -> Self {
                Self(name.into())
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )*};
}

names! {
    /// A tenant. Nothing of one app is visible to another.
    AppId;
    /// An account name in an app.
    UserId;
    /// A room (RTM channel, Chat room or group) in an app.
    RoomId;
    /// One device of a user. Dialects with a single login use [`DeviceId::only`].
    DeviceId;
}

impl DeviceId {
    /// The device of a dialect that knows only one per user.
    #[must_use]
    pub fn only() -> Self {
        Self::from_trusted("")
    }
}

/// One process of a cluster, 0 to 1023.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u16);

impl NodeId {
    /// A node number.
    ///
    /// Returns `None` above 1023, which would not fit into a [`MessageId`].
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        if number < 1024 { Some(Self(number)) } else { None }
    }

    /// The only node of a single-node installation.
    pub const SINGLE: Self = Self(0);

    /// The number, 0 to 1023.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// A session's number: random, so that knowing one is the right to resume it. Fits an `i64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl SessionId {
    /// Reads what [`fmt::Display`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() == 16 { u64::from_str_radix(text, 16).ok().map(Self) } else { None }
    }
}

/// A message's number: 64 bits, ordered by time, unique across nodes. Fits an `i64`.
///
/// 41 bits of milliseconds since 2015-01-01 00:00 +08:00, 10 bits of node, 12 bits of sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct MessageId(pub u64);

impl MessageId {
    /// Below every real message.
    pub const ZERO: Self = Self(0);
    /// Above every real message.
    pub const MAX: Self = Self(i64::MAX as u64);

    /// The time in it: Unix time in milliseconds. Never before the message was taken; later by as much as the
    /// clock had gone back.
    #[must_use]
    pub fn unix_ms(self) -> u64 {
        (self.0 >> (SEQUENCE_BITS + NODE_BITS)) + EPOCH_MS
    }

    /// The lowest number that a message of this time can have: Unix time in milliseconds. What was before the epoch
    /// counts as its first millisecond.
    #[must_use]
    pub fn first_of(unix_ms: u64) -> Self {
        Self(unix_ms.saturating_sub(EPOCH_MS) << (SEQUENCE_BITS + NODE_BITS))
    }

    /// The number of a message of another time, which may be another's: of `sequence`, what fits. What was before the
    /// epoch counts as its first millisecond.
    pub(crate) fn of_past(unix_ms: u64, node: NodeId, sequence: u64) -> Self {
        let ms = unix_ms.saturating_sub(EPOCH_MS).max(1);
        Self(ms << (SEQUENCE_BITS + NODE_BITS) | u64::from(node.get()) << SEQUENCE_BITS | sequence & SEQUENCE_MASK)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for MessageId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// 2015-01-01 00:00 +08:00, the epoch that the vendor's own IDs decode with.
const EPOCH_MS: u64 = 1_420_041_600_000;
const SEQUENCE_BITS: u32 = 12;
const NODE_BITS: u32 = 10;
const SEQUENCE_MASK: u64 = (1 << SEQUENCE_BITS) - 1;

/// Hands out message IDs of one node: strictly increasing even when the clock jumps back.
#[derive(Debug)]
pub struct MessageIds {
    node: u64,
    last: AtomicU64,
}

impl MessageIds {
    /// Starts above `after`, the newest ID that the store knows.
    #[must_use]
    pub fn new(node: NodeId, after: MessageId) -> Self {
        let node = u64::from(node.get()) << SEQUENCE_BITS;
        // The sequence bits are cleared upwards, so that an ID of another node in `after` cannot be met again.
        let ms = (after.0 >> (SEQUENCE_BITS + NODE_BITS)) + u64::from(after.0 != 0);
        let last = if after.0 == 0 { 0 } else { (ms << (SEQUENCE_BITS + NODE_BITS)) | node };
        Self { node, last: AtomicU64::new(last) }
    }

    /// The next ID for a message taken at `now_ms` (Unix time in milliseconds).
    pub fn next(&self, now_ms: u64) -> MessageId {
        let fresh = (now_ms.saturating_sub(EPOCH_MS) << (SEQUENCE_BITS + NODE_BITS)) | self.node;
        let step = |last: u64| {
            if fresh > last {
                fresh
            } else if last & SEQUENCE_MASK == SEQUENCE_MASK {
                let ms = (last >> (SEQUENCE_BITS + NODE_BITS)) + 1;
                (ms << (SEQUENCE_BITS + NODE_BITS)) | self.node
            } else {
                last + 1
            }
        };
        let mut last = self.last.load(Ordering::Relaxed);
        loop {
            let next = step(last);
            match self.last.compare_exchange_weak(last, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return MessageId(next),
                Err(seen) => last = seen,
            }
        }
    }

    /// The newest ID handed out so far: every later one is greater.
    #[must_use]
    pub fn newest(&self) -> MessageId {
        MessageId(self.last.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_rule() {
        let rule = NameRule::ascii(4, "abc ");
        assert_eq!(rule.check(""), Err(NameError::Empty));
        assert_eq!(rule.check("abca"), Ok(()));
        assert_eq!(rule.check("abcab"), Err(NameError::TooLong { max: 4 }));
        assert_eq!(rule.check("abd"), Err(NameError::Character));
        assert_eq!(rule.check("aé"), Err(NameError::Character));
    }

    #[test]
    fn a_message_id_tells_its_time() {
        let ids = MessageIds::new(NodeId::SINGLE, MessageId::ZERO);
        assert_eq!(ids.next(1_700_000_000_123).unix_ms(), 1_700_000_000_123);
        assert_eq!(ids.next(1_600_000_000_000).unix_ms(), 1_700_000_000_123, "the clock went back");
    }

    #[test]
    fn message_ids_grow_when_the_clock_does_not() {
        let ids = MessageIds::new(NodeId::SINGLE, MessageId::ZERO);
        let mut last = ids.next(1_700_000_000_000);
        for step in 0..10_000u64 {
            let next = ids.next(1_700_000_000_000 - step);
            assert!(next > last);
            last = next;
        }
    }

    #[test]
    fn message_ids_of_two_nodes_never_meet() {
        let one = MessageIds::new(NodeId::SINGLE, MessageId::ZERO);
        let two = MessageIds::new(NodeId::new(1).expect("in range"), MessageId::ZERO);
        let ones: std::collections::HashSet<_> = (0..9000).map(|_| one.next(1_700_000_000_000)).collect();
        assert!((0..9000).all(|_| !ones.contains(&two.next(1_700_000_000_000))));
    }

    #[test]
    fn message_ids_start_above_what_the_store_knows() {
        let known = MessageId((5_000 << 22) | (3 << 12) | 17);
        let ids = MessageIds::new(NodeId::SINGLE, known);
        assert!(ids.next(0) > known);
    }

    #[test]
    fn a_session_id_reads_back() {
        let id = SessionId(0x00ab_cdef_0123_4567);
        assert_eq!(SessionId::parse(&id.to_string()), Some(id));
        assert_eq!(SessionId::parse("nonsense"), None);
    }
}
