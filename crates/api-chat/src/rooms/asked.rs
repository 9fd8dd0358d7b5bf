//! What every endpoint of rooms and groups begins with. The two are one service: what differs stands in [`Family`].

use std::ops::Deref;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde_json::{Value, json};
use stentor_core::directory::room_error::RoomError;
use stentor_core::directory::rooms::{Room, RoomKind};
use stentor_core::id::{RoomId, UserId};

use super::refusals;
use crate::auth::bearer;
use crate::body::Object;
use crate::call::Call;
use crate::envelope::Envelope;
use crate::error::ChatError;
use crate::names::{ROOM_NAMES, user_id};
use crate::rates::ChatRule;
use crate::state::ChatState;

/// Rooms or groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// `chatrooms`.
    Room,
    /// `chatgroups`.
    Group,
}

impl Family {
    pub(crate) fn kind(self) -> RoomKind {
        match self {
            Self::Room => RoomKind::Room,
            Self::Group => RoomKind::Group,
        }
    }

    /// The rate of most endpoints.
    pub(crate) fn rule(self) -> ChatRule {
        match self {
            Self::Room => ChatRule::Rooms,
            Self::Group => ChatRule::Groups,
        }
    }

    /// What refusals call them.
    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::Room => "chatrooms",
            Self::Group => "groups",
        }
    }

    fn id_param(self) -> &'static str {
        match self {
            Self::Room => "chatroom_id",
            Self::Group => "group_id",
        }
    }
}

/// A request to this service, by somebody with a good token. Without one it has its own words.
#[derive(Debug)]
pub(crate) struct RoomCall(pub(crate) Call);

impl FromRequestParts<ChatState> for RoomCall {
    type Rejection = ChatError;

    async fn from_request_parts(parts: &mut Parts, state: &ChatState) -> Result<Self, ChatError> {
        if bearer(&parts.headers).is_err() {
            return Err(refusals::blank_token());
        }
        Call::from_request_parts(parts, state).await.map(Self)
    }
}

/// A request to rooms or to groups.
#[derive(Debug)]
pub(crate) struct Asked {
    call: Call,
    pub(crate) family: Family,
}

impl Deref for Asked {
    type Target = Call;

    fn deref(&self) -> &Call {
        &self.call
    }
}

impl Asked {
    pub(crate) fn of_room(call: RoomCall) -> Self {
        Self { call: call.0, family: Family::Room }
    }

    pub(crate) fn of_group(call: RoomCall) -> Self {
        Self { call: call.0, family: Family::Group }
    }

    pub(crate) fn kind(&self) -> RoomKind {
        self.family.kind()
    }

    /// The ID in the path, as text.
    pub(crate) fn id_text(&self) -> &str {
        self.call.param(self.family.id_param())
    }

    /// The ID in the path. One that nothing can have is one that is not there.
    pub(crate) fn room_id(&self) -> Result<RoomId, ChatError> {
        RoomId::parse(self.id_text(), &ROOM_NAMES).map_err(|_| refusals::no_room(self.id_text()))
    }

    /// The room or group in the path.
    pub(crate) async fn room(&self) -> Result<Room, ChatError> {
        let id = self.room_id()?;
        self.node().room(&self.app, self.kind(), &id).await.map_err(|error| self.refused(error))
    }

    /// Takes one call under the rate of most endpoints.
    pub(crate) fn limit_rooms(&self) -> Result<(), ChatError> {
        self.limit(self.family.rule())
    }

    /// A user in a body or path.
    pub(crate) fn user(name: &str) -> Result<UserId, ChatError> {
        user_id(name).map_err(|_| refusals::no_user(name))
    }

    /// A user that the body must name.
    pub(crate) fn user_field(body: &Object, field: &'static str) -> Result<UserId, ChatError> {
        let name = body.text(field)?.filter(|name| !name.is_empty());
        Self::user(name.ok_or_else(|| refusals::must_be_provided(field))?)
    }

    /// The users that the path names, separated by commas, and whether it is one.
    pub(crate) fn users_in_path(&self) -> Result<(Vec<UserId>, bool), ChatError> {
        let text = self.call.param("usernames");
        let users = text.split(',').map(Self::user).collect::<Result<Vec<_>, _>>()?;
        let single = users.len() == 1;
        Ok((users, single))
    }

    /// The users that the body names under `usernames`, at most `max`; else refused with this text.
    pub(crate) fn users_in_body(body: &Object, max: usize, too_many: &str) -> Result<Vec<UserId>, ChatError> {
        let names = body.texts("usernames")?.filter(|names| !names.is_empty());
        let names = names.ok_or_else(|| refusals::must_be_provided("usernames"))?;
        if names.len() > max {
            return Err(refusals::invalid_parameter(too_many.to_owned()));
        }
        names.into_iter().map(Self::user).collect()
    }

    /// What the core refused, in the words of this family.
    pub(crate) fn refused(&self, error: RoomError) -> ChatError {
        refusals::refused(self.family, error, self.id_text())
    }

    /// The reply of this service.
    pub(crate) fn answer(&self, data: impl Into<Value>) -> Envelope {
        self.reply().of_rooms().data(data)
    }

    /// `data` with the ID under every key that documents and recordings have.
    pub(crate) fn with_id(&self, mut data: Value, keys: IdKeys) -> Value {
        let keys: &[&str] = match (self.family, keys) {
            (Family::Group, _) => &["groupid"],
            (Family::Room, IdKeys::One) => &["id"],
            (Family::Room, IdKeys::Both) => &["id", "chatroomid"],
        };
        for key in keys {
            data[*key] = json!(self.id_text());
        }
        data
    }
}

/// Under which keys a room's ID stands.
#[derive(Debug, Clone, Copy)]
pub(crate) enum IdKeys {
    /// `id`.
    One,
    /// `id` and `chatroomid`: the documents have the one, recordings the other.
    Both,
}

/// A page by number: how many to skip, and how many there may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbered {
    pub(crate) skip: usize,
    pub(crate) size: usize,
}

impl Numbered {
    /// `pagenum` from 1 and `pagesize`.
    pub(crate) fn of(call: &Call, default_size: usize, max_size: usize) -> Self {
        let number = call.query_number("pagenum", 1, usize::MAX);
        let size = call.query_number("pagesize", default_size, max_size);
        Self { skip: (number - 1).saturating_mul(size), size }
    }

    /// The part of a list that is on the page.
    pub(crate) fn take<T>(self, all: impl IntoIterator<Item = T>) -> Vec<T> {
        all.into_iter().skip(self.skip).take(self.size).collect()
    }

    /// How many of a list are to be read for the page, at most `max`.
    pub(crate) fn end(self, max: usize) -> usize {
        self.skip.saturating_add(self.size).min(max)
    }
}
