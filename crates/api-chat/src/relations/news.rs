//! Who is told of contacts and blocks that change. What concerns contacts waits for a user who is away.

use stentor_chat_content::RelationNews;
use stentor_core::id::UserId;

use crate::call::Call;
use crate::error::ChatError;

/// `from` asks `to` to become a contact.
pub(super) async fn invited(call: &Call, from: &UserId, to: &UserId, reason: &str) -> Result<(), ChatError> {
    tell(call, from, to, RelationNews::Invited { reason }).await
}

/// `user` and `other` are contacts now; `agreed`: `other` had asked for it.
pub(super) async fn added(call: &Call, user: &UserId, other: &UserId, agreed: bool) -> Result<(), ChatError> {
    tell(call, user, other, RelationNews::Added { agreed }).await?;
    tell(call, other, user, RelationNews::Added { agreed: false }).await
}

/// `from` does not want to become a contact of `to`.
pub(super) async fn declined(call: &Call, from: &UserId, to: &UserId) -> Result<(), ChatError> {
    tell(call, from, to, RelationNews::Declined).await
}

/// `from` has ended that they are contacts.
pub(super) async fn removed(call: &Call, from: &UserId, to: &UserId) -> Result<(), ChatError> {
    tell(call, from, to, RelationNews::Removed).await
}

/// A user's own devices are told whom the user blocks, or does not any more. Nobody else is.
pub(super) async fn blocked(call: &Call, user: &UserId, users: &[&str], blocked: bool) -> Result<(), ChatError> {
    let news = if blocked { RelationNews::Blocked(users) } else { RelationNews::Unblocked(users) };
    Ok(call.node().tell_devices(&call.app, user, news.payload().into()).await?)
}

async fn tell(call: &Call, from: &UserId, to: &UserId, news: RelationNews<'_>) -> Result<(), ChatError> {
    Ok(call.node().tell_user(&call.app, from, to, news.payload().into()).await?)
}
