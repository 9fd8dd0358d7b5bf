//! `chatrooms/{chatroom_id}/users…`: who is in, coming in and being put out.

use axum::response::Response;
use serde_json::{Value, json};
use stentor_core::directory::members::Member;
use stentor_core::directory::room_error::RoomError;
use stentor_core::id::UserId;
use stentor_core::records::cursor;

use super::asked::{Asked, Family, IdKeys, Numbered, RoomCall};
use super::list::after;
use super::refusals;
use super::rights::Right;
use super::view::member_view;
use crate::body::{Object, RawBody};
use crate::error::ChatError;

/// Members on a page.
pub(super) const MAX_PAGE: usize = 1000;
/// Users who are added in one request.
pub(crate) const MAX_ADDED: usize = 60;
/// Members who are put out of a room in one request (room documents).
pub(super) const MAX_REMOVED_OF_ROOM: usize = 100;
/// Members who are put out of a group in one request.
pub(super) const MAX_REMOVED_OF_GROUP: usize = 60;
/// Members that a page by number may reach.
const MAX_MEMBERS: usize = 20_000;

/// List the members of a room
#[utoipa::path(
    get,
    path = "/chatrooms/{chatroom_id}/users",
    operation_id = "listRoomMembers",
    tag = "rooms",
    params(
        ("chatroom_id" = String, Path, description = "The room"),
        ("pagenum" = Option<u32>, Query, description = "From 1"),
        ("pagesize" = Option<u32>, Query, description = "1 to 1000; 1000 if it is not given"),
        ("limit" = Option<u32>, Query, description = "With a cursor: 1 to 1000"),
        ("cursor" = Option<String>, Query, description = "Of the page before, instead of its number"),
        ("joined_time" = Option<bool>, Query, description = "With admins told apart, and since when each is in"),
    ),
    responses((status = 200, description = "A page of members", body = serde_json::Value)),
)]
pub(super) async fn list(call: RoomCall) -> Result<Response, ChatError> {
    page(&Asked::of_room(call)).await
}

/// Add users to a room
#[utoipa::path(
    post,
    path = "/chatrooms/{chatroom_id}/users",
    operation_id = "addRoomMembers",
    tag = "rooms",
    params(("chatroom_id" = String, Path, description = "The room")),
    request_body(content = serde_json::Value, example = json!({"usernames": ["user2", "user3"]})),
    responses((status = 200, description = "Who is a member now and was none", body = serde_json::Value)),
)]
pub(super) async fn add_many(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    add_users(&Asked::of_room(call), &body.object()?).await
}

/// Add a user to a room
#[utoipa::path(
    post,
    path = "/chatrooms/{chatroom_id}/users/{usernames}",
    operation_id = "addRoomMember",
    tag = "rooms",
    params(
        ("chatroom_id" = String, Path, description = "The room"),
        ("usernames" = String, Path, description = "The user"),
    ),
    responses((status = 200, description = "The user is a member", body = serde_json::Value)),
)]
pub(super) async fn add(call: RoomCall) -> Result<Response, ChatError> {
    add_user(&Asked::of_room(call)).await
}

/// Put members out of a room
#[utoipa::path(
    delete,
    path = "/chatrooms/{chatroom_id}/users/{usernames}",
    operation_id = "removeRoomMembers",
    tag = "rooms",
    params(
        ("chatroom_id" = String, Path, description = "The room"),
        ("usernames" = String, Path, description = "One member, or up to 100, separated by commas"),
    ),
    responses((status = 200, description = "What became of each", body = serde_json::Value)),
)]
pub(super) async fn remove(call: RoomCall) -> Result<Response, ChatError> {
    remove_users(&Asked::of_room(call)).await
}

/// A page of members.
pub(crate) async fn page(asked: &Asked) -> Result<Response, ChatError> {
    asked.limit_rooms()?;
    let room = match asked.room().await {
        Ok(room) => room,
        Err(refused) if refused.error == "resource_not_found" => {
            return Err(refusals::unknown_group(asked.id_text()));
        }
        Err(refused) => return Err(refused),
    };
    if asked.family == Family::Group {
        asked.may(&room, Right::Member).await?;
    }
    let by_cursor = asked.query("cursor").is_some() || asked.query("limit").is_some();
    let joined_time = asked.query("joined_time").is_some_and(|text| text == "true");
    let (id, node) = (room.room_id(), asked.node());
    let (members, next) = if by_cursor {
        let limit = asked.query_number("limit", MAX_PAGE, MAX_PAGE);
        let page = node.member_page(&asked.app, &id, after(asked)?.as_deref(), limit).await?;
        (page.items, page.next)
    } else {
        let wanted = Numbered::of(asked, MAX_PAGE, MAX_PAGE);
        let page = node.member_page(&asked.app, &id, None, wanted.end(MAX_MEMBERS)).await?;
        (wanted.take(page.items), None)
    };
    let views: Vec<_> = members.iter().map(|(user, member)| view(user, member, joined_time)).collect();
    let params = asked.query_params(&["pagenum", "pagesize", "limit", "cursor", "joined_time"]);
    Ok(asked.answer(views).params(params).count(members.len()).cursor(next.as_deref().map(cursor)).send())
}

fn view(user: &UserId, member: &Member, joined_time: bool) -> Value {
    let mut view = member_view(user, member, joined_time);
    if joined_time {
        view.insert("joined_time".to_owned(), json!(member.joined_ms));
    }
    Value::Object(view)
}

/// Adds the users of a body: who is a member already is passed over.
pub(crate) async fn add_users(asked: &Asked, body: &Object) -> Result<Response, ChatError> {
    let room = asked.room().await?;
    let too_many = format!("addMembers: addMembers number more than maxSize : {MAX_ADDED}");
    let users = Asked::users_in_body(body, MAX_ADDED, &too_many)?;
    asked.may_add(&room, &users).await?;
    asked.limit_rooms()?;
    let added = asked.node().add_members(&asked.app, asked.kind(), &room.room_id(), &users).await;
    let added = added.map_err(|error| asked.refused(error))?;
    let names: Vec<_> = added.iter().map(UserId::as_str).collect();
    let data = json!({ "newmembers": names, "action": "add_member" });
    Ok(asked.answer(asked.with_id(data, IdKeys::One)).send())
}

/// Adds the user of the path. Twice is an error in groups, and none in rooms.
pub(crate) async fn add_user(asked: &Asked) -> Result<Response, ChatError> {
    let room = asked.room().await?;
    let user = Asked::user(asked.param("usernames"))?;
    let users = std::slice::from_ref(&user);
    asked.may_add(&room, users).await?;
    asked.limit_rooms()?;
    let added = asked.node().add_members(&asked.app, asked.kind(), &room.room_id(), users).await;
    let added = added.map_err(|error| asked.refused(error))?;
    if added.is_empty() && asked.family == Family::Group {
        return Err(asked.refused(RoomError::AlreadyMember(user)));
    }
    let data = json!({ "result": true, "action": "add_member", "user": user.as_str() });
    Ok(asked.answer(asked.with_id(data, IdKeys::One)).send())
}

/// Puts out the users of the path. One: refused if it cannot be; several: each has its own answer.
pub(crate) async fn remove_users(asked: &Asked) -> Result<Response, ChatError> {
    let room = asked.room().await?;
    let (users, single) = asked.users_in_path()?;
    let itself = asked.principal().user().is_some_and(|user| users == std::slice::from_ref(user));
    if !itself {
        asked.may(&room, Right::Manage).await?;
    }
    asked.limit_rooms()?;
    let max = if asked.family == Family::Room { MAX_REMOVED_OF_ROOM } else { MAX_REMOVED_OF_GROUP };
    if users.len() > max {
        let text = format!("kickMember: kickMembers number more than maxSize : {max}");
        return Err(refusals::invalid_parameter(text));
    }
    let (id, node) = (room.room_id(), asked.node());
    let outcomes = if itself {
        let left = node.leave_room(&asked.app, asked.kind(), &id, &users[0]).await;
        vec![left]
    } else {
        let removed = node.remove_members(&asked.app, asked.kind(), &id, &users).await;
        removed.map_err(|error| asked.refused(error))?
    };
    let outcomes = users.iter().zip(outcomes).collect();
    each(asked, outcomes, single, "remove_member", IdKeys::One)
}

/// What became of each user: for one an object or a refusal, for several a list.
pub(super) fn each(
    asked: &Asked,
    outcomes: Vec<(&UserId, Result<(), RoomError>)>,
    single: bool,
    action: &str,
    keys: IdKeys,
) -> Result<Response, ChatError> {
    let mut views = Vec::with_capacity(outcomes.len());
    for (user, outcome) in outcomes {
        let mut view = json!({ "result": outcome.is_ok(), "action": action, "user": user.as_str() });
        match outcome {
            Ok(()) => {}
            Err(error) if single => return Err(asked.refused(error)),
            Err(RoomError::NotMembers(_)) => {
                view["reason"] = json!(format!("user: {user} doesn't exist in group: {}", asked.id_text()));
            }
            Err(error) => view["reason"] = json!(asked.refused(error).description),
        }
        views.push(asked.with_id(view, keys));
    }
    let data = if single { views.into_iter().next().unwrap_or_default() } else { Value::Array(views) };
    Ok(asked.answer(data).send())
}
