//! Records: what the app's directory keeps by name, typed, and how a change of several is one step.
//!
//! A reader-writer never locks: it reads what it decides on, and its write is refused if any of that has changed
//! meanwhile; then it decides anew ([`Attempts`]). That holds on one node and on many.

use bytes::Bytes;
use minicbor::{Decode, Encode};

use crate::app::App;
use crate::id::MessageId;
use crate::node::Node;
use crate::store::{Change, Changed, Scan, StoreError};

/// The families of records. The numbers are stored and never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum RecordKind {
    /// A registered user; the key is the user ID.
    User = 1,
    /// A registered room or group; `kind/room`.
    Room = 2,
    /// A member of a room or group; `room/user`.
    Member = 3,
    /// The rooms and groups of a user; `user/kind/room`.
    Membership = 4,
    /// A user kept out of a room or group; `room/user`.
    RoomBlock = 5,
    /// A contact; `user/contact`.
    Contact = 6,
    /// A user whom another does not want to hear from; `user/blocked`.
    UserBlock = 7,
    /// A user who may not send; the key is the user ID.
    Mute = 8,
    /// A user's attributes; the key is the user ID.
    Profile = 9,
    /// A custom attribute of a room or group; `room/key`.
    RoomAttribute = 10,
    /// A room that has had a message; the key is its ID.
    ActiveRoom = 11,
    /// A broadcast that is not done; the key is its ID.
    Broadcast = 12,
    /// An uploaded file; the key is its UUID.
    File = 13,
    /// Files by the time of their end; `time/uuid`.
    FileExpiry = 14,
    /// Sums and counts of the app; named by who keeps them.
    Counter = 15,
    /// A callback that is to be delivered; the key orders by time.
    Callback = 16,
    /// A callback that could not be delivered; the key orders by time.
    FailedCallback = 17,
    /// What a user publishes of itself; the key is the user ID.
    Status = 18,
    /// Who is told of whose status; `watched/watcher`.
    StatusWatch = 19,
    /// Whose status a user is told of; `watcher/watched`.
    StatusWatched = 20,
    /// A shared file of a group; `group/time/uuid`.
    SharedFile = 21,
    /// A super admin of rooms; the key is the user ID.
    SuperAdmin = 22,
    // 23 and 24 were reserved once and never written.
    /// An attribute of a member of a group; `group/user/key`.
    MemberAttribute = 25,
    /// Users by the time of their registration; `time/user`.
    UserByTime = 26,
    /// Users by their UUID; the key is the UUID.
    UserByUuid = 27,
    /// A user who was deleted, of whom not everything is removed yet; the key is the user ID.
    Departing = 28,
    /// A user who was deleted not long ago; the key is the user ID.
    Departed = 29,
    /// Who does not want to hear from a user: [`Self::UserBlock`] the other way round; `blocked/user`.
    BlockedBy = 30,
    /// Members by what sets them apart, so that these few are found among many; `room/mark/user`.
    MemberMark = 31,
    /// Up to when a user finds nothing of the past any more; the key is the user ID.
    HiddenUntil = 32,
    /// What a user wants to be pushed; the key is the user ID.
    PushPreferences = 33,
    /// What a user wants to be pushed of one conversation; `user/u/other` or `user/g/group`.
    ConversationPush = 34,
    /// A template of pushes; the key is its name.
    PushTemplate = 35,
    /// The devices of a user that pushes reach; the key is the user ID.
    PushBindings = 36,
    /// A message whose receivers are to be told by push; the key orders by time.
    PushDue = 37,
    /// A push on its way to one device; `certificate/time`.
    PushDelivery = 38,
    /// What became of the push of a message to a user; `day/user/message`.
    PushLog = 39,
    /// A certificate with which a push provider is spoken to; the key is its UUID.
    Notifier = 40,
    /// A label that users have for direct pushes; the key is its name.
    PushLabel = 41,
    /// A user with a label; `label/user`.
    PushLabelUser = 42,
    /// A direct push to many, that is to begin or under way; the key orders by time.
    PushTask = 43,
    /// Somebody who asks to become a contact; `asked/asker`.
    ContactRequest = 44,
    /// The same the other way round; `asker/asked`.
    ContactRequestBy = 45,
    /// Somebody who applied to come into a group; `group/user`.
    GroupApplication = 46,
    /// The same the other way round; `user/group`.
    GroupApplicationBy = 47,
    /// Somebody who was invited into a group; `group/user`.
    GroupInvitation = 48,
    /// The same the other way round; `user/group`.
    GroupInvitationOf = 49,
    /// What a client sent that became a message, to know it again; the key is the message's ID.
    SentItem = 50,
    /// For whom a message of a group is, if not for all members; the key is the message's ID.
    NamedReceivers = 51,
}

/// A typed record: a value of one family. Fields are numbered; unknown ones are skipped and missing ones have
/// defaults, so that versions understand each other.
pub trait Record: Encode<()> + for<'b> Decode<'b, ()> + Clone + Send + 'static {
    /// The family.
    const KIND: RecordKind;
}

/// The bytes of a record.
pub fn encode<R: Record>(record: &R) -> Bytes {
    let mut bytes = Vec::new();
    // Writing to a vector does not fail.
    let _ = minicbor::encode(record, &mut bytes);
    bytes.into()
}

/// Reads the bytes of a record.
///
/// # Errors
/// When they are not what this or another version wrote.
pub fn decode<R: Record>(bytes: &[u8]) -> Result<R, StoreError> {
    minicbor::decode(bytes)
        .map_err(|error| StoreError::Failed(format!("a damaged {:?} record: {error}", R::KIND).into()))
}

/// How often a change is tried before it is given up as too contended.
const ATTEMPTS: u32 = 32;

/// Bounds the repetition of a change that met another: `loop { let mut records = attempts.begin()?; …; if
/// records.commit().await? { return … } }`.
#[derive(Debug)]
pub struct Attempts<'a> {
    node: &'a Node,
    app: &'a App,
    left: u32,
}

impl<'a> Attempts<'a> {
    /// Begins the next try.
    ///
    /// # Errors
    /// When every try met another change.
    pub fn begin(&mut self) -> Result<Transaction<'a>, StoreError> {
        self.left = self.left.checked_sub(1).ok_or(StoreError::Busy)?;
        Ok(Transaction { node: self.node, app: self.app, changes: Vec::new() })
    }
}

/// Reads that must still hold, and writes, of one atomic step.
#[derive(Debug)]
pub struct Transaction<'a> {
    node: &'a Node,
    app: &'a App,
    changes: Vec<Change>,
}

impl Transaction<'_> {
    /// Reads a record; the commit is refused if it has changed meanwhile.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn get<R: Record>(&mut self, key: &str) -> Result<Option<R>, StoreError> {
        let value = self.node.store().read_record(self.app.id(), R::KIND, key).await?;
        self.changes.push(Change::Expect { kind: R::KIND, key: key.to_owned(), value: value.clone() });
        value.map(|bytes| decode(&bytes)).transpose()
    }

    /// Writes a record.
    pub fn put<R: Record>(&mut self, key: impl Into<String>, record: &R) {
        self.changes.push(Change::Put { kind: R::KIND, key: key.into(), value: encode(record) });
    }

    /// Writes the bytes of a record.
    pub fn put_bytes(&mut self, kind: RecordKind, key: impl Into<String>, value: Bytes) {
        self.changes.push(Change::Put { kind, key: key.into(), value });
    }

    /// Removes a record.
    pub fn delete(&mut self, kind: RecordKind, key: impl Into<String>) {
        self.changes.push(Change::Delete { kind, key: key.into() });
    }

    /// Removes every record whose key begins so.
    pub fn delete_prefix(&mut self, kind: RecordKind, prefix: impl Into<String>) {
        self.changes.push(Change::DeletePrefix { kind, prefix: prefix.into() });
    }

    /// Adds changes that were put together elsewhere.
    pub fn extend(&mut self, changes: impl IntoIterator<Item = Change>) {
        self.changes.extend(changes);
    }

    /// Makes all of it durable. `false`: something that was read has changed; nothing was written, try again.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn commit(self) -> Result<bool, StoreError> {
        let writes = self.changes.iter().any(|change| !matches!(change, Change::Expect { .. }));
        if !writes {
            return Ok(true);
        }
        Ok(self.node.store().change(self.app.id(), self.changes).await? == Changed::Done)
    }
}

/// A page of records, and where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The records.
    pub items: Vec<T>,
    /// The key to go on behind; `None` on the last page.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The same page of other things.
    pub fn map<U>(self, of: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(of).collect(), next: self.next }
    }
}

/// The key of a record that stands beside a message: these order by the messages' age.
pub(crate) fn message_key(id: MessageId) -> String {
    format!("{:020}", id.0)
}

/// Records that are forgotten in one step.
const FORGOTTEN: usize = 500;

impl Node {
    /// Forgets the records beside messages that are older than so many milliseconds. Returns how many.
    pub(crate) async fn forget_beside(&self, app: &App, kind: RecordKind, kept_ms: u64) -> Result<u64, StoreError> {
        let oldest = message_key(MessageId::first_of(self.clock().wall_ms().saturating_sub(kept_ms)));
        let mut count = 0;
        loop {
            let found = self.store().scan_records(app.id(), Scan::of(kind, "", FORGOTTEN)).await?;
            let old = found.into_iter().map(|(key, _)| key).take_while(|key| *key < oldest);
            let changes: Vec<_> = old.map(|key| Change::Delete { kind, key }).collect();
            let deleted = changes.len();
            if deleted > 0 {
                self.store().change(app.id(), changes).await?;
                count += deleted as u64;
            }
            if deleted < FORGOTTEN {
                return Ok(count);
            }
        }
    }

    /// Begins a change of records.
    #[must_use]
    pub fn attempts<'a>(&'a self, app: &'a App) -> Attempts<'a> {
        Attempts { node: self, app, left: ATTEMPTS }
    }

    /// One record.
    pub(crate) async fn find<R: Record>(&self, app: &App, key: &str) -> Result<Option<R>, StoreError> {
        let bytes = self.store().read_record(app.id(), R::KIND, key).await?;
        bytes.map(|bytes| decode(&bytes)).transpose()
    }

    /// Several records, in the order asked.
    pub(crate) async fn find_all<R: Record>(&self, app: &App, keys: Vec<String>) -> Result<Vec<Option<R>>, StoreError> {
        let found = self.store().read_records(app.id(), R::KIND, keys).await?;
        found.into_iter().map(|bytes| bytes.map(|bytes| decode(&bytes)).transpose()).collect()
    }

    /// A page of records with their keys. Reads one more than `scan.limit`, to know whether there is another page.
    pub(crate) async fn page<R: Record>(&self, app: &App, scan: Scan) -> Result<Page<(String, R)>, StoreError> {
        let limit = scan.limit;
        let mut found = self.store().scan_records(app.id(), Scan { limit: limit + 1, ..scan }).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|(key, _)| key.clone());
        let items = found.into_iter().map(|(key, bytes)| Ok((key, decode(&bytes)?)));
        Ok(Page { items: items.collect::<Result<_, StoreError>>()?, next })
    }
}

/// Cursors that clients get: opaque, printable, and not the key itself in the clear.
#[must_use]
pub fn cursor(key: &str) -> String {
    key.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a cursor. `None` if it is none.
#[must_use]
pub fn from_cursor(cursor: &str) -> Option<String> {
    if !cursor.len().is_multiple_of(2) || cursor.len() > 1024 || !cursor.is_ascii() {
        return None;
    }
    let bytes = (0..cursor.len()).step_by(2).map(|at| u8::from_str_radix(&cursor[at..at + 2], 16).ok());
    String::from_utf8(bytes.collect::<Option<Vec<_>>>()?).ok()
}
