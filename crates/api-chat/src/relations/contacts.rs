//! `users/{username}/contacts/users…`: two users become contacts of each other, and cease to be.

use axum::response::Response;
use serde_json::{Value, json};
use stentor_core::directory::DirectoryError;

use super::remarks::{view, wants_remarks};
use super::{news, reply_of, too_many_contacts, two_users};
use crate::body::RawBody;
use crate::call::Call;
use crate::error::ChatError;
use crate::names::user_id;
use crate::rates::ChatRule;
use crate::users::view::user_view;

/// Users in one import (Easemob user relationship documents).
pub(super) const MAX_IMPORT: usize = 10;

/// List a user's contacts
#[utoipa::path(
    get,
    path = "/users/{username}/contacts/users",
    operation_id = "listContacts",
    tag = "contacts",
    params(
        ("username" = String, Path, description = "The user ID"),
        ("needReturnRemark" = Option<bool>, Query, description = "With what the user calls them, among `entities`"),
    ),
    responses((status = 200, description = "The contacts, the newest first", body = serde_json::Value)),
)]
pub(super) async fn list(call: Call) -> Result<Response, ChatError> {
    let user = call.user_param("username")?;
    call.app_or(&user)?;
    call.limit(ChatRule::Contacts)?;
    let contacts = call.node().contacts(&call.app, &user, None, usize::MAX).await?;
    let names: Vec<_> = contacts.items.iter().map(|contact| contact.user.as_str()).collect();
    // Web clients look there for the remarks.
    let entities = match wants_remarks(&call) {
        true => contacts.items.iter().map(|contact| view(contact, true)).collect(),
        false => Vec::<Value>::new(),
    };
    Ok(call.reply().without_app().entities(entities).count(names.len()).data(names).send())
}

/// Make two users contacts of each other
#[utoipa::path(
    post,
    path = "/users/{username}/contacts/users/{contact}",
    operation_id = "addContact",
    tag = "contacts",
    params(
        ("username" = String, Path, description = "The user ID"),
        ("contact" = String, Path, description = "The other's user ID"),
    ),
    responses((status = 200, description = "The contact", body = serde_json::Value)),
)]
pub(super) async fn add(call: Call) -> Result<Response, ChatError> {
    // The other one becomes a contact, too, and is not asked.
    call.only_app()?;
    let (user, contact) = two_users(&call, "contact")?;
    call.limit(ChatRule::Contacts)?;
    let known = call.node().are_contacts(&call.app, &user, &contact).await?;
    let added = call.node().add_contact(&call.app, &user, &contact).await.map_err(too_many_contacts)?;
    if !known {
        news::added(&call, &user, &contact, false).await?;
    }
    Ok(reply_of(&call, &user, "contacts").await?.entities(vec![user_view(&added)]).send())
}

/// End that two users are contacts of each other
#[utoipa::path(
    delete,
    path = "/users/{username}/contacts/users/{contact}",
    operation_id = "removeContact",
    tag = "contacts",
    params(
        ("username" = String, Path, description = "The user ID"),
        ("contact" = String, Path, description = "The other's user ID"),
    ),
    responses((status = 200, description = "Who was the contact", body = serde_json::Value)),
)]
pub(super) async fn remove(call: Call) -> Result<Response, ChatError> {
    let (user, contact) = two_users(&call, "contact")?;
    call.limit(ChatRule::Contacts)?;
    let known = call.node().are_contacts(&call.app, &user, &contact).await?;
    let removed = call.node().remove_contact(&call.app, &user, &contact).await?;
    if known {
        news::removed(&call, &user, &contact).await?;
    }
    Ok(reply_of(&call, &user, "contacts").await?.entities(vec![user_view(&removed)]).send())
}

/// Make up to 10 users contacts of a user
#[utoipa::path(
    post,
    path = "/users/{username}/contacts/import",
    operation_id = "importContacts",
    tag = "contacts",
    params(("username" = String, Path, description = "The user ID")),
    request_body(content = serde_json::Value, example = json!({"usernames": ["user2"]})),
    responses((status = 200, description = "Who is a contact now, and who is not", body = serde_json::Value)),
)]
pub(super) async fn import(call: Call, body: RawBody) -> Result<Response, ChatError> {
    let user = call.user_param("username")?;
    call.only_app()?;
    call.limit(ChatRule::Contacts)?;
    let body = body.object()?;
    let names = body.texts("usernames")?;
    let names = names.ok_or_else(|| ChatError::illegal_argument("parameters is invalid : usernames"))?;
    if names.len() > MAX_IMPORT {
        return Err(ChatError::illegal_argument(format!("request user over flow limit:{MAX_IMPORT}.")));
    }
    call.node().user(&call.app, &user).await?;
    let (mut done, mut missing, mut too_many) = (Vec::new(), Vec::new(), Vec::new());
    for name in names {
        let added = match user_id(name) {
            Ok(contact) => call.node().add_contact(&call.app, &user, &contact).await,
            Err(_) => Err(DirectoryError::NoUser(name.to_owned())),
        };
        match added {
            Ok(_) => done.push(name),
            Err(DirectoryError::NoUser(_)) => missing.push(name),
            Err(DirectoryError::TooMany { .. }) => too_many.push(name),
            Err(other) => return Err(other.into()),
        }
    }
    let data = json!({ "success": done, "NotExistFailed": missing, "maxLimitFailed": too_many, "UnKnowFailed": Value::Array(Vec::new()) });
    Ok(call.reply().brief().data(data).status("ok").send())
}
