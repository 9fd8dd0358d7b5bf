//! Who may have how many of a sender's requests under way, so that a user with many devices that hang, or a push service
//! that does, leaves room for the others; and what waits because its share is used up.

use std::collections::{HashMap, VecDeque};

use crate::delivery::Delivery;

/// Of what waits for a share, so much is in memory. The rest is found again in the store.
const HELD: usize = 16;

/// Whose a request is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Share {
    /// A user's.
    User(String),
    /// A part's of the service, where it has parts: a browser's push service.
    Part(String),
}

impl Share {
    /// How many of `capacity` requests it may have under way: a user an eighth, a part half.
    fn limit(&self, capacity: usize) -> usize {
        match self {
            Self::User(_) => capacity / 8,
            Self::Part(_) => capacity / 2,
        }
        .max(1)
    }
}

#[derive(Debug, Default)]
struct Held {
    first: VecDeque<(String, Delivery)>,
    /// There are more in the store.
    more: bool,
}

/// What of a sender's requests is whose.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    under_way: HashMap<Share, usize>,
    /// By the share that is used up. Only what is under way uses one up, so that there are few.
    held: HashMap<Share, Held>,
}

impl Shares {
    /// The shares of a delivery that goes to this part of the service.
    pub(crate) fn of(delivery: &Delivery, part: String) -> Vec<Share> {
        let user = Share::User(delivery.user.clone());
        if part.is_empty() { vec![user] } else { vec![user, Share::Part(part)] }
    }

    fn has_room(&self, share: &Share, capacity: usize) -> bool {
        self.under_way.get(share).copied().unwrap_or_default() < share.limit(capacity)
    }

    /// The share of these that is used up.
    pub(crate) fn used_up<'a>(&self, shares: &'a [Share], capacity: usize) -> Option<&'a Share> {
        shares.iter().find(|share| !self.has_room(share, capacity))
    }

    pub(crate) fn begin(&mut self, shares: &[Share]) {
        for share in shares {
            *self.under_way.entry(share.clone()).or_default() += 1;
        }
    }

    pub(crate) fn end(&mut self, shares: &[Share]) {
        for share in shares {
            if let Some(count) = self.under_way.get_mut(share) {
                *count -= 1;
                if *count == 0 {
                    self.under_way.remove(share);
                }
            }
        }
    }

    /// A delivery waits for its share.
    pub(crate) fn hold(&mut self, share: &Share, key: String, delivery: Delivery) {
        let held = self.held.entry(share.clone()).or_default();
        if held.first.len() < HELD && !held.more {
            held.first.push_back((key, delivery));
        } else {
            held.more = true;
        }
    }

    /// Whether a delivery waits for its share, and is remembered.
    pub(crate) fn holds(&self, key: &str) -> bool {
        self.held.values().any(|held| held.first.iter().any(|(held, _)| held == key))
    }

    /// Whether anything waits for its share.
    pub(crate) fn hold_any(&self) -> bool {
        !self.held.is_empty()
    }

    /// What waited for shares that have room again, and whether more of it is to be looked for in the store, from the start.
    pub(crate) fn freed(&mut self, capacity: usize) -> (Vec<(String, Delivery)>, bool) {
        let (mut freed, mut look) = (Vec::new(), false);
        let free: Vec<_> = self.held.keys().filter(|share| self.has_room(share, capacity)).cloned().collect();
        for share in free {
            let room = share.limit(capacity) - self.under_way.get(&share).copied().unwrap_or_default();
            let Some(held) = self.held.get_mut(&share) else { continue };
            freed.extend(held.first.drain(..room.min(held.first.len())));
            if held.first.is_empty() {
                look |= held.more;
                self.held.remove(&share);
            }
        }
        (freed, look)
    }

    /// Forgets what waits: it is read again.
    pub(crate) fn forget_held(&mut self) {
        self.held.clear();
    }
}
