//! The Agora RTM (Signaling) server REST API over the core: URLs, bodies, codes and credentials of one dialect.
//!
//! One file per endpoint, named after the URL: [`peer_messages`], [`channel_messages`], `user_events`,
//! `channel_events`, and [`history`]. A handler reads the request, makes one call into the core and writes the
//! answer. Which document says what, and what is our choice, stands in `docs/compatibility.md`.
//!
//! The crate does not know other dialects, gateways or engines.

pub mod app;
pub mod auth;
mod call;
mod channel_events;
pub mod channel_messages;
mod error;
mod fields;
pub mod history;
pub mod logins;
pub mod peer_messages;
pub mod policy;
mod routes;
mod state;
#[cfg(test)]
mod testing;
mod user_events;

pub use app::{ChannelMessageType, Customer, EventFields, OfflineResult, RtmApp, RtmOptions};
pub use call::{flag, sender_name};
pub use error::BadRequest;
pub use history::handle::HandleKey;
pub use logins::RtmLogins;
pub use policy::{NAMES, RtmLimits, policy};
pub use routes::{crowded, no_route, only_get, openapi, router};
pub use state::{MAX_BODY_BYTES, RtmSetup, RtmState};
