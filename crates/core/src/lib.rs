//! The core of Stentor: messages, users, rooms, presence, inbox, events and limits.
//!
//! It knows neither HTTP nor a dialect's words nor an engine. Read [`node`] first, then [`delivery`].

pub mod accounts;
pub mod app;
pub mod attributes;
pub mod bus;
pub mod clock;
pub mod delivery;
pub mod events;
pub mod id;
pub mod limits;
pub mod message;
pub mod metrics;
pub mod node;
pub mod notice;
pub mod presence;
pub mod session;
pub mod store;
