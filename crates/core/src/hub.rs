//! The sessions on this node, by user.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::MutexGuard;

use crate::id::UserId;
use crate::presence::Presence;
use crate::session::Session;
use crate::sharded::Sharded;

/// The sessions of one app on this node.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    sessions: Sharded<UserId, Vec<Arc<Session>>>,
}

impl Hub {
    /// Locks the part in which a user's sessions are.
    pub(crate) fn lock(&self, user: &UserId) -> MutexGuard<'_, HashMap<UserId, Vec<Arc<Session>>>> {
        self.sessions.lock(user)
    }

    /// Calls `each` with every session of a user.
    pub(crate) fn for_each_of(&self, user: &UserId, each: impl FnMut(&Arc<Session>)) {
        self.sessions.lock(user).get(user).into_iter().flatten().for_each(each);
    }

    /// Whether the user has any session.
    pub(crate) fn has(&self, user: &UserId) -> bool {
        self.sessions.lock(user).contains_key(user)
    }

    /// Forgets a session.
    pub(crate) fn remove(&self, session: &Session) {
        let mut shard = self.sessions.lock(session.user());
        if let Some(sessions) = shard.get_mut(session.user()) {
            sessions.retain(|other| other.id() != session.id());
            if sessions.is_empty() {
                shard.remove(session.user());
            }
        }
    }

    /// The user's state, from all its sessions.
    pub(crate) fn presence(&self, user: &UserId) -> Presence {
        let mut presence = Presence::Offline;
        self.for_each_of(user, |session| {
            if !session.is_unreachable() {
                presence = Presence::Online;
            } else if presence == Presence::Offline {
                presence = Presence::Unreachable;
            }
        });
        presence
    }

    /// Every session.
    pub(crate) fn sessions(&self) -> Vec<Arc<Session>> {
        self.sessions.collect(|_, sessions| sessions.clone()).into_iter().flatten().collect()
    }
}
