//! Logins, logouts, joins and leaves: what changed, and the queues the app's backend pulls.

use crate::id::{DeviceId, RoomId, SessionId, UserId};

/// How many events a queue keeps: the newest replaces the oldest (RTM event documents, 2021-03-02).
pub const EVENTS_KEPT: usize = 2000;

/// How many events one pull takes at most (RTM event documents, 2021-03-02).
pub const EVENTS_PER_PULL: usize = 1000;

/// The two queues of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// Logins and logouts.
    User,
    /// Joins and leaves.
    Room,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventType {
    /// The user came online.
    Login,
    /// The user went offline.
    Logout,
    /// The user became a member of the room.
    Join,
    /// The user is no longer a member of the room.
    Leave,
}

/// One entry of an event queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub event_type: EventType,
    /// Who.
    pub user: UserId,
    /// Where, for joins and leaves.
    pub room: Option<RoomId>,
    /// When: Unix time in milliseconds.
    pub at_ms: u64,
}

/// A change of who is there, of one session. The store turns it into an [`Event`] if it changed anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// What happened.
    pub event_type: EventType,
    /// Whose session.
    pub user: UserId,
    /// Which device.
    pub device: DeviceId,
    /// Which session.
    pub session: SessionId,
    /// Which room, for joins and leaves.
    pub room: Option<RoomId>,
    /// When: Unix time in milliseconds.
    pub at_ms: u64,
}
