//! What a client may look up of the rooms and groups that its user is in.

use std::sync::Arc;

use super::rooms::RoomKind;
use crate::id::{RoomId, UserId};
use crate::limits::Rule;
use crate::node::{Node, RequestError};
use crate::session::Session;
use crate::store::StoreError;

/// A page of members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberList {
    /// The members, in the order of their names.
    pub members: Vec<UserId>,
    /// How many there are in all.
    pub count: u64,
    /// Behind whom the next page begins; `None` on the last.
    pub next: Option<String>,
}

impl Node {
    /// The members of a registered room or group that the client's user is in, behind the user `after`, at most
    /// `limit`.
    ///
    /// # Errors
    /// When it is not there, the user is no member, asks too often, or the store fails.
    pub async fn list_members(
        &self,
        session: &Arc<Session>,
        kind: RoomKind,
        room: &RoomId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<MemberList, RequestError> {
        let app = session.app();
        self.limit_client(session, Rule::MemberLists)?;
        let unavailable = |_: StoreError| RequestError::Unavailable;
        if self.find_room(app, kind, room).await.map_err(unavailable)?.is_none() {
            return Err(RequestError::NoRoom);
        }
        if !self.is_member(app, room, session.user()).await.map_err(unavailable)? {
            return Err(RequestError::NotInRoom);
        }
        let count = self.registered_members(app, room).await.map_err(unavailable)?;
        let page = self.member_page(app, room, after, limit).await.map_err(unavailable)?;
        let members = page.items.into_iter().map(|(user, _)| user).collect();
        Ok(MemberList { members, count, next: page.next })
    }
}
