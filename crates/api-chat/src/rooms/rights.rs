//! What a user may do with its own token. The app's backend may do everything, and so may super admins in rooms.

use stentor_core::directory::members::Role;
use stentor_core::directory::rooms::Room;
use stentor_core::id::UserId;

use super::asked::{Asked, Family};
use super::refusals;
use crate::error::ChatError;

/// What somebody must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// A member.
    Member,
    /// The owner or an admin.
    Manage,
    /// The owner.
    Own,
}

impl Asked {
    /// Refuses a user who has not this right to the room or group. A group that is switched off cannot be managed.
    pub(crate) async fn may(&self, room: &Room, right: Right) -> Result<(), ChatError> {
        let Some(user) = self.principal().user() else { return Ok(()) };
        if room.disabled && right != Right::Member {
            return Err(refusals::disabled(&room.id));
        }
        if room.owner == user.as_str() || self.is_super_admin(user).await? {
            return Ok(());
        }
        let role = self.node().find_member(&self.app, &room.room_id(), user).await?.map(|member| member.role);
        let has = match right {
            Right::Member => role.is_some(),
            Right::Manage => matches!(role, Some(Role::Owner | Role::Admin)),
            Right::Own => role == Some(Role::Owner),
        };
        if has { Ok(()) } else { Err(not_allowed(user)) }
    }

    /// The same for a room or group that is looked up for it. Returns it.
    pub(crate) async fn room_for(&self, right: Right) -> Result<Room, ChatError> {
        let room = self.room().await?;
        self.may(&room, right).await?;
        Ok(room)
    }

    /// Refuses a user who may not bring these users in: itself, where anybody may come in; others, as owner or admin, or
    /// as a member where members may.
    pub(crate) async fn may_add(&self, room: &Room, users: &[UserId]) -> Result<(), ChatError> {
        let Some(user) = self.principal().user() else { return Ok(()) };
        let open = match self.family {
            Family::Room => true,
            Family::Group => room.public && !room.members_only,
        };
        if open && users == std::slice::from_ref(user) {
            return Ok(());
        }
        self.may(room, if room.allow_invites { Right::Member } else { Right::Manage }).await
    }

    async fn is_super_admin(&self, user: &UserId) -> Result<bool, ChatError> {
        Ok(self.family == Family::Room && self.node().is_super_admin(&self.app, user).await?)
    }
}

/// 403. The text is ours.
fn not_allowed(user: &UserId) -> ChatError {
    refusals::forbidden(format!("user {user} is not allowed to do this!"))
}
