//! The providers of offline push behind one trait.
//!
//! A [`Push`] is one notification for one device, already decided and rendered. A [`Provider`] sends it and says what
//! became of it: [`Sent`], or a [`PushError`] whose class tells what to do next. A [`Line`] stands before a provider: it
//! bounds what is under way and stops asking a provider that is down. [`Schedule`] says when a push is tried again; who
//! waits, and where the push is kept meanwhile, is the caller's.
//!
//! The crate knows neither stores nor dialects nor the core's directory. Of the core it takes the clock, of the callbacks
//! the signature and which addresses are public. What is cited from where: `docs/push.md`.

pub mod apns;
mod bearer;
mod breaker;
#[cfg(feature = "counterparts")]
pub mod counterparts;
mod error;
pub mod fcm;
mod http;
pub mod huawei;
mod jwt;
mod line;
pub mod meizu;
mod oauth;
mod open_names;
pub mod oppo;
mod provider;
mod push;
mod quota;
mod schedule;
mod secret;
pub mod text;
mod trust;
pub mod vivo;
pub mod webhook;
pub mod webpush;
pub mod xiaomi;

pub use breaker::{Admission, Breaker, BreakerSetup};
pub use error::{BadSetup, ErrorClass, PushError, Scope};
pub use http::{Answered, Http, HttpSetup, check_url};
pub use line::{Line, LineSetup};
pub use provider::{Provider, Sent};
pub use push::{Custom, DeviceToken, Extensions, Push};
pub use schedule::{Next, Schedule};
pub use secret::Secret;
pub use trust::{Identity, Trust};
