//! What is being decided on: two workers decide, and a message must not be decided on by both for one user.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;
use stentor_core::id::{MessageId, UserId};

/// Messages with a receiver that are being decided on: as many as the workers have in hand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deciding(Arc<Mutex<HashSet<(MessageId, UserId)>>>);

/// Some of them, until what was decided is written.
#[derive(Debug)]
pub(crate) struct Claim {
    of: Deciding,
    message: MessageId,
    pub(crate) users: Vec<UserId>,
}

impl Deciding {
    /// Claims a message for those of the users for whom nobody else decides on it now. Whoever does has a record of its
    /// own that is not removed before: if it fails, it begins again, and who was left out here need not.
    pub(crate) fn claim(&self, message: MessageId, users: &[UserId]) -> Claim {
        let mut deciding = self.0.lock();
        let free = |user: &&UserId| deciding.insert((message, (*user).clone()));
        let users = users.iter().filter(free).cloned().collect();
        drop(deciding);
        Claim { of: self.clone(), message, users }
    }
}

impl Claim {
    /// Gives back those of the users, in their order, of whom this is not true.
    pub(crate) fn keep(&mut self, mut keep: impl Iterator<Item = bool>) {
        let mut deciding = self.of.0.lock();
        self.users.retain(|user| {
            let keep = keep.next().unwrap_or_default();
            if !keep {
                deciding.remove(&(self.message, user.clone()));
            }
            keep
        });
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut deciding = self.of.0.lock();
        for user in self.users.drain(..) {
            deciding.remove(&(self.message, user));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_decides() {
        let (deciding, [a, b]) = (Deciding::default(), ["a", "b"].map(UserId::from_trusted));
        let (only_a, both) = (vec![a.clone()], [a, b.clone()]);
        let first = deciding.claim(MessageId(1), &only_a);
        let second = deciding.claim(MessageId(1), &both);
        assert_eq!((&first.users, &second.users), (&only_a, &vec![b]));
        assert_eq!(deciding.claim(MessageId(2), &only_a).users, only_a);
        drop(first);
        assert_eq!(deciding.claim(MessageId(1), &both).users, only_a);
    }
}
