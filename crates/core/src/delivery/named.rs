//! Messages of groups that are for some members only: who they are is remembered for as long as the message may wait, so that
//! nobody else is told what becomes of it.

use minicbor::{Decode, Encode};

use crate::app::App;
use crate::id::UserId;
use crate::message::{Message, MessageKind, Target};
use crate::node::Node;
use crate::records::{Record, RecordKind, encode, message_key};
use crate::store::{Change, StoreError};

/// Whom a message is for; the key is the message's ID.
#[derive(Debug, Clone, Encode, Decode)]
struct Named {
    #[n(0)]
    users: Vec<String>,
}

impl Record for Named {
    const KIND: RecordKind = RecordKind::NamedReceivers;
}

/// Whether a message is for some members of a group only.
fn is_for_some(message: &Message) -> bool {
    message.marks.targeted && matches!(message.to, Target::Group(_))
}

/// Written beside a message that is for some members only.
pub(super) fn remembered(message: &Message, users: &[UserId]) -> Option<Change> {
    (is_for_some(message) && message.marks.kind == MessageKind::Content).then(|| {
        let named = Named { users: users.iter().map(|user| user.as_str().to_owned()).collect() };
        Change::Put { kind: RecordKind::NamedReceivers, key: message_key(message.id), value: encode(&named) }
    })
}

impl Node {
    /// Whom a message is for besides who wrote it, if it is not for everybody who is where it went.
    pub(super) async fn named_receivers(
        &self,
        app: &App,
        message: &Message,
    ) -> Result<Option<Vec<UserId>>, StoreError> {
        if !is_for_some(message) {
            return Ok(None);
        }
        let named = self.find::<Named>(app, &message_key(message.id)).await?;
        let users = named.into_iter().flat_map(|named| named.users);
        Ok(Some(users.map(|user| UserId::from_trusted(&user)).collect()))
    }

    /// Forgets whom messages were for that wait for nobody any more.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn forget_named_receivers(&self, app: &App) -> Result<u64, StoreError> {
        self.forget_beside(app, RecordKind::NamedReceivers, app.policy().inbox.retention_ms).await
    }
}
