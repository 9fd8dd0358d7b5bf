//! What the backend asks of a user's sessions: which there are, and that they end.

use std::sync::Arc;

use crate::app::App;
use crate::id::{DeviceId, UserId};
use crate::node::Node;
use crate::session::{Closing, LogoutReason, Session};
use crate::store::StoreError;

impl Node {
    /// Ends a user's sessions, on one device or on all, here and on other nodes. Returns how many ended here. A session
    /// of a login that is under way may begin after this returned: see [`Self::confirm`].
    pub async fn disconnect(&self, app: &App, user: &UserId, device: Option<&DeviceId>, why: LogoutReason) -> usize {
        let ended = self.disconnect_here(app, user, device, why);
        self.disconnect_elsewhere(app, user, device, why).await;
        ended
    }

    /// Asked right after a login with a credential that was checked before it: ends the session and answers `false` if
    /// the user's tokens were revoked in between. Who revokes ends the sessions that there are, and who logs in looks
    /// once more: one of the two sees the other.
    ///
    /// # Errors
    /// When the store fails: the session has ended then, too.
    pub async fn confirm(&self, session: &Arc<Session>, generation: u64) -> Result<bool, StoreError> {
        let found = self.find_user(session.app(), session.user()).await;
        let good = found.map(|user| user.is_some_and(|user| user.active && user.token_generation == generation));
        if !matches!(good, Ok(true)) {
            self.end(session, Closing::LoggedOut(LogoutReason::Forced));
        }
        good
    }

    /// Ends a user's sessions on this node.
    pub(crate) fn disconnect_here(
        &self,
        app: &App,
        user: &UserId,
        device: Option<&DeviceId>,
        why: LogoutReason,
    ) -> usize {
        let mut sessions = Vec::new();
        app.hub.for_each_of(user, |session| {
            if device.is_none_or(|device| session.device() == device) {
                sessions.push(session.clone());
            }
        });
        for session in &sessions {
            self.end(session, Closing::LoggedOut(why));
        }
        sessions.len()
    }

    /// Whether the user has a session with a connection, on this node.
    #[must_use]
    pub fn is_online(&self, app: &App, user: &UserId) -> bool {
        let mut online = false;
        app.hub.for_each_of(user, |session| online |= session.is_attached());
        online
    }

    /// The devices on which the user has a session with a connection, on this node; the oldest session first.
    #[must_use]
    pub fn devices(&self, app: &App, user: &UserId) -> Vec<DeviceId> {
        let mut devices = Vec::new();
        app.hub.for_each_of(user, |session| {
            if session.is_attached() {
                devices.push(session.device().clone());
            }
        });
        devices
    }
}
