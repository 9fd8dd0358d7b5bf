//! The core driven as gateways and dialects drive it: in memory, with a clock that stands still until moved.

#![expect(clippy::expect_used, reason = "a suite of tests")]

mod attributes;
mod broadcast;
mod by_device;
mod cluster;
mod delivery;
mod devices;
mod directory;
mod disconnect;
mod edits;
mod events;
mod gate;
mod groups;
mod harness;
mod inbox;
mod lanes;
mod limits;
mod model;
mod model_devices;
mod notifiers;
mod observer;
mod presence;
mod push_labels;
mod recall;
mod registered;
mod resume;
mod rooms;
mod sending;
mod sent_items;
mod silenced;
mod unacked;
mod users;
