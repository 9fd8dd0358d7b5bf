//! What the core needs a durable store to do. Engines implement it; [`memory::MemoryStore`] is its executable
//! specification, and [`conformance`] the suite that every engine passes.
//!
//! Every writing method queues its write *when it is called*, before the returned future is first polled, and
//! writes become durable in the order in which they were queued: callers rely on it for order while they hold
//! a lock. The future resolves when the write is durable (fsynced or committed). Dropping the future does not
//! take the write back. Each method is one atomic step. A read sees every write queued before it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use crate::events::{Event, EventKind, Transition};
use crate::id::{AppId, DeviceId, MessageId, RoomId, SessionId, UserId};
use crate::message::{Message, Target};
use crate::records::RecordKind;

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
pub mod memory;

/// A queued operation of the store; resolves when it is durable (writes) or answered (reads).
pub type Commit<T = ()> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// Why the store did not do it. Opaque on purpose: the core only needs to know what to tell the caller.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk (or quota) is full: nothing was written; reads go on. Passes when space returns.
    #[error("the store has no space left")]
    Full,
    /// More writes are waiting than the store's bound: nothing was written. Worth retrying.
    #[error("too many writes are waiting")]
    Busy,
    /// Anything else. Nothing was written.
    #[error("the store failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Whether durable writes can be taken now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreHealth {
    /// Yes.
    Ready,
    /// No, and why, for `readyz`: one line without paths or credentials.
    Refusing(String),
}

/// Set when a queued write is no longer wanted: a message that was acked before its turn came.
#[derive(Debug, Clone, Default)]
pub struct Cancelled(Arc<AtomicBool>);

impl Cancelled {
    /// The write need not happen any more.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A message to keep.
#[derive(Debug, Clone)]
pub struct Keep {
    /// The tenant.
    pub app: AppId,
    /// The message.
    pub message: Arc<Message>,
    /// Keep it in these users' inboxes.
    pub inbox: Option<KeepInInbox>,
    /// Keep it in the history.
    pub history: Option<KeepInHistory>,
    /// Records that are written in the same step: what must not be lost when the message is not. No
    /// [`Change::Expect`] among them.
    pub changes: Vec<Change>,
}

/// How a message is kept in an inbox.
#[derive(Debug, Clone)]
pub struct KeepInInbox {
    /// Whose inboxes. A user who stands here twice has it once.
    pub users: Vec<UserId>,
    /// At most so many messages per user: the newest replaces the oldest.
    pub cap: usize,
    /// When it is too old to be delivered: Unix time in milliseconds.
    pub expires_at_ms: u64,
    /// Skip the inbox (not the history) if this is set when the write's turn comes.
    pub cancelled: Cancelled,
    /// This device of this user has the message, because it sent it: acked from the beginning. If the user has no
    /// other device, the inbox does not change.
    pub had_by: Option<(UserId, DeviceId)>,
}

/// How a message is kept in the history.
#[derive(Debug, Clone)]
pub struct KeepInHistory {
    /// When it is too old to be found: Unix time in milliseconds.
    pub expires_at_ms: u64,
    /// At most so many bytes of payload per app: the newest replaces the oldest. A message that is larger by
    /// itself is not kept, and what is older than it goes.
    pub max_bytes: u64,
    /// Users who do not find it when they ask ([`HistoryFilter::seen_by`]).
    pub hidden_from: Vec<UserId>,
}

/// Whose inbox is read, by which device.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InboxReader {
    /// The tenant.
    pub app: AppId,
    /// The user.
    pub user: UserId,
    /// The device; [`DeviceId::only`] where a dialect knows one.
    pub device: DeviceId,
}

/// A device that opens an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// When: Unix time in milliseconds.
    pub at_ms: u64,
    /// At most so many devices of the user stay registered. Those seen longest ago are forgotten, as by
    /// [`InboxStore::inbox_forget`]; of those seen at the same time, the first by name.
    pub max: usize,
    /// Devices that are not forgotten, however many there are.
    pub present: Vec<DeviceId>,
}

/// Messages kept for users who have not acked them.
///
/// Each device has its own cursor: a message leaves the inbox when it was acked and no registered device has yet to
/// ack it, or when the cap or its age takes it. What was acked by a device that is forgotten stays acked.
pub trait InboxStore: Send + Sync {
    /// Keeps a message in an inbox, in the history, or both, in one step, and enforces the cap: afterwards the
    /// inbox holds at most `cap` messages, the newest ones by ID (not by arrival). A message that is there already
    /// stays as it is. IDs are unique across apps, and an ID always means the same message.
    fn keep(&self, keep: Keep) -> Commit {
        self.keep_all(vec![keep])
    }

    /// Keeps several messages in one step, in order: all of them, or none.
    fn keep_all(&self, keeps: Vec<Keep>) -> Commit;

    /// Registers a device as a reader, and notes when it was seen. A device that is not registered does not get
    /// what the user has acked on any device; everything else in the inbox is unread for it. Only then are devices
    /// above the bound forgotten. [`DeviceId::only`] is not registered: a dialect with one device per user leaves
    /// nothing behind.
    fn inbox_open(&self, reader: &InboxReader, arrival: &Arrival) -> Commit;

    /// The device was there until `at_ms` (Unix time in milliseconds). One that is not registered is ignored.
    fn inbox_seen(&self, reader: &InboxReader, at_ms: u64) -> Commit;

    /// The reader's unacked messages with `after < id <= up_to`, not expired at `now_ms` (Unix time), ordered by
    /// ID, at most `limit`.
    fn inbox_page(
        &self,
        reader: &InboxReader,
        after: MessageId,
        up_to: MessageId,
        limit: usize,
        now_ms: u64,
    ) -> Commit<Vec<Arc<Message>>>;

    /// The device has these messages. Unknown IDs are ignored. A device that was not registered is, as if it had
    /// been seen at the beginning of time.
    fn inbox_ack(&self, reader: &InboxReader, ids: &[MessageId]) -> Commit;

    /// How many messages wait for the user: kept, not expired at `now_ms`, and acked by no device.
    fn inbox_count(&self, app: &AppId, user: &UserId, now_ms: u64) -> Commit<usize>;

    /// Whether this message waits for the user: kept, not expired at `now_ms`, and acked by no device.
    fn inbox_holds(&self, app: &AppId, user: &UserId, id: MessageId, now_ms: u64) -> Commit<bool>;

    /// Forgets a device: it has no cursor any more, and what others had acked and only it had not leaves the inbox.
    /// Without a device: every device of the user and all of the inbox. Resolves to the number of messages that
    /// left.
    fn inbox_forget(&self, app: &AppId, user: &UserId, device: Option<&DeviceId>) -> Commit<usize>;
}

/// A session that had not ended when the process did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSession {
    /// The tenant.
    pub app: AppId,
    /// The user.
    pub user: UserId,
    /// The device.
    pub device: DeviceId,
    /// The session.
    pub session: SessionId,
    /// The rooms it was in.
    pub rooms: Vec<RoomId>,
}

/// Who is logged in and in which rooms, and the queue of what changed.
pub trait EventStore: Send + Sync {
    /// Records transitions in one step, in order: keeps the set of open sessions up to date and queues the
    /// events. A transition that changes nothing (a logout of a session that is not open, a join of one that
    /// is already in or not open) queues no event. A logout takes the session's rooms with it, without events of
    /// their own. Each of the app's two queues keeps the newest `cap` events.
    fn record(&self, app: &AppId, transitions: Vec<Transition>, cap: usize) -> Commit;

    /// Takes the oldest `max` events off a queue, oldest first. What is returned is gone.
    fn pull_events(&self, app: &AppId, kind: EventKind, max: usize) -> Commit<Vec<Event>>;

    /// Every open session of every app.
    fn open_sessions(&self) -> Commit<Vec<OpenSession>>;
}

/// Which kept messages a history query asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryFilter {
    /// Only from this user.
    pub from: Option<UserId>,
    /// Only to the user, room or group of this name: all are searched.
    pub to: Option<String>,
    /// Only to this target, and not to another kind of the same name. If it is set, `to` does not matter.
    pub target: Option<Target>,
    /// Only newer than this message.
    pub after: Option<MessageId>,
    /// Only older than this message.
    pub before: Option<MessageId>,
    /// Only taken at or after this Unix time in milliseconds.
    pub start_ms: u64,
    /// Only taken at or before this Unix time in milliseconds.
    pub end_ms: u64,
    /// Only what was sent between `from` and the user named `to`, in either direction. Both must be set, and
    /// `target` must not.
    pub both_ways: bool,
    /// Only what this user may find.
    pub seen_by: Option<UserId>,
}

impl HistoryFilter {
    /// Everything.
    pub const ALL: Self = Self {
        from: None,
        to: None,
        target: None,
        after: None,
        before: None,
        start_ms: 0,
        end_ms: u64::MAX,
        both_ways: false,
        seen_by: None,
    };

    /// What two users sent each other.
    #[must_use]
    pub fn between(one: &UserId, other: &UserId) -> Self {
        Self { from: Some(one.clone()), to: Some(other.as_str().to_owned()), both_ways: true, ..Self::ALL }
    }

    /// What was sent to a room or group, or to a user.
    #[must_use]
    pub fn to(target: Target) -> Self {
        Self { target: Some(target), ..Self::ALL }
    }
}

/// One page of a history query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryPage {
    /// How many matches to skip.
    pub offset: u64,
    /// At most so many.
    pub limit: u64,
    /// Newest first instead of oldest first.
    pub newest_first: bool,
}

/// Messages kept for later queries.
pub trait HistoryStore: Send + Sync {
    /// The matching messages that have not expired at `now_ms`, ordered by ID.
    fn history(&self, app: &AppId, filter: &HistoryFilter, page: HistoryPage, now_ms: u64)
    -> Commit<Vec<Arc<Message>>>;

    /// How many messages match and have not expired at `now_ms`.
    fn history_count(&self, app: &AppId, filter: &HistoryFilter, now_ms: u64) -> Commit<u64>;

    /// A message that is in the history or in any inbox of the app, expired or not.
    fn message(&self, app: &AppId, id: MessageId) -> Commit<Option<Arc<Message>>>;

    /// Takes a message out of the history and every inbox of the app, and in the same step keeps what tells of that,
    /// in order. Resolves to whether it was anywhere; what tells of it is kept in any case.
    fn withdraw(&self, app: &AppId, id: MessageId, news: Vec<Keep>) -> Commit<bool>;

    /// Gives a message another payload, in the history and in every inbox of the app, and counts that in its
    /// marks; unless it was done `max` times before, or [`crate::message::Marks::EDITS_MAX`] times.
    /// What tells of it is kept in the same step, in order, if it was done.
    fn amend(&self, app: &AppId, id: MessageId, payload: Bytes, max: u8, news: Vec<Keep>) -> Commit<Amended>;

    /// Hides messages from a user: the oldest `limit` of those that match and are not hidden yet, expired or not.
    /// They are not found any more with [`HistoryFilter::seen_by`] this user; what the filter says of that does not
    /// matter here. Resolves to how many there were.
    fn hide(&self, app: &AppId, filter: &HistoryFilter, from: &UserId, limit: usize) -> Commit<u64>;
}

/// What became of a new payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amended {
    /// The message has it.
    Done,
    /// The message was amended as often as it may be.
    TooOften,
    /// There is no such message.
    NotThere,
}

/// A change of records. A list of them is one atomic step, applied in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Does nothing; the whole list is refused as [`Changed::Conflict`] unless the record has this value (`None`:
    /// is not there) before any change of the list.
    Expect {
        /// The family.
        kind: RecordKind,
        /// The record.
        key: String,
        /// What it must be.
        value: Option<Bytes>,
    },
    /// Writes a record, in the place of the one before.
    Put {
        /// The family.
        kind: RecordKind,
        /// The record.
        key: String,
        /// Its value.
        value: Bytes,
    },
    /// Removes a record, if it is there.
    Delete {
        /// The family.
        kind: RecordKind,
        /// The record.
        key: String,
    },
    /// Removes every record whose key begins so.
    DeletePrefix {
        /// The family.
        kind: RecordKind,
        /// The beginning; empty for all of the family.
        prefix: String,
    },
}

/// What became of a list of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// All of it is durable.
    Done,
    /// A record was not as expected; nothing was changed.
    Conflict,
}

/// Which records a scan returns: those of a family whose keys begin with `prefix`, in the order of their bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The family.
    pub kind: RecordKind,
    /// How the keys begin; empty for all of the family.
    pub prefix: String,
    /// Only keys behind this one, in the order of the scan.
    pub after: Option<String>,
    /// At most so many.
    pub limit: usize,
    /// From the last key to the first.
    pub backwards: bool,
}

impl Scan {
    /// Every record whose key begins so, up to `limit`.
    #[must_use]
    pub fn of(kind: RecordKind, prefix: impl Into<String>, limit: usize) -> Self {
        Self { kind, prefix: prefix.into(), after: None, limit, backwards: false }
    }
}

/// Records of the app's users, rooms and whatever else is kept by name: a value under a key, in families. The store
/// does not know what they mean (`docs/adr/0010-records.md`).
pub trait RecordStore: Send + Sync {
    /// Applies changes in one step.
    fn change(&self, app: &AppId, changes: Vec<Change>) -> Commit<Changed>;

    /// One record.
    fn read_record(&self, app: &AppId, kind: RecordKind, key: &str) -> Commit<Option<Bytes>>;

    /// Several records of a family, in the order asked.
    fn read_records(&self, app: &AppId, kind: RecordKind, keys: Vec<String>) -> Commit<Vec<Option<Bytes>>>;

    /// A range of records.
    fn scan_records(&self, app: &AppId, scan: Scan) -> Commit<Vec<(String, Bytes)>>;

    /// How many records of the family have keys that begin so.
    fn count_records(&self, app: &AppId, kind: RecordKind, prefix: &str) -> Commit<u64>;
}

/// The whole store.
pub trait Store: InboxStore + EventStore + HistoryStore + RecordStore {
    /// The newest message ID that was ever kept, or zero.
    fn newest_message(&self) -> Commit<MessageId>;

    /// Deletes what has expired at `now_ms` (Unix time), in small steps so that other writes come between.
    /// Resolves to the number of messages removed, each counted once for every inbox and once for the history.
    fn expire(&self, now_ms: u64) -> Commit<u64>;

    /// Whether durable writes are taken now.
    fn health(&self) -> StoreHealth;

    /// Waits until everything queued is durable, then closes: later writes fail.
    fn close(&self) -> Commit;

    /// Counters of the engine for the metrics page: (name, help, value), names as in `docs/operations.md`.
    fn counters(&self) -> Vec<(&'static str, &'static str, u64)>;
}
