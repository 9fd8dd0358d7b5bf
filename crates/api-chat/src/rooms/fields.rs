//! The fields of a room or group in a body, with their limits (product documents).

use stentor_core::directory::rooms::RoomChange;

use super::asked::{Asked, Family};
use super::refusals;
use crate::body::Object;
use crate::error::ChatError;

pub(super) const MAX_NAME: usize = 128;
pub(super) const MAX_DESCRIPTION: usize = 512;
pub(super) const MAX_CUSTOM_OF_ROOM: usize = 1024;
/// Of groups: 8 KB.
pub(super) const MAX_CUSTOM_OF_GROUP: usize = 8 * 1024;
pub(super) const MAX_AVATAR: usize = 1024;

/// What a body says of a room or group.
#[derive(Debug, Clone, Default)]
pub(crate) struct RoomFields {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) max_users: Option<u64>,
    pub(crate) custom: Option<String>,
    pub(crate) public: Option<bool>,
    pub(crate) members_only: Option<bool>,
    pub(crate) allow_invites: Option<bool>,
    pub(crate) invite_need_confirm: Option<bool>,
    pub(crate) avatar: Option<String>,
}

impl RoomFields {
    /// Reads and checks the fields.
    ///
    /// # Errors
    /// 400 for another type, 403 for what is too long or too many.
    pub(crate) fn read(asked: &Asked, body: &Object) -> Result<Self, ChatError> {
        let name = match asked.family {
            Family::Room => first(body, &["name", "groupname", "title"], "title", MAX_NAME)?,
            Family::Group => first(body, &["groupname", "name"], "title", MAX_NAME)?,
        };
        let max_custom = match asked.family {
            Family::Room => MAX_CUSTOM_OF_ROOM,
            Family::Group => MAX_CUSTOM_OF_GROUP,
        };
        let avatar = body.text("avatar")?.map(str::to_owned);
        if avatar.as_ref().is_some_and(|avatar| avatar.chars().count() > MAX_AVATAR) {
            return Err(refusals::invalid_parameter("avatar length is too big"));
        }
        Ok(Self {
            name,
            description: first(body, &["description", "desc"], "desc", MAX_DESCRIPTION)?,
            max_users: max_users(asked, body)?,
            custom: first(body, &["custom"], "custom", max_custom)?,
            public: body.flag("public")?,
            // The clients' word for it is the other one.
            members_only: body.flag("membersonly")?.or(body.flag("approval")?),
            allow_invites: body.flag("allowinvites")?,
            invite_need_confirm: body.flag("invite_need_confirm")?,
            avatar,
        })
    }

    /// As a change.
    pub(crate) fn change(self) -> RoomChange {
        let Self { name, description, max_users, custom, public, members_only, allow_invites, .. } = self;
        let (invite_need_confirm, avatar) = (self.invite_need_confirm, self.avatar);
        RoomChange {
            name,
            description,
            max_users,
            custom,
            public,
            members_only,
            allow_invites,
            invite_need_confirm,
            avatar,
        }
    }
}

/// The first of several fields that is there, with at most `max` characters.
fn first(body: &Object, names: &[&'static str], called: &str, max: usize) -> Result<Option<String>, ChatError> {
    for name in names {
        if let Some(text) = body.text(name)? {
            if text.chars().count() > max {
                return Err(ChatError::exceed_limit(format!("{called} cannot exceed to {max}")));
            }
            return Ok(Some(text.to_owned()));
        }
    }
    Ok(None)
}

fn max_users(asked: &Asked, body: &Object) -> Result<Option<u64>, ChatError> {
    let Some(users) = body.integer("maxusers")? else { return Ok(None) };
    let max = match asked.family {
        Family::Room => asked.chat.rooms.room_users,
        Family::Group => asked.chat.rooms.group_users,
    };
    match u64::try_from(users) {
        Ok(users) if users > max => Err(ChatError::exceed_limit(format!("maxUsers cannot exceed {max}"))),
        Ok(users) if users > 0 => Ok(Some(users)),
        // Ours: no document says what a room without places is answered with.
        _ => Err(refusals::invalid_parameter("maxusers must be greater than 0")),
    }
}
