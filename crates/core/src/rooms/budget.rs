//! A room's budget of messages per second: what was said in the last second, as far as it matters.

use std::collections::VecDeque;

use crate::message::Priority;

/// One second, in microseconds.
const SECOND_US: u64 = 1_000_000;

/// The times of the newest messages: of all, and of those that are not low.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    all_us: VecDeque<u64>,
    not_low_us: VecDeque<u64>,
}

impl Budget {
    /// Whether one more message of this level is above `per_second`: a low one counts with all of the last second, a
    /// normal one with those that are not low, and a high one is never above it.
    pub(crate) fn is_used_up(&self, level: Priority, per_second: u32, now_us: u64) -> bool {
        let newest = match level {
            Priority::High => return false,
            Priority::Normal => &self.not_low_us,
            Priority::Low => &self.all_us,
        };
        // At most `per_second` are remembered: if the oldest of so many is in the second, all are.
        newest.len() >= per_second as usize && newest.front().is_none_or(|oldest| now_us - oldest < SECOND_US)
    }

    /// Notes a message that is delivered.
    pub(crate) fn note(&mut self, level: Priority, per_second: u32, now_us: u64) {
        let not_low = (level != Priority::Low).then_some(&mut self.not_low_us);
        for newest in [&mut self.all_us].into_iter().chain(not_low) {
            newest.push_back(now_us);
            while newest.len() > per_second as usize {
                newest.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_21st_message_of_a_second_is_above_the_budget() {
        let mut budget = Budget::default();
        for number in 0..20 {
            assert!(!budget.is_used_up(Priority::Low, 20, number * 1000));
            budget.note(Priority::Low, 20, number * 1000);
        }
        assert!(budget.is_used_up(Priority::Low, 20, 999_999));
        assert!(!budget.is_used_up(Priority::Normal, 20, 999_999), "low ones do not count for it");
        assert!(!budget.is_used_up(Priority::Low, 20, 1_000_000), "the first is a second ago");
    }

    #[test]
    fn normal_ones_are_above_it_when_they_alone_use_it_up() {
        let mut budget = Budget::default();
        for number in 0..100 {
            budget.note(Priority::Low, 20, number);
        }
        for level in [Priority::High, Priority::Normal].into_iter().cycle().take(20) {
            assert!(!budget.is_used_up(Priority::Normal, 20, 1000));
            budget.note(level, 20, 1000);
        }
        assert!(budget.is_used_up(Priority::Normal, 20, 1000));
        assert!(!budget.is_used_up(Priority::High, 20, 1000), "high ones never");
        assert!(budget.all_us.len() <= 20 && budget.not_low_us.len() <= 20);
    }
}
