//! Which messages came of what: a client that lost its connection sends again what was not answered, under the number that it had
//! given it. Who remembers that in memory forgets it with the process; so it is written beside the message, in the same step, and
//! read at the start. A message that is not kept has none: it is gone with the process, too.

use minicbor::{Decode, Encode};

use crate::app::App;
use crate::delivery::{Accepted, Also};
use crate::id::{DeviceId, MessageId, UserId};
use crate::node::Node;
use crate::records::{Record, RecordKind, encode, message_key};
use crate::store::{Change, Scan, StoreError};

/// For so long what clients sent is known again: in milliseconds.
pub const KEPT_MS: u64 = 600_000;

/// Records read in one step.
const PAGE: usize = 500;

/// Something that a client sent, as it is known again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentItem {
    /// Whose.
    pub user: UserId,
    /// From which device: numbers are the device's own.
    pub device: DeviceId,
    /// The number that the device gave it.
    pub number: u64,
    /// What it was, in short.
    pub content: u64,
}

/// An item, and the message that it became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BecameMessage {
    /// The item.
    pub item: SentItem,
    /// The message.
    pub id: MessageId,
    /// When it was sent: Unix time in milliseconds.
    pub sent_at_ms: u64,
}

/// The key is the message's ID, so that the oldest stand first.
#[derive(Debug, Clone, Encode, Decode)]
struct SentItemRecord {
    #[n(0)]
    user: String,
    #[n(1)]
    device: String,
    #[n(2)]
    number: u64,
    #[n(3)]
    content: u64,
    #[n(4)]
    sent_at_ms: u64,
}

impl Record for SentItemRecord {
    const KIND: RecordKind = RecordKind::SentItem;
}

impl SentItem {
    /// Has it written beside the message that it becomes.
    #[must_use]
    pub fn remembered(self) -> Also {
        Also::new(move |accepted: &Accepted<'_>| {
            let record = SentItemRecord {
                user: self.user.as_str().to_owned(),
                device: self.device.as_str().to_owned(),
                number: self.number,
                content: self.content,
                sent_at_ms: accepted.message.sent_at_ms,
            };
            vec![Change::Put {
                kind: RecordKind::SentItem,
                key: message_key(accepted.message.id),
                value: encode(&record),
            }]
        })
    }
}

impl Node {
    /// The newest items of an app that became messages within [`KEPT_MS`], at most `limit`, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sent_items(&self, app: &App, limit: usize) -> Result<Vec<BecameMessage>, StoreError> {
        let oldest = message_key(self.oldest_item());
        let (mut found, mut after) = (Vec::new(), None);
        while found.len() < limit {
            let scan = Scan::of(RecordKind::SentItem, "", PAGE.min(limit - found.len()));
            let page = self.page::<SentItemRecord>(app, Scan { after, backwards: true, ..scan }).await?;
            let next = page.next;
            let young = page.items.into_iter().take_while(|(key, _)| *key >= oldest);
            found.extend(young.filter_map(|(key, record)| Some(record.became(MessageId(key.parse().ok()?)))));
            match next {
                Some(next) if next >= oldest => after = Some(next),
                _ => break,
            }
        }
        Ok(found)
    }

    /// Forgets what nobody sends again any more. Returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn forget_sent_items(&self, app: &App) -> Result<u64, StoreError> {
        self.forget_beside(app, RecordKind::SentItem, KEPT_MS).await
    }

    fn oldest_item(&self) -> MessageId {
        MessageId::first_of(self.clock().wall_ms().saturating_sub(KEPT_MS))
    }
}

impl SentItemRecord {
    fn became(self, id: MessageId) -> BecameMessage {
        let Self { user, device, number, content, sent_at_ms } = self;
        let (user, device) = (UserId::from_trusted(&user), DeviceId::from_trusted(&device));
        BecameMessage { item: SentItem { user, device, number, content }, id, sent_at_ms }
    }
}
