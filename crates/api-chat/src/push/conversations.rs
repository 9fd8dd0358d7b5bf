//! `users/{username}/notification` and `…/mute/type`: the settings of several conversations (Web SDK).

use axum::response::Response;
use serde_json::{Map, Value, json};
use stentor_core::id::RoomId;
use stentor_core::push::PushConversation;
use stentor_core::records::{cursor, from_cursor};

use super::settings::{own, word};
use super::{invalid, owner, refused};
use crate::call::Call;
use crate::error::ChatError;
use crate::names::any_user;
use crate::rates::ChatRule;

/// Conversations in one request (Web SDK).
pub(super) const MAX_CONVERSATIONS: usize = 20;
/// On a page, and when nobody says how many.
pub(super) const PAGE: (usize, usize) = (100, 10);

/// Get what is pushed of several conversations
#[utoipa::path(
    get,
    path = "/users/{username}/notification",
    operation_id = "getPushSettingsOfMany",
    tag = "push",
    params(
        ("username" = String, Path, description = "The user ID"),
        ("user" = Option<String>, Query, description = "Other users, with commas between them"),
        ("group" = Option<String>, Query, description = "Groups, with commas between them"),
    ),
    responses((status = 200, description = "The settings of those that have some", body = serde_json::Value)),
)]
pub(super) async fn of_many(call: Call) -> Result<Response, ChatError> {
    let user = owner(&call)?;
    call.limit(ChatRule::PushSettingReads)?;
    let (users, groups) = (call.query("user").unwrap_or_default(), call.query("group").unwrap_or_default());
    let names = |list: &str| list.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (users, groups) = (names(&users), names(&groups));
    if users.len() + groups.len() > MAX_CONVERSATIONS {
        return Err(invalid(if groups.len() > users.len() { "group" } else { "user" }));
    }
    let mut asked: Vec<_> = users.iter().map(|name| PushConversation::User(any_user(name))).collect();
    asked.extend(groups.iter().map(|name| PushConversation::Group(RoomId::from_trusted(name))));
    let found = call.node().conversation_pushes(&call.app, &user, &asked).await.map_err(refused)?;
    let (of_users, of_groups) = found.split_at(users.len());
    let named = |names: Vec<String>, found: &[Option<_>]| -> Map<String, Value> {
        names.into_iter().zip(found).filter_map(|(name, push)| Some((name, own(push.as_ref()?)))).collect()
    };
    let data = json!({ "user": named(users, of_users), "group": named(groups, of_groups) });
    Ok(call.reply().path("/users").data(data).send())
}

/// List the conversations that have a mode of their own
#[utoipa::path(
    get,
    path = "/users/{username}/notification/mute/type",
    operation_id = "listPushModes",
    tag = "push",
    params(
        ("username" = String, Path, description = "The user ID"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 10 if it is not given"),
        ("cursor" = Option<String>, Query, description = "Of the page before"),
    ),
    responses((status = 200, description = "A page of conversations and modes", body = serde_json::Value)),
)]
pub(super) async fn list(call: Call) -> Result<Response, ChatError> {
    let user = owner(&call)?;
    call.limit(ChatRule::PushSettingReads)?;
    let limit = call.query_number("limit", PAGE.1, PAGE.0);
    let mut after = match call.cursor() {
        Some(text) => Some(from_cursor(&text).ok_or_else(|| invalid("cursor"))?),
        None => None,
    };
    let mut data = Vec::new();
    // Some have only a time: a page is filled, for clients that take a short one for the last.
    loop {
        let left = limit - data.len();
        let page = call.node().list_conversation_pushes(&call.app, &user, after, left).await.map_err(refused)?;
        data.extend(page.items.iter().filter_map(|(conversation, push)| {
            let (kind, name) = match conversation {
                PushConversation::User(other) => ("user", other.as_str()),
                PushConversation::Group(group) => ("group", group.as_str()),
            };
            Some(json!({ kind: name, "value": word(push.mode?) }))
        }));
        after = page.next;
        if after.is_none() || data.len() >= limit {
            break;
        }
    }
    let next = after.as_deref().map(cursor);
    Ok(call.reply().path("/users").data(data).cursor(next).send())
}
