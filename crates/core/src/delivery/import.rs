//! To put a message of another system into the history, as if it had been sent then. Nobody is told of it and no inbox
//! gets it: it is found by who asks for the past.
//!
//! A message that is older than the newest one gets an ID of its own time, so that the history stays ordered: IDs of a
//! millisecond that is over are not handed out any more, but earlier imports may have some of them. Whether one was
//! free shows when the message is read back.

use std::sync::Arc;

use bytes::Bytes;

use super::SendError;
use crate::app::App;
use crate::id::{MessageId, UserId};
use crate::message::{Marks, Message, Target};
use crate::node::Node;
use crate::store::{Keep, KeepInHistory, StoreError};

/// A message of another system.
#[derive(Debug, Clone)]
pub struct Import {
    /// Who sent it.
    pub from: UserId,
    /// To whom.
    pub to: Target,
    /// Its content: not empty, at most the app's limit.
    pub payload: Bytes,
    /// When: Unix time in milliseconds, not later than now; `None`: now. It is kept as long as one of now.
    pub sent_at_ms: Option<u64>,
}

/// Why a message was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The app keeps no history.
    #[error("no history is kept")]
    NoHistory,
    /// It is no message, or the store does not take it.
    #[error(transparent)]
    Send(#[from] SendError),
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Send(error.into())
    }
}

/// How many IDs of a millisecond are tried. A node has 4096.
const TRIES: u32 = 32;

/// How often a message may be gone at once before the history is taken to be full.
const LOST: u32 = 2;

impl Node {
    /// Puts a message into the history. Answers with its number when it is durable.
    ///
    /// # Errors
    /// When it was not imported; [`StoreError::Full`] if the history is full of newer messages, [`StoreError::Busy`] if so many were imported of its millisecond that no number was
    /// found.
    pub async fn import(&self, app: &Arc<App>, import: Import) -> Result<MessageId, ImportError> {
        Self::check_payload(app, &import.payload)?;
        let policy = app.policy().history.ok_or(ImportError::NoHistory)?;
        let now_ms = self.clock().wall_ms();
        let Import { from, to, payload, sent_at_ms } = import;
        let sent_at_ms = sent_at_ms.unwrap_or(now_ms).min(now_ms);
        let history = KeepInHistory {
            expires_at_ms: now_ms + policy.retention_ms,
            max_bytes: policy.max_bytes,
            hidden_from: Vec::new(),
        };
        let mut message = Message { id: MessageId::ZERO, from, to, payload, sent_at_ms, marks: Marks::default() };
        let mut lost = 0;
        for _ in 0..TRIES {
            message.id = self.past_id(sent_at_ms);
            let kept = Arc::new(message.clone());
            let (app, history) = (app.id().clone(), Some(history.clone()));
            let keep = Keep { app: app.clone(), message: kept.clone(), inbox: None, history, changes: Vec::new() };
            self.store().keep(keep).await?;
            match self.store().message(&app, kept.id).await? {
                Some(found) if found == kept => return Ok(kept.id),
                Some(_) => {}
                // The number is another app's; or, if that happens again, the history is full of newer messages.
                None if lost < LOST => lost += 1,
                None => return Err(StoreError::Full.into()),
            }
        }
        Err(StoreError::Busy.into())
    }
}
