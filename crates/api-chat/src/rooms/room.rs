//! `chatrooms/{chatroom_id}`: details, changes, another owner, the end.

use axum::response::Response;
use serde_json::{Value, json};
use stentor_core::directory::rooms::RoomDetail;
use stentor_core::id::RoomId;

use super::asked::{Asked, Family, IdKeys, RoomCall};
use super::fields::RoomFields;
use super::refusals;
use super::rights::Right;
use super::view::{detail_view, member_view};
use crate::body::{Object, RawBody};
use crate::error::ChatError;
use crate::names::ROOM_NAMES;

/// Rooms in one request for details.
pub(super) const MAX_ROOMS: usize = 100;

/// Members in one reply of details, over all rooms: of the others only the number is there.
pub(super) const MAX_AFFILIATIONS: usize = 10_000;

/// Get up to 100 rooms
#[utoipa::path(
    get,
    path = "/chatrooms/{chatroom_id}",
    operation_id = "getRooms",
    tag = "rooms",
    params(("chatroom_id" = String, Path, description = "One ID, or up to 100, separated by commas")),
    responses((status = 200, description = "The rooms", body = serde_json::Value)),
)]
pub(super) async fn get(call: RoomCall) -> Result<Response, ChatError> {
    details(&Asked::of_room(call)).await
}

/// Change a room, or give it to another owner
#[utoipa::path(
    put,
    path = "/chatrooms/{chatroom_id}",
    operation_id = "changeRoom",
    tag = "rooms",
    params(("chatroom_id" = String, Path, description = "The room")),
    request_body(content = serde_json::Value, example = json!({"name": "lobby", "description": "Everybody", "maxusers": 300})),
    responses((status = 200, description = "What was changed", body = serde_json::Value)),
)]
pub(super) async fn put(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    update(&Asked::of_room(call), &body.object()?).await
}

/// Delete a room
#[utoipa::path(
    delete,
    path = "/chatrooms/{chatroom_id}",
    operation_id = "deleteRoom",
    tag = "rooms",
    params(("chatroom_id" = String, Path, description = "The room")),
    responses((status = 200, description = "The room is gone", body = serde_json::Value)),
)]
pub(super) async fn delete(call: RoomCall) -> Result<Response, ChatError> {
    remove(&Asked::of_room(call)).await
}

/// Details of one or several.
pub(crate) async fn details(asked: &Asked) -> Result<Response, ChatError> {
    asked.limit_rooms()?;
    let names: Vec<&str> = asked.id_text().split(',').map(str::trim).collect();
    if names.len() > MAX_ROOMS {
        // Ours: the documents give the limit and no text.
        return Err(refusals::invalid_parameter(format!("group ids more than maxSize : {MAX_ROOMS}")));
    }
    // What cannot be an ID is one that is not there.
    let ids: Vec<_> = names.iter().filter_map(|name| RoomId::parse(name, &ROOM_NAMES).ok()).collect();
    let found: Vec<_> =
        asked.node().room_details(&asked.app, asked.kind(), &ids).await?.into_iter().flatten().collect();
    if found.is_empty() {
        return Err(refusals::unknown_group(asked.id_text()));
    }
    let (mut views, mut left) = (Vec::with_capacity(found.len()), MAX_AFFILIATIONS);
    for detail in &found {
        let affiliations = affiliations(asked, detail, left).await?;
        left -= affiliations.len();
        views.push(detail_view(asked.family, detail, &affiliations));
    }
    let count = views.len();
    if asked.family == Family::Group {
        let missing = names.iter().filter(|name| found.iter().all(|detail| detail.room.id != **name));
        views.extend(missing.map(|name| json!({ "id": name, "error": "group id doesn't exist" })));
    }
    Ok(asked.answer(views).count(count).send())
}

/// The members of a room, at most `limit`. A private group shows them to its own only.
async fn affiliations(asked: &Asked, detail: &RoomDetail, limit: usize) -> Result<Vec<Value>, ChatError> {
    let closed = asked.family == Family::Group && !detail.room.public;
    if limit == 0 || closed && asked.may(&detail.room, Right::Member).await.is_err() {
        return Ok(Vec::new());
    }
    let page = asked.node().member_page(&asked.app, &detail.room.room_id(), None, limit).await?;
    Ok(page.items.iter().map(|(user, member)| Value::Object(member_view(user, member, false))).collect())
}

/// Changes a room or group, or gives it away.
pub(crate) async fn update(asked: &Asked, body: &Object) -> Result<Response, ChatError> {
    if body.0.contains_key("newowner") {
        asked.room_for(Right::Own).await?;
        asked.limit_rooms()?;
        let to = Asked::user_field(body, "newowner")?;
        let given = asked.node().give_room(&asked.app, asked.kind(), &asked.room_id()?, &to).await;
        given.map_err(|error| asked.refused(error))?;
        return Ok(asked.answer(json!({ "newowner": true })).send());
    }
    asked.room_for(Right::Manage).await?;
    asked.limit_rooms()?;
    let changed = changed_fields(asked, body)?;
    let change = RoomFields::read(asked, body)?.change();
    let done = asked.node().change_room(&asked.app, asked.kind(), &asked.room_id()?, change).await;
    done.map_err(|error| asked.refused(error))?;
    let data: serde_json::Map<_, _> = changed.into_iter().map(|name| (name.to_owned(), Value::Bool(true))).collect();
    Ok(asked.answer(data).send())
}

/// Which fields the reply names. Fields that cannot be changed are refused.
fn changed_fields<'a>(asked: &Asked, body: &'a Object) -> Result<Vec<&'a str>, ChatError> {
    let known: &[&str] = match asked.family {
        Family::Room => &["name", "groupname", "description", "maxusers", "custom"],
        Family::Group => &[
            "groupname",
            "name",
            "avatar",
            "description",
            "maxusers",
            "membersonly",
            "allowinvites",
            "invite_need_confirm",
            "public",
            "custom",
        ],
    };
    let names: Vec<&str> = body.0.keys().map(String::as_str).collect();
    let unknown: Vec<&str> = names.iter().copied().filter(|name| !known.contains(name)).collect();
    if !unknown.is_empty() {
        return Err(refusals::invalid_parameter(format!("some of [{}] are not valid fields", unknown.join(", "))));
    }
    if names.is_empty() {
        return Err(refusals::must_be_provided("groupname"));
    }
    Ok(names.into_iter().map(|name| if name == "name" { "groupname" } else { name }).collect())
}

/// Deletes a room or group.
pub(crate) async fn remove(asked: &Asked) -> Result<Response, ChatError> {
    asked.room_for(Right::Own).await?;
    asked.limit_rooms()?;
    let gone = asked.node().delete_room(&asked.app, asked.kind(), &asked.room_id()?).await;
    gone.map_err(|error| asked.refused(error))?;
    Ok(asked.answer(asked.with_id(json!({ "success": true }), IdKeys::One)).send())
}
