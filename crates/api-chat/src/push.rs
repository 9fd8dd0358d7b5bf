//! What users want to be pushed, and the templates of pushes (push settings documents, seed). One file per small family.

mod asked;
pub(crate) mod binding;
mod conversations;
mod direct;
mod labels;
mod language;
mod log;
mod nicknames;
mod notifiers;
mod own_template;
mod preview;
mod settings;
mod tasks;
mod template;
pub(crate) mod words;
pub(crate) mod zone;

use stentor_core::directory::DirectoryError;
use stentor_core::directory::users::IGNORED_GROUPS;
use stentor_core::push::labels::{LABEL_USERS, LABELS};
use stentor_core::push::notifiers::NOTIFIERS;
use stentor_core::push::{bindings, preferences};
use stentor_push_queue::PushBounds;
use stentor_push_queue::tasks::{TASKS, UNDER_WAY};
use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

use crate::call::Call;
use crate::error::ChatError;
use crate::names::user_id;
use crate::sizes::{Size, size, span};
use crate::state::ChatState;

/// The endpoints of this family.
pub(crate) fn endpoints() -> Vec<UtoipaMethodRouter<ChatState>> {
    vec![
        routes!(settings::get, settings::put),
        routes!(binding::get, binding::put),
        routes!(conversations::of_many),
        routes!(conversations::list),
        routes!(language::get, language::put),
        routes!(own_template::get, own_template::put),
        routes!(template::create, template::list, template::delete_all),
        routes!(template::get, template::change, template::delete),
        routes!(nicknames::handler),
        routes!(preview::handler),
        routes!(log::handler),
        routes!(direct::sync),
        routes!(direct::later),
        routes!(direct::single),
        routes!(tasks::labels),
        routes!(tasks::list, tasks::everybody),
        routes!(tasks::cancel),
        routes!(labels::list, labels::create),
        routes!(labels::get, labels::delete),
        routes!(labels::users, labels::add, labels::remove),
        routes!(labels::user),
        routes!(notifiers::list, notifiers::create),
        routes!(notifiers::get, notifiers::change, notifiers::delete),
    ]
}

/// The limits of this family.
pub(crate) fn sizes() -> Vec<Size> {
    let page = |(max, default): (usize, usize)| format!("{max}, {default} if nothing is said");
    let bounds = PushBounds::default();
    vec![
        size("Messages that wait to be decided on for pushes", bounds.due, "not pushed, and counted")
            .by(&["push_undecided"]),
        size("Pushes that wait to be sent", bounds.deliveries, "nothing more is decided").by(&["push_unsent"]),
        size("A user wants no pushes for", span(settings::MAX_DURATION_MS.unsigned_abs()), "400"),
        size("Conversations of a user with push settings of their own", preferences::CONVERSATIONS, "403"),
        size("Conversations whose push settings are asked for at once", conversations::MAX_CONVERSATIONS, "400"),
        size("Conversations with push settings on a page", page(conversations::PAGE), "so many"),
        size("Code of the language of pushes", format!("{} characters", language::MAX_CODE), "400"),
        size("Push templates of an app", stentor_core::push::template::TEMPLATES, "403"),
        size("Name of a push template", format!("{} characters", template::MAX_NAME), "400"),
        size("Pattern of a push template", format!("{} bytes", template::MAX_PATTERN), "400"),
        size("Push templates on a page", page(template::PAGE), "so many"),
        size("Entries of the push log in an answer", page(log::PAGE), "400"),
        size("Users whose push nickname is set at once", nicknames::MAX_USERS, "400"),
        size("Devices of a user that are bound for pushes", bindings::BINDINGS, "the newest replaces the oldest"),
        size("Name of a device or certificate", format!("{} bytes", binding::MAX_NAME), "400"),
        size("Token of a device", format!("{} bytes", binding::MAX_TOKEN), "400"),
        size("Direct push: title", format!("{} characters, a Chinese one counts as two", direct::LENGTHS[0].1), "400"),
        size("Direct push: content", format!("{} characters, counted so", direct::LENGTHS[1].1), "400"),
        size("Direct push: subtitle", format!("{} characters, counted so", direct::LENGTHS[2].1), "400"),
        size("Direct push: extension", format!("{} pairs, {} characters", direct::EXT.0, direct::EXT.1), "400"),
        size("Direct push: all of `pushMessage`", format!("{} bytes", direct::MAX_BYTES), "400"),
        size("Users of one `push/single`", direct::MAX_TARGETS, "403"),
        size("Labels of one `push/list/label`", tasks::MAX_LABELS, "403"),
        size("Push tasks under way", UNDER_WAY, "403"),
        size("Push tasks of an app, those that begin later among them", TASKS, "403"),
        size("A push task begins", format!("{} to {} later", span(tasks::START_MS.0), span(tasks::START_MS.1)), "400"),
        size("Labels of an app", LABELS, "403"),
        size("Users of a label", LABEL_USERS, "403"),
        size("Name of a label", format!("{} characters", labels::MAX_NAME), "400"),
        size("Description of a label", format!("{} characters", labels::MAX_DESCRIPTION), "400"),
        size("Users who get or lose a label at once", labels::MAX_USERS, "400"),
        size("Labels, and users of a label, on a page", page(labels::PAGE), "so many"),
        size("Push certificates of an app", NOTIFIERS, "403"),
        size("What is secret of a push certificate", format!("{} bytes", notifiers::MAX_CERTIFICATE), "400"),
        size("Another field of a push certificate", format!("{} bytes", notifiers::MAX_FIELD), "400"),
        size("Groups that a user ignores in the way of old", IGNORED_GROUPS, "the newest replaces the oldest"),
    ]
}

/// The user of the path, for the app and for the user itself. A user who is not there has other words here than
/// elsewhere.
fn owner(call: &Call) -> Result<stentor_core::id::UserId, ChatError> {
    let user = call.user_param("username").map_err(|_| ChatError::user_property())?;
    call.app_or(&user)?;
    Ok(user)
}

/// A user who is named.
fn owner_of(name: &str) -> Result<stentor_core::id::UserId, ChatError> {
    user_id(name).map_err(|_| ChatError::user_property())
}

fn refused(error: DirectoryError) -> ChatError {
    match error {
        DirectoryError::NoUser(_) => ChatError::user_property(),
        other => other.into(),
    }
}

/// 400: a parameter that is none.
fn invalid(name: &str) -> ChatError {
    ChatError::illegal_argument(format!("parameters is invalid : {name}"))
}
