//! A message before it is stamped: what is said, and what is to happen to it beside being delivered.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::id::UserId;
use crate::message::{Message, MessageKind, Priority};
use crate::store::Change;

/// A message before it is stamped.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The sender; need neither be logged in nor a member when the backend asks.
    pub from: UserId,
    /// What to send: not empty, at most the app's limit.
    pub payload: Bytes,
    /// What it is for.
    pub kind: MessageKind,
    /// How much it matters when not everything can be delivered.
    pub priority: Priority,
    /// Keep it for history queries.
    pub history: bool,
    /// Users who do not find it when they ask for their history.
    pub hidden_from: Vec<UserId>,
    /// What is written in the same step.
    pub alongside: Alongside,
}

impl Draft {
    /// Plain content of normal priority that is not kept.
    #[must_use]
    pub fn new(from: UserId, payload: Bytes) -> Self {
        Self {
            from,
            payload,
            kind: MessageKind::default(),
            priority: Priority::default(),
            history: false,
            hidden_from: Vec::new(),
            alongside: Alongside::default(),
        }
    }
}

type MakeChanges = dyn Fn(&Message) -> Vec<Change> + Send + Sync;

/// Records that are written in the same step as a message: they are durable before its sender is answered, and are
/// not there if the message was not taken. Made for each message when it has its ID.
#[derive(Clone, Default)]
pub struct Alongside(Option<Arc<MakeChanges>>);

impl Alongside {
    /// What `changes` makes of a message; no [`Change::Expect`] among it. It is called once per message, without
    /// locks held.
    pub fn new(changes: impl Fn(&Message) -> Vec<Change> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(changes)))
    }

    /// The records of a message.
    pub(crate) fn changes(&self, message: &Message) -> Vec<Change> {
        self.0.as_ref().map_or_else(Vec::new, |changes| changes(message))
    }
}

impl fmt::Debug for Alongside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Alongside(..)" } else { "Alongside" })
    }
}
