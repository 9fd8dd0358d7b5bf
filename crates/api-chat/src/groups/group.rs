//! `chatgroups/{group_id}`: details, changes, another owner, the end.

use axum::response::Response;
use serde_json::json;

use crate::body::RawBody;
use crate::error::ChatError;
use crate::rooms::asked::{Asked, RoomCall};
use crate::rooms::room::{details, remove, update};

/// Get up to 100 groups
#[utoipa::path(
    get,
    path = "/chatgroups/{group_id}",
    operation_id = "getGroups",
    tag = "groups",
    params(("group_id" = String, Path, description = "One ID, or up to 100, separated by commas")),
    responses((status = 200, description = "The groups", body = serde_json::Value)),
)]
pub(super) async fn get(call: RoomCall) -> Result<Response, ChatError> {
    details(&Asked::of_group(call)).await
}

/// Change a group, or give it to another owner
#[utoipa::path(
    put,
    path = "/chatgroups/{group_id}",
    operation_id = "changeGroup",
    tag = "groups",
    params(("group_id" = String, Path, description = "The group")),
    request_body(content = serde_json::Value, example = json!({"groupname": "lobby", "description": "Everybody", "maxusers": 300})),
    responses((status = 200, description = "What was changed", body = serde_json::Value)),
)]
pub(super) async fn put(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    update(&Asked::of_group(call), &body.object()?).await
}

/// Delete a group
#[utoipa::path(
    delete,
    path = "/chatgroups/{group_id}",
    operation_id = "deleteGroup",
    tag = "groups",
    params(("group_id" = String, Path, description = "The group")),
    responses((status = 200, description = "The group is gone", body = serde_json::Value)),
)]
pub(super) async fn delete(call: RoomCall) -> Result<Response, ChatError> {
    remove(&Asked::of_group(call)).await
}

/// Switch a group off
#[utoipa::path(
    post,
    path = "/chatgroups/{group_id}/disable",
    operation_id = "disableGroup",
    tag = "groups",
    params(("group_id" = String, Path, description = "The group")),
    responses((status = 200, description = "Nobody can use the group", body = serde_json::Value)),
)]
pub(super) async fn disable(call: RoomCall) -> Result<Response, ChatError> {
    switch(&Asked::of_group(call), true).await
}

/// Switch a group on again
#[utoipa::path(
    post,
    path = "/chatgroups/{group_id}/enable",
    operation_id = "enableGroup",
    tag = "groups",
    params(("group_id" = String, Path, description = "The group")),
    responses((status = 200, description = "The group can be used", body = serde_json::Value)),
)]
pub(super) async fn enable(call: RoomCall) -> Result<Response, ChatError> {
    switch(&Asked::of_group(call), false).await
}

async fn switch(asked: &Asked, disabled: bool) -> Result<Response, ChatError> {
    asked.only_app()?;
    asked.limit_rooms()?;
    let done = asked.node().disable_room(&asked.app, asked.kind(), &asked.room_id()?, disabled).await;
    let group = done.map_err(|error| asked.refused(error))?;
    Ok(asked.answer(json!({ "disabled": group.disabled })).send())
}
