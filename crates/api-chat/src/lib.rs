//! The Agora Chat / Easemob IM server REST API over the core: URLs, bodies, codes and credentials of one dialect.
//!
//! One file per endpoint or small family, named after the URL's last noun. A handler reads the request, makes one call
//! into the core and writes the answer. Which document says what, and what is our choice, stands in
//! `docs/compatibility.md`.
//!
//! Every route is there twice, under `/{org}/{app}` and under `/app-id/{app_id}`: [`router`] finds the app, takes the
//! prefix off and hands the rest to one router.
//!
//! The crate does not know other dialects, gateways or engines.

pub mod app;
pub mod auth;
mod body;
mod call;
pub mod callbacks;
pub mod core_rates;
pub mod envelope;
pub mod error;
mod files;
mod groups;
mod history;
mod logins;
mod messages;
mod metadata;
mod mutes;
mod names;
mod not_open;
mod password;
pub mod policy;
mod presence;
mod push;
pub mod rates;
mod relations;
mod rooms;
mod routes;
mod sizes;
mod state;
mod token;
mod users;

pub use app::{ChatApp, ChatFeatures, RoomSizes};
pub use core_rates::{CORE_RATES, CoreRate};
pub use files::{Orphans, sweep_orphans};
pub use logins::ChatLogins;
pub use names::{ROOM_NAMES, USER_NAMES, any_user, user_id};
pub use password::Passwords;
pub use policy::{ChatLimits, high_types, policy};
pub use push::words::ChatWords;
pub use push::zone::PushZone;
pub use rates::ChatRule;
pub use routes::{openapi, router};
pub use sizes::{Size, sizes};
pub use state::{ChatSetup, ChatState, MAX_BODY_BYTES};
