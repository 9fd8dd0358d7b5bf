//! Who is told of whose status, for how long. Kept twice, by whose status it is and by who is told, and over restarts.

use minicbor::{Decode, Encode};

use super::contacts::expect_user;
use super::status::PublishedStatus;
use super::{DirectoryError, pair, second};
use crate::app::App;
use crate::id::UserId;
use crate::node::Node;
use crate::records::{Record, RecordKind, encode};
use crate::store::{Change, Scan, StoreError};

/// A status of which a user is told for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusWatch {
    /// Whose status.
    pub user: UserId,
    /// Until when: Unix time in milliseconds.
    pub expires_ms: u64,
}

/// A watch: in [`RecordKind::StatusWatch`] by whose status it is, in [`RecordKind::StatusWatched`] by who is told.
#[derive(Debug, Clone, Encode, Decode)]
pub(super) struct Watch {
    #[n(0)]
    pub(super) expires_ms: u64,
}

impl Record for Watch {
    const KIND: RecordKind = RecordKind::StatusWatched;
}

impl Node {
    /// Has a user told of the statuses of others for so many seconds, in the place of what was asked for before.
    /// Returns those statuses, and until when. The others need not be registered.
    ///
    /// # Errors
    /// When the user is not there, or would be told of too many, or too many would be told of one of them.
    pub async fn watch_statuses(
        &self,
        app: &App,
        watcher: &UserId,
        users: &[UserId],
        seconds: u32,
    ) -> Result<(Vec<PublishedStatus>, u64), DirectoryError> {
        let expires_ms = self.clock().wall_ms() + u64::from(seconds) * 1000;
        let max = app.policy().directory.status_watches;
        let watched = self.status_watches(app, watcher).await?;
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            expect_user(&mut records, watcher).await?;
            let mut count = watched.len();
            for user in users {
                let known = watched.iter().any(|watch| watch.user == *user);
                count += usize::from(!known);
                if count > max || !known && self.watchers(app, user).await? >= max {
                    return Err(DirectoryError::TooMany { max });
                }
                let watch = encode(&Watch { expires_ms });
                records.put_bytes(RecordKind::StatusWatch, pair(user.as_str(), watcher.as_str()), watch.clone());
                records.put_bytes(RecordKind::StatusWatched, pair(watcher.as_str(), user.as_str()), watch);
            }
            if records.commit().await? {
                break;
            }
        }
        Ok((self.statuses(app, users).await?, expires_ms))
    }

    /// How many are told of a user's status, watches that are over counted as long as nobody has met them.
    async fn watchers(&self, app: &App, user: &UserId) -> Result<usize, StoreError> {
        let count = self.store().count_records(app.id(), RecordKind::StatusWatch, &pair(user.as_str(), "")).await?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// Ends that a user is told of the statuses of others; those not asked for are ignored.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unwatch_statuses(&self, app: &App, watcher: &UserId, users: &[UserId]) -> Result<(), StoreError> {
        self.forget_watches(app, watcher, users.to_vec(), Side::Watcher).await
    }

    /// Of whose status a user is told, in the order of their names. Watches that are over are forgotten on the way.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn status_watches(&self, app: &App, watcher: &UserId) -> Result<Vec<StatusWatch>, StoreError> {
        let max = app.policy().directory.status_watches;
        let scan = Scan::of(RecordKind::StatusWatched, pair(watcher.as_str(), ""), 2 * max);
        let now_ms = self.clock().wall_ms();
        let found = self.page::<Watch>(app, scan).await?.items;
        let (stand, over): (Vec<_>, Vec<_>) = found
            .into_iter()
            .map(|(key, watch)| StatusWatch { user: UserId::from_trusted(second(&key)), expires_ms: watch.expires_ms })
            .partition(|watch| watch.expires_ms > now_ms);
        let over = over.into_iter().map(|watch| watch.user).collect();
        self.forget_watches(app, watcher, over, Side::Watcher).await?;
        Ok(stand)
    }

    /// Removes watches between a user, who is on this side of them, and others.
    pub(super) async fn forget_watches(
        &self,
        app: &App,
        user: &UserId,
        others: Vec<UserId>,
        side: Side,
    ) -> Result<(), StoreError> {
        let mut changes = Vec::with_capacity(2 * others.len());
        for other in &others {
            let (watched, watcher) = match side {
                Side::Watched => (user, other),
                Side::Watcher => (other, user),
            };
            let key = pair(watched.as_str(), watcher.as_str());
            changes.push(Change::Delete { kind: RecordKind::StatusWatch, key });
            let key = pair(watcher.as_str(), watched.as_str());
            changes.push(Change::Delete { kind: RecordKind::StatusWatched, key });
        }
        if !changes.is_empty() {
            self.store().change(app.id(), changes).await?;
        }
        Ok(())
    }
}

/// Who of a watch a user is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    /// Whose status it is.
    Watched,
    /// Who is told.
    Watcher,
}
