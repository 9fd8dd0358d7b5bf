//! `POST chatrooms`, `POST chatgroups`.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use stentor_core::directory::room_error::RoomError;
use stentor_core::directory::rooms::{NewRoom, Room};
use stentor_core::id::UserId;

use super::asked::{Asked, Family, RoomCall};
use super::fields::RoomFields;
use super::refusals;
use crate::body::{Object, RawBody};
use crate::error::ChatError;
use crate::rates::ChatRule;

/// Create a room
#[utoipa::path(
    post,
    path = "/chatrooms",
    operation_id = "createRoom",
    tag = "rooms",
    request_body(content = serde_json::Value, example = json!({"name": "lobby", "description": "Everybody", "owner": "user1", "maxusers": 300, "members": ["user2"]})),
    responses((status = 200, description = "The room's ID", body = serde_json::Value)),
)]
pub(super) async fn handler(call: RoomCall, body: RawBody) -> Result<Response, ChatError> {
    let asked = Asked::of_room(call);
    asked.limit(ChatRule::RoomCreations)?;
    create(&asked, &body.object()?).await
}

/// Creates a room or group.
pub(crate) async fn create(asked: &Asked, body: &Object) -> Result<Response, ChatError> {
    let new = read(asked, body)?;
    let room = made(asked, new).await?;
    let key = if asked.family == Family::Room { "id" } else { "groupid" };
    Ok(asked.answer(json!({ key: room.id })).send())
}

/// What is to be created.
pub(crate) fn read(asked: &Asked, body: &Object) -> Result<NewRoom, ChatError> {
    let fields = RoomFields::read(asked, body)?;
    match asked.family {
        Family::Room => new_room(asked, body, fields),
        Family::Group => new_group(asked, body, fields),
    }
}

/// Creates it.
pub(crate) async fn made(asked: &Asked, new: NewRoom) -> Result<Room, ChatError> {
    asked.node().create_room(&asked.app, new).await.map_err(|error| refused(asked, error))
}

fn new_room(asked: &Asked, body: &Object, fields: RoomFields) -> Result<NewRoom, ChatError> {
    let text = "chatroom must contain title/name field!";
    let name = fields.name.ok_or_else(|| refusals::invalid_parameter(text))?;
    let description = fields.description.ok_or_else(|| refusals::must_be_provided("description"))?;
    Ok(NewRoom {
        kind: asked.kind(),
        name,
        description,
        owner: owner(asked, body)?,
        max_users: fields.max_users.unwrap_or(asked.chat.rooms.room_users_default),
        members: members(asked, body)?,
        custom: fields.custom.unwrap_or_default(),
        public: true,
        members_only: false,
        allow_invites: false,
        invite_need_confirm: false,
        avatar: String::new(),
    })
}

fn new_group(asked: &Asked, body: &Object, fields: RoomFields) -> Result<NewRoom, ChatError> {
    let public = fields.public.ok_or_else(|| refusals::invalid_parameter("group must contain public field!"))?;
    Ok(NewRoom {
        kind: asked.kind(),
        name: fields.name.unwrap_or_default(),
        description: fields.description.unwrap_or_default(),
        owner: owner(asked, body)?,
        max_users: fields.max_users.unwrap_or(asked.chat.rooms.group_users_default),
        members: members(asked, body)?,
        custom: fields.custom.unwrap_or_default(),
        public,
        // Nobody can ask to come into a private group.
        members_only: fields.members_only.unwrap_or(false) || !public,
        // A public group begins without it, whatever is asked (group documents).
        allow_invites: fields.allow_invites.unwrap_or(false) && !public,
        invite_need_confirm: fields.invite_need_confirm.unwrap_or(true),
        avatar: fields.avatar.unwrap_or_default(),
    })
}

/// A user owns what it creates.
fn owner(asked: &Asked, body: &Object) -> Result<UserId, ChatError> {
    let Some(user) = asked.principal().user() else { return Asked::user_field(body, "owner") };
    match body.text("owner")? {
        Some(name) if Asked::user(name)? != *user => Err(asked.no_permission()),
        _ => Ok(user.clone()),
    }
}

/// Clients always send a list, an empty one if nobody is to come in.
fn members(asked: &Asked, body: &Object) -> Result<Vec<UserId>, ChatError> {
    match body.texts("members")? {
        Some(names) if names.is_empty() && asked.principal().user().is_none() => {
            Err(refusals::must_be_provided("members"))
        }
        Some(names) => names.into_iter().map(Asked::user).collect(),
        None => Ok(Vec::new()),
    }
}

/// Limits have another key here than where somebody is added.
pub(crate) fn refused(asked: &Asked, error: RoomError) -> ChatError {
    let plural = asked.family.plural();
    match error {
        RoomError::TooManyJoined(user) => ChatError::exceed_limit(format!("user {user} has joined too many {plural}!")),
        RoomError::TooManyRooms => {
            let text = format!("appKey:{} has create too many {plural}!", asked.chat.key());
            ChatError::new(StatusCode::FORBIDDEN, "exceed_limit", text)
        }
        other => asked.refused(other),
    }
}
