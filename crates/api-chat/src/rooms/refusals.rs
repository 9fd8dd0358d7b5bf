//! The refusals of the service of rooms and groups.

use std::borrow::Cow;

use axum::http::StatusCode;
use stentor_core::directory::room_error::RoomError;
use stentor_core::id::UserId;

use super::asked::Family;
use crate::error::{ChatError, exception};

/// 401: there is no token.
pub(crate) fn blank_token() -> ChatError {
    ChatError::new(StatusCode::UNAUTHORIZED, "group_authorization", "token is blank!")
        .with(exception::GROUP_AUTHORIZATION)
}

/// 400: a parameter is not as it should be.
pub(crate) fn invalid_parameter(text: impl Into<Cow<'static, str>>) -> ChatError {
    ChatError::new(StatusCode::BAD_REQUEST, "invalid_parameter", text).with(exception::INVALID_PARAMETER)
}

/// 400: a field is missing.
pub(crate) fn must_be_provided(field: &str) -> ChatError {
    invalid_parameter(format!("{field} must be provided"))
}

/// 403: not allowed.
pub(crate) fn forbidden(text: impl Into<Cow<'static, str>>) -> ChatError {
    ChatError::new(StatusCode::FORBIDDEN, "forbidden_op", text).with(exception::FORBIDDEN_OP)
}

/// 403: the group is switched off. The text is ours.
pub(crate) fn disabled(id: &str) -> ChatError {
    forbidden(format!("group {id} is disabled!"))
}

/// 404: something is not there.
pub(crate) fn not_found(text: impl Into<Cow<'static, str>>) -> ChatError {
    ChatError::new(StatusCode::NOT_FOUND, "resource_not_found", text).with(exception::RESOURCE_NOT_FOUND)
}

/// 404: no such room or group.
pub(crate) fn no_room(id: &str) -> ChatError {
    not_found(format!("grpID {id} does not exist!"))
}

/// 404: the same, where details and members are asked for.
pub(crate) fn unknown_group(id: &str) -> ChatError {
    ChatError::new(StatusCode::NOT_FOUND, "service_resource_not_found", format!("do not find this group:{id}"))
}

/// 404: no such user.
pub(crate) fn no_user(name: &str) -> ChatError {
    not_found(format!("username {name} doesn't exist!"))
}

/// Users who are no members: rooms 400 (recorded), groups 403 (documented).
pub(crate) fn not_members(family: Family, users: &[UserId]) -> ChatError {
    let names: Vec<_> = users.iter().map(UserId::as_str).collect();
    let text = format!("users [{}] are not members of this group!", names.join(", "));
    match family {
        Family::Room => invalid_parameter(text),
        Family::Group => forbidden(text),
    }
}

/// What the core refused, in the words of the family.
pub(crate) fn refused(family: Family, error: RoomError, id: &str) -> ChatError {
    let plural = family.plural();
    match error {
        RoomError::NoRoom(id) => no_room(id.as_str()),
        RoomError::NoUser(user) => no_user(user.as_str()),
        RoomError::NotMembers(users) => not_members(family, &users),
        RoomError::AlreadyMember(user) => {
            forbidden(format!("can not join this group, reason:user: {user} already in group: {id}\n"))
        }
        // Ours: the documents have no text for it.
        RoomError::Blocked(user) => {
            forbidden(format!("can not join this group, reason:user {user} is in the block list!"))
        }
        RoomError::Full => forbidden("group member list is full!"),
        RoomError::TooManyMembers => ChatError::exceed_limit("members size is greater than max user size !"),
        RoomError::TooManyJoined(user) => {
            forbidden(format!("can not join this group, reason:user {user} has joined too many {plural}!"))
        }
        RoomError::TooManyRooms => ChatError::exceed_limit(format!("has create too many {plural}!")),
        RoomError::MoreMembers => forbidden("current user count is larger than the maxUsers that you want to update !"),
        RoomError::IsOwner => forbidden("forbidden operation on group owner!"),
        RoomError::SameOwner => forbidden("new owner and old owner are the same"),
        // Ours: no document has these.
        RoomError::TooMany { max } => ChatError::exceed_limit(format!("at most {max} are allowed")),
        // As of any file: clients take a "does not exist" for the group's.
        RoomError::NoFile => crate::files::not_there(),
        RoomError::SessionEnded => ChatError::unavailable(),
        RoomError::Store(error) => error.into(),
    }
}
