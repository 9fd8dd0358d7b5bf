//! Messages: one file per endpoint. What their requests have in common is in `request`, their refusals in `refusal`.

mod chatgroups;
mod chatrooms;
mod legacy;
mod recall;
mod refusal;
mod request;
mod users;

use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

use crate::state::ChatState;

/// The endpoints of this family.
pub(crate) fn endpoints() -> Vec<UtoipaMethodRouter<ChatState>> {
    vec![
        routes!(chatrooms::handler),
        routes!(chatrooms::targeted_handler),
        routes!(chatrooms::broadcast_handler),
        routes!(legacy::handler),
        routes!(recall::handler),
        routes!(recall::batch_handler),
        routes!(recall::legacy_handler),
        routes!(users::handler),
        routes!(chatgroups::handler),
        routes!(chatgroups::targeted_handler),
    ]
}
