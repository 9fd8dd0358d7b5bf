//! `chatgroups`: every group, the newest first; and one more.

use axum::response::Response;
use serde_json::json;

use super::admissions;
use crate::body::RawBody;
use crate::error::ChatError;
use crate::rooms::asked::{Asked, RoomCall};
use crate::rooms::view::full_owner;
use crate::rooms::{create, list};

/// List groups
#[utoipa::path(
    get,
    path = "/chatgroups",
    operation_id = "listGroups",
    tag = "groups",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 1000; 10 if it is not given"),
        ("cursor" = Option<String>, Query, description = "Of the page before"),
        ("pagenum" = Option<u32>, Query, description = "From 1, instead of a cursor"),
        ("pagesize" = Option<u32>, Query, description = "1 to 1000; 10 if it is not given"),
    ),
    responses((status = 200, description = "A page of groups", body = serde_json::Value)),
)]
pub(super) async fn get(call: RoomCall) -> Result<Response, ChatError> {
    let asked = Asked::of_group(call);
    // Private groups are among them.
    asked.only_app()?;
    asked.limit_rooms()?;
    list::list(&asked, |detail| {
        json!({
            "owner": full_owner(&asked.chat, &detail.room),
            "groupid": detail.room.id,
            "affiliations": detail.members,
            "type": "group",
            "lastModified": detail.room.modified_ms.to_string(),
            "groupname": detail.room.name,
        })
    })
    .await
}

/// Create a group
#[utoipa::path(
    post,
    path = "/chatgroups",
    operation_id = "createGroup",
    tag = "groups",
    request_body(content = serde_json::Value, example = json!({"groupname": "team", "public": true, "owner": "user1", "maxusers": 300, "members": ["user2"]})),
    responses((status = 200, description = "The group's ID", body = serde_json::Value)),
)]
pub(super) async fn post(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    let asked = Asked::of_group(call);
    asked.limit_rooms()?;
    let body = body.object()?;
    if asked.principal().user().is_some() && body.flag("invite_need_confirm")? == Some(true) {
        return admissions::create_and_ask(&asked, &body).await;
    }
    create::create(&asked, &body).await
}
