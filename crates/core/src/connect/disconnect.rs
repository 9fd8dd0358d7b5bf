//! What the backend asks of a user's sessions: which there are, and that they end.

use crate::app::App;
use crate::id::{DeviceId, UserId};
use crate::node::Node;
use crate::session::{Closing, LogoutReason};

impl Node {
    /// Ends a user's sessions, on one device or on all, here and on other nodes. Returns how many ended here. A session
    /// of a login that is under way may begin after this returned: whoever lets clients in looks once more, afterwards.
    pub async fn disconnect(&self, app: &App, user: &UserId, device: Option<&DeviceId>, why: LogoutReason) -> usize {
        let ended = self.disconnect_here(app, user, device, why);
        self.disconnect_elsewhere(app, user, device, why).await;
        ended
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
