//! How a user goes, with everything that is the user's.
//!
//! The order, which a crash may end anywhere:
//!
//! 1. In one step the user is no longer registered, has no attributes, mute, status and super admin's rights any more,
//!    and stands on the list of those who depart. From here on nobody finds the user, its tokens are void, and nothing
//!    new can be tied to it, because that expects the user's record.
//! 2. The sessions end. The rooms and groups that the user owns are deleted, and it leaves the others. What ties the user
//!    to others goes: contacts, requests, blocks and watches of both directions, and what waits to come into groups. In bounded steps, of which each
//!    takes both directions of what it removes.
//! 3. The inbox is forgotten.
//! 4. In one step the user leaves the list, has no push labels any more, and a note of the time stays for as long as a token of it could be good.
//!
//! Who starts a node, registers the same name, or deletes the user again finishes what was begun: after a crash nobody
//! sees anything between 1 and 4.

use std::sync::Arc;

use minicbor::{Decode, Encode};

use super::users::User;
use super::{DirectoryError, pair, second};
use crate::app::App;
use crate::history::HiddenUntil;
use crate::id::UserId;
use crate::node::Node;
use crate::records::{Page, Record, RecordKind};
use crate::session::LogoutReason;
use crate::store::{Change, Scan, StoreError};

/// How many records are removed in one step.
const STEP: usize = 128;

/// How long the time of a deletion is remembered at least, in milliseconds: twice as long as any token made elsewhere is
/// good. So long as something of the past is kept it is remembered, too, and with it that the next one of that name does
/// not find it.
const REMEMBERED_MS: u64 = 2 * 86_400_000;

/// How many notes of earlier deletions are looked at with every deletion.
const SWEPT: usize = 16;

/// A user who was deleted, of whom not everything is removed yet: the user as it was.
#[derive(Debug, Clone, Encode, Decode)]
pub(super) struct Departing {
    #[n(0)]
    user: User,
}

impl Record for Departing {
    const KIND: RecordKind = RecordKind::Departing;
}

/// A user who was deleted not long ago.
#[derive(Debug, Clone, Encode, Decode)]
pub(super) struct Departed {
    /// When: Unix time in milliseconds.
    #[n(0)]
    pub(super) at_ms: u64,
}

impl Record for Departed {
    const KIND: RecordKind = RecordKind::Departed;
}

/// Families of pairs that stand twice, `a/b` in the one and `b/a` in the other; of users and users, or of users and groups.
const TIES: [(RecordKind, RecordKind); 9] = [
    (RecordKind::Contact, RecordKind::Contact),
    (RecordKind::ContactRequest, RecordKind::ContactRequestBy),
    (RecordKind::ContactRequestBy, RecordKind::ContactRequest),
    (RecordKind::UserBlock, RecordKind::BlockedBy),
    (RecordKind::BlockedBy, RecordKind::UserBlock),
    (RecordKind::StatusWatch, RecordKind::StatusWatched),
    (RecordKind::StatusWatched, RecordKind::StatusWatch),
    (RecordKind::GroupApplicationBy, RecordKind::GroupApplication),
    (RecordKind::GroupInvitationOf, RecordKind::GroupInvitation),
];

impl Node {
    /// Deletes a user and everything of it (see [`crate::directory::departure`]). Returns the user as it was.
    ///
    /// # Errors
    /// When there is none of that name, or the store fails; then it may be half done, and doing it again finishes it.
    pub async fn delete_user(&self, app: &Arc<App>, name: &UserId) -> Result<User, DirectoryError> {
        let mut attempts = self.attempts(app);
        let user = loop {
            let mut records = attempts.begin()?;
            let Some(user) = records.get::<User>(name.as_str()).await? else {
                match records.get::<Departing>(name.as_str()).await? {
                    Some(departing) => break departing.user,
                    None => return Err(DirectoryError::NoUser(name.as_str().to_owned())),
                }
            };
            Self::unregister(&mut records, &user);
            self.forget_profile(&mut records, name).await?;
            for kind in [RecordKind::Mute, RecordKind::Status, RecordKind::SuperAdmin] {
                records.delete(kind, name.as_str());
            }
            crate::push::preferences::forget(&mut records, name);
            // The next one of that name finds nothing of what this one could.
            records.put(name.as_str(), &HiddenUntil { until: self.next_id(self.clock().wall_ms()).0 });
            records.put(name.as_str(), &Departing { user: user.clone() });
            if records.commit().await? {
                app.user_quota.release();
                break user;
            }
        };
        self.finish_departure(app, name).await?;
        self.sweep_departed(app).await?;
        Ok(user)
    }

    /// Deletes up to `limit` users in the order of their registration, behind `after`. A page may be shorter than
    /// `limit` though another one follows.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_users(
        &self,
        app: &Arc<App>,
        after: Option<String>,
        limit: usize,
    ) -> Result<Page<User>, StoreError> {
        let Page { items, next } = self.users(app, after, limit).await?;
        let mut deleted = Vec::with_capacity(items.len());
        for user in items {
            match self.delete_user(app, &UserId::from_trusted(&user.name)).await {
                Ok(user) => deleted.push(user),
                Err(DirectoryError::Store(error)) => return Err(error),
                // Somebody else was faster.
                Err(_) => {}
            }
        }
        Ok(Page { items: deleted, next })
    }

    /// Finishes the deletions that were going on when the process ended.
    pub(crate) async fn finish_departures(&self) -> Result<(), StoreError> {
        for app in self.apps() {
            loop {
                let scan = Scan::of(RecordKind::Departing, "", STEP);
                let found = self.store().scan_records(app.id(), scan).await?;
                for (name, _) in &found {
                    self.finish_departure(app, &UserId::from_trusted(name)).await?;
                }
                if found.len() < STEP {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Steps 2 to 4. Does nothing if the user is not on the list of those who depart.
    pub(super) async fn finish_departure(&self, app: &Arc<App>, name: &UserId) -> Result<(), StoreError> {
        self.disconnect(app, name, None, LogoutReason::Deleted).await;
        self.leave_everything(app, name).await?;
        for (kind, mirrored) in TIES {
            self.untie(app, name, kind, mirrored).await?;
        }
        self.store().inbox_forget(app.id(), name, None).await?;
        let labels = self.forget_push_labels(app, name).await?;
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            if records.get::<Departing>(name.as_str()).await?.is_none() {
                return Ok(());
            }
            records.delete(RecordKind::Departing, name.as_str());
            // What was left of rooms that were gone before.
            records.delete_prefix(RecordKind::Membership, pair(name.as_str(), ""));
            records.extend(labels.iter().cloned());
            records.put(name.as_str(), &Departed { at_ms: self.clock().wall_ms() });
            if records.commit().await? {
                return Ok(());
            }
        }
    }

    /// Removes every pair of a user from a family and from the one that mirrors it.
    async fn untie(&self, app: &App, name: &UserId, kind: RecordKind, mirror: RecordKind) -> Result<(), StoreError> {
        loop {
            let scan = Scan::of(kind, pair(name.as_str(), ""), STEP);
            let found = self.store().scan_records(app.id(), scan).await?;
            let mut changes = Vec::with_capacity(2 * found.len());
            for (key, _) in &found {
                changes.push(Change::Delete { kind, key: key.clone() });
                changes.push(Change::Delete { kind: mirror, key: pair(second(key), name.as_str()) });
            }
            if !changes.is_empty() {
                self.store().change(app.id(), changes).await?;
            }
            if found.len() < STEP {
                return Ok(());
            }
        }
    }

    /// Forgets deletions that are long enough ago: with every deletion it looks at a few, and goes on there the next
    /// time, so that the notes do not pile up.
    async fn sweep_departed(&self, app: &App) -> Result<(), StoreError> {
        let now_ms = self.clock().wall_ms();
        let after = app.departed_swept.lock().clone();
        let scan = Scan { after, ..Scan::of(RecordKind::Departed, "", SWEPT) };
        let Page { items, next } = self.page::<Departed>(app, scan).await?;
        *app.departed_swept.lock() = next;
        let kept_ms = app.policy().history.map_or(0, |history| history.retention_ms);
        let remembered_ms = REMEMBERED_MS.max(kept_ms);
        let old = items.into_iter().filter(|(_, departed)| departed.at_ms + remembered_ms < now_ms);
        let forget = |(key, _): (String, Departed)| {
            let hidden = Change::Delete { kind: RecordKind::HiddenUntil, key: key.clone() };
            [Change::Delete { kind: RecordKind::Departed, key }, hidden]
        };
        let changes: Vec<_> = old.flat_map(forget).collect();
        if !changes.is_empty() {
            self.store().change(app.id(), changes).await?;
        }
        Ok(())
    }
}
