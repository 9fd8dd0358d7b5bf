//! IDs of rooms and groups: digits, ordered by time, unique across nodes, below 2^53 so that JavaScript can read them
//! as numbers.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::id::{NodeId, RoomId};

/// 48 bits: 32 of seconds, 10 of node, 6 of sequence. They look like the vendor's (185145305923585).
const SEQUENCE_BITS: u32 = 6;
const NODE_BITS: u32 = 10;
const SEQUENCE_MASK: u64 = (1 << SEQUENCE_BITS) - 1;
const SECONDS_MASK: u64 = u32::MAX as u64;

/// Hands out the IDs of one node: more than 64 in a second borrow from the seconds to come.
#[derive(Debug)]
pub(crate) struct RoomIds {
    node: u64,
    last: AtomicU64,
}

impl RoomIds {
    pub(crate) fn new(node: NodeId) -> Self {
        Self { node: u64::from(node.get()) << SEQUENCE_BITS, last: AtomicU64::new(0) }
    }

    /// The next ID, at `now_ms` (Unix time). After a restart with a clock set back it may be one that is taken:
    /// whoever creates a room looks, and takes the next.
    pub(crate) fn next(&self, now_ms: u64) -> RoomId {
        let second = |seconds: u64| (seconds & SECONDS_MASK) << (SEQUENCE_BITS + NODE_BITS) | self.node;
        let step = |last: u64| {
            let fresh = second(now_ms / 1000);
            if fresh > last {
                fresh
            } else if last & SEQUENCE_MASK == SEQUENCE_MASK {
                second((last >> (SEQUENCE_BITS + NODE_BITS)) + 1)
            } else {
                last + 1
            }
        };
        let mut last = self.last.load(Ordering::Relaxed);
        loop {
            let next = step(last);
            match self.last.compare_exchange_weak(last, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return RoomId::from_trusted(&next.to_string()),
                Err(seen) => last = seen,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_800_000_000_000;

    #[test]
    fn ids_grow_and_do_not_meet_those_of_another_node() {
        let (one, two) = (RoomIds::new(NodeId::SINGLE), RoomIds::new(NodeId::new(1023).unwrap()));
        let number = |id: &RoomId| id.as_str().parse::<u64>().unwrap();
        let ones: Vec<u64> = (0..200).map(|_| number(&one.next(NOW_MS))).collect();
        let twos: Vec<u64> = (0..200).map(|_| number(&two.next(NOW_MS))).collect();
        assert!(ones.is_sorted_by(|a, b| a < b) && twos.is_sorted_by(|a, b| a < b));
        assert!(ones.iter().all(|id| !twos.contains(id)));
        assert!(ones.iter().chain(&twos).all(|id| *id < 1 << 48 && id.to_string().len() == 15));
        assert!(number(&one.next(NOW_MS - 60_000)) > ones[199], "a clock that goes back changes nothing");
        assert!(number(&one.next(NOW_MS + 60_000)) > twos[199], "later is greater, on any node");
    }
}
