//! Which rooms have had a message: recorded once per room, for those who send to every active room.

use bytes::Bytes;
use minicbor::{Decode, Encode};
use parking_lot::Mutex;

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
    /// The record of a room's first message, unless it is known to be there.
    pub(crate) fn first_message(&self, room: &str) -> Option<Change> {
        if self.0.lock().contains(room) {
            return None;
        }
        let value: Bytes = encode(&ActiveRoom {});
        Some(Change::Put { kind: RecordKind::ActiveRoom, key: room.to_owned(), value })
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
    fn a_room_is_recorded_until_it_is_known() {
        let rooms = ActiveRooms::default();
        assert!(rooms.first_message("a").is_some());
        assert!(rooms.first_message("a").is_some(), "not durable yet");
        rooms.note("a");
        rooms.note("a");
        assert!(rooms.first_message("a").is_none());
    }
}
