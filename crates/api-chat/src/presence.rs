//! `users/{username}/presence…`: what users publish of themselves, and who is told. A service of its own at the vendor's:
//! its replies have no envelope, and its clients look for the text of a refusal in `result`.

mod publish;
mod subscriptions;
mod view;

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use stentor_core::id::UserId;
use stentor_http_kit::json::json;
use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

use crate::body::Object;
use crate::call::Call;
use crate::error::ChatError;
use crate::names::user_id;
use crate::policy::ChatLimits;
use crate::rates::ChatRule;
use crate::sizes::{Size, size, span};
use crate::state::ChatState;

/// Users in one request (Easemob presence documents).
const MAX_USERS: usize = 100;

/// What is limited of presence, for `docs/limits.md`.
pub(crate) fn sizes(limits: &ChatLimits) -> Vec<Size> {
    vec![
        size("Text of a status", format!("{} bytes", limits.directory.status_ext_bytes), "400"),
        size("Users whose presence is asked for or watched in one request", MAX_USERS, "400"),
        size("Users whom a user watches, and who watch a user", limits.directory.status_watches, "400"),
        size("A subscription lasts", span(u64::from(subscriptions::MAX_SECONDS) * 1000), "400"),
        size("Subscriptions on a page", subscriptions::MAX_PAGE, "so many"),
        size("Name of a device with a status", format!("{} bytes", publish::MAX_RESOURCE), "400"),
    ]
}

/// The endpoints of this family.
pub(crate) fn endpoints() -> Vec<UtoipaMethodRouter<ChatState>> {
    vec![
        routes!(publish::set),
        routes!(publish::of_many, subscriptions::unsubscribe),
        routes!(subscriptions::list),
        routes!(subscriptions::subscribe),
    ]
}

/// The user of the path, if the app has presence, the caller may, and not too often.
fn begin(call: &Call) -> Result<UserId, ChatError> {
    let user = call.user_param("username")?;
    call.app_or(&user)?;
    call.limit(ChatRule::Presence)?;
    if call.chat.features.presence {
        Ok(user)
    } else {
        let text = "the app not open presence";
        Err(ChatError::new(StatusCode::BAD_REQUEST, "service open exception", text).also_in("result"))
    }
}

/// 400, with the text where the clients of this service look for it.
fn illegal(text: impl Into<std::borrow::Cow<'static, str>>) -> ChatError {
    ChatError::illegal_argument(text).also_in("result")
}

/// The users of a list. Names that nobody can have are left out: nobody publishes anything under them.
fn users(names: &[&str]) -> Vec<UserId> {
    names.iter().filter_map(|name| user_id(name).ok()).collect()
}

/// The `usernames` of a body.
fn usernames(body: &Object) -> Result<Vec<&str>, ChatError> {
    body.texts("usernames")
        .ok()
        .flatten()
        .filter(|names| !names.is_empty())
        .ok_or_else(|| illegal("usernames is empty"))
}

#[derive(Serialize)]
struct Reply<T> {
    result: T,
}

/// A reply of this service.
fn result(result: impl Serialize) -> Response {
    json(StatusCode::OK, &Reply { result })
}
