//! An app's policy: what a dialect decides for its tenants.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::attributes::AttributeLimits;
use crate::id::{AppId, NameRule, UserId};
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
    /// Messages replayed to a client that comes back within the grace, over all its rooms. So many a room remembers.
    pub replayed: usize,
    /// The same in bytes; one message at least.
    pub replayed_bytes: usize,
    /// Bytes of what all rooms of the app remember for that: above it, a room remembers at most 32 messages.
    pub replayed_bytes_of_all: usize,
    /// How long a room remembers them beyond the grace, in milliseconds: a connection that breaks without a word is noticed
    /// late, or when its client comes back.
    pub replayed_unnoticed_ms: u64,
    /// Whether a sender's own session gets its room message.
    pub echo_to_sender: bool,
    /// How long the attributes of an empty room stay, in milliseconds.
    pub attributes_stay_ms: u64,
    /// Rooms and groups are registered in the directory; `None`: a room is there while somebody is in it.
    pub registered: Option<RegisteredRooms>,
}

/// What an app gives up when not everything can be delivered, and in which order: `docs/delivery.md`, Overload.
#[derive(Debug, Clone)]
pub struct OverloadPolicy {
    /// Senders whose room messages are high, whatever they ask for.
    pub high_senders: BTreeSet<UserId>,
    /// Content that is high in a room, whatever is asked for.
    pub high_content: Option<HighContent>,
    /// Notices that wait in one session's lanes: room messages, and what else is not acked. When there are so many,
    /// room messages of the lowest level go.
    pub lane_notices: usize,
    /// The same in bytes.
    pub lane_bytes: usize,
    /// A room's budget: messages in a second. Above it, while the node is busy, low ones are not delivered; and
    /// normal ones when those that are not low are above it by themselves.
    pub room_messages_per_second: u32,
    /// The node is busy when something has waited for so long to be written, in milliseconds.
    pub busy_after_ms: u64,
}

/// Tells from a payload whether it is high: the dialect knows what is in it.
#[derive(Clone)]
pub struct HighContent(Arc<IsHigh>);

type IsHigh = dyn Fn(&[u8]) -> bool + Send + Sync;

impl HighContent {
    /// What `is_high` says. Asked for every room message: must return at once.
    pub fn new(is_high: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_high))
    }

    pub(crate) fn has(&self, payload: &[u8]) -> bool {
        (self.0)(payload)
    }
}

impl fmt::Debug for HighContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HighContent")
    }
}

/// Limits of sending to every active room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BroadcastPolicy {
    /// Broadcasts in any second.
    pub per_second: u32,
    /// Broadcasts in any 60 seconds.
    pub per_minute: u32,
    /// Broadcasts in a day (UTC).
    pub per_day: u32,
    /// Broadcasts that were taken and are not done; one more is refused.
    pub waiting: usize,
    /// Rooms in one durable step: so many may get a broadcast again, under the same ID, after a crash. At least 1.
    pub rooms_per_step: usize,
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
    /// A connected session that is not heard of for so long ends: its connection is dead. Milliseconds. A connection may
    /// have a time of its own: [`crate::session::Login::silence_ms`].
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

/// Limits of uploaded files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilePolicy {
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Bytes of all files of the app.
    pub files_bytes: u64,
    /// How long a file is kept, in milliseconds.
    pub retention_ms: u64,
}

/// Limits of what the directory keeps of users, and what of it there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectoryPolicy {
    /// Registered users; `None`: as many as come.
    pub users: Option<u64>,
    /// Contacts of one user.
    pub contacts: usize,
    /// Users whom one user may block.
    pub blocks: usize,
    /// Bytes of one user's attributes, names and values.
    pub profile_bytes: u64,
    /// Bytes of all users' attributes.
    pub profiles_bytes: u64,
    /// Whether users publish a status: if so, their coming and going is noted in it.
    pub statuses: bool,
    /// Bytes of the text of a status.
    pub status_ext_bytes: usize,
    /// Users whose status one user is told of, and users who are told of one user's status.
    pub status_watches: usize,
    /// Uploaded files.
    pub files: FilePolicy,
}

impl DirectoryPolicy {
    /// For a dialect without a directory.
    pub const NONE: Self = Self {
        users: None,
        contacts: 0,
        blocks: 0,
        profile_bytes: 0,
        profiles_bytes: 0,
        statuses: false,
        status_ext_bytes: 0,
        status_watches: 0,
        files: FilePolicy { file_bytes: 0, files_bytes: 0, retention_ms: 0 },
    };
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
    /// What is given up under overload; `None`: room messages have one level, and a client that is too slow for them
    /// is disconnected.
    pub overload: Option<OverloadPolicy>,
    /// Sending to every active room; `None`: there is no such thing, and rooms that have had a message are not
    /// recorded.
    pub broadcasts: Option<BroadcastPolicy>,
    /// Limits of watching others.
    pub presence: PresencePolicy,
    /// What is kept of users.
    pub directory: DirectoryPolicy,
    /// Limits of a user's attributes.
    pub user_attributes: AttributeLimits,
    /// Limits of a room's attributes.
    pub room_attributes: AttributeLimits,
    /// How long a client may take back what it sent, in milliseconds; `None`: not at all.
    pub recalls_within_ms: Option<u64>,
    /// How often a message may be edited, at most [`crate::message::Marks::EDITS_MAX`]; `None`: not at all.
    pub edits: Option<u8>,
    /// Whether peer and room messages from the backend share [`Rule::PeerSends`].
    pub combined_sends: bool,
    /// The rates; a rule that is not here does not limit.
    pub rates: Vec<(Rule, Rate)>,
}
