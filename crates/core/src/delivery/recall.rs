//! To take back a message that was sent: nobody finds it any more, and everybody who may have it is told.
//!
//! The withdrawal and what tells of it are one step of the store: after a crash the message is there and nobody was told
//! durably, or it is gone and the recall is in every inbox. So a device finds either only the recall in its inbox, or the
//! message and behind it the recall: recalls wait for acks like what they take back. In rooms, where nothing waits for
//! acks, who is there is told.

use std::iter;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::group::ToGroup;
use super::room::Said;
use super::{Origin, SendError, SendOptions};
use crate::app::App;
use crate::gate::Passed;
use crate::id::{MessageId, UserId};
use crate::limits::Rule;
use crate::message::{Marks, Message, MessageKind, Priority, Target};
use crate::node::Node;
use crate::store::{Commit, Keep, StoreError};

/// A message to take back.
#[derive(Debug, Clone)]
pub struct Recall {
    /// The message.
    pub id: MessageId,
    /// Where it went: it is not taken back from elsewhere.
    pub to: Target,
    /// Who takes it back. A client is always its own user, and takes back what it has sent; and what others have sent to
    /// a group or room that it owns or is an admin of.
    pub by: UserId,
    /// What its receivers are told, in a message of [`MessageKind::Recall`]: not empty, at most the app's limit. It
    /// must say which message it is about.
    pub payload: Bytes,
    /// What they are told instead by a client that could say nothing there now: nothing in its own words. `None`: the same.
    pub if_silenced: Option<Bytes>,
    /// Only if it is not older; `None`: however old it is. Milliseconds.
    pub within_ms: Option<u64>,
    /// Tell its receivers even if it is not kept any more. Not for clients.
    pub even_if_gone: bool,
    /// Tell its sender's devices, too. In a room, they are told like everybody who is there.
    pub sync_sender: bool,
}

/// A message that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recalled {
    /// The number of the message that says so.
    pub notice: MessageId,
    /// What was taken back, unless it was gone already.
    pub message: Option<Arc<Message>>,
}

/// Why a message was not taken back.
#[derive(Debug, thiserror::Error)]
pub enum RecallError {
    /// It is not kept: never was, is too old, everybody has it who was to have it, or it was taken back.
    #[error("there is no such message")]
    NotFound,
    /// It went to somebody else.
    #[error("the message was not sent there")]
    OtherTarget,
    /// A client may take back only what it has sent, and what was sent to a group or room that it owns or administers.
    #[error("the message is from somebody else")]
    NotSender,
    /// It is older than it may be.
    #[error("the message is older than {within_ms} ms")]
    TooOld {
        /// The limit in milliseconds.
        within_ms: u64,
    },
    /// Its receivers could not be told.
    #[error(transparent)]
    Send(#[from] SendError),
}

impl From<StoreError> for RecallError {
    fn from(error: StoreError) -> Self {
        Self::Send(error.into())
    }
}

/// News of an earlier message, for everybody who may have it.
pub(super) struct News {
    pub(super) from: UserId,
    pub(super) to: Target,
    pub(super) payload: Bytes,
    pub(super) kind: MessageKind,
    /// That of the message: in a room, what has another priority may overtake it.
    pub(super) priority: Priority,
    pub(super) sync_sender: bool,
    /// Whom the message was for, if not for everybody who is where it went.
    pub(super) named: Option<Vec<UserId>>,
}

/// Those whom a message was for, and who wrote it: somebody else may take it back. Never nobody: that would be everybody.
pub(super) fn with_author(mut named: Vec<UserId>, message: Option<&Message>) -> Vec<UserId> {
    named.extend(message.map(|message| message.from.clone()));
    named
}

/// A step of the store whose answer is passed on when it is durable.
pub(super) fn told<T: Send + 'static>(step: Commit<T>, answer: oneshot::Sender<T>) -> Option<Commit> {
    Some(Box::pin(async move {
        // Who does not wait any more does not need to know.
        let _ = answer.send(step.await?);
        Ok(())
    }))
}

impl Node {
    /// Takes back a message. Answers when nobody finds it any more and what its receivers are told is durable.
    ///
    /// # Errors
    /// When it was not taken back; if the store failed, it may have been.
    pub async fn recall(&self, app: &Arc<App>, origin: Origin<'_>, recall: Recall) -> Result<Recalled, RecallError> {
        for payload in iter::once(&recall.payload).chain(&recall.if_silenced) {
            Self::check_payload(app, payload)?;
        }
        self.limit_change(app, origin)?;
        let found = self.content(app, recall.id).await?;
        self.check_recall(app, origin, &recall, found.as_deref()).await?;
        let Recall { id, to, by, mut payload, if_silenced, sync_sender, even_if_gone, .. } = recall;
        if let Some(wordless) = if_silenced
            && self.is_silenced(app, origin, &to).await?
        {
            payload = wordless;
        }
        let from = match (&to, &found) {
            // A conversation of two has no third.
            (Target::User(_), Some(message)) => message.from.clone(),
            _ => by,
        };
        let priority = found.as_ref().map_or(Priority::default(), |message| message.marks.priority);
        let named = match &found {
            Some(message) => self.named_receivers(app, message).await?,
            None => None,
        };
        let named = named.map(|named| with_author(named, found.as_deref()));
        let news = News { from, to, payload, kind: MessageKind::Recall, priority, sync_sender, named };
        let (done, withdrawn) = oneshot::channel();
        let withdraw = |news| told(self.store().withdraw(app.id(), id, news), done);
        let (notice, durable) = self.tell(app, origin, news, withdraw).await?;
        durable.await?;
        let was_there = withdrawn.await.unwrap_or(false);
        // Another recall was faster.
        if !was_there && !even_if_gone { Err(RecallError::NotFound) } else { Ok(Recalled { notice, message: found }) }
    }

    async fn check_recall(
        &self,
        app: &App,
        origin: Origin<'_>,
        recall: &Recall,
        found: Option<&Message>,
    ) -> Result<(), RecallError> {
        let Some(message) = found else {
            let even_if_gone = recall.even_if_gone && !origin.is_client();
            return if even_if_gone { Ok(()) } else { Err(RecallError::NotFound) };
        };
        if message.to != recall.to {
            return Err(RecallError::OtherTarget);
        }
        if let Origin::Client(session) = origin
            && *session.user() != message.from
            && !self.moderates(app, session.user(), &message.to).await?
        {
            return Err(RecallError::NotSender);
        }
        let age_ms = self.clock().wall_ms().saturating_sub(message.sent_at_ms);
        match recall.within_ms {
            Some(within_ms) if age_ms > within_ms => Err(RecallError::TooOld { within_ms }),
            _ => Ok(()),
        }
    }

    /// What somebody said, if it is kept. Recalls and other news are nothing that can be taken back.
    pub(super) async fn content(&self, app: &App, id: MessageId) -> Result<Option<Arc<Message>>, StoreError> {
        let found = self.store().message(app.id(), id).await?;
        Ok(found.filter(|message| message.marks.kind == MessageKind::Content))
    }

    /// A client's changes count like what it sends; the backend's are the dialect's to count.
    pub(super) fn limit_change(&self, app: &App, origin: Origin<'_>) -> Result<(), SendError> {
        if origin.is_client() { Ok(self.limit_send(app, origin, Rule::ClientSends)?) } else { Ok(()) }
    }

    /// Tells everybody who may have a message what becomes of it. `queue` does that, and keeps what tells of it in the
    /// same step. The commit resolves when it is durable.
    pub(super) async fn tell(
        &self,
        app: &Arc<App>,
        origin: Origin<'_>,
        news: News,
        queue: impl FnOnce(Vec<Keep>) -> Option<Commit>,
    ) -> Result<(MessageId, Commit), SendError> {
        let News { from, to, payload, kind, priority, sync_sender, named } = news;
        let only_for = named.unwrap_or_default();
        let marks = Marks { kind, priority, ..Marks::default() };
        let options = SendOptions { keep: true, marks, sync_sender, ..SendOptions::default() };
        let passed = Passed { payload, priority, turn: None };
        let done: Commit = Box::pin(std::future::ready(Ok(())));
        match to {
            Target::User(user) => {
                let sent = self.post_to_users_by(app, origin, (from, vec![user]), passed, &options, queue).await?;
                Ok((sent.first().map_or(MessageId::ZERO, |sent| sent.id), done))
            }
            Target::Group(group) => {
                let to =
                    ToGroup { from: &from, group: &group, passed: &passed, only_for: &only_for, options: &options };
                let (sent, durable) = self.post_to_group_by(app, origin, to, queue).await?;
                Ok((sent.id, durable))
            }
            Target::Room(room) => {
                if let Origin::Client(session) = origin
                    && !session.is_in(&room)
                {
                    return Err(SendError::NotInRoom);
                }
                // Nothing of what tells of it is kept.
                let revised = queue(Vec::new()).unwrap_or(done);
                let (from, payload, by_client) = (origin.sender(from), passed.payload, origin.is_client());
                let said = Said { from, payload, only_for: Vec::new(), options, by_client, activates: Vec::new() };
                let message = self.post_to_room(app, &room, &said);
                self.settle(app, std::slice::from_ref(&message), &said).await?;
                Ok((message.id, revised))
            }
        }
    }
}
