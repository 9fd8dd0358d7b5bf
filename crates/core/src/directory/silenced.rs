//! Who may send in a room or group: muted members, and the allow list that is exempt when all are muted.

use std::sync::Arc;

use super::members::{Mark, Member};
use super::room_error::RoomError;
use super::rooms::RoomKind;
use crate::app::App;
use crate::id::{RoomId, UserId};
use crate::node::Node;
use crate::room_event::RoomEvent;
use crate::store::StoreError;

/// Why a member's message is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Silenced {
    /// The room or group is not there.
    #[error("it is not there")]
    NoRoom,
    /// The sender is no member.
    #[error("not a member")]
    NotMember,
    /// The sender is muted.
    #[error("muted")]
    Muted,
    /// All are muted, and the sender is not exempt.
    #[error("all are muted")]
    AllMuted,
    /// The group is switched off.
    #[error("the group is switched off")]
    Disabled,
}

impl Node {
    /// Mutes members until `until_ms` (Unix time in milliseconds; `u64::MAX` for ever). All of them, or nobody.
    ///
    /// # Errors
    /// When the room is not there, some are no members, one is the owner, or the store fails.
    pub async fn mute_members(
        &self,
        app: &Arc<App>,
        kind: RoomKind,
        room: &RoomId,
        users: &[UserId],
        until_ms: u64,
    ) -> Result<(), RoomError> {
        let event = RoomEvent::Muted { users: users.to_vec(), until_ms };
        self.change_members(app, kind, room, users, event, move |member| member.muted_until_ms = Some(until_ms)).await
    }

    /// Lets muted members send again. All of them, or nobody.
    ///
    /// # Errors
    /// When the room is not there, some are no members, or the store fails.
    pub async fn unmute_members(
        &self,
        app: &Arc<App>,
        kind: RoomKind,
        room: &RoomId,
        users: &[UserId],
    ) -> Result<(), RoomError> {
        let event = RoomEvent::Unmuted { users: users.to_vec() };
        self.change_members(app, kind, room, users, event, |member| member.muted_until_ms = None).await
    }

    /// Puts members on the allow list, or takes them off. All of them, or nobody.
    ///
    /// # Errors
    /// When the room is not there, some are no members, or the store fails.
    pub async fn allow_members(
        &self,
        app: &Arc<App>,
        kind: RoomKind,
        room: &RoomId,
        users: &[UserId],
        allowed: bool,
    ) -> Result<(), RoomError> {
        let event = RoomEvent::Allowed { users: users.to_vec(), allowed };
        self.change_members(app, kind, room, users, event, move |member| member.allowed = allowed).await
    }

    async fn change_members(
        &self,
        app: &Arc<App>,
        kind: RoomKind,
        room: &RoomId,
        users: &[UserId],
        event: RoomEvent,
        change: impl Fn(&mut Member) + Send + 'static,
    ) -> Result<(), RoomError> {
        let users = users.to_vec();
        self.in_turn(app, kind, room, users.clone(), move |turn| {
            turn.room()?;
            let strangers: Vec<_> = users.iter().filter(|user| turn.member(user).is_none()).cloned().collect();
            if !strangers.is_empty() {
                return Err(RoomError::NotMembers(strangers));
            }
            for user in &users {
                change(turn.member_mut(user)?);
            }
            turn.tell(event.clone());
            Ok(())
        })
        .await
    }

    /// The muted members, and until when: Unix time in milliseconds, `u64::MAX` for ever. At most `limit`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn muted_members(
        &self,
        app: &App,
        room: &RoomId,
        limit: usize,
    ) -> Result<Vec<(UserId, u64)>, StoreError> {
        let users = self.marked(app, room, Mark::Muted, limit).await?;
        let members = self.find_members(app, room, &users).await?;
        let now_ms = self.clock().wall_ms();
        let until = |member: Option<Member>| member?.muted_until_ms.filter(|until_ms| *until_ms > now_ms);
        Ok(users.into_iter().zip(members).filter_map(|(user, member)| Some((user, until(member)?))).collect())
    }

    /// The members on the allow list, at most `limit`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn allowed_members(&self, app: &App, room: &RoomId, limit: usize) -> Result<Vec<UserId>, StoreError> {
        self.marked(app, room, Mark::Allowed, limit).await
    }

    /// Whether a client of this user may send to a room or group, as far as the room is concerned.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn may_send(
        &self,
        app: &App,
        kind: RoomKind,
        room: &RoomId,
        user: &UserId,
    ) -> Result<Result<(), Silenced>, StoreError> {
        let (found, member) = tokio::try_join!(self.find_room(app, kind, room), self.find_member(app, room, user))?;
        let Some(found) = found else { return Ok(Err(Silenced::NoRoom)) };
        let Some(member) = member else { return Ok(Err(Silenced::NotMember)) };
        Ok(if found.disabled {
            Err(Silenced::Disabled)
        } else if member.is_muted(self.clock().wall_ms()) {
            Err(Silenced::Muted)
        } else if found.muted_all && !member.is_exempt() {
            Err(Silenced::AllMuted)
        } else {
            Ok(())
        })
    }
}
