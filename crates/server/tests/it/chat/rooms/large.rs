//! A large room.
