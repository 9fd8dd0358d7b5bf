//! Rooms: one file per endpoint or small family. Groups (`crate::groups`) are answered by the same functions.

pub(crate) mod admins;
pub(crate) mod allow_list;
pub(crate) mod announcement;
pub(crate) mod asked;
pub(crate) mod blocks;
pub(crate) mod create;
mod fields;
pub(crate) mod joined;
pub(crate) mod list;
pub(crate) mod members;
mod metadata;
pub(crate) mod mutes;
pub(crate) mod own;
pub(crate) mod refusals;
pub(crate) mod rights;
pub(crate) mod room;
mod sizes;
mod super_admin;
pub(crate) mod view;

use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

use crate::state::ChatState;

pub(crate) use sizes::sizes;

/// The endpoints of this family.
pub(crate) fn endpoints() -> Vec<UtoipaMethodRouter<ChatState>> {
    vec![
        routes!(list::handler, create::handler),
        routes!(super_admin::list, super_admin::add),
        routes!(super_admin::remove),
        routes!(room::get, room::put, room::delete),
        routes!(members::list, members::add_many),
        routes!(members::add, members::remove),
        routes!(admins::list, admins::add),
        routes!(admins::remove),
        routes!(mutes::list, mutes::add),
        routes!(mutes::remove),
        routes!(mutes::ban, mutes::unban),
        routes!(blocks::list, blocks::add_many),
        routes!(blocks::add, blocks::remove),
        routes!(allow_list::list, allow_list::add_many),
        routes!(own::apply),
        routes!(own::quit),
        routes!(own::is_muted),
        routes!(own::is_allowed, allow_list::add, allow_list::remove),
        routes!(announcement::get, announcement::post),
        routes!(metadata::get),
        routes!(metadata::put, metadata::delete),
        routes!(metadata::put_forced, metadata::delete_forced),
        routes!(joined::handler),
    ]
}
