//! `user/{username}/contacts…`: a user's contacts page by page, and what the user calls them. The documents write `user`
//! here, and `users` elsewhere.

use axum::response::Response;
use serde_json::{Value, json};
use stentor_core::directory::contacts::ContactView;
use stentor_core::records::cursor;

use super::{MAX_PAGE, after, two_users};
use crate::body::RawBody;
use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// Contacts on a page when nobody says how many.
pub(super) const DEFAULT_PAGE: usize = 10;
/// Characters of a remark.
pub(super) const MAX_REMARK: usize = 100;

/// List a user's contacts page by page
#[utoipa::path(
    get,
    path = "/user/{username}/contacts",
    operation_id = "listContactsByPage",
    tag = "contacts",
    params(
        ("username" = String, Path, description = "The user ID"),
        ("limit" = Option<u32>, Query, description = "1 to 50; 10 if it is not given"),
        ("cursor" = Option<String>, Query, description = "Of the page before"),
        ("needReturnRemark" = Option<bool>, Query, description = "With what the user calls them"),
    ),
    responses((status = 200, description = "A page of contacts, the newest first", body = serde_json::Value)),
)]
pub(super) async fn list(call: Call) -> Result<Response, ChatError> {
    page(&call).await
}

/// List a user's contacts page by page: the same as web clients ask for it
#[utoipa::path(
    get,
    path = "/users/{username}/contacts",
    operation_id = "listContactsByPageAsClients",
    tag = "contacts",
    params(
        ("username" = String, Path, description = "The user ID"),
        ("limit" = Option<u32>, Query, description = "1 to 50; 10 if it is not given"),
        ("cursor" = Option<String>, Query, description = "Of the page before"),
        ("needReturnRemark" = Option<bool>, Query, description = "With what the user calls them"),
    ),
    responses((status = 200, description = "A page of contacts, the newest first", body = serde_json::Value)),
)]
pub(super) async fn list_as_clients(call: Call) -> Result<Response, ChatError> {
    page(&call).await
}

async fn page(call: &Call) -> Result<Response, ChatError> {
    let user = call.user_param("username")?;
    call.app_or(&user)?;
    call.limit(ChatRule::Contacts)?;
    let limit = call.query_number("limit", DEFAULT_PAGE, usize::MAX);
    if limit > MAX_PAGE {
        return Err(ChatError::illegal_argument(format!("getContacts | page size more than max limit : {MAX_PAGE}")));
    }
    let with_remark = wants_remarks(call);
    let page = call.node().contacts(&call.app, &user, after(call)?.as_deref(), limit).await?;
    let contacts: Vec<_> = page.items.iter().map(|contact| view(contact, with_remark)).collect();
    let reply = call.reply().without_app().entities(Vec::<Value>::new()).count(contacts.len());
    let cursor = page.next.as_deref().map(cursor);
    let mut data = json!({ "contacts": contacts });
    if let Some(cursor) = &cursor {
        // Where web clients look for it.
        data["cursor"] = json!(cursor);
    }
    Ok(reply.data(data).cursor(cursor).send())
}

pub(super) fn wants_remarks(call: &Call) -> bool {
    call.query("needReturnRemark").is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

pub(super) fn view(contact: &ContactView, with_remark: bool) -> Value {
    if with_remark {
        json!({ "remark": contact.remark, "username": contact.user.as_str() })
    } else {
        json!({ "username": contact.user.as_str() })
    }
}

/// Set what a user calls a contact
#[utoipa::path(
    put,
    path = "/user/{username}/contacts/users/{contact}",
    operation_id = "setRemark",
    tag = "contacts",
    params(
        ("username" = String, Path, description = "The user ID"),
        ("contact" = String, Path, description = "The other's user ID"),
    ),
    request_body(content = serde_json::Value, example = json!({"remark": "friend"})),
    responses((status = 200, description = "Done", body = serde_json::Value)),
)]
pub(super) async fn set(call: Call, body: RawBody) -> Result<Response, ChatError> {
    name(&call, &body).await
}

/// Set what a user calls a contact: the same as web clients ask for it
#[utoipa::path(
    put,
    path = "/users/{username}/contacts/users/{contact}",
    operation_id = "setRemarkAsClients",
    tag = "contacts",
    params(
        ("username" = String, Path, description = "The user ID"),
        ("contact" = String, Path, description = "The other's user ID"),
    ),
    request_body(content = serde_json::Value, example = json!({"remark": "friend"})),
    responses((status = 200, description = "Done", body = serde_json::Value)),
)]
pub(super) async fn set_as_clients(call: Call, body: RawBody) -> Result<Response, ChatError> {
    name(&call, &body).await
}

async fn name(call: &Call, body: &RawBody) -> Result<Response, ChatError> {
    let (user, contact) = two_users(call, "contact")?;
    call.limit(ChatRule::Contacts)?;
    let body = body.object()?;
    let remark = body.text("remark")?.filter(|remark| remark.chars().count() <= MAX_REMARK);
    let remark = remark.ok_or_else(|| ChatError::illegal_argument("parameters is invalid : remark"))?;
    if !call.node().name_contact(&call.app, &user, &contact, remark).await? {
        let text = "updateRemark | they are not friends, please add as a friend first.";
        return Err(ChatError::illegal_argument(text));
    }
    Ok(call.reply().without_app().status("ok").send())
}
