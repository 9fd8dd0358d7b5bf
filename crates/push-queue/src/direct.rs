//! Direct pushes: what the app's backend says to devices without sending a message. They take the same way through
//! deliveries, sender and log; nobody's settings hold them back.

use stentor_core::id::{MessageId, UserId};
use stentor_core::store::{Change, StoreError};
use stentor_push::Extensions;
use tokio::sync::oneshot;

use crate::decide::Decided;
use crate::delivery::{Told, write_extras};
use crate::log::{self, Entry};
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

impl PushQueue {
    /// Queues a push for each device of these users; durable when this resolves. `wait`: the caller wants to hear how each
    /// ended, which takes as long as the provider takes.
    ///
    /// # Errors
    /// When the store fails: nothing was queued then.
    pub async fn direct(&self, users: &[UserId], push: &DirectPush, wait: bool) -> Result<Vec<DirectUser>, StoreError> {
        self.direct_with(users, push, wait, Vec::new()).await
    }

    /// The same, and makes these changes in the same step: neither is there without the other.
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
                direct: true,
            };
            let refused = match (registered, bindings.is_empty()) {
                (false, _) => Some("appUser not exists"),
                (true, true) => Some("no push binding"),
                (true, false) => None,
            };
            let reason = refused.map(str::to_owned);
            decided.note(reason.as_deref().unwrap_or("direct"));
            let entry = Entry {
                from: String::new(),
                group: None,
                at_ms: now_ms,
                detail: Some("Direct".to_owned()),
                reason,
                title: push.title.clone(),
                content: push.content.clone(),
            };
            decided.changes.push(log::put_entry(user.as_str(), message, entry));
            if let Some(refused) = refused {
                decided.changes.extend(self.held_back(&told, None, refused, now_ms));
            }
            let bindings = bindings.into_iter().map(|binding| (binding, Ok(()))).collect();
            let reached = self.deliver(&told, self.reach(bindings), now_ms, &mut decided);
            let wait_for = |device: String| {
                let end = self.await_end(format!("{}:{user}:{device}", message.0));
                (device, end)
            };
            let devices = if wait { reached.into_iter().map(wait_for).collect() } else { Vec::new() };
            let refused = refused.or((wait && devices.is_empty()).then_some("no notifier exist"));
            answers.push(DirectUser { user: user.clone(), message, refused, devices });
        }
        decided.changes.extend(with);
        self.write(decided).await?;
        Ok(answers)
    }
}
