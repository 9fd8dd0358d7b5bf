//! Labels that users have for direct pushes: "everybody who likes trains". The app's backend makes them and says who has
//! them (push label documents).

use minicbor::{Decode, Encode};

use crate::app::App;
use crate::directory::{pair, second};
use crate::id::UserId;
use crate::node::Node;
use crate::records::{Page, Record, RecordKind};
use crate::store::{Change, Scan, StoreError};

/// Labels of one app (documented).
pub const LABELS: usize = 100;
/// Users of one label (documented).
pub const LABEL_USERS: usize = 20_000;

/// A label.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PushLabel {
    /// Its name: of letters, digits, `_`, `-` and `.`.
    #[n(0)]
    pub name: String,
    /// What it is for.
    #[n(1)]
    pub description: String,
    /// Made at: Unix time in milliseconds.
    #[n(2)]
    pub created_ms: u64,
}

impl Record for PushLabel {
    const KIND: RecordKind = RecordKind::PushLabel;
}

/// A user who has a label.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct PushLabelUser {
    /// Since: Unix time in milliseconds.
    #[n(0)]
    since_ms: u64,
}

impl Record for PushLabelUser {
    const KIND: RecordKind = RecordKind::PushLabelUser;
}

/// Why a label or its users were not changed.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    /// There is none of that name.
    #[error("no label {0}")]
    NoLabel(String),
    /// There is one of that name.
    #[error("a label named {0} is there already")]
    Exists(String),
    /// There would be more labels, or users of one, than may be.
    #[error("more than {max} are not allowed")]
    TooMany {
        /// The limit.
        max: usize,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The keys of a label's users begin so.
fn users_of(label: &str) -> String {
    format!("{label}/")
}

impl Node {
    /// Makes a label.
    ///
    /// # Errors
    /// When there is one of that name, there are [`LABELS`], or the store fails.
    pub async fn create_push_label(&self, app: &App, name: &str, description: &str) -> Result<PushLabel, LabelError> {
        let (name, description, created_ms) = (name.to_owned(), description.to_owned(), self.clock().wall_ms());
        let label = PushLabel { name, description, created_ms };
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            if records.get::<PushLabel>(&label.name).await?.is_some() {
                return Err(LabelError::Exists(label.name));
            }
            // Two at once may go one beyond: the bound is against growing without end.
            if self.store().count_records(app.id(), RecordKind::PushLabel, "").await? >= LABELS as u64 {
                return Err(LabelError::TooMany { max: LABELS });
            }
            records.put(label.name.as_str(), &label);
            if records.commit().await? {
                return Ok(label);
            }
        }
    }

    /// A label and how many users have it, if there is one of that name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn push_label(&self, app: &App, name: &str) -> Result<Option<(PushLabel, u64)>, StoreError> {
        let Some(label) = self.find::<PushLabel>(app, name).await? else { return Ok(None) };
        let count = self.store().count_records(app.id(), RecordKind::PushLabelUser, &users_of(name)).await?;
        Ok(Some((label, count)))
    }

    /// Labels in the order of their names, behind `after`, at most `limit`, and how many users have each.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn push_labels(
        &self,
        app: &App,
        after: Option<String>,
        limit: usize,
    ) -> Result<Page<(PushLabel, u64)>, StoreError> {
        let scan = Scan { after, ..Scan::of(RecordKind::PushLabel, "", limit) };
        let Page { items, next } = self.page::<PushLabel>(app, scan).await?;
        let mut labels = Vec::with_capacity(items.len());
        for (name, label) in items {
            let count = self.store().count_records(app.id(), RecordKind::PushLabelUser, &users_of(&name)).await?;
            labels.push((label, count));
        }
        Ok(Page { items: labels, next })
    }

    /// Deletes a label and takes it from its users. `false`: there is none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_push_label(&self, app: &App, name: &str) -> Result<bool, StoreError> {
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            if records.get::<PushLabel>(name).await?.is_none() {
                return Ok(false);
            }
            records.delete(RecordKind::PushLabel, name);
            records.delete_prefix(RecordKind::PushLabelUser, users_of(name));
            if records.commit().await? {
                return Ok(true);
            }
        }
    }

    /// Gives a label to users. Says of each whether it is registered: who is not does not get it.
    ///
    /// # Errors
    /// When there is no such label, more than [`LABEL_USERS`] would have it, or the store fails.
    pub async fn add_push_label_users(
        &self,
        app: &App,
        label: &str,
        users: &[UserId],
    ) -> Result<Vec<bool>, LabelError> {
        let registered = self.are_users(app, users).await?;
        let since_ms = self.clock().wall_ms();
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            if records.get::<PushLabel>(label).await?.is_none() {
                return Err(LabelError::NoLabel(label.to_owned()));
            }
            let keys = users.iter().map(|user| pair(label, user.as_str())).collect();
            let have = self.find_all::<PushLabelUser>(app, keys).await?;
            let new: Vec<_> =
                users.iter().zip(&registered).zip(have).filter(|((_, is), has)| **is && has.is_none()).collect();
            let count = self.store().count_records(app.id(), RecordKind::PushLabelUser, &users_of(label)).await?;
            if count + new.len() as u64 > LABEL_USERS as u64 {
                return Err(LabelError::TooMany { max: LABEL_USERS });
            }
            for ((user, _), _) in new {
                records.put(pair(label, user.as_str()), &PushLabelUser { since_ms });
            }
            if records.commit().await? {
                return Ok(registered);
            }
        }
    }

    /// The changes by which a user has no label.
    pub(crate) async fn forget_push_labels(&self, app: &App, user: &UserId) -> Result<Vec<Change>, StoreError> {
        // Those made at the same time may have been more than may be.
        let labels = self.store().scan_records(app.id(), Scan::of(RecordKind::PushLabel, "", 2 * LABELS)).await?;
        let forget = |(name, _): &(String, _)| Change::Delete {
            kind: RecordKind::PushLabelUser,
            key: pair(name, user.as_str()),
        };
        Ok(labels.iter().map(forget).collect())
    }

    /// Takes a label from users. Says of each whether it had it.
    ///
    /// # Errors
    /// When there is no such label, or the store fails.
    pub async fn remove_push_label_users(
        &self,
        app: &App,
        label: &str,
        users: &[UserId],
    ) -> Result<Vec<bool>, LabelError> {
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            if records.get::<PushLabel>(label).await?.is_none() {
                return Err(LabelError::NoLabel(label.to_owned()));
            }
            let mut had = Vec::with_capacity(users.len());
            for user in users {
                let key = pair(label, user.as_str());
                had.push(records.get::<PushLabelUser>(&key).await?.is_some());
                records.delete(RecordKind::PushLabelUser, key);
            }
            if records.commit().await? {
                return Ok(had);
            }
        }
    }

    /// Since when a user has a label (Unix time in milliseconds); `None` if it does not.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn push_label_user(&self, app: &App, label: &str, user: &UserId) -> Result<Option<u64>, StoreError> {
        Ok(self.find::<PushLabelUser>(app, &pair(label, user.as_str())).await?.map(|found| found.since_ms))
    }

    /// Which of the users have a label, in the order asked.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn have_push_label(&self, app: &App, label: &str, users: &[UserId]) -> Result<Vec<bool>, StoreError> {
        let keys = users.iter().map(|user| pair(label, user.as_str())).collect();
        let found = self.find_all::<PushLabelUser>(app, keys).await?;
        Ok(found.into_iter().map(|found| found.is_some()).collect())
    }

    /// The users of a label in the order of their names, behind `after`, at most `limit`, and since when they have it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn push_label_users(
        &self,
        app: &App,
        label: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<(UserId, u64)>, StoreError> {
        let after = after.map(|user| pair(label, user));
        let scan = Scan { after, ..Scan::of(RecordKind::PushLabelUser, users_of(label), limit) };
        let Page { items, next } = self.page::<PushLabelUser>(app, scan).await?;
        let user = |(key, found): (String, PushLabelUser)| (UserId::from_trusted(second(&key)), found.since_ms);
        let next = next.map(|key| second(&key).to_owned());
        Ok(Page { items: items.into_iter().map(user).collect(), next })
    }
}
