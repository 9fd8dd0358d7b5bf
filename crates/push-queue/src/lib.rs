//! From a message that found its receiver away to the push provider.
//!
//! ```text
//! the message's own step of the store ──► due ──► Decider ──► deliveries ──► Sender (one for each certificate) ──► provider
//!                                                     └──────────► log ◄──────────┘
//! ```
//!
//! [`Intake`] is told of messages by the core, and makes a *due* record that is written in the message's own step: neither
//! is there without the other. It is told of clients that do not ack, too, and *marks* their users: the looker looks into
//! their inboxes, beside the decider, so that neither holds up the other. The decider takes what is due, asks the core what the receivers have set, and in one step
//! turns it into *deliveries*, one for each device, and entries of the *log*. A sender for each certificate takes what
//! is due of its deliveries, hands it to the provider, and in one step writes what became of it and removes the delivery,
//! or puts it off. A push is therefore sent at least once; twice only if the process dies, or the store refuses, between
//! the provider's answer and that step, and then under the same key.
//!
//! A push to many users is a *task* ([`tasks`]): a record that a worker goes through page by page, with what the dialect makes
//! of each page.
//!
//! What a message says is read by a dialect ([`Words`]); where a certificate leads is asked of [`Routes`].

mod attempt;
pub mod certificates;
mod claims;
mod decide;
mod decider;
mod delivery;
pub mod direct;
mod due;
mod intake;
mod keys;
pub mod log;
mod looker;
pub mod metrics;
mod pace;
mod parts;
mod queue;
mod replan;
pub mod route;
mod sender;
mod settle;
mod shares;
mod standing;
pub mod tasks;
pub mod translate;
pub mod words;

pub use decide::Reached;
pub use intake::Intake;
pub use queue::{PushBounds, PushQueue, PushSetup};
pub use route::{Route, Routes};
pub use words::{PageError, PushEnd, PushResult, ResultDevice, TaskPage, Wording, Words};
