//! Users who are kept out of a room or group.

use std::sync::Arc;

use minicbor::{Decode, Encode};

use super::room_error::RoomError;
use super::rooms::RoomKind;
use super::{pair, second};
use crate::app::App;
use crate::id::{RoomId, UserId};
use crate::node::Node;
use crate::records::{Page, Record, RecordKind};
use crate::room_event::RoomEvent;
use crate::store::{Scan, StoreError};

/// That a user is kept out; the key names room and user.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Block {
    /// Since when: Unix time in milliseconds.
    #[n(0)]
    pub(crate) since_ms: u64,
}

impl Record for Block {
    const KIND: RecordKind = RecordKind::RoomBlock;
}

pub(crate) fn block_key(room: &RoomId, user: &UserId) -> String {
    pair(room.as_str(), user.as_str())
}

impl Node {
    /// Puts members out and keeps them out. Returns what became of each, in the order asked: who is no member is
    /// refused.
    ///
    /// # Errors
    /// When the room is not there, or the store fails.
    pub async fn block_members(
        &self,
        app: &Arc<App>,
        kind: RoomKind,
        room: &RoomId,
        users: &[UserId],
    ) -> Result<Vec<Result<(), RoomError>>, RoomError> {
        self.put_out(app, kind, room, users, true).await
    }

    /// Lets users in again; that does not bring them in. Returns which were kept out, in the order asked.
    ///
    /// # Errors
    /// When the room is not there, or the store fails.
    pub async fn unblock_members(
        &self,
        app: &Arc<App>,
        kind: RoomKind,
        room: &RoomId,
        users: &[UserId],
    ) -> Result<Vec<bool>, RoomError> {
        let users = users.to_vec();
        self.in_turn(app, kind, room, users.clone(), move |turn| {
            turn.room()?;
            let outcomes: Vec<_> = users.iter().map(|user| turn.unblock(user)).collect();
            let freed: Vec<_> =
                users.iter().zip(&outcomes).filter(|(_, was)| **was).map(|(user, _)| user.clone()).collect();
            if !freed.is_empty() {
                turn.tell(RoomEvent::Unblocked { users: freed });
            }
            Ok(outcomes)
        })
        .await
    }

    /// Users who are kept out, in the order of their names, behind the user `after`, at most `limit`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn blocked_members(
        &self,
        app: &App,
        room: &RoomId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<UserId>, StoreError> {
        let prefix = format!("{room}/");
        let after = after.map(|user| format!("{prefix}{user}"));
        let page = self.page::<Block>(app, Scan { after, ..Scan::of(RecordKind::RoomBlock, prefix, limit) }).await?;
        let next = page.next.map(|key| second(&key).to_owned());
        Ok(Page { items: page.items.iter().map(|(key, _)| UserId::from_trusted(second(key))).collect(), next })
    }
}
