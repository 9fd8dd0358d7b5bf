//! `POST users/{username}/presence/{resource}/{status}` and `POST users/{username}/presence`: a device's status is
//! published; the statuses of others are read.

use axum::response::Response;
use stentor_core::directory::status::PublishError;
use stentor_core::id::DeviceId;

use super::view::status_view;
use super::{MAX_USERS, begin, illegal, result, users};
use crate::body::RawBody;
use crate::call::Call;
use crate::error::ChatError;

/// Bytes of a device's name. Ours: the documents give a form, and no length.
pub(super) const MAX_RESOURCE: usize = 128;

/// Publish the status of a user's device
#[utoipa::path(
    post,
    path = "/users/{username}/presence/{resource}/{status}",
    operation_id = "setPresence",
    tag = "presence",
    params(
        ("username" = String, Path, description = "The user ID"),
        ("resource" = String, Path, description = "The device"),
        ("status" = i32, Path, description = "0 offline, 1 online, other numbers of the app's choice"),
    ),
    request_body(content = serde_json::Value, example = json!({"ext": "busy"})),
    responses((status = 200, description = "Done", body = serde_json::Value)),
)]
pub(super) async fn set(call: Call, body: RawBody) -> Result<Response, ChatError> {
    let user = begin(&call)?;
    let device = call.param("resource");
    if device.is_empty() || device.len() > MAX_RESOURCE || device.contains(|c: char| c == '/' || c.is_control()) {
        return Err(illegal("resource not exist"));
    }
    let status: i32 = call.param("status").parse().map_err(|_| illegal("set presence failed"))?;
    let body = body.object()?;
    let ext =
        body.text("ext").map_err(|_| illegal("ext cannot be null"))?.ok_or_else(|| illegal("ext cannot be null"))?;
    let device = DeviceId::from_trusted(device);
    call.node().publish_status(&call.app, &user, &device, status, ext).await.map_err(refused)?;
    Ok(result("ok"))
}

fn refused(error: PublishError) -> ChatError {
    match error {
        // With the space at the end: the Web SDK compares the whole text.
        PublishError::ExtTooLong { .. } => illegal("ext is too big "),
        PublishError::Directory(error) => error.into(),
    }
}

/// Get the statuses of up to 100 users
#[utoipa::path(
    post,
    path = "/users/{username}/presence",
    operation_id = "getPresence",
    tag = "presence",
    params(("username" = String, Path, description = "The user ID")),
    request_body(content = serde_json::Value, example = json!({"usernames": ["user2"]})),
    responses((status = 200, description = "The statuses", body = serde_json::Value)),
)]
pub(super) async fn of_many(call: Call, body: RawBody) -> Result<Response, ChatError> {
    begin(&call)?;
    let body = body.object()?;
    let names = super::usernames(&body)?;
    if names.len() > MAX_USERS {
        return Err(illegal("too many get presences"));
    }
    let statuses = call.node().statuses(&call.app, &users(&names)).await?;
    Ok(result(statuses.iter().map(|status| status_view(status, None)).collect::<Vec<_>>()))
}
