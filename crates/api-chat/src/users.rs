//! Users: one file per endpoint or small family.

mod activation;
mod change;
mod deletion;
mod disconnect;
mod list;
mod offline;
mod password;
mod register;
mod resources;
mod status;
mod token_expiry;
mod user;
pub(crate) mod view;

use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

use crate::names::MAX_NAME;
use crate::policy::ChatLimits;
use crate::sizes::{Size, size};
use crate::state::ChatState;

/// Characters of a password.
const MAX_PASSWORD: usize = 64;
/// Characters of a nickname.
pub(crate) const MAX_NICKNAME: usize = 100;

/// What is limited of users, for `docs/limits.md`.
pub(crate) fn sizes(limits: &ChatLimits) -> Vec<Size> {
    vec![
        size("Registered users of an app", "as many as come", "429 `resource_limited`").by(&["users"]),
        size("User ID", format!("{} characters", MAX_NAME), "400"),
        size("Password", format!("{MAX_PASSWORD} characters"), "400"),
        size("Nickname", format!("{MAX_NICKNAME} characters"), "400"),
        size("Users registered at once", register::MAX_USERS, "400"),
        size("Users on a page", format!("{}, {} if nothing is said", list::MAX_LIMIT, list::DEFAULT_LIMIT), "so many"),
        size("Users whose status is asked for at once", status::MAX_USERS, "400"),
        size("Devices of a user that are logged in", limits.devices, "the oldest session ends").by(&["devices"]),
    ]
}

/// The endpoints of this family.
pub(crate) fn endpoints() -> Vec<UtoipaMethodRouter<ChatState>> {
    vec![
        routes!(register::handler, list::handler, deletion::of_many),
        routes!(user::handler, change::handler, deletion::of_one),
        routes!(password::put, password::post),
        routes!(activation::deactivate),
        routes!(activation::activate),
        routes!(disconnect::get, disconnect::post),
        routes!(disconnect::of_device),
        routes!(resources::handler),
        routes!(status::of_one),
        routes!(status::of_many),
        routes!(offline::count),
        routes!(offline::status),
        routes!(token_expiry::handler),
    ]
}
