//! Why something about a registered room or group was not done.

use crate::id::{RoomId, UserId};
use crate::store::StoreError;

/// Why it was not done. A dialect turns each into the text of its documents.
#[derive(Debug, thiserror::Error)]
pub enum RoomError {
    /// No such room or group.
    #[error("no room {0}")]
    NoRoom(RoomId),
    /// No such user.
    #[error("no user {0}")]
    NoUser(UserId),
    /// These are not members.
    #[error("not members: {0:?}")]
    NotMembers(Vec<UserId>),
    /// This one is a member already.
    #[error("{0} is a member already")]
    AlreadyMember(UserId),
    /// This one is kept out.
    #[error("{0} is kept out")]
    Blocked(UserId),
    /// There is no place left.
    #[error("the room is full")]
    Full,
    /// More members than the room may have.
    #[error("more members than the room may have")]
    TooManyMembers,
    /// This one is in as many rooms or groups as a user may be.
    #[error("{0} is in too many rooms")]
    TooManyJoined(UserId),
    /// The app has as many rooms or groups as it may have.
    #[error("the app has too many rooms")]
    TooManyRooms,
    /// There are more members than it may have afterwards.
    #[error("there are more members than that")]
    MoreMembers,
    /// That cannot be done to the owner.
    #[error("not to the owner")]
    IsOwner,
    /// The new owner is the old one.
    #[error("the new owner is the old one")]
    SameOwner,
    /// The session has ended.
    #[error("the session has ended")]
    SessionEnded,
    /// As many attributes, admins or files as there may be.
    #[error("more than {max} are not allowed")]
    TooMany {
        /// The limit.
        max: usize,
    },
    /// No such file.
    #[error("no such file")]
    NoFile,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
