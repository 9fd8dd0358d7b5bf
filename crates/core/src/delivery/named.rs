//! Messages of groups that are for some members only: who they are is remembered for as long as the message may wait, so that
//! nobody else is told what becomes of it.

use minicbor::{Decode, Encode};

use crate::app::App;
use crate::id::{MessageId, UserId};
use crate::message::{Message, MessageKind, Target};
use crate::node::Node;
use crate::records::{Record, RecordKind, encode};
use crate::store::{Change, Scan, StoreError};

/// Records that are forgotten in one step.
const PAGE: usize = 256;

/// Whom a message is for; the key is the message's ID.
#[derive(Debug, Clone, Encode, Decode)]
struct Named {
    #[n(0)]
    users: Vec<String>,
}

impl Record for Named {
    const KIND: RecordKind = RecordKind::NamedReceivers;
}

fn key(id: MessageId) -> String {
    format!("{:020}", id.0)
}

/// Whether a message is for some members of a group only.
fn is_for_some(message: &Message) -> bool {
    message.marks.targeted && matches!(message.to, Target::Group(_))
}

/// Written beside a message that is for some members only.
pub(super) fn remembered(message: &Message, users: &[UserId]) -> Option<Change> {
    (is_for_some(message) && message.marks.kind == MessageKind::Content).then(|| {
        let named = Named { users: users.iter().map(|user| user.as_str().to_owned()).collect() };
        Change::Put { kind: RecordKind::NamedReceivers, key: key(message.id), value: encode(&named) }
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
        let named = self.find::<Named>(app, &key(message.id)).await?;
        let users = named.into_iter().flat_map(|named| named.users);
        Ok(Some(users.map(|user| UserId::from_trusted(&user)).collect()))
    }

    /// Forgets whom messages were for that wait for nobody any more.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn forget_named_receivers(&self, app: &App) -> Result<(), StoreError> {
        let kept_ms = app.policy().inbox.retention_ms;
        let oldest = key(MessageId::first_of(self.clock().wall_ms().saturating_sub(kept_ms)));
        loop {
            let scan = Scan::of(RecordKind::NamedReceivers, "", PAGE);
            let found = self.store().scan_records(app.id(), scan).await?;
            let old = found.into_iter().map(|(key, _)| key).take_while(|key| *key < oldest);
            let forget = |key| Change::Delete { kind: RecordKind::NamedReceivers, key };
            let changes: Vec<_> = old.map(forget).collect();
            let full = changes.len() == PAGE;
            if !changes.is_empty() {
                self.store().change(app.id(), changes).await?;
            }
            if !full {
                return Ok(());
            }
        }
    }
}
