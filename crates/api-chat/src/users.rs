//! Users: one file per endpoint or small family.

mod register;
mod user;
pub(crate) mod view;

use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

use crate::state::ChatState;

/// The endpoints of this family.
pub(crate) fn endpoints() -> Vec<UtoipaMethodRouter<ChatState>> {
    vec![routes!(register::handler), routes!(user::handler)]
}
