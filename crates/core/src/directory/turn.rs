//! One turn of a room: what was read of it, what it becomes, and who is to be told.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::admissions::forget_admitted;
use super::blocks::{Block, block_key};
use super::joined::{Membership, membership_key};
use super::members::{Mark, Member, Role, member_key};
use super::room_attributes::{CustomAttribute, attribute_key};
use super::room_error::RoomError;
use super::rooms::{MemberCount, Room, RoomKind};
use super::shared_files::SharedFile;
use crate::id::{RoomId, SessionId, UserId};
use crate::observer::{Observer, RoomNews, RoomObserved};
use crate::records::{Record, RecordKind, decode, encode};
use crate::room_event::RoomEvent;
use crate::store::{Change, StoreError};

/// A record as it was read, and as it is to be.
#[derive(Debug)]
pub(super) struct Slot<T> {
    was: Option<Bytes>,
    pub(super) now: Option<T>,
}

impl<T: Record> Slot<T> {
    pub(super) fn read(was: Option<Bytes>) -> Result<Self, StoreError> {
        let now = was.as_ref().map(|bytes| decode(bytes)).transpose()?;
        Ok(Self { was, now })
    }

    /// Of a record that is not there.
    pub(super) fn absent() -> Self {
        Self { was: None, now: None }
    }

    /// The expectation that nobody else changed it, and its change if there is one.
    fn changes(&self, key: String, changes: &mut Vec<Change>) {
        changes.push(Change::Expect { kind: T::KIND, key: key.clone(), value: self.was.clone() });
        let now = self.now.as_ref().map(encode);
        if now == self.was {
            return;
        }
        changes.push(match now {
            Some(value) => Change::Put { kind: T::KIND, key, value },
            None => Change::Delete { kind: T::KIND, key },
        });
    }

    fn had(&self) -> Option<T> {
        self.was.as_ref().and_then(|bytes| decode(bytes).ok())
    }
}

/// What happens when the turn is durable, in order.
#[derive(Debug)]
pub(crate) enum Effect {
    /// The user's clients come into the live room.
    Enter(UserId),
    /// The user's clients leave the live room.
    Exit(UserId),
    /// The members are told, and who came or went; not the session whose request it was.
    Tell { event: RoomEvent, except: Option<SessionId>, by: Option<UserId> },
}

/// One turn of a room. Works change it one after the other; then it is written in one step.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(super) kind: RoomKind,
    pub(super) id: RoomId,
    pub(super) now_ms: u64,
    pub(super) room: Slot<Room>,
    pub(super) count: Slot<MemberCount>,
    pub(super) members: BTreeMap<UserId, Slot<Member>>,
    pub(super) blocks: BTreeMap<UserId, Slot<Block>>,
    /// The records of users who may come in: a user who is deleted meanwhile does not.
    pub(super) users: BTreeMap<UserId, Option<Bytes>>,
    /// Read if a work asks for them, or if members leave.
    pub(super) attributes: Option<BTreeMap<String, Slot<CustomAttribute>>>,
    /// The shared files that the works name, by their keys.
    pub(super) files: BTreeMap<String, Slot<SharedFile>>,
    /// How many files are shared; read if a work names one.
    pub(super) shared: u64,
    /// The user whose work is being done.
    pub(super) by: Option<UserId>,
    pub(super) effects: Vec<Effect>,
    pub(super) dissolved: bool,
}

impl Turn {
    /// Unix time in milliseconds.
    pub(super) fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// The room, if it is there.
    pub(super) fn room(&self) -> Result<&Room, RoomError> {
        self.room.now.as_ref().ok_or_else(|| RoomError::NoRoom(self.id.clone()))
    }

    pub(super) fn room_mut(&mut self) -> Result<&mut Room, RoomError> {
        self.room.now.as_mut().ok_or_else(|| RoomError::NoRoom(self.id.clone()))
    }

    /// How many members there are.
    pub(super) fn count(&self) -> u64 {
        self.count.now.unwrap_or_default().members
    }

    /// A member, of the users that the work named.
    pub(super) fn member(&self, user: &UserId) -> Option<&Member> {
        self.members.get(user)?.now.as_ref()
    }

    pub(super) fn member_mut(&mut self, user: &UserId) -> Result<&mut Member, RoomError> {
        let member = self.members.get_mut(user).and_then(|slot| slot.now.as_mut());
        member.ok_or_else(|| RoomError::NotMembers(vec![user.clone()]))
    }

    fn is_blocked(&self, user: &UserId) -> bool {
        self.blocks.get(user).is_some_and(|slot| slot.now.is_some())
    }

    fn is_registered(&self, user: &UserId) -> bool {
        self.users.get(user).is_some_and(Option::is_some)
    }

    /// Makes users members, all of them or nobody. Returns those who were none.
    pub(super) fn admit(&mut self, users: &[UserId]) -> Result<Vec<UserId>, RoomError> {
        let max_users = self.room()?.max_users;
        let mut new: Vec<UserId> = Vec::new();
        for user in users {
            if self.member(user).is_none() && !new.contains(user) {
                new.push(user.clone());
            }
        }
        if let Some(nobody) = new.iter().find(|user| !self.is_registered(user)) {
            return Err(RoomError::NoUser(nobody.clone()));
        }
        if let Some(blocked) = new.iter().find(|user| self.is_blocked(user)) {
            return Err(RoomError::Blocked(blocked.clone()));
        }
        let count = self.count() + new.len() as u64;
        if !new.is_empty() && count > max_users {
            return Err(RoomError::Full);
        }
        self.count.now = Some(MemberCount { members: count });
        for user in &new {
            if let Some(slot) = self.members.get_mut(user) {
                slot.now = Some(Member::new(Role::Member, self.now_ms));
            }
        }
        Ok(new)
    }

    /// Makes a member none.
    pub(super) fn dismiss(&mut self, user: &UserId) -> Result<(), RoomError> {
        if self.member_mut(user)?.role == Role::Owner {
            return Err(RoomError::IsOwner);
        }
        if let Some(slot) = self.members.get_mut(user) {
            slot.now = None;
        }
        self.count.now = Some(MemberCount { members: self.count().saturating_sub(1) });
        Ok(())
    }

    /// Keeps a user out.
    pub(super) fn block(&mut self, user: &UserId) {
        let now_ms = self.now_ms;
        if let Some(slot) = self.blocks.get_mut(user) {
            slot.now.get_or_insert(Block { since_ms: now_ms });
        }
    }

    /// Lets a user in again. Whether it was kept out.
    pub(super) fn unblock(&mut self, user: &UserId) -> bool {
        self.blocks.get_mut(user).is_some_and(|slot| slot.now.take().is_some())
    }

    /// The custom attributes, if the work asked for them.
    pub(super) fn attributes(&mut self) -> &mut BTreeMap<String, Slot<CustomAttribute>> {
        self.attributes.get_or_insert_default()
    }

    /// When this is durable, the clients of a user come in.
    pub(super) fn enter(&mut self, user: &UserId) {
        self.effects.push(Effect::Enter(user.clone()));
    }

    /// When this is durable, the clients of a user are out.
    pub(super) fn exit(&mut self, user: &UserId) {
        self.effects.push(Effect::Exit(user.clone()));
    }

    /// When this is durable, the members are told.
    pub(super) fn tell(&mut self, event: RoomEvent) {
        self.effects.push(Effect::Tell { event, except: None, by: self.by.clone() });
    }

    /// The same, apart from the session whose request it was.
    pub(super) fn tell_others(&mut self, event: RoomEvent, except: SessionId) {
        self.effects.push(Effect::Tell { event, except: Some(except), by: self.by.clone() });
    }

    /// When this is durable, users who were put out are told and out.
    pub(super) fn tell_removed(&mut self, users: &[UserId], blocked: bool) {
        if users.is_empty() {
            return;
        }
        self.tell(RoomEvent::Removed { users: users.to_vec(), blocked, count: self.count() });
        users.iter().for_each(|user| self.exit(user));
    }

    /// Deletes the room with everything in it.
    pub(super) fn dissolve(&mut self) {
        self.dissolved = true;
        self.room.now = None;
        self.tell(RoomEvent::Deleted);
    }

    /// Who was a member and is none any more.
    pub(super) fn leavers(&self) -> impl Iterator<Item = &UserId> {
        self.members.iter().filter(|(_, slot)| slot.was.is_some() && slot.now.is_none()).map(|(user, _)| user)
    }

    /// Takes away the attributes of those who left that are to go with them.
    pub(super) fn drop_attributes_of_leavers(&mut self) {
        let leavers: Vec<UserId> = self.leavers().cloned().collect();
        for user in leavers {
            let mut removed = Vec::new();
            for (key, slot) in self.attributes() {
                if slot.now.take_if(|attribute| attribute.auto_delete && attribute.by == user.as_str()).is_some() {
                    removed.push(key.clone());
                }
            }
            if !removed.is_empty() {
                self.tell(RoomEvent::Attributes { set: Vec::new(), removed, by: user });
            }
        }
    }

    /// What is to be written, with the expectation that nothing of it was changed by anybody else.
    pub(super) fn changes(&self) -> Vec<Change> {
        let mut changes = Vec::new();
        let (kind, id) = (self.kind, &self.id);
        self.room.changes(kind.key(id), &mut changes);
        if self.dissolved {
            dissolution(id, &mut changes);
            return changes;
        }
        self.count.changes(MemberCount::key(id), &mut changes);
        for (user, slot) in &self.members {
            slot.changes(member_key(id, user), &mut changes);
            self.index(user, slot, &mut changes);
        }
        for (user, slot) in &self.blocks {
            slot.changes(block_key(id, user), &mut changes);
        }
        for (key, slot) in self.attributes.iter().flatten() {
            slot.changes(attribute_key(id, key), &mut changes);
        }
        for (key, slot) in &self.files {
            slot.changes(key.clone(), &mut changes);
        }
        changes
    }

    /// What an observer makes of it. `former` are the members of a room that is gone.
    pub(super) fn observed(&self, observer: &dyn Observer, former: &[UserId]) -> Vec<Change> {
        let had = self.room.had();
        let Some(room) = self.room.now.as_ref().or(had.as_ref()) else { return Vec::new() };
        let told = self.effects.iter().filter_map(|effect| match effect {
            Effect::Tell { event, except, by } => Some((event, except.is_some(), by)),
            Effect::Enter(_) | Effect::Exit(_) => None,
        });
        let observed = told.flat_map(|(event, by_client, actor)| {
            let news = match event {
                RoomEvent::Deleted => RoomNews::Deleted { members: former },
                event => RoomNews::Changed(event),
            };
            let by = match event {
                RoomEvent::File { by, .. } => by.as_ref(),
                RoomEvent::Attributes { by, .. } => Some(by).filter(|_| by_client),
                event => event.movement().and_then(<[_]>::first).filter(|_| by_client),
            };
            observer.room(&RoomObserved { room, news, by: actor.as_ref().or(by), at_ms: self.now_ms })
        });
        observed.collect()
    }

    /// What follows from a member: the entry among the user's rooms, and the marks.
    fn index(&self, user: &UserId, slot: &Slot<Member>, changes: &mut Vec<Change>) {
        let (kind, id) = (self.kind, &self.id);
        let key = membership_key(kind, user, id);
        match (&slot.was, &slot.now) {
            (None, Some(member)) => {
                let value = self.users.get(user).cloned().flatten();
                changes.push(Change::Expect { kind: RecordKind::User, key: user.as_str().to_owned(), value });
                let value = encode(&Membership { joined_ms: member.joined_ms });
                changes.push(Change::Put { kind: RecordKind::Membership, key, value });
                if kind == RoomKind::Group {
                    forget_admitted(id, user, changes);
                }
            }
            (Some(_), None) => {
                changes.push(Change::Delete { kind: RecordKind::Membership, key });
                let prefix = format!("{}/", member_key(id, user));
                changes.push(Change::DeletePrefix { kind: RecordKind::MemberAttribute, prefix });
            }
            _ => {}
        }
        let had = slot.had();
        for mark in Mark::ALL {
            let is = |member: &Option<Member>| member.as_ref().is_some_and(|member| mark.is_on(member));
            let key = format!("{}{user}", mark.prefix(id));
            match (is(&had), is(&slot.now)) {
                (false, true) => changes.push(Change::Put { kind: RecordKind::MemberMark, key, value: Bytes::new() }),
                (true, false) => changes.push(Change::Delete { kind: RecordKind::MemberMark, key }),
                _ => {}
            }
        }
    }
}

/// Everything that belongs to a room, apart from the entries among its members' rooms, and from shared files, whose
/// bytes must go before their entries.
fn dissolution(id: &RoomId, changes: &mut Vec<Change>) {
    changes.push(Change::Delete { kind: RecordKind::Counter, key: MemberCount::key(id) });
    changes.push(Change::Delete { kind: RecordKind::ActiveRoom, key: id.as_str().to_owned() });
    for kind in [
        RecordKind::Member,
        RecordKind::MemberMark,
        RecordKind::RoomBlock,
        RecordKind::RoomAttribute,
        RecordKind::MemberAttribute,
    ] {
        changes.push(Change::DeletePrefix { kind, prefix: format!("{id}/") });
    }
}
