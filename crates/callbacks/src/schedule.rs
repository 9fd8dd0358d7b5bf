//! When a callback is tried again.

/// The schedule of retries. Waits double from one try to the next, and each is shortened at random by up to a half, so
/// that many that failed together do not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// The first wait, in milliseconds.
    pub first_ms: u64,
    /// The longest wait, in milliseconds.
    pub longest_ms: u64,
    /// How long it is tried, from the moment it was queued, in milliseconds. It is always tried twice (documented: one
    /// retry).
    pub give_up_after_ms: u64,
}

impl Default for Schedule {
    /// From a second to five minutes, for six hours.
    fn default() -> Self {
        Self { first_ms: 1_000, longest_ms: 300_000, give_up_after_ms: 21_600_000 }
    }
}

/// How often every callback is tried, whatever the schedule says (post-send documents: "one immediate retry").
const ALWAYS_TRIED: u32 = 2;

impl Schedule {
    /// The wait after the `attempts`th try, in milliseconds. `random` is from 0 to 1.
    #[must_use]
    pub(crate) fn wait_ms(&self, attempts: u32, random: f64) -> u64 {
        let doublings = attempts.saturating_sub(1).min(40);
        let full = self.first_ms.saturating_mul(1 << doublings).min(self.longest_wait_ms());
        full - part(full / 2, random)
    }

    /// The longest wait that it can give, in milliseconds.
    pub(crate) fn longest_wait_ms(&self) -> u64 {
        self.longest_ms.max(self.first_ms)
    }

    /// Whether a callback is given up after the `attempts`th try, `age_ms` after it was queued. One that was sent again
    /// by hand has the documented tries and no more.
    pub(crate) fn is_over(&self, attempts: u32, by_hand: bool, age_ms: u64) -> bool {
        attempts >= ALWAYS_TRIED && (by_hand || age_ms >= self.give_up_after_ms)
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a random part of a wait"
)]
fn part(of: u64, random: f64) -> u64 {
    (of as f64 * random.clamp(0.0, 1.0)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEDULE: Schedule = Schedule { first_ms: 1_000, longest_ms: 10_000, give_up_after_ms: 60_000 };

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits: Vec<_> = (1..=6).map(|attempts| SCHEDULE.wait_ms(attempts, 0.0)).collect();
        assert_eq!(waits, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
        let shortest: Vec<_> = (1..=6).map(|attempts| SCHEDULE.wait_ms(attempts, 1.0)).collect();
        assert_eq!(shortest, [500, 1_000, 2_000, 4_000, 5_000, 5_000]);
        assert_eq!(SCHEDULE.wait_ms(u32::MAX, 0.0), 10_000);
        assert_eq!(Schedule { first_ms: 0, longest_ms: 0, ..SCHEDULE }.wait_ms(3, 0.5), 0);
    }

    #[test]
    fn it_ends_by_time_but_not_before_the_second_try() {
        assert!(!SCHEDULE.is_over(1, false, 1_000_000));
        assert!(!SCHEDULE.is_over(2, false, 59_999));
        assert!(SCHEDULE.is_over(2, false, 60_000));
        assert!(SCHEDULE.is_over(2, true, 0));
        assert!(!SCHEDULE.is_over(1, true, 60_000));
    }
}
