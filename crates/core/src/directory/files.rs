//! Uploaded files: their records, their quota and their end. The bytes lie elsewhere, behind [`Blobs`].
//!
//! The order, which a crash may end anywhere: the bytes come first, then the record, and only then the answer; at the
//! end the bytes go first, then the record. So a record's bytes are there as long as it says so, and bytes without a
//! record are nobody's: whoever knows the place looks for them ([`Node::files_kept`]).
//!
//! How much an app keeps is counted in several parts, so that uploads at the same time do not wait for each other.

use std::fmt;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use minicbor::{Decode, Encode};

use super::second;
use super::shared_files::shared_key;
use crate::app::App;
use crate::id::RoomId;
use crate::node::Node;
use crate::records::{Page, Record, RecordKind, Transaction};
use crate::store::{Scan, StoreError};
use crate::timers::Due;

/// How the keys of the parts begin; behind it stands the first digit of the UUID.
const PART: &str = "files/";

/// How many parts there are: one for each hexadecimal digit.
const PARTS: usize = 16;

/// How often files that have expired are looked for, in milliseconds.
const SWEEP_EVERY_MS: u64 = 60_000;

/// Entries of the index that are read at a time.
const STEP: usize = 64;

/// How long it is remembered that a file has expired, in milliseconds: 30 days. Then it never was.
const REMEMBERED_MS: u64 = 30 * 86_400_000;

/// Where the bytes of an app's files lie.
#[async_trait]
pub trait Blobs: Send + Sync + fmt::Debug {
    /// Deletes the bytes of a file. Deleting what is not there succeeds.
    ///
    /// # Errors
    /// When it cannot be done now.
    async fn delete(&self, uuid: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;
}

/// The place of an app's files, set once.
#[derive(Debug, Default)]
pub(crate) struct FilesPlace(OnceLock<Arc<dyn Blobs>>);

/// An uploaded file. What its bytes and its secret are is for the dialect to know.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct File {
    /// In bytes.
    #[n(0)]
    pub bytes: u64,
    /// Under which type it is served.
    #[n(1)]
    pub content_type: String,
    /// Its sender's name for it.
    #[n(2)]
    pub name: Option<String>,
    /// The digest of the secret that its readers need; `None` for a file that anybody may read.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub secret_digest: Option<Vec<u8>>,
    /// The box of its thumbnail, in pixels: the width.
    #[n(4)]
    pub thumbnail_width: u32,
    /// The same: the height.
    #[n(5)]
    pub thumbnail_height: u32,
    /// The user who uploaded it; `None` for the app's backend.
    #[n(6)]
    pub owner: Option<String>,
    /// When it was uploaded: Unix time in milliseconds.
    #[n(7)]
    pub created_ms: u64,
    /// From when on nobody can read it: Unix time in milliseconds.
    #[n(8)]
    pub expires_ms: u64,
    /// It has expired, and its bytes are gone.
    #[n(9)]
    #[cbor(default)]
    pub is_gone: bool,
    /// The group that it is shared with: only its members may read it ([`super::shared_files`]).
    #[n(10)]
    pub group: Option<String>,
}

/// Without the digest: it is no secret, but nobody needs it in a log either.
impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").field("bytes", &self.bytes).field("expires_ms", &self.expires_ms).finish_non_exhaustive()
    }
}

impl Record for File {
    const KIND: RecordKind = RecordKind::File;
}

impl File {
    /// Whether nobody can read it any more, at `now_ms` (Unix time).
    #[must_use]
    pub fn has_expired(&self, now_ms: u64) -> bool {
        self.is_gone || self.expires_ms <= now_ms
    }
}

/// An entry of the index by end. The UUID is in the key.
#[derive(Debug, Clone, Encode, Decode)]
struct Expiry {}

impl Record for Expiry {
    const KIND: RecordKind = RecordKind::FileExpiry;
}

/// A part of the sum.
#[derive(Debug, Clone, Default, Encode, Decode)]
struct Part {
    #[n(0)]
    bytes: u64,
}

impl Record for Part {
    const KIND: RecordKind = RecordKind::Counter;
}

/// A file whose bytes are kept already.
#[derive(Debug, Clone, Default)]
pub struct NewFile {
    /// A random UUID in lower case.
    pub uuid: String,
    /// In bytes.
    pub bytes: u64,
    /// Under which type it is served.
    pub content_type: String,
    /// Its sender's name for it.
    pub name: Option<String>,
    /// The digest of its secret, if it needs one.
    pub secret_digest: Option<Vec<u8>>,
    /// The box of its thumbnail, width and height in pixels.
    pub thumbnail: (u32, u32),
    /// The user who uploaded it.
    pub owner: Option<String>,
    /// The group that it is to be shared with.
    pub group: Option<RoomId>,
}

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The app would keep more than so many bytes.
    #[error("an app's files are limited to {max} bytes")]
    QuotaUsedUp {
        /// The limit.
        max: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The key of the index by end: 13 digits of milliseconds are enough until the year 2286.
fn by_end(end_ms: u64, uuid: &str) -> String {
    format!("{end_ms:013}/{uuid}")
}

impl Node {
    /// Says where the bytes of an app's files lie, once; from then on expired ones are deleted. `false` if it was said
    /// before.
    #[must_use]
    pub fn keep_files_in(&self, app: &Arc<App>, blobs: Arc<dyn Blobs>) -> bool {
        let set = app.files.0.set(blobs).is_ok();
        if set {
            self.timers().at(self.clock().monotonic_ms() + SWEEP_EVERY_MS, Due::Files(Arc::downgrade(app)));
        }
        set
    }

    /// Takes a file whose bytes are kept. Uploads at the same time may exceed the quota by what they bring.
    ///
    /// # Errors
    /// When the quota is used up, or the store fails.
    pub async fn add_file(&self, app: &App, new: NewFile) -> Result<File, FileError> {
        let policy = app.policy().directory.files;
        let created_ms = self.clock().wall_ms();
        let file = File {
            bytes: new.bytes,
            content_type: new.content_type,
            name: new.name,
            secret_digest: new.secret_digest,
            thumbnail_width: new.thumbnail.0,
            thumbnail_height: new.thumbnail.1,
            owner: new.owner,
            created_ms,
            expires_ms: created_ms.saturating_add(policy.retention_ms),
            is_gone: false,
            group: new.group.map(|group| group.as_str().to_owned()),
        };
        let mut attempts = self.attempts(app);
        loop {
            if self.file_bytes(app).await?.saturating_add(file.bytes) > policy.files_bytes {
                return Err(FileError::QuotaUsedUp { max: policy.files_bytes });
            }
            let mut records = attempts.begin()?;
            count(&mut records, &new.uuid, 0, file.bytes).await?;
            records.put(new.uuid.as_str(), &file);
            records.put(by_end(file.expires_ms, &new.uuid), &Expiry {});
            if records.commit().await? {
                return Ok(file);
            }
        }
    }

    /// A file, also one that has expired not long ago.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find_file(&self, app: &App, uuid: &str) -> Result<Option<File>, StoreError> {
        self.find(app, uuid).await
    }

    /// Deletes a file. `false` if it was not there, or has expired.
    ///
    /// # Errors
    /// When the store fails. When only its bytes cannot be deleted now, they are nobody's, and it succeeds.
    pub async fn delete_file(&self, app: &App, uuid: &str) -> Result<bool, StoreError> {
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            let Some(file) = records.get::<File>(uuid).await?.filter(|file| !file.is_gone) else { return Ok(false) };
            count(&mut records, uuid, file.bytes, 0).await?;
            records.delete(RecordKind::File, uuid);
            records.delete(RecordKind::FileExpiry, by_end(file.expires_ms, uuid));
            unshare(&mut records, uuid, &file);
            if records.commit().await? {
                break;
            }
        }
        if let Some(blobs) = app.files.0.get()
            && let Err(error) = blobs.delete(uuid).await
        {
            tracing::warn!(error = &*error, "a deleted file's bytes stay until they are swept");
        }
        Ok(true)
    }

    /// The bytes of all files of an app.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn file_bytes(&self, app: &App) -> Result<u64, StoreError> {
        let parts = self.page::<Part>(app, Scan::of(RecordKind::Counter, PART, PARTS)).await?;
        Ok(parts.items.iter().map(|(_, part)| part.bytes).sum())
    }

    /// Which of these files have bytes that are to be kept, in the order asked.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn files_kept(&self, app: &App, uuids: Vec<String>) -> Result<Vec<bool>, StoreError> {
        let found = self.find_all::<File>(app, uuids).await?;
        Ok(found.into_iter().map(|file| file.is_some_and(|file| !file.is_gone)).collect())
    }

    /// Deletes what has expired, and comes back later.
    pub(crate) fn sweep_files(&self, app: &Arc<App>) {
        let (node, app) = (self.clone(), app.clone());
        self.spawn(async move {
            if let Some(blobs) = app.files.0.get()
                && let Err(error) = node.sweep_files_of(&app, &**blobs).await
            {
                tracing::warn!(error = &error as &dyn std::error::Error, "expired files could not be deleted");
            }
            node.timers().at(node.clock().monotonic_ms() + SWEEP_EVERY_MS, Due::Files(Arc::downgrade(&app)));
        });
    }

    /// Goes through what has expired, once: what cannot be deleted now does not keep the others.
    async fn sweep_files_of(&self, app: &App, blobs: &dyn Blobs) -> Result<(), StoreError> {
        let now = by_end(self.clock().wall_ms() + 1, "");
        let mut after = None;
        while !self.is_draining() {
            let scan = Scan { after, ..Scan::of(RecordKind::FileExpiry, "", STEP) };
            let Page { items, next } = self.page::<Expiry>(app, scan).await?;
            for (key, _) in items {
                if key >= now {
                    return Ok(());
                }
                self.sweep_file(app, blobs, &key).await?;
            }
            after = next;
            if after.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// The first time the bytes go, the second time the record.
    async fn sweep_file(&self, app: &App, blobs: &dyn Blobs, key: &str) -> Result<(), StoreError> {
        let uuid = second(key);
        if let Err(error) = blobs.delete(uuid).await {
            tracing::warn!(error = &*error, "an expired file could not be deleted now");
            return Ok(());
        }
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            match records.get::<File>(uuid).await? {
                Some(file) if !file.is_gone => {
                    count(&mut records, uuid, file.bytes, 0).await?;
                    unshare(&mut records, uuid, &file);
                    records.put(by_end(file.expires_ms.saturating_add(REMEMBERED_MS), uuid), &Expiry {});
                    records.put(uuid, &File { is_gone: true, ..file });
                }
                _ => records.delete(RecordKind::File, uuid),
            }
            records.delete(RecordKind::FileExpiry, key);
            if records.commit().await? {
                return Ok(());
            }
        }
    }
}

/// Takes a file that goes off the list of its group.
fn unshare(records: &mut Transaction<'_>, uuid: &str, file: &File) {
    if let Some(group) = &file.group {
        records.delete(RecordKind::SharedFile, shared_key(group, file.created_ms, uuid));
    }
}

/// Counts that a file has `after` bytes in the place of `before`.
async fn count(records: &mut Transaction<'_>, uuid: &str, before: u64, after: u64) -> Result<(), StoreError> {
    if before == after {
        return Ok(());
    }
    let key = format!("{PART}{}", uuid.get(..1).unwrap_or("0"));
    let part = records.get::<Part>(&key).await?.unwrap_or_default();
    records.put(key, &Part { bytes: (part.bytes + after).saturating_sub(before) });
    Ok(())
}
