//! The rooms and groups of a user: the other side of the members.
//!
//! An entry here whose room is gone means nothing: it is what is left of a large room that was deleted while the
//! process ended. Whoever meets one takes it away.

use std::sync::Arc;

use futures_util::future::{join_all, try_join_all};
use minicbor::{Decode, Encode};

use super::members::{Role, member_key};
use super::room_error::RoomError;
use super::rooms::{Room, RoomKind};
use crate::app::App;
use crate::id::{RoomId, UserId};
use crate::node::Node;
use crate::records::{Record, RecordKind};
use crate::room_event::RoomEvent;
use crate::store::{Change, Scan, StoreError};

/// That a user is in a room or group; the key names all three.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Membership {
    /// Since when: Unix time in milliseconds.
    #[n(0)]
    pub(crate) joined_ms: u64,
}

impl Record for Membership {
    const KIND: RecordKind = RecordKind::Membership;
}

pub(crate) fn membership_key(kind: RoomKind, user: &UserId, room: &RoomId) -> String {
    format!("{user}/{}", kind.key(room))
}

fn prefix(kind: RoomKind, user: &UserId) -> String {
    format!("{user}/{}", kind.prefix())
}

/// Users whose rooms are counted at once.
const USERS_AT_ONCE: usize = 256;

/// Without a policy for registered rooms, nobody is in more.
const JOINED_MAX: usize = 10_000;

impl Node {
    /// The rooms or groups that the user is in, the newest first.
    pub(crate) async fn joined_ids(
        &self,
        app: &App,
        kind: RoomKind,
        user: &UserId,
        limit: usize,
    ) -> Result<Vec<RoomId>, StoreError> {
        let prefix = prefix(kind, user);
        let scan = Scan { backwards: true, ..Scan::of(RecordKind::Membership, prefix.as_str(), limit) };
        let found = self.store().scan_records(app.id(), scan).await?;
        Ok(found.iter().map(|(key, _)| RoomId::from_trusted(&key[prefix.len()..])).collect())
    }

    /// The rooms or groups that the user is in, the newest first: those behind the first `skip`, at most `limit`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn joined_rooms(
        &self,
        app: &App,
        kind: RoomKind,
        user: &UserId,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<Room>, StoreError> {
        let ids = self.joined_ids(app, kind, user, skip.saturating_add(limit).min(JOINED_MAX)).await?;
        let ids: Vec<_> = ids.into_iter().skip(skip).collect();
        let rooms = self.find_all::<Room>(app, ids.iter().map(|id| kind.key(id)).collect()).await?;
        let gone = ids.iter().zip(&rooms).filter(|(_, room)| room.is_none()).map(|(id, _)| id);
        self.forget_memberships(app, gone.map(|id| membership_key(kind, user, id)).collect());
        Ok(rooms.into_iter().flatten().collect())
    }

    /// How many rooms or groups the user is in.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn joined_count(&self, app: &App, kind: RoomKind, user: &UserId) -> Result<u64, StoreError> {
        self.store().count_records(app.id(), RecordKind::Membership, &prefix(kind, user)).await
    }

    /// Takes away entries of rooms that are gone, some time.
    fn forget_memberships(&self, app: &App, keys: Vec<String>) {
        if keys.is_empty() {
            return;
        }
        let delete = |key| Change::Delete { kind: RecordKind::Membership, key };
        let changed = self.store().change(app.id(), keys.into_iter().map(delete).collect());
        self.spawn(async move {
            if let Err(error) = changed.await {
                tracing::debug!(%error, "entries of rooms that are gone stay until they are met again");
            }
        });
    }

    /// Refuses if the user is in as many rooms or groups as a user may be.
    pub(crate) async fn may_join_another(&self, app: &App, kind: RoomKind, user: &UserId) -> Result<(), RoomError> {
        let Some(registered) = app.policy().rooms.registered else { return Ok(()) };
        let max = match kind {
            RoomKind::Room => registered.rooms_per_user,
            RoomKind::Group => registered.groups_per_user,
        };
        if self.joined_count(app, kind, user).await? < max as u64 {
            return Ok(());
        }
        // Those of rooms that are gone do not count.
        let joined = self.joined_rooms(app, kind, user, 0, max).await?;
        if joined.len() < max { Ok(()) } else { Err(RoomError::TooManyJoined(user.clone())) }
    }

    /// The same for several users, asked together.
    pub(crate) async fn may_join_others(&self, app: &App, kind: RoomKind, users: &[UserId]) -> Result<(), RoomError> {
        for users in users.chunks(USERS_AT_ONCE) {
            try_join_all(users.iter().map(|user| self.may_join_another(app, kind, user))).await?;
        }
        Ok(())
    }

    /// Takes the user out of every room (not group), unless a session of the user is there by then: as if it had
    /// left each. It stays in those that it owns, and where it is on the allow list.
    ///
    /// # Errors
    /// When the store fails: then it may be in some of them still.
    pub(crate) async fn leave_rooms_if_away(&self, app: &Arc<App>, user: &UserId) -> Result<(), StoreError> {
        let kind = RoomKind::Room;
        let rooms = self.joined_ids(app, kind, user, JOINED_MAX).await?;
        let left = rooms.iter().map(|room| {
            let (of, user) = (app.clone(), user.clone());
            self.in_turn(app, kind, room, vec![user.clone()], move |turn| {
                let stays = turn.member(&user).is_none_or(|member| member.allowed || member.role == Role::Owner);
                if stays || of.hub.has(&user) {
                    return Ok(());
                }
                turn.dismiss(&user)?;
                turn.tell(RoomEvent::Left { users: vec![user.clone()], count: turn.count() });
                Ok(())
            })
        });
        for outcome in join_all(left).await {
            if let Err(RoomError::Store(error)) = outcome {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Takes the user out of every room and group, and deletes those that the user owns: for a user who is deleted.
    ///
    /// # Errors
    /// When the store fails: then some of them are done, and it can be done again.
    pub async fn leave_everything(&self, app: &Arc<App>, user: &UserId) -> Result<(), StoreError> {
        for kind in [RoomKind::Room, RoomKind::Group] {
            for room in self.joined_ids(app, kind, user, JOINED_MAX).await? {
                let owned = self.find_member(app, &room, user).await?.is_some_and(|member| member.role == Role::Owner);
                let left = if owned {
                    self.delete_room(app, kind, &room).await.map(|_| ())
                } else {
                    self.leave_room(app, kind, &room, user).await
                };
                // Otherwise it was gone, or the user was, in between.
                if let Err(RoomError::Store(error)) = left {
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Of these rooms, those that the user is a member of: an entry alone does not make a member.
    pub(crate) async fn of_member(
        &self,
        app: &App,
        user: &UserId,
        rooms: Vec<RoomId>,
    ) -> Result<Vec<RoomId>, StoreError> {
        let keys = rooms.iter().map(|room| member_key(room, user)).collect();
        let found = self.store().read_records(app.id(), RecordKind::Member, keys).await?;
        Ok(rooms.into_iter().zip(found).filter(|(_, found)| found.is_some()).map(|(room, _)| room).collect())
    }
}
