//! Whether a message still waits for a user: what was decided or sent a while after it was taken is looked at again.

use std::sync::Arc;

use stentor_core::id::{DeviceId, MessageId, UserId};
use stentor_core::message::Message;
use stentor_core::store::InboxReader;

use crate::queue::Inner;

/// A message or push that is older than this when it is decided on or sent may be needless: the user may have come. Milliseconds.
pub(crate) const FRESH_MS: u64 = 2_000;

/// Why a device is not told after all: the user has the message, or it was taken back. Ours.
pub(crate) const HAS_COME: &str = "the message does not wait any more";

/// Why a device is not told after all: so many newer messages came that the inbox dropped it, and no client will get it
/// from there. Ours.
pub(crate) const DROPPED: &str = "the inbox was full";

/// How a message stands with a user.
pub(crate) enum Standing {
    /// Kept, and acked by no device; as it is now, unless the store did not say.
    Waits(Option<Arc<Message>>),
    /// Not any more: why.
    Gone(&'static str),
}

impl Inner {
    /// How a message stands with a user. A store that fails says nothing: rather once too often than not at all.
    pub(crate) async fn standing(&self, user: &UserId, id: MessageId) -> Standing {
        let (store, now_ms) = (self.store(), self.now_ms());
        // A device that never opened the inbox finds what nobody has acked.
        let reader = InboxReader { app: self.app.id().clone(), user: user.clone(), device: DeviceId::only() };
        let Ok(found) = store.inbox_page(&reader, MessageId(id.0.saturating_sub(1)), id, 1, now_ms).await else {
            return Standing::Waits(None);
        };
        if let Some(message) = found.into_iter().next() {
            return Standing::Waits(Some(message));
        }
        // An inbox that is full drops its oldest messages. Whether this one was acked before is not remembered then.
        let dropped = async {
            let waiting = store.inbox_count(self.app.id(), user, now_ms).await?;
            if waiting < self.app.policy().inbox.cap {
                return Ok(false);
            }
            let oldest = store.inbox_page(&reader, MessageId::ZERO, MessageId::first_of(now_ms + 1), 1, now_ms).await?;
            Ok::<_, stentor_core::store::StoreError>(oldest.first().is_some_and(|oldest| oldest.id > id))
        };
        match dropped.await {
            Ok(true) => Standing::Gone(DROPPED),
            Ok(false) | Err(_) => Standing::Gone(HAS_COME),
        }
    }
}
