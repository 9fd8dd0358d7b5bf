//! The core of Stentor: messages, users, rooms, presence, inbox, events and limits.
//!
//! It knows neither HTTP nor a dialect's words nor an engine. Read [`node`] first, then [`delivery`].

pub mod clock;
pub mod events;
pub mod id;
pub mod message;
pub mod store;
