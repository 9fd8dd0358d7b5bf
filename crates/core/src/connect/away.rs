//! Clients that come back and do not say which session was theirs: the device tells.

use crate::app::App;
use crate::id::{DeviceId, MessageId, UserId};
use crate::node::Node;
use crate::session::Resume;

impl Node {
    /// How a client of this device goes on with the session that has lost its connection, if there is one. Such a client does
    /// not say what it has of its rooms either: they are replayed from `overlap_ms` before the connection was lost, and
    /// the client drops what it has. `None` if the device has no session, or one with a connection: that is somebody
    /// else, who gives way.
    #[must_use]
    pub fn away(&self, app: &App, user: &UserId, device: &DeviceId, overlap_ms: u64) -> Option<Resume> {
        let mut found = None;
        app.hub.for_each_of(user, |session| {
            let state = session.state();
            if session.device() == device && state.outlet.is_none() && !state.ended {
                found = Some((session.id(), state.detached_ms, state.room_ids()));
            }
        });
        let (session, detached_ms, rooms) = found?;
        let away_ms = self.clock().monotonic_ms().saturating_sub(detached_ms) + overlap_ms;
        let left_off = MessageId::first_of(self.clock().wall_ms().saturating_sub(away_ms));
        Some(Resume { session, rooms: rooms.into_iter().map(|room| (room, left_off)).collect() })
    }
}
