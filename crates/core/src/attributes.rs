//! Attributes of users and rooms: small key-value pairs that live as long as their owner is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::id::{RoomId, UserId};
use crate::limits::Rule;
use crate::node::{Node, RequestError};
use crate::notice::{Envelope, Notice};
use crate::session::Session;

/// One attribute of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomAttribute {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// Who wrote it last.
    pub updated_by: UserId,
    /// When it was written last: Unix time in milliseconds.
    pub updated_at_ms: u64,
}

/// A change of the attributes of a user or a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeChange {
    /// These and no others.
    Replace(Vec<(String, String)>),
    /// Add these, or overwrite those of the same key.
    Update(Vec<(String, String)>),
    /// Delete the ones with these keys.
    Delete(Vec<String>),
    /// Delete all.
    Clear,
}

/// The limits of attributes (RTM attribute documents).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttributeLimits {
    /// Bytes of one key.
    pub key_bytes: usize,
    /// Bytes of one value.
    pub value_bytes: usize,
    /// Entries of one owner.
    pub entries: usize,
    /// Keys and values of one owner together, in bytes.
    pub total_bytes: usize,
}

/// A user's attributes, in the order of their keys.
pub(crate) type UserAttributes = BTreeMap<String, String>;

impl AttributeLimits {
    fn check_key(&self, key: &str) -> Result<(), RequestError> {
        let visible = key.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        let fits = (1..=self.key_bytes).contains(&key.len());
        if visible && fits { Ok(()) } else { Err(RequestError::InvalidAttribute) }
    }

    fn check_entries(&self, entries: &[(String, String)]) -> Result<(), RequestError> {
        for (key, value) in entries {
            self.check_key(key)?;
            if value.is_empty() {
                return Err(RequestError::InvalidAttribute);
            }
            if value.len() > self.value_bytes {
                return Err(RequestError::AttributesTooLarge);
            }
        }
        if entries.len() > self.entries { Err(RequestError::AttributesTooLarge) } else { Ok(()) }
    }

    fn check_all<'a>(&self, all: impl Iterator<Item = (&'a str, &'a str)>) -> Result<(), RequestError> {
        let (mut entries, mut bytes) = (0, 0);
        for (key, value) in all {
            entries += 1;
            bytes += key.len() + value.len();
        }
        let fits = entries <= self.entries && bytes <= self.total_bytes;
        if fits { Ok(()) } else { Err(RequestError::AttributesTooLarge) }
    }
}

/// Applies a change to a copy and returns it if it keeps the limits.
fn changed<V: Clone>(
    old: &BTreeMap<String, V>,
    change: AttributeChange,
    limits: &AttributeLimits,
    make: impl Fn(&str, String) -> V,
    text: impl Fn(&V) -> &str,
) -> Result<BTreeMap<String, V>, RequestError> {
    let mut new = old.clone();
    match change {
        AttributeChange::Clear => new.clear(),
        AttributeChange::Delete(keys) => {
            for key in &keys {
                limits.check_key(key)?;
                new.remove(key);
            }
        }
        AttributeChange::Replace(entries) => {
            limits.check_entries(&entries)?;
            new = entries.into_iter().map(|(key, value)| (key.clone(), make(&key, value))).collect();
        }
        AttributeChange::Update(entries) => {
            limits.check_entries(&entries)?;
            new.extend(entries.into_iter().map(|(key, value)| (key.clone(), make(&key, value))));
        }
    }
    limits.check_all(new.iter().map(|(key, value)| (key.as_str(), text(value))))?;
    Ok(new)
}

fn is_wanted(keys: Option<&[String]>, key: &str) -> bool {
    keys.is_none_or(|keys| keys.iter().any(|wanted| wanted == key))
}

impl Node {
    /// Changes the client's own attributes. They last as long as the session.
    ///
    /// # Errors
    /// When the change breaks a limit.
    pub fn change_user_attributes(&self, session: &Arc<Session>, change: AttributeChange) -> Result<(), RequestError> {
        self.limit_client(session, Rule::UserAttributeWrites)?;
        let mut state = session.state();
        if state.ended {
            return Err(RequestError::SessionEnded);
        }
        let none = UserAttributes::new();
        let old = state.attributes.as_deref().unwrap_or(&none);
        let limits = &session.app().policy().user_attributes;
        let new = changed(old, change, limits, |_, value| value, String::as_str)?;
        state.attributes = (!new.is_empty()).then(|| Box::new(new));
        Ok(())
    }

    /// The attributes of a user, all or those of some keys.
    ///
    /// # Errors
    /// When the user is not online.
    pub fn user_attributes(
        &self,
        session: &Arc<Session>,
        user: &UserId,
        keys: Option<&[String]>,
    ) -> Result<Vec<(String, String)>, RequestError> {
        self.limit_client(session, Rule::UserAttributeReads)?;
        let mut found = None;
        session.app().hub.for_each_of(user, |of| {
            let state = of.state();
            let attributes: &mut Vec<_> = found.get_or_insert_default();
            for (key, value) in state.attributes.as_deref().into_iter().flatten() {
                if is_wanted(keys, key) {
                    attributes.push((key.clone(), value.clone()));
                }
            }
        });
        found.ok_or(RequestError::UserNotFound)
    }

    /// Changes the attributes of a room, which the client need not be in. `notify` tells the members.
    ///
    /// # Errors
    /// When the change breaks a limit.
    pub fn change_room_attributes(
        &self,
        session: &Arc<Session>,
        room: &RoomId,
        change: AttributeChange,
        notify: bool,
    ) -> Result<(), RequestError> {
        let app = session.app();
        self.limit_client(session, Rule::RoomAttributeWrites)?;
        loop {
            let room = app.rooms.get_or_create(app, room);
            let mut state = room.lock();
            if state.is_gone() {
                continue;
            }
            let make = |key: &str, value| RoomAttribute {
                key: key.to_owned(),
                value,
                updated_by: session.user().clone(),
                updated_at_ms: self.clock().wall_ms(),
            };
            let limits = &app.policy().room_attributes;
            let new = changed(&state.attributes, change, limits, make, |attribute| attribute.value.as_str());
            let result = new.map(|new| {
                state.attributes = new;
                if notify {
                    let attributes = state.attributes.values().cloned().collect();
                    let notice = Notice::RoomAttributes { room: room.id.clone(), attributes };
                    self.offer_all(state.sessions().iter(), &Envelope::new(notice));
                }
            });
            self.room_attributes_changed(app, &room, &mut state);
            return result;
        }
    }

    /// The attributes of a room, all or those of some keys.
    ///
    /// # Errors
    /// When the client asks too often.
    pub fn room_attributes(
        &self,
        session: &Arc<Session>,
        room: &RoomId,
        keys: Option<&[String]>,
    ) -> Result<Vec<RoomAttribute>, RequestError> {
        self.limit_client(session, Rule::RoomAttributeReads)?;
        let Some(room) = session.app().rooms.get(room) else { return Ok(Vec::new()) };
        let state = room.lock();
        Ok(state.attributes.values().filter(|attribute| is_wanted(keys, &attribute.key)).cloned().collect())
    }
}
