//! Files shared with a group: uploaded files ([`super::files`]) that only members find, and the group's list of them.
//!
//! A file is recorded first and put on the list then; it is taken off the list first and deleted then. A crash in
//! between leaves a file that nobody finds. It goes when it expires, as do the files of a group that is deleted at the
//! moment of a crash.

use std::sync::Arc;

use minicbor::{Decode, Encode};

use super::files::{File, FileError, NewFile};
use super::room_error::RoomError;
use super::rooms::RoomKind;
use crate::app::App;
use crate::id::{RoomId, UserId};
use crate::node::Node;
use crate::records::{Record, RecordKind};
use crate::room_event::RoomEvent;
use crate::store::{Change, Scan, StoreError};

/// How many a group may have (product limits: 10 000).
pub const MAX_SHARED_FILES: usize = 10_000;

/// Files of a deleted group that are looked up at a time.
const STEP: usize = 64;

/// An entry of a group's list; the key names group, time and file.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SharedFile {
    /// Its uploader's name for it.
    #[n(0)]
    pub name: Option<String>,
    /// The user who uploaded it; `None` for the app's backend.
    #[n(1)]
    pub owner: Option<String>,
    /// In bytes.
    #[n(2)]
    pub bytes: u64,
    /// When it was uploaded: Unix time in milliseconds.
    #[n(3)]
    pub created_ms: u64,
    /// From when on nobody can read it: Unix time in milliseconds.
    #[n(4)]
    pub expires_ms: u64,
}

impl Record for SharedFile {
    const KIND: RecordKind = RecordKind::SharedFile;
}

/// Why a file was not shared. Its bytes and its record are gone then, or never were.
#[derive(Debug, thiserror::Error)]
pub enum ShareError {
    /// It is not taken as a file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The group does not take it.
    #[error(transparent)]
    Group(#[from] RoomError),
}

/// The key of an entry: the list is in the order of time. 13 digits of milliseconds are enough until the year 2286.
pub(super) fn shared_key(group: &str, created_ms: u64, uuid: &str) -> String {
    format!("{group}/{created_ms:013}/{uuid}")
}

fn too_many() -> RoomError {
    RoomError::TooMany { max: MAX_SHARED_FILES }
}

impl Node {
    /// Shares a file, whose bytes are kept, with a group; its members are told. A user who uploads must be a member.
    ///
    /// # Errors
    /// When the group is not there or has as many files as it may have, the uploader is no member, the app's quota is
    /// used up, or the store fails.
    pub async fn share_file(&self, app: &Arc<App>, group: &RoomId, new: NewFile) -> Result<File, ShareError> {
        let uuid = new.uuid.clone();
        let file = self.add_file(app, NewFile { group: Some(group.clone()), ..new }).await?;
        if let Err(error) = self.put_on_list(app, group, &uuid, &file).await {
            self.delete_file(app, &uuid).await.map_err(FileError::from)?;
            return Err(error.into());
        }
        Ok(file)
    }

    async fn put_on_list(&self, app: &Arc<App>, group: &RoomId, uuid: &str, file: &File) -> Result<(), RoomError> {
        let shared = SharedFile {
            name: file.name.clone(),
            owner: file.owner.clone(),
            bytes: file.bytes,
            created_ms: file.created_ms,
            expires_ms: file.expires_ms,
        };
        let key = shared_key(group.as_str(), file.created_ms, uuid);
        let owner = file.owner.as_deref().map(UserId::from_trusted);
        let named = (owner.iter().cloned().collect(), vec![key.clone()]);
        let uuid = uuid.to_owned();
        self.in_turn_with_files(app, RoomKind::Group, group, named, move |turn| {
            turn.room()?;
            if let Some(owner) = owner.as_ref().filter(|owner| turn.member(owner).is_none()) {
                return Err(RoomError::NotMembers(vec![owner.clone()]));
            }
            if turn.shared >= MAX_SHARED_FILES as u64 {
                return Err(too_many());
            }
            if let Some(slot) = turn.files.get_mut(&key) {
                slot.now = Some(shared.clone());
                turn.shared += 1;
            }
            turn.tell(event(&uuid, shared.name.clone(), true, owner.clone()));
            Ok(())
        })
        .await
    }

    /// Deletes a file that is shared with a group, for this user or for the app's backend; its members are told.
    ///
    /// # Errors
    /// When group or file is not there, or the store fails.
    pub async fn unshare_file(
        &self,
        app: &Arc<App>,
        group: &RoomId,
        uuid: &str,
        by: Option<&UserId>,
    ) -> Result<(), RoomError> {
        let file = self.find_file(app, uuid).await?.filter(|file| file.group.as_deref() == Some(group.as_str()));
        let file = file.ok_or(RoomError::NoFile)?;
        let key = shared_key(group.as_str(), file.created_ms, uuid);
        let (named, id, by) = ((Vec::new(), vec![key.clone()]), uuid.to_owned(), by.cloned());
        let taken_off = self
            .in_turn_with_files(app, RoomKind::Group, group, named, move |turn| {
                turn.room()?;
                let shared = turn.files.get_mut(&key).and_then(|slot| slot.now.take()).ok_or(RoomError::NoFile)?;
                turn.shared = turn.shared.saturating_sub(1);
                turn.tell(event(&id, shared.name, false, by.clone()));
                Ok(())
            })
            .await;
        // Also one that is on no list: then a crash left it.
        if matches!(taken_off, Ok(()) | Err(RoomError::NoFile)) {
            self.delete_file(app, uuid).await?;
        }
        taken_off
    }

    /// A file that is shared with a group, also one that has expired not long ago.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find_shared_file(&self, app: &App, group: &RoomId, uuid: &str) -> Result<Option<File>, StoreError> {
        let file = self.find_file(app, uuid).await?.filter(|file| file.group.as_deref() == Some(group.as_str()));
        let Some(file) = file else { return Ok(None) };
        let key = shared_key(group.as_str(), file.created_ms, uuid);
        let listed = file.is_gone || self.find::<SharedFile>(app, &key).await?.is_some();
        Ok(Some(file).filter(|_| listed))
    }

    /// The files that are shared with a group, with their UUIDs, the newest first: those behind the first `skip`, at
    /// most `limit`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn shared_files(
        &self,
        app: &App,
        group: &RoomId,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<(String, SharedFile)>, StoreError> {
        let now_ms = self.clock().wall_ms();
        let up_to = skip.saturating_add(limit).min(MAX_SHARED_FILES);
        let scan = Scan { backwards: true, ..Scan::of(RecordKind::SharedFile, format!("{group}/"), up_to) };
        let found = self.page::<SharedFile>(app, scan).await?.items.into_iter();
        let there = found.filter(|(_, file)| file.expires_ms > now_ms);
        let uuid = |key: &str| key.rsplit('/').next().unwrap_or_default().to_owned();
        Ok(there.skip(skip).take(limit).map(|(key, file)| (uuid(&key), file)).collect())
    }

    /// Whether a group has as many shared files as it may have.
    ///
    /// # Errors
    /// When the group has so many, or the store fails.
    pub async fn may_share(&self, app: &App, group: &RoomId) -> Result<(), RoomError> {
        let shared = self.count_shared_files(app, group).await?;
        if shared < MAX_SHARED_FILES as u64 { Ok(()) } else { Err(too_many()) }
    }

    pub(super) async fn count_shared_files(&self, app: &App, group: &RoomId) -> Result<u64, StoreError> {
        self.store().count_records(app.id(), RecordKind::SharedFile, &format!("{group}/")).await
    }

    /// Deletes the files of a group that is gone, one after the other.
    pub(super) async fn forget_shared_files(&self, app: &App, group: &RoomId) {
        if let Err(error) = self.try_forget_shared_files(app, group).await {
            tracing::warn!(%error, "files of a group that is gone stay until they expire");
        }
    }

    async fn try_forget_shared_files(&self, app: &App, group: &RoomId) -> Result<(), StoreError> {
        loop {
            let scan = Scan::of(RecordKind::SharedFile, format!("{group}/"), STEP);
            let found = self.store().scan_records(app.id(), scan).await?;
            if found.is_empty() {
                return Ok(());
            }
            let mut left = Vec::new();
            for (key, _) in found {
                let uuid = key.rsplit('/').next().unwrap_or_default();
                if !self.delete_file(app, uuid).await? {
                    left.push(Change::Delete { kind: RecordKind::SharedFile, key });
                }
            }
            if !left.is_empty() {
                self.store().change(app.id(), left).await?;
            }
        }
    }
}

fn event(uuid: &str, name: Option<String>, shared: bool, by: Option<UserId>) -> RoomEvent {
    RoomEvent::File { id: uuid.to_owned(), name: name.unwrap_or_default(), shared, by }
}
