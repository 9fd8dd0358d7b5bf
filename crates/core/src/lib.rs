//! The core of Stentor: messages, users, rooms, presence, inbox, events and limits.
//!
//! It knows neither HTTP nor a dialect's words nor an engine. Read [`node`] first, then [`delivery`].

pub mod accounts;
pub mod app;
pub mod attributes;
pub mod bus;
pub mod clock;
mod cluster;
mod connect;
pub mod delivery;
pub mod directory;
pub mod events;
pub mod gate;
pub mod history;
mod hub;
pub mod id;
mod inbox;
pub mod lag;
pub mod limits;
mod mailbox;
pub mod message;
pub mod metrics;
pub mod node;
pub mod notice;
pub mod observer;
mod policy;
pub mod presence;
pub mod push;
mod recently;
pub mod records;
pub mod room_event;
mod rooms;
pub mod session;
mod sharded;
pub mod store;
mod timers;
