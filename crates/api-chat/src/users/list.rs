//! `GET users`: every user, page by page, in the order of their registration.

use axum::response::Response;
use stentor_core::records::{cursor, from_cursor};

use super::view::bound_user_views;
use crate::call::{Call, Visit};
use crate::error::ChatError;
use crate::rates::ChatRule;

/// Users on a page when nobody says how many.
pub(super) const DEFAULT_LIMIT: usize = 10;
/// Users on a page.
pub(super) const MAX_LIMIT: usize = 100;

/// List users
#[utoipa::path(
    get,
    path = "/users",
    operation_id = "listUsers",
    tag = "users",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 100; 10 if it is not given"),
        ("cursor" = Option<String>, Query, description = "Of the page before"),
    ),
    responses((status = 200, description = "A page of users", body = serde_json::Value)),
)]
pub(super) async fn handler(call: Call) -> Result<Response, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::UserLists)?;
    let (limit, after) = page(&call)?;
    let page = call.node().users(&call.app, after, limit).await?;
    let reply = call.reply().path("/users").uri(call.url("/users")).params(call.query_params(&["limit", "cursor"]));
    let users = bound_user_views(&call, &page.items).await?;
    Ok(reply.count(users.len()).entities(users).cursor(page.next.as_deref().map(cursor)).send())
}

/// Which page is asked for: how many, and behind which user.
pub(super) fn page(visit: &Visit) -> Result<(usize, Option<String>), ChatError> {
    let limit = visit.query_number("limit", DEFAULT_LIMIT, MAX_LIMIT);
    let after = match visit.cursor() {
        Some(text) => {
            Some(from_cursor(&text).ok_or_else(|| ChatError::illegal_argument("parameters is invalid : cursor"))?)
        }
        None => None,
    };
    Ok((limit, after))
}
