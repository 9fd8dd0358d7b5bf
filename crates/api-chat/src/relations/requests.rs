//! `users/{username}/contacts/apply`, `…/accept/users/{contact}`, `…/decline/users/{contact}`: users ask each other, as clients
//! do it with the user's own token.

use axum::response::Response;
use serde_json::{Value, json};
use stentor_core::directory::DirectoryError;
use stentor_core::directory::contact_requests::Requested;

use super::{news, reply_of, too_many_contacts, two_users};
use crate::body::RawBody;
use crate::call::Call;
use crate::error::ChatError;
use crate::names::user_id;
use crate::rates::ChatRule;

/// Users who are asked in one request.
pub(super) const MAX_ASKED: usize = 10;
/// Characters of what is said to them.
pub(super) const MAX_REASON: usize = 512;

/// Ask users to become contacts
#[utoipa::path(
    post,
    path = "/users/{username}/contacts/apply",
    operation_id = "askContacts",
    tag = "contacts",
    params(("username" = String, Path, description = "Who asks")),
    request_body(content = serde_json::Value, example = json!({"usernames": ["user2"], "reason": "hello"})),
    responses((status = 200, description = "Who was asked", body = serde_json::Value)),
)]
pub(super) async fn ask(call: Call, body: RawBody) -> Result<Response, ChatError> {
    let user = call.user_param("username")?;
    call.app_or(&user)?;
    call.limit(ChatRule::Contacts)?;
    let body = body.object()?;
    let names = body.texts("usernames")?.filter(|names| !names.is_empty());
    let names = names.ok_or_else(|| ChatError::illegal_argument("parameters is invalid : usernames"))?;
    if names.len() > MAX_ASKED {
        return Err(ChatError::illegal_argument(format!("request user over flow limit:{MAX_ASKED}.")));
    }
    let reason = body.text("reason")?.unwrap_or_default();
    if reason.chars().count() > MAX_REASON {
        return Err(ChatError::illegal_argument("parameters is invalid : reason"));
    }
    for name in &names {
        let contact = user_id(name).map_err(|_| ChatError::user_not_found())?;
        if contact == user {
            return Err(ChatError::illegal_argument("parameters is invalid : usernames"));
        }
        let requested = call.node().request_contact(&call.app, &user, &contact, reason).await;
        if requested.map_err(too_many_contacts)? == Requested::Waits {
            news::invited(&call, &user, &contact, reason).await?;
        }
    }
    Ok(reply_of(&call, &user, "contacts/apply").await?.entities(Vec::<Value>::new()).data(json!(names)).send())
}

/// Become a contact of who asked
#[utoipa::path(
    post,
    path = "/users/{username}/contacts/accept/users/{contact}",
    operation_id = "acceptContact",
    tag = "contacts",
    params(
        ("username" = String, Path, description = "Who was asked"),
        ("contact" = String, Path, description = "Who asked"),
    ),
    responses((status = 200, description = "They are contacts", body = serde_json::Value)),
)]
pub(super) async fn accept(call: Call) -> Result<Response, ChatError> {
    let (user, contact) = two_users(&call, "contact")?;
    call.limit(ChatRule::Contacts)?;
    let known = call.node().are_contacts(&call.app, &user, &contact).await?;
    let accepted = call.node().accept_contact(&call.app, &user, &contact).await;
    if !known && matches!(accepted, Ok(true)) {
        news::added(&call, &user, &contact, true).await?;
    }
    answered(&call, accepted, "accept").await
}

/// Do not become a contact of who asked
#[utoipa::path(
    post,
    path = "/users/{username}/contacts/decline/users/{contact}",
    operation_id = "declineContact",
    tag = "contacts",
    params(
        ("username" = String, Path, description = "Who was asked"),
        ("contact" = String, Path, description = "Who asked"),
    ),
    responses((status = 200, description = "Nobody waits for an answer", body = serde_json::Value)),
)]
pub(super) async fn decline(call: Call) -> Result<Response, ChatError> {
    let (user, contact) = two_users(&call, "contact")?;
    call.limit(ChatRule::Contacts)?;
    let declined = call.node().decline_contact(&call.app, &user, &contact).await;
    if matches!(declined, Ok(true)) {
        news::declined(&call, &user, &contact).await?;
    }
    answered(&call, declined, "decline").await
}

/// Whoever answers what nobody asked is refused. The text is ours.
async fn answered(call: &Call, done: Result<bool, DirectoryError>, what: &str) -> Result<Response, ChatError> {
    if !done.map_err(too_many_contacts)? {
        return Err(ChatError::illegal_argument("there is no contact request of this user."));
    }
    let user = call.user_param("username")?;
    let reply = reply_of(call, &user, &format!("contacts/{what}")).await?;
    Ok(reply.entities(Vec::<Value>::new()).send())
}
