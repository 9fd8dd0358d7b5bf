//! Direct pushes: what the app's backend says to devices without sending a message. They take the same way through
//! deliveries, sender and log; nobody's settings hold them back.

use stentor_core::id::{MessageId, UserId};
use stentor_core::store::{Change, StoreError};
use stentor_push::Extensions;
use tokio::sync::oneshot;

use crate::delivery::{Told, write_extras};
use crate::log::{self, Entry};
use crate::parts::{Decided, Part};
use crate::queue::PushQueue;
pub use crate::settle::SendEnd;

/// What is said.
#[derive(Debug, Clone, Default)]
pub struct DirectPush {
    /// The title.
    pub title: String,
    /// The content.
    pub content: String,
    /// The number at the app's icon; none leaves it as it is.
    pub badge: Option<u32>,
    /// What the device's app gets beside the text.
    pub custom: Option<serde_json::Value>,
    /// Wishes for particular providers.
    pub extensions: Extensions,
}

/// What becomes of it for one user.
#[derive(Debug)]
pub struct DirectUser {
    /// The user.
    pub user: UserId,
    /// The number under which the log has it.
    pub message: MessageId,
    /// Why no device is reached for, in the words of the documents: `appUser not exists`, `no push binding`.
    pub refused: Option<&'static str>,
    /// Each device that is reached for, and who hears how it ended. Empty unless somebody wants to wait.
    pub devices: Vec<(String, oneshot::Receiver<SendEnd>)>,
}

/// Why a direct push was not queued.
#[derive(Debug, thiserror::Error)]
pub enum DirectError {
    /// So many pushes wait to be sent that these have no room ([`crate::PushBounds::deliveries`]).
    #[error("too many pushes wait to be sent")]
    Full,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PushQueue {
    /// Queues a push for each device of these users; durable when this resolves. `wait`: the caller wants to hear how each
    /// ended, which takes as long as the provider takes.
    ///
    /// # Errors
    /// When there is no room for all of them: nothing was queued then. When the store fails: so many of the users as one
    /// step holds may have been told before.
    pub async fn direct(
        &self,
        users: &[UserId],
        push: &DirectPush,
        wait: bool,
    ) -> Result<Vec<DirectUser>, DirectError> {
        let (decided, answers) = self.put_together(users, push, wait).await?;
        let intake = &self.0.intake;
        if !intake.deliveries.has_room_for(decided.deliveries()) {
            intake.metrics.decided("overflow", users.len() as u64);
            return Err(DirectError::Full);
        }
        self.write(decided, Vec::new()).await?;
        Ok(answers)
    }

    /// The same, and makes these changes, all in one step: neither is there without the other. Whether there is room is for
    /// the caller to ask, and how many users one step holds.
    ///
    /// # Errors
    /// When the store fails: nothing was queued or changed then.
    pub async fn direct_with(
        &self,
        users: &[UserId],
        push: &DirectPush,
        wait: bool,
        with: Vec<Change>,
    ) -> Result<Vec<DirectUser>, StoreError> {
        let (decided, answers) = self.put_together(users, push, wait).await?;
        self.write_step(decided.parts, with).await?;
        Ok(answers)
    }

    async fn put_together(
        &self,
        users: &[UserId],
        push: &DirectPush,
        wait: bool,
    ) -> Result<(Decided, Vec<DirectUser>), StoreError> {
        let inner = &self.0;
        let (registered, bindings) =
            tokio::try_join!(inner.node.are_users(&inner.app, users), inner.node.push_bindings_of(&inner.app, users))?;
        let (now_ms, extras) = (inner.now_ms(), write_extras(&push.extensions, push.custom.as_ref()));
        let (mut decided, mut answers) = (Decided::default(), Vec::with_capacity(users.len()));
        for ((user, registered), bindings) in users.iter().zip(registered).zip(bindings) {
            let message = inner.node.fresh_id();
            let told = Told {
                user: user.as_str(),
                message,
                from: "",
                group: None,
                title: &push.title,
                content: &push.content,
                extras: &extras,
                sent_at_ms: now_ms,
                badge: push.badge,
                edits: 0,
                direct: true,
            };
            let refused = match (registered, bindings.is_empty()) {
                (false, _) => Some("appUser not exists"),
                (true, true) => Some("no push binding"),
                (true, false) => None,
            };
            let reason = refused.map(str::to_owned);
            let counted = reason.clone().unwrap_or_else(|| "direct".to_owned());
            let mut part = Part { reason: Some(counted), ..Part::default() };
            let entry = Entry {
                from: String::new(),
                group: None,
                at_ms: now_ms,
                detail: Some("Direct".to_owned()),
                reason,
                title: push.title.clone(),
                content: push.content.clone(),
            };
            part.changes.push(log::put_entry(user.as_str(), message, entry));
            if let Some(refused) = refused {
                part.changes.extend(self.held_back(&told, None, refused, now_ms));
            }
            let bindings = bindings.into_iter().map(|binding| (binding, Ok(()))).collect();
            let reached = self.deliver(&told, self.reach(bindings), now_ms, &mut part);
            decided.parts.push(part);
            let wait_for = |device: String| {
                let end = self.await_end(format!("{}:{user}:{device}", message.0));
                (device, end)
            };
            let devices = if wait { reached.into_iter().map(wait_for).collect() } else { Vec::new() };
            let refused = refused.or((wait && devices.is_empty()).then_some("no notifier exist"));
            answers.push(DirectUser { user: user.clone(), message, refused, devices });
        }
        Ok((decided, answers))
    }
}
