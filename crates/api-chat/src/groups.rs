//! Groups: the endpoints of `chatgroups`. What they do is what those of rooms do (`crate::rooms`), for groups.

mod admins;
mod admissions;
mod allow_list;
mod announcement;
mod blocks;
mod group;
mod joined;
mod list;
mod members;
mod mutes;
mod own;
mod public;
mod shared_files;

use stentor_core::directory::shared_files::MAX_SHARED_FILES;
use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

use crate::sizes::{Size, size};
use crate::state::ChatState;

/// What is limited of groups alone, for `docs/limits.md`.
pub(crate) fn sizes() -> Vec<Size> {
    let pages = format!("{}, {} if nothing is said", joined::MAX_SHORT_PAGE, joined::SHORT_PAGE);
    vec![
        size("Groups of a user with details, on a page", pages, "so many"),
        size("Public groups on a page", public::MAX_LIMIT, "so many"),
        size("Shared files of a group", MAX_SHARED_FILES, "403"),
    ]
    .into_iter()
    .chain(admissions::sizes())
    .collect()
}

/// The endpoints of this family.
pub(crate) fn endpoints() -> Vec<UtoipaMethodRouter<ChatState>> {
    vec![
        routes!(list::get, list::post),
        routes!(joined::of_user),
        routes!(joined::details),
        routes!(joined::count),
        routes!(public::list),
        routes!(joined::is_joined, joined::is_joined_post),
        routes!(group::get, group::put, group::delete),
        routes!(group::disable),
        routes!(group::enable),
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
        routes!(admissions::apply),
        routes!(admissions::answer_application),
        routes!(admissions::invite),
        routes!(admissions::answer_invitation),
        routes!(own::quit),
        routes!(own::is_muted),
        routes!(own::is_allowed, allow_list::add, allow_list::remove),
        routes!(announcement::get, announcement::post),
        routes!(shared_files::list, shared_files::share),
        routes!(shared_files::download, shared_files::delete),
    ]
}
