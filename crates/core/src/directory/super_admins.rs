//! Users who may do everything in every room of the app.

use minicbor::{Decode, Encode};

use super::room_error::RoomError;
use crate::app::App;
use crate::id::UserId;
use crate::node::Node;
use crate::records::{Record, RecordKind};
use crate::store::{Scan, StoreError};

/// That a user is a super admin; the key names the user.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct SuperAdmin {
    /// Since when: Unix time in milliseconds.
    #[n(0)]
    since_ms: u64,
}

impl Record for SuperAdmin {
    const KIND: RecordKind = RecordKind::SuperAdmin;
}

impl Node {
    /// Makes a user a super admin. Doing it again changes nothing.
    ///
    /// # Errors
    /// When there is no such user, or the store fails.
    pub async fn add_super_admin(&self, app: &App, user: &UserId) -> Result<(), RoomError> {
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            records.extend(self.expect_registered(app, std::slice::from_ref(user)).await?);
            if records.get::<SuperAdmin>(user.as_str()).await?.is_some() {
                return Ok(());
            }
            records.put(user.as_str(), &SuperAdmin { since_ms: self.clock().wall_ms() });
            if records.commit().await? {
                return Ok(());
            }
        }
    }

    /// Takes a super admin's rights away. Doing it again changes nothing.
    ///
    /// # Errors
    /// When there is no such user, or the store fails.
    pub async fn remove_super_admin(&self, app: &App, user: &UserId) -> Result<(), RoomError> {
        self.must_be_registered(app, std::slice::from_ref(user)).await?;
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            if records.get::<SuperAdmin>(user.as_str()).await?.is_none() {
                return Ok(());
            }
            records.delete(RecordKind::SuperAdmin, user.as_str());
            if records.commit().await? {
                return Ok(());
            }
        }
    }

    /// Whether a user is a super admin.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_super_admin(&self, app: &App, user: &UserId) -> Result<bool, StoreError> {
        Ok(self.find::<SuperAdmin>(app, user.as_str()).await?.is_some())
    }

    /// The super admins in the order of their names, at most `limit`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn super_admins(&self, app: &App, limit: usize) -> Result<Vec<UserId>, StoreError> {
        let found = self.store().scan_records(app.id(), Scan::of(RecordKind::SuperAdmin, "", limit)).await?;
        Ok(found.iter().map(|(user, _)| UserId::from_trusted(user)).collect())
    }
}
