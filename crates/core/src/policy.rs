//! An app's policy: what a dialect decides for its tenants.

use crate::attributes::AttributeLimits;
use crate::id::{AppId, NameRule};
use crate::limits::{Rate, Rule};

/// Who of a user's devices may be logged in at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DevicePolicy {
    /// One session per user: a new login ends the one before.
    One,
    /// One session per device, at most `max` devices: a login of one more ends the oldest session.
    Many {
        /// How many devices.
        max: usize,
    },
}

/// What is kept for users who are away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InboxPolicy {
    /// Messages per user: the newest replaces the oldest.
    pub cap: usize,
    /// How long, in milliseconds.
    pub retention_ms: u64,
}

/// What is kept for history queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryPolicy {
    /// How long, in milliseconds.
    pub retention_ms: u64,
    /// Bytes of payload per app: the newest replaces the oldest.
    pub max_bytes: u64,
}

/// That rooms and groups are registered in the directory: who is a member is kept, and only registered rooms can be
/// joined. A member whose client is away longer than [`SessionPolicy::grace_ms`] leaves the app's rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegisteredRooms {
    /// Rooms that a user may be in.
    pub rooms_per_user: usize,
    /// Groups that a user may be in.
    pub groups_per_user: usize,
    /// Rooms that the app may have.
    pub rooms: u64,
    /// Groups that the app may have.
    pub groups: u64,
}

/// How rooms behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomPolicy {
    /// Rooms that one session may be in.
    pub rooms_per_session: usize,
    /// Above so many members, joins and leaves are not told to the others.
    pub member_notices_up_to: usize,
    /// A list of members has at most so many, chosen at random.
    pub listed_members: usize,
    /// Rooms in one request for member counts.
    pub counted_rooms: usize,
    /// Member count notices at most once in so many milliseconds, up to `member_notices_up_to` members.
    pub count_notice_ms: u64,
    /// Member count notices at most once in so many milliseconds, above `member_notices_up_to` members.
    pub count_notice_large_ms: u64,
    /// Messages replayed to a client that comes back within the grace, over all its rooms.
    pub replayed: usize,
    /// Whether a sender's own session gets its room message.
    pub echo_to_sender: bool,
    /// How long the attributes of an empty room stay, in milliseconds.
    pub attributes_stay_ms: u64,
    /// Rooms and groups are registered in the directory; `None`: a room is there while somebody is in it.
    pub registered: Option<RegisteredRooms>,
}

/// Limits of watching others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresencePolicy {
    /// Users in one query.
    pub queried: usize,
    /// Users that one session may watch.
    pub watched: usize,
}

/// The times and sizes of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionPolicy {
    /// How long a session whose connection is lost waits for its client. Back within it, nobody notices.
    /// Milliseconds.
    pub grace_ms: u64,
    /// A connected session that is not heard of for so long ends: its connection is dead. Milliseconds.
    pub silence_ms: u64,
    /// A session that is not heard of for so long is unreachable to those who watch. Milliseconds.
    pub unreachable_ms: u64,
    /// How long a sender waits for an ack, in milliseconds.
    pub ack_timeout_ms: u64,
    /// Notices that wait in a mailbox or for their ack; one more and the client is a slow consumer.
    pub mailbox_notices: usize,
    /// The same in bytes.
    pub mailbox_bytes: usize,
    /// How long before its end an expiring credential is announced, in milliseconds.
    pub credential_notice_ms: u64,
}

/// What the core needs to know of a tenant. Dialects provide it.
#[derive(Debug, Clone)]
pub struct AppPolicy {
    /// The tenant.
    pub id: AppId,
    /// What its user names look like.
    pub user_names: NameRule,
    /// What its room names look like.
    pub room_names: NameRule,
    /// Bytes of one payload.
    pub payload_bytes: usize,
    /// Who may be logged in at once.
    pub devices: DevicePolicy,
    /// The times and sizes of sessions.
    pub sessions: SessionPolicy,
    /// What is kept for users who are away.
    pub inbox: InboxPolicy,
    /// What is kept for history; `None` if the app has none.
    pub history: Option<HistoryPolicy>,
    /// How rooms behave.
    pub rooms: RoomPolicy,
    /// Limits of watching others.
    pub presence: PresencePolicy,
    /// Limits of a user's attributes.
    pub user_attributes: AttributeLimits,
    /// Limits of a room's attributes.
    pub room_attributes: AttributeLimits,
    /// Whether peer and room messages from the backend share [`Rule::PeerSends`].
    pub combined_sends: bool,
    /// The rates; a rule that is not here does not limit.
    pub rates: Vec<(Rule, Rate)>,
}
