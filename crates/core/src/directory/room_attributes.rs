//! Custom attributes of registered rooms: pairs that members keep with the room, each of which belongs to the one who
//! set it.

use std::collections::BTreeMap;
use std::sync::Arc;

use minicbor::{Decode, Encode};

use super::room_error::RoomError;
use super::rooms::RoomKind;
use super::turn::{Slot, Turn};
use super::{pair, second};
use crate::app::App;
use crate::id::{RoomId, UserId};
use crate::node::Node;
use crate::records::{Record, RecordKind};
use crate::room_event::RoomEvent;
use crate::store::{Scan, StoreError};

/// How many a room may have (room attribute documents: 100).
pub const MAX_ATTRIBUTES: usize = 100;

/// A custom attribute; the key names room and attribute.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct CustomAttribute {
    /// Its value.
    #[n(0)]
    pub(crate) value: String,
    /// Whose it is: who set it last.
    #[n(1)]
    pub(crate) by: String,
    /// It goes when its owner leaves the room.
    #[n(2)]
    pub(crate) auto_delete: bool,
}

impl Record for CustomAttribute {
    const KIND: RecordKind = RecordKind::RoomAttribute;
}

pub(crate) fn attribute_key(room: &RoomId, key: &str) -> String {
    pair(room.as_str(), key)
}

/// Why an attribute was not changed. The others of the request were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttributeRefused {
    /// Somebody else set it, and the request does not force it.
    #[error("it is somebody else's")]
    OfAnother,
    /// The room has as many as it may have.
    #[error("the room has too many attributes")]
    TooMany,
}

/// What became of each attribute of a request, in the order asked.
pub type AttributeOutcomes = Vec<(String, Result<(), AttributeRefused>)>;

/// Attributes to set.
#[derive(Debug, Clone)]
pub struct SetAttributes {
    /// Who sets them: a member.
    pub by: UserId,
    /// The pairs.
    pub pairs: Vec<(String, String)>,
    /// They go when that member leaves.
    pub auto_delete: bool,
    /// Also those that somebody else set.
    pub forced: bool,
}

impl Node {
    /// Sets attributes of a room.
    ///
    /// # Errors
    /// When the room is not there, the user is no member, or the store fails.
    pub async fn set_attributes(
        &self,
        app: &Arc<App>,
        room: &RoomId,
        set: SetAttributes,
    ) -> Result<AttributeOutcomes, RoomError> {
        self.in_turn_with_attributes(app, RoomKind::Room, room, vec![set.by.clone()], move |turn| {
            must_be_member(turn, &set.by)?;
            let mut done = Vec::new();
            let mut outcomes = Vec::new();
            for (key, value) in &set.pairs {
                let outcome = set_one(turn.attributes(), &set, key, value);
                if outcome.is_ok() {
                    done.push((key.clone(), value.clone()));
                }
                outcomes.push((key.clone(), outcome));
            }
            if !done.is_empty() {
                turn.tell(RoomEvent::Attributes { set: done, removed: Vec::new(), by: set.by.clone() });
            }
            Ok(outcomes)
        })
        .await
    }

    /// Removes attributes of a room. One that is not there counts as removed.
    ///
    /// # Errors
    /// When the room is not there, the user is no member, or the store fails.
    pub async fn remove_attributes(
        &self,
        app: &Arc<App>,
        room: &RoomId,
        by: &UserId,
        keys: Vec<String>,
        forced: bool,
    ) -> Result<AttributeOutcomes, RoomError> {
        let by = by.clone();
        self.in_turn_with_attributes(app, RoomKind::Room, room, vec![by.clone()], move |turn| {
            must_be_member(turn, &by)?;
            let (mut removed, mut outcomes) = (Vec::new(), Vec::new());
            for key in &keys {
                let slot = turn.attributes().get_mut(key);
                let found = slot.as_ref().and_then(|slot| slot.now.as_ref());
                let outcome = match found {
                    Some(attribute) if !forced && attribute.by != by.as_str() => Err(AttributeRefused::OfAnother),
                    _ => Ok(()),
                };
                if outcome.is_ok() && slot.is_some_and(|slot| slot.now.take().is_some()) {
                    removed.push(key.clone());
                }
                outcomes.push((key.clone(), outcome));
            }
            if !removed.is_empty() {
                turn.tell(RoomEvent::Attributes { set: Vec::new(), removed, by: by.clone() });
            }
            Ok(outcomes)
        })
        .await
    }

    /// Attributes of a room: those named, or all.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn attributes(
        &self,
        app: &App,
        room: &RoomId,
        keys: Option<&[String]>,
    ) -> Result<Vec<(String, String)>, StoreError> {
        if let Some(keys) = keys {
            let found =
                self.find_all::<CustomAttribute>(app, keys.iter().map(|key| attribute_key(room, key)).collect());
            let pairs = keys.iter().cloned().zip(found.await?);
            return Ok(pairs.filter_map(|(key, found)| Some((key, found?.value))).collect());
        }
        let scan = Scan::of(RecordKind::RoomAttribute, format!("{room}/"), MAX_ATTRIBUTES);
        let page = self.page::<CustomAttribute>(app, scan).await?;
        Ok(page.items.into_iter().map(|(key, attribute)| (second(&key).to_owned(), attribute.value)).collect())
    }
}

fn must_be_member(turn: &Turn, user: &UserId) -> Result<(), RoomError> {
    turn.room()?;
    turn.member(user).map(|_| ()).ok_or_else(|| RoomError::NotMembers(vec![user.clone()]))
}

fn set_one(
    attributes: &mut BTreeMap<String, Slot<CustomAttribute>>,
    set: &SetAttributes,
    key: &str,
    value: &str,
) -> Result<(), AttributeRefused> {
    let there = attributes.values().filter(|slot| slot.now.is_some()).count();
    let slot = attributes.entry(key.to_owned()).or_insert_with(Slot::absent);
    match &slot.now {
        Some(attribute) if !set.forced && attribute.by != set.by.as_str() => return Err(AttributeRefused::OfAnother),
        None if there >= MAX_ATTRIBUTES => return Err(AttributeRefused::TooMany),
        _ => {}
    }
    slot.now =
        Some(CustomAttribute { value: value.to_owned(), by: set.by.as_str().to_owned(), auto_delete: set.auto_delete });
    Ok(())
}
