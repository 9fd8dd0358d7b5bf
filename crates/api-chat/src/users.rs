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

use crate::state::ChatState;

/// Characters of a password.
const MAX_PASSWORD: usize = 64;
/// Characters of a nickname.
const MAX_NICKNAME: usize = 100;

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
