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

/// Who applies or invites again is told of again after this time, in milliseconds: an hour.
pub const TOLD_AGAIN_AFTER_MS: u64 = 3_600_000;

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
    /// A user applies to come into a group. Returns whether those who decide are to be told: applying again is told again
    /// after [`TOLD_AGAIN_AFTER_MS`], or one user could fill their inboxes.
    ///
    /// # Errors
    /// When group or user is not there, the user is a member or kept out, or [`MAX_WAITING`] others wait.
    pub async fn apply_to_group(&self, app: &App, group: &RoomId, user: &UserId) -> Result<bool, RoomError> {
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            expect_outside(&mut records, group, user).await?;
            let at_ms = self.clock().wall_ms();
            let before = self.expect_place::<GroupApplication>(&mut records, app, group, user).await?;
            if before.is_some_and(|before| was_told_lately(before.at_ms, at_ms)) {
                return Ok(false);
            }
            put(&mut records, group, user, &GroupApplication { at_ms });
            if records.commit().await? {
                return Ok(true);
            }
        }
    }

    /// Lets somebody in who applied. `false` if the user did not.
    ///
    /// # Errors
    /// When the group is not there, the user cannot come in, or the store fails.
    pub async fn accept_application(&self, app: &Arc<App>, group: &RoomId, user: &UserId) -> Result<bool, RoomError> {
        let _turn = app.admission_turns.of(group).await;
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
        let _turn = app.admission_turns.of(group).await;
        Ok(self.forget_waiting::<GroupApplication>(app, group, user).await?.is_some())
    }

    /// Invites somebody into a group. Inviting again takes the place of the invitation before. Returns whether the user is to
    /// be told: not if the same one invites again within [`TOLD_AGAIN_AFTER_MS`], and not if the user does not want to
    /// hear from who invites, who does not learn of it.
    ///
    /// # Errors
    /// When group or user is not there, the user is a member or kept out, or [`MAX_WAITING`] others are invited.
    pub async fn invite_to_group(
        &self,
        app: &App,
        group: &RoomId,
        user: &UserId,
        by: &UserId,
    ) -> Result<bool, RoomError> {
        let unheard = self.blocks(app, user, by).await?;
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            expect_outside(&mut records, group, user).await?;
            let at_ms = self.clock().wall_ms();
            let before = self.expect_place::<GroupInvitation>(&mut records, app, group, user).await?;
            let again = before.is_some_and(|before| before.by == by.as_str() && was_told_lately(before.at_ms, at_ms));
            if unheard || again {
                return Ok(false);
            }
            put(&mut records, group, user, &GroupInvitation { at_ms, by: by.as_str().to_owned() });
            if records.commit().await? {
                return Ok(true);
            }
        }
    }

    /// A user who was invited comes in. Returns who invited it; `None` if nobody did who is in the group by now.
    ///
    /// # Errors
    /// When the group is not there, the user cannot come in, or the store fails.
    pub async fn accept_invitation(
        &self,
        app: &Arc<App>,
        group: &RoomId,
        user: &UserId,
    ) -> Result<Option<UserId>, RoomError> {
        let _turn = app.admission_turns.of(group).await;
        let key = pair(group.as_str(), user.as_str());
        let Some(invitation) = self.find::<GroupInvitation>(app, &key).await? else { return Ok(None) };
        let by = UserId::from_trusted(&invitation.by);
        if !self.is_member(app, group, &by).await? {
            self.forget_waiting::<GroupInvitation>(app, group, user).await?;
            return Ok(None);
        }
        self.admit_waiting(app, group, user).await?;
        Ok(Some(by))
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
        let _turn = app.admission_turns.of(group).await;
        let invitation = self.forget_waiting::<GroupInvitation>(app, group, user).await?;
        Ok(invitation.map(|invitation| UserId::from_trusted(&invitation.by)))
    }

    /// The owner and the admins of a group, who decide on applications: those of them who want to hear from this user.
    ///
    /// # Errors
    /// When the group is not there, or the store fails.
    pub async fn group_managers(&self, app: &App, group: &RoomId, user: &UserId) -> Result<Vec<UserId>, RoomError> {
        let owner = self.room(app, RoomKind::Group, group).await?.owner_id();
        let mut managers = self.admins(app, group).await?;
        managers.retain(|admin| *admin != owner);
        managers.insert(0, owner);
        let block = self.who_blocks(app, &managers, user).await?;
        Ok(managers.into_iter().zip(block).filter(|(_, blocks)| !blocks).map(|(manager, _)| manager).collect())
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

    /// That there is a place among those who wait, or the user has one: this.
    async fn expect_place<T: Record>(
        &self,
        records: &mut Transaction<'_>,
        app: &App,
        group: &RoomId,
        user: &UserId,
    ) -> Result<Option<T>, RoomError> {
        let before = records.get::<T>(&pair(group.as_str(), user.as_str())).await?;
        if before.is_some() {
            return Ok(before);
        }
        let waiting = self.store().count_records(app.id(), T::KIND, &pair(group.as_str(), "")).await?;
        if waiting >= MAX_WAITING as u64 { Err(RoomError::TooMany { max: MAX_WAITING }) } else { Ok(None) }
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

fn was_told_lately(at_ms: u64, now_ms: u64) -> bool {
    now_ms.saturating_sub(at_ms) < TOLD_AGAIN_AFTER_MS
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
