//! What clients are told about a registered room or group that they are in.

use std::sync::Arc;

use crate::id::UserId;

/// Something changed in a room or group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomEvent {
    /// Users came in: by themselves, or the backend or an admin added them.
    Joined {
        /// Who.
        users: Vec<UserId>,
        /// Members now.
        count: u64,
        /// What the client of the only one says to the others.
        ext: Option<Arc<str>>,
    },
    /// Users left, or did not come back in time.
    Left {
        /// Who.
        users: Vec<UserId>,
        /// Members now.
        count: u64,
    },
    /// Users were put out.
    Removed {
        /// Who.
        users: Vec<UserId>,
        /// Whether they are kept out, too.
        blocked: bool,
        /// Members now.
        count: u64,
    },
    /// Users may come in again.
    Unblocked {
        /// Who.
        users: Vec<UserId>,
    },
    /// Members may not send.
    Muted {
        /// Who.
        users: Vec<UserId>,
        /// Until when: Unix time in milliseconds; `u64::MAX` for ever.
        until_ms: u64,
    },
    /// Members may send again.
    Unmuted {
        /// Who.
        users: Vec<UserId>,
    },
    /// Whether only the owner, admins and members on the allow list may send.
    AllMuted {
        /// Whether it is so now.
        muted: bool,
    },
    /// Members came onto the allow list, or left it.
    Allowed {
        /// Who.
        users: Vec<UserId>,
        /// Whether they are on it now.
        allowed: bool,
    },
    /// A member became an admin, or is none any more.
    Admin {
        /// Who.
        user: UserId,
        /// Whether it is one now.
        admin: bool,
    },
    /// There is another owner.
    OwnerChanged {
        /// Who was it.
        from: UserId,
        /// Who is it.
        to: UserId,
    },
    /// There is another announcement.
    Announcement {
        /// The text.
        text: String,
    },
    /// Custom attributes changed.
    Attributes {
        /// What was set.
        set: Vec<(String, String)>,
        /// What was removed.
        removed: Vec<String>,
        /// Whose change it is.
        by: UserId,
    },
    /// Name, description, limits or rules changed.
    Info,
    /// A group was switched off or on.
    Disabled {
        /// Whether it is off now.
        disabled: bool,
    },
    /// A file was shared with a group, or is not any more.
    File {
        /// The file's ID.
        id: String,
        /// Its name.
        name: String,
        /// Whether it is there now.
        shared: bool,
        /// The user whose request it was; `None` for the app's backend.
        by: Option<UserId>,
    },
    /// The room or group is gone.
    Deleted,
}

impl RoomEvent {
    /// Users who came or went: they are told in any case, the others only while there are few members.
    pub(crate) fn movement(&self) -> Option<&[UserId]> {
        match self {
            Self::Joined { users, .. } | Self::Left { users, .. } | Self::Removed { users, .. } => Some(users),
            _ => None,
        }
    }

    /// The same movement, of one of the users.
    pub(crate) fn of_one(&self, user: &UserId) -> Self {
        let users = vec![user.clone()];
        match self {
            Self::Joined { count, ext, .. } => Self::Joined { users, count: *count, ext: ext.clone() },
            Self::Left { count, .. } => Self::Left { users, count: *count },
            Self::Removed { blocked, count, .. } => Self::Removed { users, blocked: *blocked, count: *count },
            other => other.clone(),
        }
    }

    /// Bytes of text in it.
    pub(crate) fn size_bytes(&self) -> usize {
        let names = |users: &[UserId]| users.iter().map(|user| user.as_str().len() + 16).sum();
        match self {
            Self::Joined { users, .. }
            | Self::Left { users, .. }
            | Self::Removed { users, .. }
            | Self::Unblocked { users }
            | Self::Muted { users, .. }
            | Self::Unmuted { users }
            | Self::Allowed { users, .. } => names(users),
            Self::Announcement { text } => text.len(),
            Self::Attributes { set, removed, .. } => {
                let pairs: usize = set.iter().map(|(key, value)| key.len() + value.len()).sum();
                pairs + removed.iter().map(String::len).sum::<usize>()
            }
            Self::File { id, name, .. } => id.len() + name.len(),
            Self::AllMuted { .. }
            | Self::Admin { .. }
            | Self::OwnerChanged { .. }
            | Self::Info
            | Self::Disabled { .. }
            | Self::Deleted => 0,
        }
    }
}
