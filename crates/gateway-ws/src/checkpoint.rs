//! How far a client has read that does not say so: pings of WebSocket among what is written. Who answers one has everything
//! that was written before it, through all proxies, and without the client's program having to do anything.
//!
//! A ping follows what comes again after a cut because nothing else says that it has arrived: room messages, and events of rooms
//! and groups. At most one is unanswered. They come
//! after so many messages, because those that are written and not confirmed come again after a cut, and the SDKs know
//! about the last 100 again; and after some time, because somebody may say little.

use bytes::Bytes;
use stentor_core::clock::MonotonicMs;

use crate::frame;

/// A ping is due after so many of those.
const EVERY: u32 = 48;

/// And after so long, if there was one.
const EVERY_MS: u64 = 5_000;

/// The pings of one connection.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints {
    /// The last ping.
    number: u32,
    /// When it was written: monotonic.
    written_ms: Option<MonotonicMs>,
    /// What its answer says: the client has what was there then.
    confirms_ms: Option<MonotonicMs>,
    answered: bool,
    /// What was written since then that comes again.
    unconfirmed: u32,
    /// One is due anyhow: the client was not heard of for long.
    wanted: bool,
}

impl Checkpoints {
    /// So much was written that comes again after a cut.
    pub(crate) fn wrote(&mut self, count: u32) {
        self.unconfirmed = self.unconfirmed.saturating_add(count);
    }

    /// A sign of life is wanted.
    pub(crate) fn want(&mut self) {
        self.wanted = true;
    }

    /// Whether a ping is due now.
    pub(crate) fn is_due(&self, now_ms: MonotonicMs) -> bool {
        let last_ms = self.written_ms;
        let is_waited_for = last_ms.is_some() && !self.answered;
        self.wanted
            || (!is_waited_for
                && self.unconfirmed > 0
                && (self.unconfirmed >= EVERY || last_ms.is_none_or(|last_ms| last_ms + EVERY_MS <= now_ms)))
    }

    /// Whether a sign of life is wanted.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// A ping. If `all` of what was there at `now_ms` is written before it, whoever answers has that; else it is there.
    pub(crate) fn ping(&mut self, now_ms: MonotonicMs, all: bool) -> Bytes {
        self.number = self.number.wrapping_add(1);
        (self.written_ms, self.answered, self.wanted) = (Some(now_ms), false, false);
        self.confirms_ms = all.then_some(now_ms);
        if all {
            self.unconfirmed = 0;
        }
        frame::ping(&self.number.to_be_bytes())
    }

    /// The client has answered a ping: since when it has what was there, if it is the last one.
    pub(crate) fn pong(&mut self, payload: &[u8]) -> Option<MonotonicMs> {
        if self.answered || payload != self.number.to_be_bytes() {
            return None;
        }
        self.answered = true;
        self.confirms_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(number: u32) -> [u8; 4] {
        number.to_be_bytes()
    }

    #[test]
    fn a_ping_is_due_after_the_first_message_and_then_now_and_again() {
        let mut pings = Checkpoints::default();
        assert!(!pings.is_due(0), "there is nothing to confirm");
        pings.wrote(1);
        assert!(pings.is_due(7));
        assert_eq!(pings.ping(7, true)[..], [0x89, 4, 0, 0, 0, 1]);
        pings.wrote(EVERY);
        assert!(!pings.is_due(7 + EVERY_MS), "one is not answered");
        assert_eq!(pings.pong(&answer(1)), Some(7));
        assert!(pings.is_due(8), "many messages");
        pings.ping(8, true);
        assert_eq!(pings.pong(&answer(2)), Some(8));
        assert!(!pings.is_due(8 + EVERY_MS), "no messages");
        pings.wrote(EVERY - 1);
        assert!(!pings.is_due(7 + EVERY_MS));
        assert!(pings.is_due(8 + EVERY_MS));
    }

    #[test]
    fn only_the_answer_to_the_last_one_counts_and_only_once() {
        let mut pings = Checkpoints::default();
        assert_eq!(pings.pong(b""), None, "nobody asked");
        assert_eq!(pings.pong(&answer(0)), None, "nobody asked");
        pings.ping(1, true);
        pings.want();
        assert!(pings.is_due(2), "a sign of life is wanted whatever is waited for");
        pings.ping(2, true);
        for wrong in [&b""[..], &answer(1), b"00002"] {
            assert_eq!(pings.pong(wrong), None);
        }
        assert_eq!(pings.pong(&answer(2)), Some(2));
        assert_eq!(pings.pong(&answer(2)), None);
    }

    #[test]
    fn a_sign_of_life_confirms_nothing_while_something_waits() {
        let mut pings = Checkpoints::default();
        pings.wrote(1);
        pings.want();
        pings.ping(1, false);
        assert!(!pings.is_wanted());
        assert_eq!(pings.pong(&answer(1)), None);
        assert!(pings.is_due(1 + EVERY_MS), "the message is still to be confirmed");
    }
}
