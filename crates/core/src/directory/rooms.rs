//! Registered rooms and groups: what they are called, whose they are, and what their rules are.
//!
//! One model for both. A room is live: clients join it, get its messages while they are in it, and leave it when they
//! are away for long. A group's messages go to the inboxes of its members, who stay until they leave.

use minicbor::{Decode, Encode};

use super::members::{Member, Role};
use super::room_error::RoomError;
use super::turn::Turn;
use crate::app::App;
use crate::id::{RoomId, UserId};
use crate::node::Node;
use crate::observer::{RoomNews, RoomObserved};
use crate::records::{Page, Record, RecordKind, Transaction};
use crate::room_event::RoomEvent;
use crate::store::{Scan, StoreError};
use std::sync::Arc;

/// Room or group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum RoomKind {
    /// A chat room.
    #[n(0)]
    Room,
    /// A group.
    #[n(1)]
    Group,
}

impl RoomKind {
    /// How keys of this kind begin.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Room => "r/",
            Self::Group => "g/",
        }
    }

    /// The key of a room or group.
    pub(crate) fn key(self, id: &RoomId) -> String {
        format!("{}{id}", self.prefix())
    }
}

/// A registered room or group. How many members it has stands elsewhere: it changes more often.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Room {
    /// The ID: digits.
    #[n(0)]
    pub id: String,
    /// Room or group.
    #[n(1)]
    pub kind: RoomKind,
    /// The name.
    #[n(2)]
    pub name: String,
    /// The description.
    #[n(3)]
    pub description: String,
    /// The user who owns it.
    #[n(4)]
    pub owner: String,
    /// How many members it may have, the owner included.
    #[n(5)]
    pub max_users: u64,
    /// When it was created: Unix time in milliseconds.
    #[n(6)]
    pub created_ms: u64,
    /// When it was changed last: Unix time in milliseconds.
    #[n(7)]
    pub modified_ms: u64,
    /// What the app keeps with it.
    #[n(8)]
    pub custom: String,
    /// Only the owner, admins and members on the allow list may send.
    #[n(9)]
    pub muted_all: bool,
    /// The announcement.
    #[n(10)]
    pub announcement: String,
    /// A group that anybody finds.
    #[n(11)]
    pub public: bool,
    /// Who wants to come in needs the consent of the owner or an admin.
    #[n(12)]
    pub members_only: bool,
    /// Members may bring others in.
    #[n(13)]
    pub allow_invites: bool,
    /// Who is invited is asked first.
    #[n(14)]
    pub invite_need_confirm: bool,
    /// A group's picture: a URL.
    #[n(15)]
    pub avatar: String,
    /// A group that was switched off.
    #[n(16)]
    pub disabled: bool,
}

impl Record for Room {
    const KIND: RecordKind = RecordKind::Room;
}

impl Room {
    /// The ID, as the rest of the core has it.
    #[must_use]
    pub fn room_id(&self) -> RoomId {
        RoomId::from_trusted(&self.id)
    }

    /// The owner, as the rest of the core has it.
    #[must_use]
    pub fn owner_id(&self) -> UserId {
        UserId::from_trusted(&self.owner)
    }
}

/// How many members a room has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub(crate) struct MemberCount {
    #[n(0)]
    pub(crate) members: u64,
}

impl Record for MemberCount {
    const KIND: RecordKind = RecordKind::Counter;
}

impl MemberCount {
    pub(crate) fn key(room: &RoomId) -> String {
        format!("members/{room}")
    }
}

/// A room or group with the number of its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomDetail {
    /// The room.
    pub room: Room,
    /// Members, the owner included.
    pub members: u64,
}

/// A room or group to create.
#[derive(Debug, Clone)]
pub struct NewRoom {
    /// Room or group.
    pub kind: RoomKind,
    /// The name.
    pub name: String,
    /// The description.
    pub description: String,
    /// The user who owns it.
    pub owner: UserId,
    /// How many members it may have, the owner included.
    pub max_users: u64,
    /// The first members, beside the owner. Who stands here twice is in once.
    pub members: Vec<UserId>,
    /// What the app keeps with it.
    pub custom: String,
    /// A group that anybody finds.
    pub public: bool,
    /// Who wants to come in needs consent.
    pub members_only: bool,
    /// Members may bring others in.
    pub allow_invites: bool,
    /// Who is invited is asked first.
    pub invite_need_confirm: bool,
    /// A group's picture.
    pub avatar: String,
}

/// A change of a room or group; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomChange {
    /// Another name.
    pub name: Option<String>,
    /// Another description.
    pub description: Option<String>,
    /// Another limit of its members.
    pub max_users: Option<u64>,
    /// Other things that the app keeps with it.
    pub custom: Option<String>,
    /// Whether anybody finds it.
    pub public: Option<bool>,
    /// Whether who wants to come in needs consent.
    pub members_only: Option<bool>,
    /// Whether members may bring others in.
    pub allow_invites: Option<bool>,
    /// Whether who is invited is asked first.
    pub invite_need_confirm: Option<bool>,
    /// Another picture.
    pub avatar: Option<String>,
}

impl RoomChange {
    fn apply(&self, room: &mut Room) {
        let Self { name, description, max_users, custom, public, members_only, .. } = self.clone();
        room.name = name.unwrap_or(std::mem::take(&mut room.name));
        room.description = description.unwrap_or(std::mem::take(&mut room.description));
        room.max_users = max_users.unwrap_or(room.max_users);
        room.custom = custom.unwrap_or(std::mem::take(&mut room.custom));
        room.public = public.unwrap_or(room.public);
        room.members_only = members_only.unwrap_or(room.members_only);
        room.allow_invites = self.allow_invites.unwrap_or(room.allow_invites);
        room.invite_need_confirm = self.invite_need_confirm.unwrap_or(room.invite_need_confirm);
        room.avatar = self.avatar.clone().unwrap_or(std::mem::take(&mut room.avatar));
    }
}

impl Node {
    /// Creates a room or group: the owner and the first members are in it. Those who are connected enter a room at
    /// once.
    ///
    /// # Errors
    /// When a user is not there, is in too many, or there are too many members or rooms; or the store fails.
    pub async fn create_room(&self, app: &Arc<App>, new: NewRoom) -> Result<Room, RoomError> {
        let mut users = vec![new.owner.clone()];
        for member in &new.members {
            if !users.contains(member) {
                users.push(member.clone());
            }
        }
        if users.len() as u64 > new.max_users {
            return Err(RoomError::TooManyMembers);
        }
        self.may_join_others(app, new.kind, &users).await?;
        let place = app.quota.reserve(app.policy(), new.kind).ok_or(RoomError::TooManyRooms)?;
        let room = self.store_room(app, new, &users).await?;
        place.taken();
        let id = room.room_id();
        self.in_turn(app, room.kind, &id, users.clone(), move |turn| {
            // Who has been put out since is not brought in.
            let users: Vec<_> = users.iter().filter(|user| turn.member(user).is_some()).cloned().collect();
            users.iter().for_each(|user| turn.enter(user));
            turn.tell(RoomEvent::Joined { users, count: turn.count(), ext: None });
            Ok(())
        })
        .await?;
        Ok(room)
    }

    async fn store_room(&self, app: &App, new: NewRoom, users: &[UserId]) -> Result<Room, RoomError> {
        let now_ms = self.clock().wall_ms();
        let mut room = Room {
            id: String::new(),
            kind: new.kind,
            name: new.name,
            description: new.description,
            owner: new.owner.as_str().to_owned(),
            max_users: new.max_users,
            created_ms: now_ms,
            modified_ms: now_ms,
            custom: new.custom,
            muted_all: false,
            announcement: String::new(),
            public: new.public,
            members_only: new.members_only,
            allow_invites: new.allow_invites,
            invite_need_confirm: new.invite_need_confirm,
            avatar: new.avatar,
            disabled: false,
        };
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            let id = self.next_room_id(now_ms);
            id.as_str().clone_into(&mut room.id);
            if is_taken(&mut records, &id).await? {
                continue;
            }
            // A user who is deleted meanwhile is not in.
            records.extend(self.expect_registered(app, users).await?);
            records.put(room.kind.key(&id), &room);
            records.put(MemberCount::key(&id), &MemberCount { members: users.len() as u64 });
            for user in users {
                let role = if *user == new.owner { Role::Owner } else { Role::Member };
                Member::new(role, now_ms).put_new(&mut records, room.kind, &id, user);
            }
            let news = RoomNews::Created { members: users };
            let observed = RoomObserved { room: &room, news, by: self.actor(), at_ms: now_ms };
            records.extend(app.observed(|observer| observer.room(&observed)));
            if records.commit().await? {
                return Ok(room);
            }
        }
    }

    /// A room or group, if there is one of that ID.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find_room(&self, app: &App, kind: RoomKind, id: &RoomId) -> Result<Option<Room>, StoreError> {
        self.find(app, &kind.key(id)).await
    }

    /// A room or group.
    ///
    /// # Errors
    /// When there is none of that ID, or the store fails.
    pub async fn room(&self, app: &App, kind: RoomKind, id: &RoomId) -> Result<Room, RoomError> {
        self.find_room(app, kind, id).await?.ok_or_else(|| RoomError::NoRoom(id.clone()))
    }

    /// Rooms or groups with the numbers of their members, in the order asked.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn room_details(
        &self,
        app: &App,
        kind: RoomKind,
        ids: &[RoomId],
    ) -> Result<Vec<Option<RoomDetail>>, StoreError> {
        let rooms = self.find_all::<Room>(app, ids.iter().map(|id| kind.key(id)).collect()).await?;
        self.with_members(app, rooms).await
    }

    /// Rooms or groups of the app, the newest first, behind `after`, at most `limit`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn rooms(
        &self,
        app: &App,
        kind: RoomKind,
        after: Option<String>,
        limit: usize,
    ) -> Result<Page<RoomDetail>, StoreError> {
        let scan = Scan { after, backwards: true, ..Scan::of(RecordKind::Room, kind.prefix(), limit) };
        let Page { items, next } = self.page::<Room>(app, scan).await?;
        let rooms = items.into_iter().map(|(_, room)| Some(room)).collect();
        let items = self.with_members(app, rooms).await?.into_iter().flatten().collect();
        Ok(Page { items, next })
    }

    async fn with_members(&self, app: &App, rooms: Vec<Option<Room>>) -> Result<Vec<Option<RoomDetail>>, StoreError> {
        let keys = rooms.iter().flatten().map(|room| MemberCount::key(&room.room_id())).collect();
        let mut counts = self.find_all::<MemberCount>(app, keys).await?.into_iter();
        let mut members = || counts.next().flatten().unwrap_or_default().members;
        Ok(rooms.into_iter().map(|room| room.map(|room| RoomDetail { room, members: members() })).collect())
    }

    /// How many members a room or group has, the owner included; an unknown one has none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn registered_members(&self, app: &App, id: &RoomId) -> Result<u64, StoreError> {
        Ok(self.find::<MemberCount>(app, &MemberCount::key(id)).await?.unwrap_or_default().members)
    }

    /// Changes a room or group. Returns it as it is then.
    ///
    /// # Errors
    /// When it is not there, has more members than it may have afterwards, or the store fails.
    pub async fn change_room(
        &self,
        app: &Arc<App>,
        kind: RoomKind,
        id: &RoomId,
        change: RoomChange,
    ) -> Result<Room, RoomError> {
        self.in_turn(app, kind, id, Vec::new(), move |turn| {
            if change.max_users.is_some_and(|max| max < turn.count()) {
                turn.room()?;
                return Err(RoomError::MoreMembers);
            }
            self::change(turn, RoomEvent::Info, |room| change.apply(room))
        })
        .await
    }

    /// Gives a room or group another announcement.
    ///
    /// # Errors
    /// When it is not there, or the store fails.
    pub async fn announce_in_room(
        &self,
        app: &Arc<App>,
        kind: RoomKind,
        id: &RoomId,
        text: String,
    ) -> Result<Room, RoomError> {
        self.in_turn(app, kind, id, Vec::new(), move |turn| {
            let event = RoomEvent::Announcement { text: text.clone() };
            self::change(turn, event, |room| room.announcement.clone_from(&text))
        })
        .await
    }

    /// Lets only the owner, admins and members on the allow list send, or everybody again.
    ///
    /// # Errors
    /// When it is not there, or the store fails.
    pub async fn mute_all(&self, app: &Arc<App>, kind: RoomKind, id: &RoomId, muted: bool) -> Result<Room, RoomError> {
        self.in_turn(app, kind, id, Vec::new(), move |turn| {
            self::change(turn, RoomEvent::AllMuted { muted }, |room| room.muted_all = muted)
        })
        .await
    }

    /// Switches a group off, so that nobody can use it, or on again.
    ///
    /// # Errors
    /// When it is not there, or the store fails.
    pub async fn disable_room(
        &self,
        app: &Arc<App>,
        kind: RoomKind,
        id: &RoomId,
        disabled: bool,
    ) -> Result<Room, RoomError> {
        self.in_turn(app, kind, id, Vec::new(), move |turn| {
            self::change(turn, RoomEvent::Disabled { disabled }, |room| room.disabled = disabled)
        })
        .await
    }

    /// Deletes a room or group with everything that belongs to it. Its members are told, and out of it, when this
    /// returns. One step in the store, however large it is; only the entries among the rooms of its former members,
    /// which nobody reads without looking for the room, go after that, a few hundred at a time.
    ///
    /// # Errors
    /// When it is not there, or the store fails.
    pub async fn delete_room(&self, app: &Arc<App>, kind: RoomKind, id: &RoomId) -> Result<Room, RoomError> {
        self.in_turn_alone(app, kind, id, |turn| {
            let room = turn.room()?.clone();
            turn.dissolve();
            Ok(room)
        })
        .await
    }
}

fn change(turn: &mut Turn, event: RoomEvent, change: impl FnOnce(&mut Room)) -> Result<Room, RoomError> {
    let now_ms = turn.now_ms();
    let room = turn.room_mut()?;
    change(room);
    room.modified_ms = now_ms;
    let room = room.clone();
    turn.tell(event);
    Ok(room)
}

/// An ID is one of a room or of a group, not of both: members do not say which.
async fn is_taken(records: &mut Transaction<'_>, id: &RoomId) -> Result<bool, StoreError> {
    let room = records.get::<Room>(&RoomKind::Room.key(id)).await?;
    let group = records.get::<Room>(&RoomKind::Group.key(id)).await?;
    Ok(room.is_some() || group.is_some())
}
