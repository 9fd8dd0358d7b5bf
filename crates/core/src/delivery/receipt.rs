//! Who is told that a message was read or delivered: nobody but who wrote it, and only by who can have got it.

use super::{Origin, SendError};
use crate::app::App;
use crate::id::{MessageId, UserId};
use crate::limits::Rule;
use crate::message::{Message, Target};
use crate::node::Node;
use crate::session::Session;

impl Node {
    /// Who wrote a message that the client's user can have got in a conversation: with another user, or in a group, whose
    /// members are not looked at here. `None` if there is none: there was no such message, it was taken back, it is the
    /// client's own or went elsewhere. That counts like a message of the client, so that nobody tries numbers.
    ///
    /// Of a user's message that is kept no longer than its ack, because the app has no history or the history has gone on,
    /// nobody knows any more: it is taken for one of the other user.
    ///
    /// # Errors
    /// When it was too often, or the store fails.
    pub async fn wrote(
        &self,
        app: &App,
        session: &Session,
        conversation: &Target,
        id: MessageId,
    ) -> Result<Option<UserId>, SendError> {
        let wrote = match (self.content(app, id).await?, conversation) {
            (Some(message), conversation) => {
                let named = self.named_receivers(app, &message).await?;
                let is_meant = named.is_none_or(|named| named.contains(session.user()));
                (is_meant && can_have(&message, session.user(), conversation)).then(|| message.from.clone())
            }
            (None, Target::User(other)) => self.may_be_forgotten(app, id).then(|| other.clone()),
            (None, _) => None,
        };
        if wrote.is_none() {
            self.limit_send(app, Origin::Client(session), Rule::ClientSends)?;
        }
        Ok(wrote)
    }

    /// Whether there may have been a message of this number that nobody knows any more.
    fn may_be_forgotten(&self, app: &App, id: MessageId) -> bool {
        let now_ms = self.clock().wall_ms();
        let kept_ms = app.policy().history.map_or(0, |history| history.retention_ms);
        MessageId::ZERO < id && id <= MessageId::MAX && id.unix_ms() <= now_ms.saturating_sub(kept_ms)
    }
}

fn can_have(message: &Message, user: &UserId, conversation: &Target) -> bool {
    match conversation {
        Target::User(other) => message.from == *other && message.to == Target::User(user.clone()),
        Target::Group(_) => message.to == *conversation && message.from != *user,
        // Nobody is told what was read in a room.
        Target::Room(_) => false,
    }
}
