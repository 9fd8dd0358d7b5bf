//! What users publish of themselves: per device a number, and one text. Not whether they are there
//! ([`crate::presence`]), though coming and going changes it.
//!
//! Others ask to be told of it for a time ([`super::status_watches`]). That stays over restarts, unlike a watch of
//! [`crate::presence`], which is a session's.

use std::sync::Arc;

use minicbor::{Decode, Encode};

use super::contacts::expect_user;
use super::status_watches::{Side, Watch};
use super::{DirectoryError, pair, second};
use crate::app::App;
use crate::bus::ClusterMessage;
use crate::id::{DeviceId, UserId};
use crate::node::Node;
use crate::notice::{Envelope, Notice};
use crate::records::{Record, RecordKind};
use crate::session::Session;
use crate::store::{Scan, StoreError};

/// A device that is not there.
pub const OFFLINE: i32 = 0;
/// A device that is there and has published nothing else.
pub const ONLINE: i32 = 1;

/// Devices that are remembered of a user; one more takes the place of one that is not there.
const DEVICES: usize = 32;

/// A user's status, as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedStatus {
    /// Whose.
    pub user: UserId,
    /// Per device: 0 offline, 1 online, other numbers mean what the app wants.
    pub devices: Vec<(DeviceId, i32)>,
    /// A text of the app's choice.
    pub ext: String,
    /// When the user published it, came or went last: Unix time in milliseconds; 0 for never.
    pub changed_ms: u64,
}

/// Why a status was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The text is too long.
    #[error("the text of a status is limited to {max} bytes")]
    ExtTooLong {
        /// The limit.
        max: usize,
    },
    /// Anything else.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

impl From<StoreError> for PublishError {
    fn from(error: StoreError) -> Self {
        Self::Directory(error.into())
    }
}

/// What is kept of a user's status.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
struct Status {
    /// The one that changed last at the end.
    #[n(0)]
    devices: Vec<(String, i32)>,
    #[n(1)]
    ext: String,
    #[n(2)]
    changed_ms: u64,
}

impl Record for Status {
    const KIND: RecordKind = RecordKind::Status;
}

impl Status {
    /// True if that is another number than before.
    fn set(&mut self, device: &str, status: i32) -> bool {
        let before = self.devices.iter().position(|(known, _)| known == device).map(|at| self.devices.remove(at));
        if before.is_none() && self.devices.len() >= DEVICES {
            let away = self.devices.iter().position(|(_, status)| *status == OFFLINE).unwrap_or(0);
            self.devices.remove(away);
        }
        self.devices.push((device.to_owned(), status));
        before.is_none_or(|(_, before)| before != status)
    }

    fn of(&self, device: &str) -> Option<i32> {
        self.devices.iter().find(|(known, _)| known == device).map(|(_, status)| *status)
    }

    fn view(self, user: &UserId) -> PublishedStatus {
        let devices = self.devices.into_iter().map(|(device, status)| (DeviceId::from_trusted(&device), status));
        PublishedStatus { user: user.clone(), devices: devices.collect(), ext: self.ext, changed_ms: self.changed_ms }
    }
}

impl Node {
    /// Publishes the status of a user's device, whether it is there or not, and tells those who asked for it.
    ///
    /// # Errors
    /// When the user is not there, or the text is too long.
    pub async fn publish_status(
        &self,
        app: &Arc<App>,
        user: &UserId,
        device: &DeviceId,
        status: i32,
        ext: &str,
    ) -> Result<(), PublishError> {
        let max = app.policy().directory.status_ext_bytes;
        if ext.len() > max {
            return Err(PublishError::ExtTooLong { max });
        }
        let mut attempts = self.attempts(app);
        let published = loop {
            let mut records = attempts.begin()?;
            expect_user(&mut records, user).await?;
            let mut published = records.get::<Status>(user.as_str()).await?.unwrap_or_default();
            published.set(device.as_str(), status);
            ext.clone_into(&mut published.ext);
            published.changed_ms = self.clock().wall_ms();
            records.put(user.as_str(), &published);
            if records.commit().await? {
                break published;
            }
        };
        self.tell_status(app, published.view(user)).await?;
        Ok(())
    }

    /// The statuses of users, in the order asked; nothing is published for users that are not there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn statuses(&self, app: &App, users: &[UserId]) -> Result<Vec<PublishedStatus>, StoreError> {
        let names = users.iter().map(|user| user.as_str().to_owned()).collect();
        let found = self.find_all::<Status>(app, names).await?;
        Ok(users.iter().zip(found).map(|(user, status)| status.unwrap_or_default().view(user)).collect())
    }

    /// A session came or went: its device's status follows, by itself.
    pub(crate) fn note_status(&self, session: &Session) {
        if !session.app().policy().directory.statuses || self.is_draining() {
            return;
        }
        let (node, app) = (self.clone(), session.app().clone());
        let (user, device) = (session.user().clone(), session.device().clone());
        self.spawn(async move {
            if let Err(error) = node.follow(&app, &user, &device).await {
                tracing::warn!(%user, %error, "a status does not say that a device came or went");
            }
        });
    }

    async fn follow(&self, app: &Arc<App>, user: &UserId, device: &DeviceId) -> Result<(), StoreError> {
        let mut attempts = self.attempts(app);
        let followed = loop {
            let mut records = attempts.begin()?;
            let is_user = records.get::<super::users::User>(user.as_str()).await?.is_some();
            let mut status = records.get::<Status>(user.as_str()).await?.unwrap_or_default();
            // Looked at behind the read: whoever changes it later commits later, or makes this commit fail.
            let there = self.devices(app, user).contains(device);
            let before = status.of(device.as_str()).unwrap_or(OFFLINE);
            if !is_user || there == (before != OFFLINE) {
                return Ok(());
            }
            status.set(device.as_str(), if there { ONLINE } else { OFFLINE });
            status.changed_ms = self.clock().wall_ms();
            records.put(user.as_str(), &status);
            if records.commit().await? {
                break status;
            }
        };
        self.tell_status(app, followed.view(user)).await
    }

    /// Tells those who asked for it, here and on other nodes.
    async fn tell_status(&self, app: &Arc<App>, status: PublishedStatus) -> Result<(), StoreError> {
        let status = Arc::new(status);
        self.tell_status_here(app, &status).await?;
        self.tell_elsewhere(ClusterMessage::Status { app: app.id().clone(), status }).await;
        Ok(())
    }

    /// Tells those who asked for it and are on this node. Watches that are over are forgotten on the way.
    pub(crate) async fn tell_status_here(&self, app: &App, status: &Arc<PublishedStatus>) -> Result<(), StoreError> {
        let max = app.policy().directory.status_watches;
        let scan = Scan::of(RecordKind::StatusWatch, pair(status.user.as_str(), ""), 2 * max);
        let watches = self.page::<Watch>(app, scan).await?.items;
        let envelope = Envelope::new(Notice::Status(status.clone()));
        let wall_ms = self.clock().wall_ms();
        let mut over = Vec::new();
        for (key, watch) in watches {
            let watcher = UserId::from_trusted(second(&key));
            if watch.expires_ms <= wall_ms {
                over.push(watcher);
            } else {
                app.hub.for_each_of(&watcher, |session| {
                    self.offer_all([session].into_iter(), &envelope);
                });
            }
        }
        self.forget_watches(app, &status.user, over, Side::Watched).await
    }
}
