//! Which rooms have had a message: recorded once per room, for those who send to every active room.

use std::collections::HashSet;

use bytes::Bytes;
use minicbor::{Decode, Encode};
use parking_lot::Mutex;

use crate::app::App;
use crate::id::RoomId;
use crate::node::Node;
use crate::records::{Record, RecordKind, encode};
use crate::store::Change;

/// A room that has had a message; under its ID.
#[derive(Debug, Clone, Encode, Decode)]
struct ActiveRoom {}

impl Record for ActiveRoom {
    const KIND: RecordKind = RecordKind::ActiveRoom;
}

/// Rooms that are known to be recorded: so many at least, twice as many at most. A room that was forgotten is
/// recorded again, which changes nothing.
const KNOWN: usize = 16_384;

/// What is known to be recorded, of one app. In two halves: when the newer one is full, the older one goes.
#[derive(Debug, Default)]
pub(crate) struct ActiveRooms(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    newer: HashSet<Box<str>>,
    older: HashSet<Box<str>>,
}

impl ActiveRooms {
    /// The record of a room's first message, unless it is known to be there.
    pub(crate) fn first_message(&self, room: &str) -> Option<Change> {
        let known = self.0.lock();
        if known.newer.contains(room) || known.older.contains(room) {
            return None;
        }
        drop(known);
        let value: Bytes = encode(&ActiveRoom {});
        Some(Change::Put { kind: RecordKind::ActiveRoom, key: room.to_owned(), value })
    }

    /// The record of a room is durable.
    pub(crate) fn note(&self, room: &str) {
        let mut known = self.0.lock();
        if known.newer.contains(room) {
            return;
        }
        if known.newer.len() >= KNOWN {
            known.older = std::mem::take(&mut known.newer);
        }
        known.newer.insert(room.into());
    }

    fn forget(&self, room: &str) {
        let mut known = self.0.lock();
        known.newer.remove(room);
        known.older.remove(room);
    }
}

impl Node {
    /// A room is deleted: what to write in the same step, so that it is not active any more.
    #[must_use]
    pub fn inactive_room(app: &App, room: &RoomId) -> Change {
        app.active.forget(room.as_str());
        Change::Delete { kind: RecordKind::ActiveRoom, key: room.as_str().to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_recorded_until_it_is_known() {
        let rooms = ActiveRooms::default();
        assert!(rooms.first_message("a").is_some());
        assert!(rooms.first_message("a").is_some(), "not durable yet");
        rooms.note("a");
        rooms.note("a");
        assert!(rooms.first_message("a").is_none());
        rooms.forget("a");
        assert!(rooms.first_message("a").is_some());
    }

    #[test]
    fn what_is_known_is_bounded() {
        let rooms = ActiveRooms::default();
        for number in 0..3 * KNOWN {
            rooms.note(&number.to_string());
        }
        let known = rooms.0.lock();
        assert!(known.newer.len() + known.older.len() <= 2 * KNOWN);
        drop(known);
        assert!(rooms.first_message("0").is_some());
        assert!(rooms.first_message(&(2 * KNOWN).to_string()).is_none());
    }
}
