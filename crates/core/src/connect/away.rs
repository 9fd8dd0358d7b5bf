//! Clients that come back and do not say which session was theirs: the device tells.

use crate::app::App;
use crate::id::{DeviceId, UserId};
use crate::node::Node;
use crate::session::Resume;

impl Node {
    /// How a client of this device goes on with the session that is there, if one is; also if it has a connection, which may
    /// be dead without anybody knowing. If it is not, that is somebody else, who gives way ([`Closing::Replaced`]).
    ///
    /// Such a client does not say what it has of its rooms either: they are replayed from the last moment of which it is known
    /// that it had everything ([`Session::confirm`]), and the client drops what it has.
    ///
    /// [`Closing::Replaced`]: crate::session::Closing::Replaced
    /// [`Session::confirm`]: crate::session::Session::confirm
    #[must_use]
    pub fn away(&self, app: &App, user: &UserId, device: &DeviceId) -> Option<Resume> {
        let mut found = None;
        app.hub.for_each_of(user, |session| {
            if session.device() == device && !session.state().ended {
                found = Some(Resume { session: session.id(), rooms: None });
            }
        });
        found
    }
}
