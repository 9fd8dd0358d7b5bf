//! Who waits to come into a group: users who applied, and users who were invited. Both are kept twice, by group and by
//! user, and go in the step in which the user comes in, by whatever way that is.

use std::sync::Arc;

use minicbor::{Decode, Encode};

use super::blocks::{Block, block_key};
use super::members::{Member, member_key};
use super::room_error::RoomError;
use super::rooms::{Room, RoomKind};
use super::users::User;
use super::{pair, second};
use crate::app::App;
use crate::id::{RoomId, UserId};
use crate::node::Node;
use crate::records::{Record, RecordKind, Transaction, encode};
use crate::store::{Change, Scan, StoreError};

/// How many users may wait for an answer to their application to one group, and as many for whom an invitation waits.
pub const MAX_WAITING: usize = 1_000;

/// The families of those who wait, and those that mirror them by user.
const FAMILIES: [(RecordKind, RecordKind); 2] =
    [(GroupApplication::KIND, GroupApplication::MIRROR), (GroupInvitation::KIND, GroupInvitation::MIRROR)];

/// A family of those who wait, which stands twice.
trait Waiting: Record {
    /// The same by user.
    const MIRROR: RecordKind;
}

/// Somebody who applied; the key names group and user.
#[derive(Debug, Clone, Encode, Decode)]
struct GroupApplication {
    /// When: Unix time in milliseconds.
    #[n(0)]
    at_ms: u64,
}

impl Record for GroupApplication {
    const KIND: RecordKind = RecordKind::GroupApplication;
}

impl Waiting for GroupApplication {
    const MIRROR: RecordKind = RecordKind::GroupApplicationBy;
}

/// Somebody who was invited; the key names group and user.
#[derive(Debug, Clone, Encode, Decode)]
struct GroupInvitation {
    /// When: Unix time in milliseconds.
    #[n(0)]
    at_ms: u64,
    /// Who invited.
    #[n(1)]
    by: String,
}

impl Record for GroupInvitation {
    const KIND: RecordKind = RecordKind::GroupInvitation;
}

impl Waiting for GroupInvitation {
    const MIRROR: RecordKind = RecordKind::GroupInvitationOf;
}

impl Node {
    /// A user applies to come into a group. Applying again changes nothing but the time.
    ///
    /// # Errors
    /// When group or user is not there, the user is a member or kept out, or [`MAX_WAITING`] others wait.
    pub async fn apply_to_group(&self, app: &App, group: &RoomId, user: &UserId) -> Result<(), RoomError> {
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            expect_outside(&mut records, group, user).await?;
            self.expect_place::<GroupApplication>(&mut records, app, group, user).await?;
            let application = GroupApplication { at_ms: self.clock().wall_ms() };
            put(&mut records, group, user, &application);
            if records.commit().await? {
                return Ok(());
            }
        }
    }

    /// Lets somebody in who applied. `false` if the user did not.
    ///
    /// # Errors
    /// When the group is not there, the user cannot come in, or the store fails.
    pub async fn accept_application(&self, app: &Arc<App>, group: &RoomId, user: &UserId) -> Result<bool, RoomError> {
        if self.find::<GroupApplication>(app, &pair(group.as_str(), user.as_str())).await?.is_none() {
            return Ok(false);
        }
        self.admit_waiting(app, group, user).await?;
        Ok(true)
    }

    /// Does not let somebody in who applied. `false` if the user did not.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn decline_application(&self, app: &App, group: &RoomId, user: &UserId) -> Result<bool, RoomError> {
        Ok(self.forget_waiting::<GroupApplication>(app, group, user).await?.is_some())
    }

    /// Invites somebody into a group. Inviting again takes the place of the invitation before.
    ///
    /// # Errors
    /// When group or user is not there, the user is a member or kept out, or [`MAX_WAITING`] others are invited.
    pub async fn invite_to_group(
        &self,
        app: &App,
        group: &RoomId,
        user: &UserId,
        by: &UserId,
    ) -> Result<(), RoomError> {
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            expect_outside(&mut records, group, user).await?;
            self.expect_place::<GroupInvitation>(&mut records, app, group, user).await?;
            let invitation = GroupInvitation { at_ms: self.clock().wall_ms(), by: by.as_str().to_owned() };
            put(&mut records, group, user, &invitation);
            if records.commit().await? {
                return Ok(());
            }
        }
    }

    /// A user who was invited comes in. Returns who invited it; `None` if nobody did.
    ///
    /// # Errors
    /// When the group is not there, the user cannot come in, or the store fails.
    pub async fn accept_invitation(
        &self,
        app: &Arc<App>,
        group: &RoomId,
        user: &UserId,
    ) -> Result<Option<UserId>, RoomError> {
        let key = pair(group.as_str(), user.as_str());
        let Some(invitation) = self.find::<GroupInvitation>(app, &key).await? else { return Ok(None) };
        self.admit_waiting(app, group, user).await?;
        Ok(Some(UserId::from_trusted(&invitation.by)))
    }

    /// A user who was invited does not come in. Returns who invited it; `None` if nobody did.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn decline_invitation(
        &self,
        app: &App,
        group: &RoomId,
        user: &UserId,
    ) -> Result<Option<UserId>, RoomError> {
        let invitation = self.forget_waiting::<GroupInvitation>(app, group, user).await?;
        Ok(invitation.map(|invitation| UserId::from_trusted(&invitation.by)))
    }

    /// The owner and the admins of a group: who decides on applications.
    ///
    /// # Errors
    /// When the group is not there, or the store fails.
    pub async fn group_managers(&self, app: &App, group: &RoomId) -> Result<Vec<UserId>, RoomError> {
        let owner = self.room(app, RoomKind::Group, group).await?.owner_id();
        let mut managers = self.admins(app, group).await?;
        managers.retain(|admin| *admin != owner);
        managers.insert(0, owner);
        Ok(managers)
    }

    /// The user's own coming: others are told that it came, and not that somebody put it in.
    async fn admit_waiting(&self, app: &Arc<App>, group: &RoomId, user: &UserId) -> Result<(), RoomError> {
        let users = std::slice::from_ref(user);
        self.acting_for(user).add_members(app, RoomKind::Group, group, users).await.map(drop)
    }

    async fn forget_waiting<T: Waiting>(
        &self,
        app: &App,
        group: &RoomId,
        user: &UserId,
    ) -> Result<Option<T>, RoomError> {
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            let Some(waiting) = records.get::<T>(&pair(group.as_str(), user.as_str())).await? else { return Ok(None) };
            records.delete(T::KIND, pair(group.as_str(), user.as_str()));
            records.delete(T::MIRROR, pair(user.as_str(), group.as_str()));
            if records.commit().await? {
                return Ok(Some(waiting));
            }
        }
    }

    /// That there is a place among those who wait, or the user has one.
    async fn expect_place<T: Record>(
        &self,
        records: &mut Transaction<'_>,
        app: &App,
        group: &RoomId,
        user: &UserId,
    ) -> Result<(), RoomError> {
        if records.get::<T>(&pair(group.as_str(), user.as_str())).await?.is_some() {
            return Ok(());
        }
        let waiting = self.store().count_records(app.id(), T::KIND, &pair(group.as_str(), "")).await?;
        if waiting >= MAX_WAITING as u64 { Err(RoomError::TooMany { max: MAX_WAITING }) } else { Ok(()) }
    }

    /// The changes by which nobody waits for a group that is gone.
    pub(super) async fn forget_all_waiting(&self, app: &App, group: &RoomId) -> Result<Vec<Change>, StoreError> {
        let mut changes = Vec::new();
        for (kind, mirror) in FAMILIES {
            let prefix = pair(group.as_str(), "");
            // Two who came at the same time may have been one too many.
            let scan = Scan::of(kind, prefix.clone(), 2 * MAX_WAITING);
            let found = self.store().scan_records(app.id(), scan).await?;
            let of_user =
                |(key, _): &(String, _)| Change::Delete { kind: mirror, key: pair(second(key), group.as_str()) };
            changes.extend(found.iter().map(of_user));
            changes.push(Change::DeletePrefix { kind, prefix });
        }
        Ok(changes)
    }
}

/// Nobody waits for an answer about somebody who is in.
pub(super) fn forget_admitted(group: &RoomId, user: &UserId, changes: &mut Vec<Change>) {
    for (kind, mirror) in FAMILIES {
        changes.push(Change::Delete { kind, key: pair(group.as_str(), user.as_str()) });
        changes.push(Change::Delete { kind: mirror, key: pair(user.as_str(), group.as_str()) });
    }
}

fn put<T: Waiting>(records: &mut Transaction<'_>, group: &RoomId, user: &UserId, value: &T) {
    records.put_bytes(T::MIRROR, pair(user.as_str(), group.as_str()), encode(value));
    records.put(pair(group.as_str(), user.as_str()), value);
}

/// The group is there, and so is the user, who is not in it and may come in.
async fn expect_outside(records: &mut Transaction<'_>, group: &RoomId, user: &UserId) -> Result<(), RoomError> {
    if records.get::<Room>(&RoomKind::Group.key(group)).await?.is_none() {
        return Err(RoomError::NoRoom(group.clone()));
    }
    if records.get::<User>(user.as_str()).await?.is_none() {
        return Err(RoomError::NoUser(user.clone()));
    }
    if records.get::<Member>(&member_key(group, user)).await?.is_some() {
        return Err(RoomError::AlreadyMember(user.clone()));
    }
    if records.get::<Block>(&block_key(group, user)).await?.is_some() {
        return Err(RoomError::Blocked(user.clone()));
    }
    Ok(())
}
