//! Who is asked before a client's message is taken, and how messages keep their order meanwhile.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::app::App;
use crate::delivery::{Origin, SendError};
use crate::id::{MessageId, SessionId, UserId};
use crate::message::{Marks, MessageKind, Priority, Target};
use crate::node::Node;

/// A message of a client that is not taken yet.
#[derive(Debug, Clone)]
pub struct Proposed<'a> {
    /// A number for the question: unique and ordered by time like those of messages, but not the one that the message
    /// will have. A message is numbered when it is taken, or its receivers would not see one order.
    pub id: MessageId,
    /// When it was asked for: Unix time in milliseconds.
    pub at_ms: u64,
    /// The sender.
    pub from: &'a UserId,
    /// The receiver.
    pub to: &'a Target,
    /// What is to be sent.
    pub payload: &'a Bytes,
    /// How much it matters.
    pub priority: Priority,
}

/// What becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is taken as it is.
    Allow,
    /// It is taken with another payload or priority; `None` leaves it.
    Change {
        /// What is sent instead.
        payload: Option<Bytes>,
        /// How much it matters instead.
        priority: Option<Priority>,
    },
    /// It is not taken. The text is for the client.
    Deny(String),
}

/// Asked before a client's message is taken: content to users, groups and rooms, apart from messages to named members
/// and from edits and recalls. Never asked about messages of the backend. Must answer within a bounded time.
#[async_trait]
pub trait Gate: Send + Sync + fmt::Debug {
    /// What becomes of a message.
    async fn ask(&self, proposed: Proposed<'_>) -> Verdict;
}

/// Messages of one session are asked about at the same time and taken in their order: each waits for the one before.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<SessionId, (u64, Link)>>);

/// Resolves when a message has its place, to the one before it if that has not yet.
#[derive(Debug)]
struct Link(oneshot::Receiver<Option<Link>>);

/// A message that waits for its turn, or has it. The next one's turn comes when this is dropped.
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    session: SessionId,
    number: u64,
    before: Option<Link>,
    done: Option<oneshot::Sender<Option<Link>>>,
}

impl Turns {
    fn take(&self, session: SessionId) -> Turn<'_> {
        let (done, next) = oneshot::channel();
        let mut turns = self.0.lock();
        let number = turns.get(&session).map_or(0, |(number, _)| number + 1);
        let before = turns.insert(session, (number, Link(next))).map(|(_, before)| before);
        Turn { turns: self, session, number, before, done: Some(done) }
    }
}

impl Turn<'_> {
    async fn come(&mut self) {
        while let Some(Link(before)) = &mut self.before {
            self.before = before.await.unwrap_or(None);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Who gives up, or was refused, lets nobody overtake those before it: whoever comes next waits for them.
        let before = self.before.take();
        let mut turns = self.turns.0.lock();
        if turns.get(&self.session).is_some_and(|(last, _)| *last == self.number) {
            match before {
                Some(before) => turns.insert(self.session, (self.number, before)),
                None => turns.remove(&self.session),
            };
        } else if let Some(done) = self.done.take() {
            let _ = done.send(before);
        }
    }
}

/// What passed the gate.
pub(crate) struct Passed<'a> {
    pub(crate) payload: Bytes,
    pub(crate) priority: Priority,
    /// To be held until the message has its place in the order.
    pub(crate) turn: Option<Turn<'a>>,
}

/// What is to be said, and what kind of thing it is.
pub(crate) struct Saying {
    payload: Bytes,
    kind: MessageKind,
    priority: Priority,
    targeted: bool,
}

impl Saying {
    pub(crate) fn new(payload: Bytes, Marks { kind, priority, targeted, .. }: Marks) -> Self {
        Self { payload, kind, priority, targeted }
    }

    /// Targeted if there is anybody named.
    pub(crate) fn only_for(self, users: &[UserId]) -> Self {
        Self { targeted: self.targeted || !users.is_empty(), ..self }
    }
}

impl Node {
    /// Looks at the rules of the directory, where the app has one, and asks the app's gate, if it has one and the
    /// message is of the kind that is asked about: once for each target. The targets are all of one sort. `from` is for
    /// whom the backend sends; a client sends for itself.
    pub(crate) async fn pass_gate<'a>(
        &self,
        app: &'a App,
        origin: Origin<'_>,
        from: &UserId,
        targets: &[Target],
        saying: Saying,
    ) -> Result<Passed<'a>, SendError> {
        let Saying { payload, kind, priority, targeted } = saying;
        let mut passed = Passed { payload, priority, turn: None };
        let (gate, rules) = (app.hooked.gate(), app.policy().rooms.registered.is_some());
        let Origin::Client(session) = origin else {
            if let Some(to) = targets.first().filter(|_| rules) {
                self.permit_backend(app, from, to, kind).await?;
            }
            return Ok(passed);
        };
        if gate.is_none() && !rules {
            return Ok(passed);
        }
        // What is not asked about keeps its place among what is.
        let mut turn = app.hooked.turns.take(session.id());
        for to in targets.iter().filter(|_| rules) {
            self.permit(app, session.user(), to, kind).await?;
        }
        if let Some(gate) = gate
            && kind == MessageKind::Content
            && !targeted
        {
            for to in targets {
                self.ask_gate(gate, session.user(), to, &mut passed).await?;
            }
            Self::check_payload(app, &passed.payload)?;
        }
        turn.come().await;
        passed.turn = Some(turn);
        Ok(passed)
    }

    async fn ask_gate(
        &self,
        gate: &Arc<dyn Gate>,
        from: &UserId,
        to: &Target,
        passed: &mut Passed<'_>,
    ) -> Result<(), SendError> {
        let at_ms = self.clock().wall_ms();
        let id = self.next_id(at_ms);
        let proposed = Proposed { id, at_ms, from, to, payload: &passed.payload, priority: passed.priority };
        match gate.ask(proposed).await {
            Verdict::Allow => {}
            Verdict::Change { payload, priority } => {
                passed.payload = payload.unwrap_or_else(|| passed.payload.clone());
                passed.priority = priority.unwrap_or(passed.priority);
            }
            Verdict::Deny(text) => return Err(SendError::Denied(text)),
        }
        Ok(())
    }
}
