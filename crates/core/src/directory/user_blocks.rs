//! Blocks between users: whom a user does not want to hear from. Kept twice, by who blocks and by who is blocked.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};

use super::contacts::{expect_user, newest_first};
use super::users::User;
use super::{DirectoryError, pair};
use crate::app::App;
use crate::id::UserId;
use crate::node::Node;
use crate::records::{Page, Record, RecordKind, encode};
use crate::store::StoreError;

/// A user whom another does not want to hear from.
#[derive(Debug, Clone, Encode, Decode)]
struct Block {
    /// Since when: Unix time in milliseconds.
    #[n(0)]
    since_ms: u64,
}

impl Record for Block {
    const KIND: RecordKind = RecordKind::UserBlock;
}

/// Whom a user could not block.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// There is no user of that name to be blocked.
    #[error("no user {0} to be blocked")]
    NoBlocked(String),
    /// Anything else.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

impl From<StoreError> for BlockError {
    fn from(error: StoreError) -> Self {
        Self::Directory(error.into())
    }
}

impl Node {
    /// A user does not want to hear from these any more. Nothing changes for those whom the user blocks already.
    ///
    /// # Errors
    /// When one of them is not there, or the user blocks as many as are allowed; then nothing is done.
    pub async fn block_users(&self, app: &App, user: &UserId, blocked: &[UserId]) -> Result<(), BlockError> {
        let max = app.policy().directory.blocks;
        if blocked.len() > max {
            return Err(DirectoryError::TooMany { max }.into());
        }
        let since_ms = self.clock().wall_ms();
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            expect_user(&mut records, user).await?;
            let count = self.store().count_records(app.id(), RecordKind::UserBlock, &pair(user.as_str(), "")).await?;
            let mut new = BTreeSet::new();
            for other in blocked {
                if records.get::<User>(other.as_str()).await?.is_none() {
                    return Err(BlockError::NoBlocked(other.as_str().to_owned()));
                }
                let key = pair(user.as_str(), other.as_str());
                if records.get::<Block>(&key).await?.is_none() && new.insert(other) {
                    records.put(key, &Block { since_ms });
                    let mirrored = pair(other.as_str(), user.as_str());
                    records.put_bytes(RecordKind::BlockedBy, mirrored, encode(&Block { since_ms }));
                }
            }
            if count + new.len() as u64 > max as u64 {
                return Err(DirectoryError::TooMany { max }.into());
            }
            if records.commit().await? {
                return Ok(());
            }
        }
    }

    /// A user wants to hear from another again. Nothing changes if it did not block it. Returns the other.
    ///
    /// # Errors
    /// When one of them is not there.
    pub async fn unblock_user(&self, app: &App, user: &UserId, blocked: &UserId) -> Result<User, DirectoryError> {
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            expect_user(&mut records, user).await?;
            let found = expect_user(&mut records, blocked).await?;
            records.delete(RecordKind::UserBlock, pair(user.as_str(), blocked.as_str()));
            records.delete(RecordKind::BlockedBy, pair(blocked.as_str(), user.as_str()));
            if records.commit().await? {
                return Ok(found);
            }
        }
    }

    /// Whom a user blocks, the newest first, behind `after` (where a page before ended), at most `limit`.
    ///
    /// # Errors
    /// When the user is not there.
    pub async fn blocked_users(
        &self,
        app: &App,
        user: &UserId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<UserId>, DirectoryError> {
        self.user(app, user).await?;
        let found = self.ties::<Block>(app, user, app.policy().directory.blocks).await?;
        Ok(newest_first(found, |block| block.since_ms, after, limit).map(|(user, _)| user))
    }

    /// Whether `user` does not want to hear from `other`: asked before a message of a client is delivered.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn blocks(&self, app: &App, user: &UserId, other: &UserId) -> Result<bool, StoreError> {
        Ok(self.find::<Block>(app, &pair(user.as_str(), other.as_str())).await?.is_some())
    }

    /// Which of the users do not want to hear from another one, in the order asked.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn who_blocks(&self, app: &App, users: &[UserId], other: &UserId) -> Result<Vec<bool>, StoreError> {
        let keys = users.iter().map(|user| pair(user.as_str(), other.as_str())).collect();
        let found = self.find_all::<Block>(app, keys).await?;
        Ok(found.into_iter().map(|block| block.is_some()).collect())
    }
}
