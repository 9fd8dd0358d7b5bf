//! The router, on a real core with the store of the executable specification and a clock that stands still.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on may panic")]

mod auth;
mod channel_events;
mod channel_messages;
mod harness;
mod history;
mod peer_messages;
mod refusals;
mod user_events;
