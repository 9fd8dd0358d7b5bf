//! Members of registered rooms and groups: who is in, as what, and how they come and go.

use std::sync::Arc;

use bytes::Bytes;
use minicbor::{Decode, Encode};

use super::joined::{Membership, membership_key};
use super::room_error::RoomError;
use super::rooms::RoomKind;
use super::turn::Turn;
use super::{pair, second};
use crate::app::App;
use crate::id::{RoomId, UserId};
use crate::node::Node;
use crate::records::{Page, Record, RecordKind, Transaction};
use crate::room_event::RoomEvent;
use crate::store::{Change, Scan, StoreError};

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Role {
    /// The one whose it is.
    #[n(0)]
    Owner,
    /// One who helps the owner.
    #[n(1)]
    Admin,
    /// Anybody else.
    #[n(2)]
    Member,
}

/// A member of a room or group; the key names both.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Member {
    /// What the member is.
    #[n(0)]
    pub role: Role,
    /// Since when: Unix time in milliseconds.
    #[n(1)]
    pub joined_ms: u64,
    /// May not send before that: Unix time in milliseconds; `u64::MAX` for ever.
    #[n(2)]
    pub muted_until_ms: Option<u64>,
    /// On the allow list: may send although all are muted, and keeps the place in a room while away.
    #[n(3)]
    pub allowed: bool,
}

impl Record for Member {
    const KIND: RecordKind = RecordKind::Member;
}

/// What sets a member apart: listed without looking at the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Admin,
    Muted,
    Allowed,
}

impl Mark {
    pub(crate) const ALL: [Self; 3] = [Self::Admin, Self::Muted, Self::Allowed];

    pub(crate) fn prefix(self, room: &RoomId) -> String {
        let letter = match self {
            Self::Admin => 'a',
            Self::Muted => 'm',
            Self::Allowed => 'w',
        };
        format!("{room}/{letter}/")
    }

    pub(crate) fn is_on(self, member: &Member) -> bool {
        match self {
            Self::Admin => member.role == Role::Admin,
            Self::Muted => member.muted_until_ms.is_some(),
            Self::Allowed => member.allowed,
        }
    }
}

impl Member {
    pub(crate) fn new(role: Role, joined_ms: u64) -> Self {
        Self { role, joined_ms, muted_until_ms: None, allowed: false }
    }

    /// Writes a member who was none, of a room that nobody else knows yet.
    pub(crate) fn put_new(&self, records: &mut Transaction<'_>, kind: RoomKind, room: &RoomId, user: &UserId) {
        records.put(member_key(room, user), self);
        records.put(membership_key(kind, user, room), &Membership { joined_ms: self.joined_ms });
    }

    /// Whether the member may not send at `now_ms` (Unix time).
    #[must_use]
    pub fn is_muted(&self, now_ms: u64) -> bool {
        self.muted_until_ms.is_some_and(|until_ms| until_ms > now_ms)
    }

    /// Whether the member may send although all are muted.
    #[must_use]
    pub fn is_exempt(&self) -> bool {
        self.allowed || self.role != Role::Member
    }
}

/// How many admins a room or group may have (product documents: 99).
pub const MAX_ADMINS: usize = 99;

pub(crate) fn member_key(room: &RoomId, user: &UserId) -> String {
    pair(room.as_str(), user.as_str())
}

impl Node {
    /// A member, if the user is one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find_member(&self, app: &App, room: &RoomId, user: &UserId) -> Result<Option<Member>, StoreError> {
        self.find(app, &member_key(room, user)).await
    }

    /// Whether the user is a member.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_member(&self, app: &App, room: &RoomId, user: &UserId) -> Result<bool, StoreError> {
        Ok(self.find_member(app, room, user).await?.is_some())
    }

    /// Which of these users are members, in the order asked.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find_members(
        &self,
        app: &App,
        room: &RoomId,
        users: &[UserId],
    ) -> Result<Vec<Option<Member>>, StoreError> {
        self.find_all(app, users.iter().map(|user| member_key(room, user)).collect()).await
    }

    /// The members of a room or group in the order of their names, behind the user `after`, at most `limit`. A room
    /// that is not there has none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn member_page(
        &self,
        app: &App,
        room: &RoomId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<(UserId, Member)>, StoreError> {
        let prefix = format!("{room}/");
        let after = after.map(|user| format!("{prefix}{user}"));
        let page = self.page::<Member>(app, Scan { after, ..Scan::of(RecordKind::Member, prefix, limit) }).await?;
        let next = page.next.map(|key| second(&key).to_owned());
        let items = page.items.into_iter().map(|(key, member)| (UserId::from_trusted(second(&key)), member));
        Ok(Page { items: items.collect(), next })
    }

    /// Puts users into a room or group. Those who are members already stay as they are; returns the others. All of
    /// them come in, or nobody.
    ///
    /// # Errors
    /// When the room or a user is not there, a user is kept out or in too many, there is no place, or the store fails.
    pub async fn add_members(
        &self,
        app: &Arc<App>,
        kind: RoomKind,
        room: &RoomId,
        users: &[UserId],
    ) -> Result<Vec<UserId>, RoomError> {
        self.room(app, kind, room).await?;
        self.must_be_registered(app, users).await?;
        self.may_join_others(app, kind, users).await?;
        let wanted = users.to_vec();
        self.in_turn_to_admit(app, kind, room, wanted.clone(), move |turn| {
            let added = turn.admit(&wanted)?;
            if !added.is_empty() {
                added.iter().for_each(|user| turn.enter(user));
                turn.tell(RoomEvent::Joined { users: added.clone(), count: turn.count(), ext: None });
            }
            Ok(added)
        })
        .await
    }

    /// Puts members out of a room or group. Returns what became of each, in the order asked. The clients of those who
    /// were put out of a room leave it at once.
    ///
    /// # Errors
    /// When the room is not there, or the store fails.
    pub async fn remove_members(
        &self,
        app: &Arc<App>,
        kind: RoomKind,
        room: &RoomId,
        users: &[UserId],
    ) -> Result<Vec<Result<(), RoomError>>, RoomError> {
        self.put_out(app, kind, room, users, false).await
    }

    /// The same; with `blocked`, they are kept out.
    pub(super) async fn put_out(
        &self,
        app: &Arc<App>,
        kind: RoomKind,
        room: &RoomId,
        users: &[UserId],
        blocked: bool,
    ) -> Result<Vec<Result<(), RoomError>>, RoomError> {
        let users = users.to_vec();
        self.in_turn(app, kind, room, users.clone(), move |turn| {
            turn.room()?;
            let (mut outcomes, mut gone) = (Vec::new(), Vec::new());
            for user in &users {
                let outcome = turn.dismiss(user);
                if outcome.is_ok() {
                    if blocked {
                        turn.block(user);
                    }
                    gone.push(user.clone());
                }
                outcomes.push(outcome);
            }
            turn.tell_removed(&gone, blocked);
            Ok(outcomes)
        })
        .await
    }

    /// A member leaves by its own will.
    ///
    /// # Errors
    /// When the room is not there, the user is no member or owns it, or the store fails.
    pub async fn leave_room(
        &self,
        app: &Arc<App>,
        kind: RoomKind,
        room: &RoomId,
        user: &UserId,
    ) -> Result<(), RoomError> {
        let user = user.clone();
        self.in_turn(app, kind, room, vec![user.clone()], move |turn| {
            turn.room()?;
            turn.dismiss(&user)?;
            turn.tell(RoomEvent::Left { users: vec![user.clone()], count: turn.count() });
            turn.exit(&user);
            Ok(())
        })
        .await
    }

    /// Makes a member an admin, or an admin a member like others. Doing it again changes nothing.
    ///
    /// # Errors
    /// When the room is not there, the user is no member or owns it, there are too many admins, or the store fails.
    pub async fn make_admin(
        &self,
        app: &Arc<App>,
        kind: RoomKind,
        room: &RoomId,
        user: &UserId,
        admin: bool,
    ) -> Result<(), RoomError> {
        if admin && self.marked(app, room, Mark::Admin, MAX_ADMINS).await?.len() >= MAX_ADMINS {
            return Err(RoomError::TooMany { max: MAX_ADMINS });
        }
        let (user, role) = (user.clone(), if admin { Role::Admin } else { Role::Member });
        self.in_turn(app, kind, room, vec![user.clone()], move |turn| {
            turn.room()?;
            let member = turn.member_mut(&user)?;
            if member.role == Role::Owner {
                return Err(RoomError::IsOwner);
            }
            if std::mem::replace(&mut member.role, role) != role {
                turn.tell(RoomEvent::Admin { user: user.clone(), admin });
            }
            Ok(())
        })
        .await
    }

    /// Gives a room or group to another member; the owner before stays as a member. A user who is no member comes in.
    ///
    /// # Errors
    /// When the room or user is not there, the user owns it already or cannot come in, or the store fails.
    pub async fn give_room(&self, app: &Arc<App>, kind: RoomKind, room: &RoomId, to: &UserId) -> Result<(), RoomError> {
        self.must_be_registered(app, std::slice::from_ref(to)).await?;
        loop {
            let from = self.room(app, kind, room).await?.owner_id();
            let (users, to) = (vec![from.clone(), to.clone()], to.clone());
            let given = self.in_turn_to_admit(app, kind, room, users, move |turn| give(turn, &from, &to)).await?;
            if given {
                return Ok(());
            }
        }
    }

    /// The admins of a room or group.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn admins(&self, app: &App, room: &RoomId) -> Result<Vec<UserId>, StoreError> {
        self.marked(app, room, Mark::Admin, MAX_ADMINS + 1).await
    }

    pub(crate) async fn marked(
        &self,
        app: &App,
        room: &RoomId,
        mark: Mark,
        limit: usize,
    ) -> Result<Vec<UserId>, StoreError> {
        let prefix = mark.prefix(room);
        let scan = Scan::of(RecordKind::MemberMark, prefix.as_str(), limit);
        let found = self.store().scan_records(app.id(), scan).await?;
        Ok(found.iter().map(|(key, _)| UserId::from_trusted(&key[prefix.len()..])).collect())
    }

    /// Refuses if one of the users is not registered.
    pub(crate) async fn must_be_registered(&self, app: &App, users: &[UserId]) -> Result<(), RoomError> {
        self.expect_registered(app, users).await.map(|_| ())
    }

    /// The expectation that the users stay as they are.
    ///
    /// # Errors
    /// When one of them is not registered, or the store fails.
    pub(crate) async fn expect_registered(&self, app: &App, users: &[UserId]) -> Result<Vec<Change>, RoomError> {
        let names = users.iter().map(|user| user.as_str().to_owned()).collect();
        let found = self.store().read_records(app.id(), RecordKind::User, names).await?;
        let expect = |(user, value): (&UserId, Option<Bytes>)| match value {
            None => Err(RoomError::NoUser(user.clone())),
            value => Ok(Change::Expect { kind: RecordKind::User, key: user.as_str().to_owned(), value }),
        };
        users.iter().zip(found).map(expect).collect()
    }
}

/// `false` if somebody else has become the owner meanwhile.
fn give(turn: &mut Turn, from: &UserId, to: &UserId) -> Result<bool, RoomError> {
    let owner = turn.room()?.owner_id();
    if owner == *to {
        return Err(RoomError::SameOwner);
    }
    if owner != *from {
        return Ok(false);
    }
    if !turn.admit(std::slice::from_ref(to))?.is_empty() {
        turn.enter(to);
        turn.tell(RoomEvent::Joined { users: vec![to.clone()], count: turn.count(), ext: None });
    }
    turn.member_mut(from)?.role = Role::Member;
    turn.member_mut(to)?.role = Role::Owner;
    to.as_str().clone_into(&mut turn.room_mut()?.owner);
    turn.tell(RoomEvent::OwnerChanged { from: from.clone(), to: to.clone() });
    Ok(true)
}
