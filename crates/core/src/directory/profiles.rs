//! What a user says of itself: attributes that stay, a name and a text each.
//!
//! How much an app keeps in all is counted in several parts, so that users who write at once do not wait for each other.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use super::DirectoryError;
use super::contacts::expect_user;
use crate::app::App;
use crate::id::UserId;
use crate::node::Node;
use crate::records::{Record, RecordKind, Transaction};
use crate::store::{Scan, StoreError};

/// In how many parts the bytes of an app are counted.
const PARTS: u32 = 64;

/// How the keys of the parts begin.
const PART: &str = "profiles/";

/// Attributes by name.
pub type Attributes = BTreeMap<String, String>;

#[derive(Debug, Clone, Default, Encode, Decode)]
struct Profile {
    #[n(0)]
    attributes: Attributes,
}

impl Record for Profile {
    const KIND: RecordKind = RecordKind::Profile;
}

impl Profile {
    fn bytes(&self) -> u64 {
        self.attributes.iter().map(|(name, value)| (name.len() + value.len()) as u64).sum()
    }
}

/// A part of the sum.
#[derive(Debug, Clone, Default, Encode, Decode)]
struct Part {
    #[n(0)]
    bytes: u64,
}

impl Record for Part {
    const KIND: RecordKind = RecordKind::Counter;
}

/// Why a user's attributes were not changed.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The user would have more than so many bytes.
    #[error("a user's attributes are limited to {max} bytes")]
    UserFull {
        /// The limit.
        max: u64,
    },
    /// The app would have more than so many bytes.
    #[error("an app's attributes are limited to {max} bytes")]
    AppFull {
        /// The limit.
        max: u64,
    },
    /// Anything else.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

impl From<StoreError> for ProfileError {
    fn from(error: StoreError) -> Self {
        Self::Directory(error.into())
    }
}

impl Node {
    /// Sets attributes of a user; those that are not named stay.
    ///
    /// # Errors
    /// When the user is not there, or they are too large.
    pub async fn set_profile(&self, app: &App, user: &UserId, attributes: &Attributes) -> Result<(), ProfileError> {
        let limits = &app.policy().directory;
        let all = self.profile_bytes(app).await?;
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            expect_user(&mut records, user).await?;
            let mut profile = records.get::<Profile>(user.as_str()).await?.unwrap_or_default();
            let before = profile.bytes();
            profile.attributes.extend(attributes.clone());
            let bytes = profile.bytes();
            if bytes > limits.profile_bytes {
                return Err(ProfileError::UserFull { max: limits.profile_bytes });
            }
            if bytes > before && all + (bytes - before) > limits.profiles_bytes {
                return Err(ProfileError::AppFull { max: limits.profiles_bytes });
            }
            count(&mut records, user, before, bytes).await?;
            records.put(user.as_str(), &profile);
            if records.commit().await? {
                return Ok(());
            }
        }
    }

    /// A user's attributes; none if there is no such user.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn profile(&self, app: &App, user: &UserId) -> Result<Attributes, StoreError> {
        Ok(self.find::<Profile>(app, user.as_str()).await?.unwrap_or_default().attributes)
    }

    /// The attributes of several users, in the order asked.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn profiles(&self, app: &App, users: &[UserId]) -> Result<Vec<Attributes>, StoreError> {
        let found = self.find_all::<Profile>(app, users.iter().map(|user| user.as_str().to_owned()).collect()).await?;
        Ok(found.into_iter().map(|profile| profile.unwrap_or_default().attributes).collect())
    }

    /// Removes all attributes of a user, if there are any.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn clear_profile(&self, app: &App, user: &UserId) -> Result<(), StoreError> {
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            self.forget_profile(&mut records, user).await?;
            if records.commit().await? {
                return Ok(());
            }
        }
    }

    /// The bytes of all attributes of an app, names and values.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn profile_bytes(&self, app: &App) -> Result<u64, StoreError> {
        let parts = self.page::<Part>(app, Scan::of(RecordKind::Counter, PART, PARTS as usize)).await?;
        Ok(parts.items.iter().map(|(_, part)| part.bytes).sum())
    }

    /// Removes all attributes of a user, as a part of a change.
    pub(super) async fn forget_profile(&self, records: &mut Transaction<'_>, user: &UserId) -> Result<(), StoreError> {
        if let Some(profile) = records.get::<Profile>(user.as_str()).await? {
            count(records, user, profile.bytes(), 0).await?;
            records.delete(RecordKind::Profile, user.as_str());
        }
        Ok(())
    }
}

/// Counts that a user has `after` bytes in the place of `before`.
async fn count(records: &mut Transaction<'_>, user: &UserId, before: u64, after: u64) -> Result<(), StoreError> {
    if before == after {
        return Ok(());
    }
    let key = format!("{PART}{:02}", part_of(user.as_str()));
    let part = records.get::<Part>(&key).await?.unwrap_or_default();
    records.put(key, &Part { bytes: (part.bytes + after).saturating_sub(before) });
    Ok(())
}

/// The part that a user is counted in. Stored: it must not change (FNV-1a).
fn part_of(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)) % PARTS
}
