//! Messages: one file per endpoint. What their requests have in common is in `request`, their refusals in `refusal`.

mod chatgroups;
mod chatrooms;
mod conversation;
mod delivery;
mod import;
mod item;
mod legacy;
mod recall;
mod refusal;
mod request;
mod rewrite;
mod roaming;
mod roaming_deletion;
mod sizes;
mod users;

use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

use crate::state::ChatState;

pub(crate) use refusal::of_content;
pub(crate) use request::{read as read_message, sender};
pub(crate) use sizes::sizes;

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
        routes!(rewrite::handler),
        routes!(import::users_handler),
        routes!(import::groups_handler),
        routes!(conversation::handler),
        routes!(conversation::client_handler),
        routes!(delivery::handler),
        routes!(roaming::handler),
        routes!(roaming_deletion::user_messages),
        routes!(roaming_deletion::group_messages),
        routes!(roaming_deletion::user_time, roaming_deletion::user_time_post),
        routes!(roaming_deletion::group_time, roaming_deletion::group_time_post),
        routes!(roaming_deletion::everything),
        routes!(users::handler),
        routes!(chatgroups::handler),
        routes!(chatgroups::targeted_handler),
    ]
}
