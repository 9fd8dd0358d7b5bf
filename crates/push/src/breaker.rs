//! A circuit breaker: a provider that is down is not asked for a while, and then by one push before all others. Pure: the
//! caller has the clock.

use std::time::Duration;

/// The numbers of a [`Breaker`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerSetup {
    /// So many failures in a row, and the provider counts as down.
    pub failures: u32,
    /// How long it is not asked then. Doubles with every probe that fails.
    pub pause: Duration,
    /// The longest such pause.
    pub longest_pause: Duration,
}

impl Default for BreakerSetup {
    /// Five failures; from a second to a minute.
    fn default() -> Self {
        Self { failures: 5, pause: Duration::from_secs(1), longest_pause: Duration::from_secs(60) }
    }
}

/// What a [`Breaker`] remembers. Times are those of one clock that never goes back.
#[derive(Debug)]
pub struct Breaker {
    setup: BreakerSetup,
    /// Failures in a row.
    failures: u32,
    /// The pause that is under way or was last: none while all is well.
    pause: Option<Duration>,
    /// Nobody asks before.
    closed_until: Duration,
    /// One asks, and the others wait for what becomes of it.
    probing: bool,
}

/// That a push may go, and whether all others wait for what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// All others wait for it.
    pub probe: bool,
}

impl Breaker {
    /// A breaker of a provider that is well.
    #[must_use]
    pub fn new(setup: BreakerSetup) -> Self {
        Self { setup, failures: 0, pause: None, closed_until: Duration::ZERO, probing: false }
    }

    /// Whether it has nothing to remember.
    #[must_use]
    pub fn is_idle(&self, now: Duration) -> bool {
        self.failures == 0 && self.pause.is_none() && now >= self.closed_until
    }

    /// Whether a push may go now.
    ///
    /// # Errors
    /// If not: after which time to ask again.
    pub fn admit(&mut self, now: Duration) -> Result<Admission, Duration> {
        if now < self.closed_until {
            return Err(self.closed_until - now);
        }
        if self.pause.is_none() {
            return Ok(Admission { probe: false });
        }
        if self.probing {
            return Err(self.setup.pause);
        }
        self.probing = true;
        Ok(Admission { probe: true })
    }

    /// The provider has answered, whatever it said: it is well.
    pub fn answered(&mut self, admission: Admission) {
        if admission.probe {
            (self.probing, self.pause) = (false, None);
        }
        if self.pause.is_none() {
            self.failures = 0;
        }
    }

    /// The provider failed.
    pub fn failed(&mut self, now: Duration, admission: Admission) {
        self.failures = self.failures.saturating_add(1);
        let pause = match self.pause {
            Some(pause) if admission.probe => pause.saturating_mul(2),
            None if self.failures >= self.setup.failures => self.setup.pause,
            _ => return,
        };
        if admission.probe {
            self.probing = false;
        }
        let pause = pause.min(self.setup.longest_pause.max(self.setup.pause));
        self.pause = Some(pause);
        self.hold(now, pause);
    }

    /// A push that was admitted was given up without an answer: the next one may go in its place.
    pub fn gave_up(&mut self, admission: Admission) {
        if admission.probe {
            self.probing = false;
        }
    }

    /// The provider asked for a pause.
    pub fn hold(&mut self, now: Duration, pause: Duration) {
        self.closed_until = self.closed_until.max(now.saturating_add(pause));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETUP: BreakerSetup =
        BreakerSetup { failures: 2, pause: Duration::from_secs(1), longest_pause: Duration::from_secs(3) };
    const PLAIN: Admission = Admission { probe: false };
    const PROBE: Admission = Admission { probe: true };

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn it_opens_after_failures_in_a_row_only() {
        let mut breaker = Breaker::new(SETUP);
        for _ in 0..5 {
            breaker.failed(s(10), PLAIN);
            breaker.answered(PLAIN);
        }
        assert_eq!(breaker.admit(s(10)), Ok(PLAIN));
        breaker.failed(s(10), PLAIN);
        breaker.failed(s(10), PLAIN);
        assert_eq!(breaker.admit(s(10)), Err(s(1)));
    }

    #[test]
    fn one_probe_goes_first_and_pauses_double() {
        let mut breaker = Breaker::new(SETUP);
        breaker.failed(s(0), PLAIN);
        breaker.failed(s(0), PLAIN);
        assert_eq!(breaker.admit(s(1)), Ok(PROBE));
        assert_eq!(breaker.admit(s(1)), Err(s(1)));
        breaker.failed(s(1), PROBE);
        assert_eq!(breaker.admit(s(2)), Err(s(1)));
        assert_eq!(breaker.admit(s(3)), Ok(PROBE));
        breaker.failed(s(3), PROBE);
        assert_eq!(breaker.admit(s(3)), Err(s(3)));
        assert_eq!(breaker.admit(s(6)), Ok(PROBE));
        breaker.answered(PROBE);
        assert_eq!(breaker.admit(s(6)), Ok(PLAIN));
        breaker.failed(s(6), PLAIN);
        assert_eq!(breaker.admit(s(6)), Ok(PLAIN));
    }

    #[test]
    fn late_answers_of_others_change_nothing_while_it_is_open() {
        let mut breaker = Breaker::new(SETUP);
        breaker.failed(s(0), PLAIN);
        breaker.failed(s(0), PLAIN);
        breaker.answered(PLAIN);
        breaker.failed(s(0), PLAIN);
        assert_eq!(breaker.admit(s(0)), Err(s(1)));
        assert_eq!(breaker.admit(s(1)), Ok(PROBE));
    }

    #[test]
    fn a_probe_that_was_given_up_makes_room() {
        let mut breaker = Breaker::new(SETUP);
        breaker.failed(s(0), PLAIN);
        breaker.failed(s(0), PLAIN);
        assert_eq!(breaker.admit(s(1)), Ok(PROBE));
        breaker.gave_up(PROBE);
        assert_eq!(breaker.admit(s(1)), Ok(PROBE));
    }

    #[test]
    fn a_pause_that_was_asked_for_holds_everybody() {
        let mut breaker = Breaker::new(SETUP);
        breaker.hold(s(5), s(30));
        breaker.hold(s(6), s(1));
        assert_eq!(breaker.admit(s(6)), Err(s(29)));
        assert_eq!(breaker.admit(s(35)), Ok(PLAIN));
    }
}
