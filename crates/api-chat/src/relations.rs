//! What users are to each other: contacts, and those whom they do not want to hear from.

mod blocks;
mod contacts;
mod news;
mod remarks;
mod requests;

use stentor_core::directory::DirectoryError;
use stentor_core::id::UserId;
use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

use crate::call::Call;
use crate::envelope::Envelope;
use crate::error::ChatError;
use crate::policy::ChatLimits;
use crate::sizes::{Size, size};
use crate::state::ChatState;

/// Entries on a page (Easemob user relationship documents).
const MAX_PAGE: usize = 50;

/// What is limited of contacts and blocks, for `docs/limits.md`.
pub(crate) fn sizes(limits: &ChatLimits) -> Vec<Size> {
    vec![
        size("Contacts of a user", limits.directory.contacts, "403").by(&["contacts"]),
        size("Contacts imported at once", contacts::MAX_IMPORT, "400"),
        size("Contacts on a page", format!("{MAX_PAGE}, {} if nothing is said", remarks::DEFAULT_PAGE), "400"),
        size("Remark on a contact", format!("{} characters", remarks::MAX_REMARK), "400"),
        size("Contacts asked at once", requests::MAX_ASKED, "400"),
        size("Text of a contact request", format!("{} characters", requests::MAX_REASON), "400"),
        size("Contact requests that wait for a user", limits.directory.contacts, "403").by(&["contacts"]),
        size("Users whom a user blocks", limits.directory.blocks, "403").by(&["user_blocks"]),
        size("Users unblocked at once", blocks::MAX_UNBLOCKED, "400"),
        size("Blocked users on a page", MAX_PAGE, "so many"),
    ]
}

/// The endpoints of this family.
pub(crate) fn endpoints() -> Vec<UtoipaMethodRouter<ChatState>> {
    vec![
        routes!(contacts::list),
        routes!(contacts::add, remarks::set_as_clients, contacts::remove),
        routes!(contacts::import),
        routes!(remarks::list),
        routes!(remarks::list_as_clients),
        routes!(remarks::set),
        routes!(requests::ask),
        routes!(requests::accept),
        routes!(requests::decline),
        routes!(blocks::list, blocks::add),
        routes!(blocks::add_as_clients, blocks::remove_as_clients),
        routes!(blocks::remove),
    ]
}

/// The two users of a path, of whom the first must be the caller, if it is a user.
fn two_users(call: &Call, other: &'static str) -> Result<(UserId, UserId), ChatError> {
    let user = call.user_param("username")?;
    call.app_or(&user)?;
    Ok((user, call.user_param(other)?))
}

/// What the core refused about contacts.
fn too_many_contacts(error: DirectoryError) -> ChatError {
    match error {
        DirectoryError::TooMany { .. } => ChatError::exceed_limit("user contact number exceed limit"),
        other => other.into(),
    }
}

/// A reply whose path names the user by its UUID, as this family has it.
async fn reply_of(call: &Call, user: &UserId, what: &str) -> Result<Envelope, ChatError> {
    let uuid = call.node().user(&call.app, user).await?.uuid;
    let path = format!("/users/{uuid}/{what}");
    Ok(call.reply().uri(call.url(&path)).path(path))
}

/// Behind which entry the page begins that a cursor asks for.
fn after(call: &Call) -> Result<Option<String>, ChatError> {
    match call.cursor() {
        Some(text) => stentor_core::records::from_cursor(&text)
            .map(Some)
            .ok_or_else(|| ChatError::illegal_argument("parameters is invalid : cursor")),
        None => Ok(None),
    }
}
