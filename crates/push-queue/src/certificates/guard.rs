//! Whether a certificate's word that a device token is dead is believed.
//!
//! A certificate of the wrong environment or project is told of every token that it is none. If they were forgotten, a
//! slip in the setup would cost an app all its devices. So a certificate that has delivered nothing since it was loaded, or
//! that finds most tokens dead, forgets none; the pushes themselves are given up as ever. What was not forgotten is found
//! dead again at its next push.

use parking_lot::Mutex;

/// So many outcomes are looked at, the latest.
const WINDOW: u32 = 100;

/// Fewer say nothing of how many are dead.
const ENOUGH: u32 = 20;

/// What became of the last pushes of one certificate.
#[derive(Debug, Default)]
pub(super) struct Guard(Mutex<Outcomes>);

#[derive(Debug, Default)]
struct Outcomes {
    /// Whether a push was ever taken.
    delivered: bool,
    /// How many there are, at most [`WINDOW`].
    count: u32,
    /// A bit for each, the latest is the lowest: was the token dead?
    dead: u128,
    /// Whether it was said that tokens are held.
    holding: bool,
}

/// What is new with a [`Guard`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// From now on tokens are held.
    Holds,
    /// From now on they are forgotten.
    Forgets,
}

impl Outcomes {
    fn trusted(&self) -> bool {
        self.delivered && (self.count < ENOUGH || self.dead.count_ones() * 2 <= self.count)
    }
}

impl Guard {
    /// A push was taken, or its token was dead. Says when that changes whether tokens are forgotten.
    pub(super) fn note(&self, dead: bool) -> Option<Turn> {
        let mut outcomes = self.0.lock();
        outcomes.delivered |= !dead;
        outcomes.count = WINDOW.min(outcomes.count + 1);
        outcomes.dead = (outcomes.dead << 1 | u128::from(dead)) & ((1 << WINDOW) - 1);
        // Before anything was dead there is nothing to say.
        let holding = !outcomes.trusted() && outcomes.dead != 0;
        let turned = holding != outcomes.holding;
        outcomes.holding = holding;
        turned.then_some(if holding { Turn::Holds } else { Turn::Forgets })
    }

    /// Whether a token that is said to be dead may be forgotten.
    pub(super) fn may_forget(&self) -> bool {
        self.0.lock().trusted()
    }

    /// Whether tokens are held that were said to be dead.
    pub(super) fn is_holding(&self) -> bool {
        self.0.lock().holding
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(outcomes: impl IntoIterator<Item = bool>) -> bool {
        let guard = Guard::default();
        for dead in outcomes {
            guard.note(dead);
        }
        guard.may_forget()
    }

    #[test]
    fn who_has_delivered_nothing_forgets_nothing() {
        assert!(!after([]));
        assert!(!after([true; 200]));
        assert!(after([false]));
        assert!(after([true, false]));
        assert!(after([false, true]));
    }

    #[test]
    fn who_finds_most_dead_forgets_nothing() {
        let mixed = |sent: usize, dead: usize| {
            std::iter::repeat_n(false, sent).chain(std::iter::repeat_n(true, dead)).collect::<Vec<_>>()
        };
        assert!(after(mixed(1, 18)), "19 are too few to say");
        assert!(!after(mixed(1, 19)));
        assert!(after(mixed(10, 10)), "a half is not most");
        assert!(!after(mixed(10, 11)));
        assert!(after(mixed(1000, 50)), "of the last hundred a half");
        assert!(!after(mixed(1000, 51)));
        assert!(after([mixed(0, 100), mixed(50, 0)].concat()), "it has come to itself again");
    }

    #[test]
    fn each_turn_is_said_once() {
        let guard = Guard::default();
        assert_eq!((guard.note(true), guard.note(true)), (Some(Turn::Holds), None));
        assert!(guard.is_holding());
        assert_eq!((guard.note(false), guard.note(false), guard.note(true)), (Some(Turn::Forgets), None, None));
        assert!(!guard.is_holding());
    }
}
