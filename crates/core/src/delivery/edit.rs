//! To give a message that was sent another content: whoever finds it from now on finds the new one, and everybody who
//! may have the old one is told.
//!
//! Edits of one message take turns on this node, so that the last one stored is the last one told. On several nodes two
//! edits at once may be told in another order than they were stored; the number of edits says which was the later.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::recall::{News, told, with_author};
use super::{Origin, SendError};
use crate::app::App;
use crate::id::{MessageId, UserId};
use crate::message::{Message, MessageKind, Target};
use crate::node::Node;
use crate::store::{Amended, StoreError};

/// A message to edit.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The message.
    pub id: MessageId,
    /// Where it went, if that is to be checked.
    pub to: Option<Target>,
    /// Who edits it. A client is always its own user, and edits only what it has sent.
    pub by: UserId,
}

/// What is made of a message.
#[derive(Debug, Clone)]
pub struct Edited {
    /// Its new payload: not empty, at most the app's limit.
    pub payload: Bytes,
    /// What its receivers are told, in a message of [`MessageKind::Edit`]: the same. It must say which message it is
    /// about, and hold what is new.
    pub news: Bytes,
}

/// Why a message was not edited.
#[derive(Debug, thiserror::Error)]
pub enum EditError<E> {
    /// It is not kept.
    #[error("there is no such message")]
    NotFound,
    /// It went to somebody else.
    #[error("the message was not sent there")]
    OtherTarget,
    /// A client may edit only what it has sent.
    #[error("the message is from somebody else")]
    NotSender,
    /// It was edited as often as it may be: not at all, if the app has no edits.
    #[error("the message was edited {max} times")]
    TooOften {
        /// The limit.
        max: u8,
    },
    /// Its new content is none.
    #[error("the message cannot become that")]
    Refused(E),
    /// Its receivers could not be told.
    #[error(transparent)]
    Send(#[from] SendError),
}

impl<E> From<StoreError> for EditError<E> {
    fn from(error: StoreError) -> Self {
        Self::Send(error.into())
    }
}

impl Node {
    /// Edits a message: `change` makes its new content of the message as it is, and of how often it will have been
    /// edited. Answers with the number of the message that says so, when all is durable. A client says something new where
    /// the message went, and is refused like a message of it would be; the gate is not asked.
    ///
    /// # Errors
    /// When it was not edited; if the store failed, it may have been.
    pub async fn edit<E>(
        &self,
        app: &Arc<App>,
        origin: Origin<'_>,
        edit: Edit,
        change: impl FnOnce(&Message, u8) -> Result<Edited, E>,
    ) -> Result<MessageId, EditError<E>> {
        self.limit_change(app, origin)?;
        let Edit { id, to, by } = edit;
        let max = app.policy().edits.unwrap_or(0);
        let turn = app.edit_turns.of(&id).await;
        let message = self.content(app, id).await?.ok_or(EditError::NotFound)?;
        if to.is_some_and(|to| to != message.to) {
            return Err(EditError::OtherTarget);
        }
        if let Origin::Client(session) = origin
            && *session.user() != message.from
        {
            return Err(EditError::NotSender);
        }
        self.permit_words(app, origin, &message.to).await?;
        if message.marks.edits >= max {
            return Err(EditError::TooOften { max });
        }
        let Edited { payload, news } = change(&message, message.marks.edits + 1).map_err(EditError::Refused)?;
        Self::check_payload(app, &payload)?;
        Self::check_payload(app, &news)?;
        // A conversation of two has no third.
        let from = if matches!(message.to, Target::User(_)) { message.from.clone() } else { by };
        let (to, priority) = (message.to.clone(), message.marks.priority);
        let named = self.named_receivers(app, &message).await?.map(|named| with_author(named, Some(&message)));
        let news = News { from, to, payload: news, kind: MessageKind::Edit, priority, sync_sender: true, named };
        let (done, amended) = oneshot::channel();
        let amend = |news| told(self.store().amend(app.id(), id, payload, max, news), done);
        let (notice, durable) = self.tell(app, origin, news, amend).await?;
        drop(turn);
        durable.await?;
        match amended.await.unwrap_or(Amended::NotThere) {
            Amended::Done => Ok(notice),
            // Recalled, or edited on another node, in the meantime.
            Amended::NotThere => Err(EditError::NotFound),
            Amended::TooOften => Err(EditError::TooOften { max }),
        }
    }
}
