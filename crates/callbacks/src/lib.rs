//! Calls an app's backend over HTTP.
//!
//! What has happened is told through an [`outbox`]: durable, retried, and in the end kept as dead letters. What is about
//! to happen is asked about by an [`asker`], which has an answer in time or does without. Whom to call is a [`rule`].
//!
//! The crate knows bytes, not what they say: a dialect renders the bodies and reads the answers. Read [`outbox`]
//! first. Why it is made so: `docs/adr/0012-callback-outbox.md`.

pub mod address;
pub mod asker;
mod client;
mod connect;
mod dead;
mod endpoint;
mod entry;
pub mod metrics;
pub mod outbox;
#[cfg(feature = "receiver")]
pub mod receiver;
pub mod rule;
mod schedule;
mod set;
pub mod signature;
mod trouble;
mod trust;
mod worker;

pub use client::{Client, PostError};
pub use connect::{Resolve, Resolving, SystemNames};
pub use dead::{DeadSet, ResendError};
pub use endpoint::{BadUrl, Endpoint};
pub use outbox::{Bounds, Outbox, OutboxSetup, Seal, Unsealed};
pub use rule::{Key, Rule};
pub use schedule::Schedule;
pub use set::SetDate;
pub use trust::{no_trust, system_trust};
