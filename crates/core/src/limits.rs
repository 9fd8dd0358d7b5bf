//! Rate rules. A window slides: in no span of the window's length are more than its number accepted, and a
//! steady rate of exactly that number is never refused.

use std::collections::{HashMap, VecDeque};

use crate::id::RoomId;

/// A named rate rule. The numbers are configuration; `docs/limits.md` lists them with their sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Peer messages from the app's backend, per app.
    PeerSends,
    /// Room messages for everybody there, from the app's backend, per app.
    RoomSends,
    /// Pulls of user events, per app.
    UserEventPulls,
    /// Pulls of room events, per app.
    RoomEventPulls,
    /// History queries, per app.
    HistoryQueries,
    /// Logins and credential renewals of one user.
    Logins,
    /// Messages from one client, peer and room together.
    ClientSends,
    /// Joins of one client.
    Joins,
    /// Joins of one client into the same room.
    JoinsOfOneRoom,
    /// Member lists asked for by one client.
    MemberLists,
    /// Member counts asked for by one client.
    MemberCounts,
    /// Presence queries of one client.
    PresenceQueries,
    /// Presence subscriptions, their ends and lists, of one client.
    PresenceSubscriptions,
    /// User attribute writes of one client.
    UserAttributeWrites,
    /// User attribute reads of one client.
    UserAttributeReads,
    /// Room attribute writes of one client.
    RoomAttributeWrites,
    /// Room attribute reads of one client.
    RoomAttributeReads,
    /// Group messages for every member, from the app's backend, per app.
    GroupSends,
    /// Room messages for some of the members, from the app's backend, per app.
    TargetedRoomSends,
    /// Group messages for some of the members, from the app's backend, per app.
    TargetedGroupSends,
}

impl Rule {
    /// Every rule, in the order of the enum.
    pub const ALL: [Self; 20] = [
        Self::PeerSends,
        Self::RoomSends,
        Self::UserEventPulls,
        Self::RoomEventPulls,
        Self::HistoryQueries,
        Self::Logins,
        Self::ClientSends,
        Self::Joins,
        Self::JoinsOfOneRoom,
        Self::MemberLists,
        Self::MemberCounts,
        Self::PresenceQueries,
        Self::PresenceSubscriptions,
        Self::UserAttributeWrites,
        Self::UserAttributeReads,
        Self::RoomAttributeWrites,
        Self::RoomAttributeReads,
        Self::GroupSends,
        Self::TargetedRoomSends,
        Self::TargetedGroupSends,
    ];
}

/// `count` accepted calls in any span of `window_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many, at least 1.
    pub count: u32,
    /// In how long, in milliseconds, at least 1.
    pub window_ms: u32,
}

/// The refusal of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the rate limit of {rule:?} is reached")]
pub struct Limited {
    /// Which rule refused.
    pub rule: Rule,
}

/// The times of the last accepted calls of one rule: at most `rate.count` of them.
#[derive(Debug, Default)]
pub struct SlidingWindow {
    accepted_us: VecDeque<u64>,
}

impl SlidingWindow {
    /// Takes one call at `now_us` (monotonic), or refuses it and remembers nothing.
    pub fn accept(&mut self, rate: Rate, now_us: u64) -> bool {
        self.accept_many(rate, now_us, 1)
    }

    /// Takes `calls` calls at once, or refuses them all and remembers nothing.
    pub fn accept_many(&mut self, rate: Rate, now_us: u64, calls: usize) -> bool {
        let window_us = u64::from(rate.window_ms) * 1000;
        while self.accepted_us.front().is_some_and(|first| now_us.saturating_sub(*first) >= window_us) {
            self.accepted_us.pop_front();
        }
        if self.accepted_us.len() + calls > rate.count as usize {
            return false;
        }
        self.accepted_us.extend(std::iter::repeat_n(now_us, calls));
        true
    }

    /// Whether no accepted call is within the window any more.
    fn is_stale(&self, rate: Rate, now_us: u64) -> bool {
        let window_us = u64::from(rate.window_ms) * 1000;
        self.accepted_us.back().is_none_or(|last| now_us.saturating_sub(*last) >= window_us)
    }
}

/// The windows of many keys, such as users or rooms. Stale ones are forgotten when there are many.
#[derive(Debug)]
pub struct WindowsByKey<K> {
    windows: HashMap<K, SlidingWindow>,
    /// Forget stale windows when there are more than this.
    sweep_above: usize,
}

const SWEEP_ABOVE: usize = 64;

impl<K> Default for WindowsByKey<K> {
    fn default() -> Self {
        Self { windows: HashMap::new(), sweep_above: SWEEP_ABOVE }
    }
}

impl<K: std::hash::Hash + Eq + Clone> WindowsByKey<K> {
    /// Takes one call of this key at `now_us` (monotonic), or refuses it and remembers nothing.
    pub fn accept(&mut self, key: &K, rate: Rate, now_us: u64) -> bool {
        if self.windows.len() > self.sweep_above {
            self.windows.retain(|_, window| !window.is_stale(rate, now_us));
            // Doubling keeps the sweeps' cost in proportion to the calls.
            self.sweep_above = SWEEP_ABOVE.max(self.windows.len() * 2);
        }
        self.windows.entry(key.clone()).or_default().accept(rate, now_us)
    }
}

/// The windows of one client.
#[derive(Debug, Default)]
pub struct ClientWindows {
    by_rule: HashMap<Rule, SlidingWindow>,
    joins_by_room: WindowsByKey<RoomId>,
}

impl ClientWindows {
    pub(crate) fn accept_many(&mut self, rule: Rule, rate: Rate, now_us: u64, calls: usize) -> bool {
        self.by_rule.entry(rule).or_default().accept_many(rate, now_us, calls)
    }

    pub(crate) fn accept_join(&mut self, room: &RoomId, rate: Rate, now_us: u64) -> bool {
        self.joins_by_room.accept(room, rate, now_us)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: Rate = Rate { count: 500, window_ms: 1000 };

    #[test]
    fn the_501st_call_in_a_second_is_refused() {
        let mut window = SlidingWindow::default();
        assert!((0..500).all(|_| window.accept(RATE, 7_000_000)));
        assert!(!window.accept(RATE, 7_000_000));
        assert!(!window.accept(RATE, 7_999_999));
        assert!(window.accept(RATE, 8_000_000));
    }

    #[test]
    fn several_calls_are_taken_together_or_not_at_all() {
        let mut window = SlidingWindow::default();
        assert!(window.accept_many(RATE, 7_000_000, 490));
        assert!(!window.accept_many(RATE, 7_000_000, 11));
        assert!(window.accept_many(RATE, 7_000_000, 10), "a refused call counts nothing");
        assert!(!window.accept(RATE, 7_999_999));
        assert!(!window.accept_many(RATE, 8_000_000, 501), "more than the rate in one call");
        assert!(window.accept_many(RATE, 8_000_000, 500));
    }

    #[test]
    fn a_steady_rate_at_the_limit_is_never_refused() {
        let mut window = SlidingWindow::default();
        for call in 0..10_000u64 {
            assert!(window.accept(RATE, 5_000 + call * 2_000), "call {call}");
        }
    }

    proptest! {
        #[test]
        fn no_span_of_a_window_holds_more_than_the_limit(
            count in 1u32..20,
            gaps in prop::collection::vec(0u64..400_000, 1..300),
        ) {
            let rate = Rate { count, window_ms: 1000 };
            let mut window = SlidingWindow::default();
            let mut now = 0;
            let mut accepted = Vec::new();
            for gap in gaps {
                now += gap;
                if window.accept(rate, now) {
                    accepted.push(now);
                }
            }
            for span in accepted.windows(count as usize + 1) {
                prop_assert!(span[count as usize] - span[0] >= 1_000_000);
            }
        }
    }
}
