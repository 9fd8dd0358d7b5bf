//! When a push is tried again, by why it was not taken. Pure: the caller has the clock, the random and the waiting.

use std::time::Duration;

use crate::error::PushError;

/// The schedule of retries. Waits double from one try to the next, and each is shortened at random by up to a half, so
/// that many that failed together do not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// The first wait, in milliseconds.
    pub first_ms: u64,
    /// The longest wait, in milliseconds. A provider that asks for a longer one gets it.
    pub longest_ms: u64,
    /// How long a push is tried from the moment it was queued, in milliseconds.
    pub give_up_after_ms: u64,
    /// How often it is tried at most. A pause of the provider is no try.
    pub tries: u32,
}

impl Default for Schedule {
    /// From a second to five minutes, for a day: about 300 times.
    fn default() -> Self {
        Self { first_ms: 1_000, longest_ms: 300_000, give_up_after_ms: 86_400_000, tries: 1_000 }
    }
}

/// What to do with a push that was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Try again.
    Again {
        /// After so many milliseconds.
        wait_ms: u64,
    },
    /// Give it up, and forget the token unless it was registered again since (see [`PushError::DeadToken`]).
    Forget,
    /// Give it up.
    GiveUp,
}

impl Schedule {
    /// What to do after the `attempts`th try (from 1; pauses not counted) failed so, `age_ms` after the push was queued.
    /// `random` is from 0 to 1.
    ///
    /// Bad credentials wait for the longest time: an operator may put them right within the day. A wait that a provider
    /// asked for is never shortened, and lengthened at random by up to a tenth.
    #[must_use]
    pub fn next(&self, error: &PushError, attempts: u32, age_ms: u64, random: f64) -> Next {
        let wait_ms = match error {
            PushError::DeadToken { .. } => return Next::Forget,
            PushError::Refused { .. } => return Next::GiveUp,
            PushError::Credentials { .. } => shortened(self.longest_ms.max(self.first_ms), random),
            PushError::Paused { retry_after } => lengthened(*retry_after, random),
            PushError::Throttled { retry_after, .. } | PushError::Failed { retry_after, .. } => {
                let asked = retry_after.map_or(0, |wait| lengthened(wait, random));
                asked.max(self.back_off_ms(attempts, random))
            }
        };
        let tried = attempts >= self.tries && !matches!(error, PushError::Paused { .. });
        if tried || age_ms.saturating_add(wait_ms) >= self.give_up_after_ms {
            return Next::GiveUp;
        }
        Next::Again { wait_ms }
    }

    fn back_off_ms(&self, attempts: u32, random: f64) -> u64 {
        let doublings = attempts.saturating_sub(1).min(40);
        let full = self.first_ms.saturating_mul(1 << doublings).min(self.longest_ms.max(self.first_ms));
        shortened(full, random)
    }
}

fn shortened(full: u64, random: f64) -> u64 {
    full - part(full / 2, random)
}

fn lengthened(wait: Duration, random: f64) -> u64 {
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    wait_ms.saturating_add(part(wait_ms / 10, random))
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
    use crate::error::Scope;

    const SCHEDULE: Schedule = Schedule { first_ms: 1_000, longest_ms: 10_000, give_up_after_ms: 100_000, tries: 8 };

    fn again(wait_ms: u64) -> Next {
        Next::Again { wait_ms }
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let failed = PushError::failed("down");
        let waits: Vec<_> = (1..=6).map(|attempts| SCHEDULE.next(&failed, attempts, 0, 0.0)).collect();
        assert_eq!(waits, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000].map(again));
        assert_eq!(SCHEDULE.next(&failed, 2, 0, 1.0), again(1_000));
        assert_eq!(SCHEDULE.next(&failed, 8, 0, 0.0), Next::GiveUp);
        assert_eq!(Schedule { tries: u32::MAX, ..SCHEDULE }.next(&failed, u32::MAX - 1, 0, 0.0), again(10_000));
    }

    #[test]
    fn a_wait_that_was_asked_for_is_never_shortened() {
        let throttled = PushError::throttled("slow", Some(Duration::from_secs(30)), Scope::Provider);
        assert_eq!(SCHEDULE.next(&throttled, 1, 0, 0.0), again(30_000));
        assert_eq!(SCHEDULE.next(&throttled, 1, 0, 1.0), again(33_000));
        let soon = PushError::failed_until("down", Some(Duration::from_millis(10)));
        assert_eq!(SCHEDULE.next(&soon, 1, 0, 0.0), again(1_000));
    }

    #[test]
    fn it_ends_by_class_and_by_time() {
        assert_eq!(SCHEDULE.next(&PushError::dead("gone"), 1, 0, 0.0), Next::Forget);
        assert_eq!(SCHEDULE.next(&PushError::refused("no"), 1, 0, 0.0), Next::GiveUp);
        assert_eq!(SCHEDULE.next(&PushError::credentials("who"), 1, 0, 0.0), again(10_000));
        let failed = PushError::failed("down");
        assert_eq!(SCHEDULE.next(&failed, 1, 98_999, 0.0), again(1_000));
        assert_eq!(SCHEDULE.next(&failed, 1, 99_000, 0.0), Next::GiveUp);
        let paused = PushError::Paused { retry_after: Duration::from_secs(5) };
        assert_eq!(SCHEDULE.next(&paused, 100, 0, 0.0), again(5_000));
        assert_eq!(SCHEDULE.next(&paused, 100, 96_000, 0.0), Next::GiveUp);
    }
}
