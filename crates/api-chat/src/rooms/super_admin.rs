//! `chatrooms/super_admin…`: users who may do everything in every room of the app.

use axum::response::Response;
use serde_json::json;
use stentor_core::id::UserId;

use super::asked::{Asked, Numbered, RoomCall};
use crate::body::RawBody;
use crate::error::ChatError;

/// On a page when nobody says how many.
const DEFAULT_PAGE: usize = 10;
/// On a page.
const MAX_PAGE: usize = 1000;
/// Super admins that a page may reach.
pub(super) const MAX_LISTED: usize = 10_000;

/// Make a user a super admin of rooms
#[utoipa::path(
    post,
    path = "/chatrooms/super_admin",
    operation_id = "addRoomSuperAdmin",
    tag = "rooms",
    request_body(content = serde_json::Value, example = json!({"superadmin": "user1"})),
    responses((status = 200, description = "The user is a super admin", body = serde_json::Value)),
)]
pub(super) async fn add(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    let asked = Asked::of_room(call);
    asked.only_app()?;
    asked.limit_rooms()?;
    let user = Asked::user_field(&body.object()?, "superadmin")?;
    asked.node().add_super_admin(&asked.app, &user).await.map_err(|error| asked.refused(error))?;
    Ok(asked.answer(json!({ "result": "success", "resource": "" })).send())
}

/// List the super admins of rooms
#[utoipa::path(
    get,
    path = "/chatrooms/super_admin",
    operation_id = "listRoomSuperAdmins",
    tag = "rooms",
    params(
        ("pagenum" = Option<u32>, Query, description = "From 1"),
        ("pagesize" = Option<u32>, Query, description = "1 to 1000; 10 if it is not given"),
    ),
    responses((status = 200, description = "A page of them", body = serde_json::Value)),
)]
pub(super) async fn list(call: RoomCall) -> Result<Response, ChatError> {
    let asked = Asked::of_room(call);
    asked.only_app()?;
    asked.limit_rooms()?;
    let wanted = Numbered::of(&asked, DEFAULT_PAGE, MAX_PAGE);
    let found = asked.node().super_admins(&asked.app, wanted.end(MAX_LISTED)).await?;
    let names: Vec<_> = wanted.take(found.iter().map(UserId::as_str));
    let count = names.len();
    Ok(asked.answer(names).params(asked.query_params(&["pagenum", "pagesize"])).count(count).send())
}

/// Take a super admin's rights away
#[utoipa::path(
    delete,
    path = "/chatrooms/super_admin/{username}",
    operation_id = "removeRoomSuperAdmin",
    tag = "rooms",
    params(("username" = String, Path, description = "The super admin")),
    responses((status = 200, description = "The user is none any more", body = serde_json::Value)),
)]
pub(super) async fn remove(call: RoomCall) -> Result<Response, ChatError> {
    let asked = Asked::of_room(call);
    asked.only_app()?;
    asked.limit_rooms()?;
    let user = Asked::user(asked.param("username"))?;
    asked.node().remove_super_admin(&asked.app, &user).await.map_err(|error| asked.refused(error))?;
    Ok(asked.answer(json!({ "newSuperAdmin": user.as_str(), "resource": "" })).send())
}
