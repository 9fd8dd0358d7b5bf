//! Which rooms have had a message: recorded once per room, for those who send to every active room.

use bytes::Bytes;
use minicbor::{Decode, Encode};
use parking_lot::Mutex;

use crate::id::RoomId;
use crate::recently::Recently;
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

/// What is known to be recorded, of one app.
#[derive(Debug)]
pub(crate) struct ActiveRooms(Mutex<Recently<Box<str>, ()>>);

impl Default for ActiveRooms {
    fn default() -> Self {
        Self(Mutex::new(Recently::new(KNOWN)))
    }
}

impl ActiveRooms {
    /// Whether the room is known to be recorded.
    pub(crate) fn is_known(&self, room: &str) -> bool {
        self.0.lock().contains(room)
    }

    /// The record of a room that has had a message.
    pub(crate) fn had_message(room: &RoomId) -> Change {
        let value: Bytes = encode(&ActiveRoom {});
        Change::Put { kind: RecordKind::ActiveRoom, key: room.as_str().to_owned(), value }
    }

    /// The record of a room is durable.
    pub(crate) fn note(&self, room: &str) {
        let mut known = self.0.lock();
        if !known.contains(room) {
            known.insert(room.into(), ());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_known_when_it_is_recorded() {
        let rooms = ActiveRooms::default();
        assert!(!rooms.is_known("a"));
        rooms.note("a");
        rooms.note("a");
        assert!(rooms.is_known("a") && !rooms.is_known("b"));
    }
}
