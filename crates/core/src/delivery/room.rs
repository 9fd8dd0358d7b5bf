//! To the members of a room.
