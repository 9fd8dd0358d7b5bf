//! Is a user there, and who wants to know.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::app::App;
use crate::id::UserId;
use crate::limits::Rule;
use crate::node::{Node, RequestError};
use crate::notice::{Envelope, Notice};
use crate::session::Session;

/// A user's state, as seen by others (RTM peer online states).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presence {
    /// Has a session that was heard of lately.
    Online,
    /// Has a session, but nothing was heard of it for a while: it may come back within the grace.
    Unreachable,
    /// Has no session.
    Offline,
}

/// Who watches whom, in one app.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    by_user: Mutex<HashMap<UserId, Vec<Weak<Session>>>>,
}

impl Watchers {
    fn add(&self, user: &UserId, session: &Arc<Session>) {
        let mut by_user = self.by_user.lock();
        let watchers = by_user.entry(user.clone()).or_default();
        watchers.retain(|watcher| watcher.strong_count() > 0);
        watchers.push(Arc::downgrade(session));
    }

    pub(crate) fn remove(&self, user: &UserId, session: &Session) {
        let mut by_user = self.by_user.lock();
        if let Some(watchers) = by_user.get_mut(user) {
            watchers.retain(|watcher| watcher.upgrade().is_some_and(|other| other.id() != session.id()));
            if watchers.is_empty() {
                by_user.remove(user);
            }
        }
    }
}

impl Node {
    /// Who of these users is there, in the order asked.
    ///
    /// # Errors
    /// When too many are asked for, or too often.
    pub fn query_presence(&self, session: &Arc<Session>, users: &[UserId]) -> Result<Vec<Presence>, RequestError> {
        let app = session.app();
        self.limit_client(session, Rule::PresenceQueries)?;
        let max = app.policy().presence.queried;
        if users.len() > max {
            return Err(RequestError::TooMany { max });
        }
        Ok(users.iter().map(|user| app.hub.presence(user)).collect())
    }

    /// Watches users. Returns their present states.
    ///
    /// # Errors
    /// When too many are watched, or the client asks too often.
    pub fn watch_presence(
        &self,
        session: &Arc<Session>,
        users: &[UserId],
    ) -> Result<Vec<(UserId, Presence)>, RequestError> {
        let app = session.app();
        self.limit_client(session, Rule::PresenceSubscriptions)?;
        {
            let mut state = session.state();
            if state.ended {
                return Err(RequestError::SessionEnded);
            }
            let mut watched = state.watched.clone();
            for user in users {
                if !watched.contains(user) {
                    watched.push(user.clone());
                }
            }
            let max = app.policy().presence.watched;
            if watched.len() > max {
                return Err(RequestError::TooMany { max });
            }
            let added = watched.split_off(state.watched.len());
            state.watched.extend(added.iter().cloned());
            drop(state);
            for user in &added {
                app.watchers.add(user, session);
            }
        }
        // Read after the watch stands, so that no change falls between.
        Ok(users.iter().map(|user| (user.clone(), app.hub.presence(user))).collect())
    }

    /// Stops watching users; those not watched are ignored.
    ///
    /// # Errors
    /// When the client asks too often.
    pub fn unwatch_presence(&self, session: &Arc<Session>, users: &[UserId]) -> Result<(), RequestError> {
        self.limit_client(session, Rule::PresenceSubscriptions)?;
        session.state().watched.retain(|watched| !users.contains(watched));
        for user in users {
            session.app().watchers.remove(user, session);
        }
        Ok(())
    }

    /// The users that the client watches.
    ///
    /// # Errors
    /// When the client asks too often.
    pub fn watched_presence(&self, session: &Arc<Session>) -> Result<Vec<UserId>, RequestError> {
        self.limit_client(session, Rule::PresenceSubscriptions)?;
        Ok(session.state().watched.clone())
    }

    /// Tells those who watch a user what its state is now.
    pub(crate) fn tell_watchers(&self, app: &App, user: &UserId) {
        // The state is read and told under the lock, so that two changes are not told in the wrong order.
        let by_user = app.watchers.by_user.lock();
        let Some(watchers) = by_user.get(user) else { return };
        let states = vec![(user.clone(), app.hub.presence(user))];
        let envelope = Envelope::new(Notice::Presence { states });
        for watcher in watchers.iter().filter_map(Weak::upgrade) {
            self.offer_all([&watcher].into_iter(), &envelope);
        }
    }

    /// The states of everybody a session watches: for a client that comes back.
    pub(crate) fn watched_states(session: &Session) -> Option<Arc<Envelope>> {
        let watched = session.state().watched.clone();
        if watched.is_empty() {
            return None;
        }
        let hub = &session.app().hub;
        let states = watched.into_iter().map(|user| (user.clone(), hub.presence(&user))).collect();
        Some(Envelope::new(Notice::Presence { states }))
    }
}
