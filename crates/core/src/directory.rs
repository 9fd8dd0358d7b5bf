//! The app's directory: registered users, their contacts and settings, registered rooms and groups, files. What a
//! dialect keeps by name, as records of the store ([`crate::records`]).
//!
//! Names in here are checked where they come in; keys join them with `/`, which no name may hold.

pub mod admissions;
pub mod blocks;
pub mod contact_requests;
pub mod contacts;
pub mod departure;
pub(crate) mod effects;
pub mod files;
mod joined;
pub(crate) mod joining;
pub mod listing;
pub mod members;
pub mod mutes;
pub mod profiles;
pub(crate) mod quota;
pub mod room_attributes;
pub mod room_error;
pub(crate) mod room_id;
pub mod rooms;
pub mod shared_files;
pub mod silenced;
pub mod status;
pub mod status_watches;
pub mod super_admins;
mod turn;
pub(crate) mod turns;
pub mod user_blocks;
pub mod users;

use crate::limits::Limited;
use crate::store::StoreError;

/// Why the directory did not do it. A dialect turns each into the text of its documents.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// No such user.
    #[error("no user {0}")]
    NoUser(String),
    /// A user of that name is there already.
    #[error("the user {0} is there already")]
    UserExists(String),
    /// No such room or group.
    #[error("no room {0}")]
    NoRoom(String),
    /// The app has as many users as it may have.
    #[error("more than {max} users are not allowed")]
    TooManyUsers {
        /// The limit.
        max: u64,
    },
    /// More than the app allows one user.
    #[error("more than {max} are not allowed")]
    TooMany {
        /// The limit.
        max: usize,
    },
    /// A rate is used up.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A key made of two names.
pub(crate) fn pair(first: &str, second: &str) -> String {
    format!("{first}/{second}")
}

/// The second name of a key made by [`pair`].
pub(crate) fn second(key: &str) -> &str {
    key.split_once('/').map_or("", |(_, second)| second)
}
