//! A user's devices, where a policy allows several: each has its own cursor over the inbox.
//!
//! The store remembers a device until there are more of the user's than the policy allows; then it forgets the one
//! that was idle longest, so that a device that never comes back does not hold every message up to the inbox's cap.
//! A device counts as seen when it logs in and when its session ends, and as not idle while it has a session here.

use std::sync::Arc;

use crate::app::{App, DevicePolicy};
use crate::events::Recorded;
use crate::id::{DeviceId, UserId};
use crate::node::Node;
use crate::session::{LogoutReason, Session};
use crate::store::{Arrival, StoreError};

impl Node {
    /// Registers the device of a new session with its inbox. Queued by the call.
    pub(super) fn register_device(&self, session: &Arc<Session>, others: &[Arc<Session>]) -> Recorded {
        let app = session.app();
        let DevicePolicy::Many { max } = app.policy().devices else {
            return Box::pin(std::future::ready(()));
        };
        let present = others.iter().map(|other| other.device().clone()).collect();
        let reader = session.inbox_reader();
        let commit = self.store().inbox_open(&reader, &Arrival { at_ms: self.clock().wall_ms(), max, present });
        let (node, app) = (self.clone(), app.clone());
        Box::pin(async move {
            if let Err(error) = commit.await {
                tracing::warn!(user = %reader.user, %error, "a device is registered when the store takes it");
                // An ack of nothing: it registers its device.
                node.keep_ack_in_backlog(&app, reader, Vec::new());
            }
        })
    }

    /// Notes until when a device was there. Queued by the call.
    pub(super) fn device_left(&self, session: &Session) {
        if session.app().policy().devices != DevicePolicy::One {
            // Nobody waits for it: if it is lost, the device counts as idle since its login.
            drop(self.store().inbox_seen(&session.inbox_reader(), self.clock().wall_ms()));
        }
    }

    /// Ends the sessions of a device and forgets its cursor: messages do not wait for it any more, and if it comes
    /// back it is a new one. Returns how many messages left the inbox.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_device(&self, app: &App, user: &UserId, device: &DeviceId) -> Result<usize, StoreError> {
        self.disconnect(app, user, Some(device), LogoutReason::Forced).await;
        self.store().inbox_forget(app.id(), user, Some(device)).await
    }
}
