//! `PUT push/nickname`: the names that the pushes of many users show (push documents).

use axum::response::Response;
use serde_json::{Value, json};
use stentor_core::directory::DirectoryError;
use stentor_core::directory::users::UserChange;
use stentor_core::id::UserId;

use crate::body::{Object, RawBody};
use crate::call::Call;
use crate::error::ChatError;
use crate::names::user_id;
use crate::rates::ChatRule;
use crate::users::MAX_NICKNAME;

/// Users in one request.
pub(super) const MAX_USERS: usize = 50;

/// Set the nicknames of many users
#[utoipa::path(
    put,
    path = "/push/nickname",
    operation_id = "setPushNicknames",
    tag = "push",
    request_body(content = serde_json::Value, example = json!([{ "username": "user1", "push_nickname": "One" }])),
    responses((status = 200, description = "Those that were set: who is not there is left out", body = serde_json::Value)),
)]
pub(super) async fn handler(call: Call, body: RawBody) -> Result<Response, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::PushNicknames)?;
    let asked = read(&body)?;
    let mut entities = Vec::with_capacity(asked.len());
    for (user, nickname) in asked {
        let change = UserChange { nickname: Some(nickname.clone()), ..UserChange::default() };
        match call.node().change_user(&call.app, &user, &change).await {
            Ok(_) => entities.push(json!({ "push_nickname": nickname, "username": user.as_str() })),
            Err(DirectoryError::NoUser(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(call.reply().path("/push").uri(call.url("/push")).entities(entities).send())
}

fn read(body: &RawBody) -> Result<Vec<(UserId, String)>, ChatError> {
    let Value::Array(items) = body.value()? else {
        return Err(ChatError::illegal_argument("put user push nicknames illegal empty request body"));
    };
    if items.is_empty() {
        return Err(ChatError::illegal_argument("put user push nicknames illegal empty request body"));
    }
    if items.len() > MAX_USERS {
        return Err(ChatError::illegal_argument("put user push nicknames exceeds the limit"));
    }
    let read = |item| {
        let Value::Object(item) = item else { return Err(super::invalid("username")) };
        let item = Object(item);
        let name = item.text("username")?.ok_or_else(|| super::invalid("username"))?;
        let user = user_id(name).map_err(|_| super::invalid("username"))?;
        let nickname = item.text("push_nickname")?.ok_or_else(|| super::invalid("push_nickname"))?;
        if nickname.chars().count() > MAX_NICKNAME {
            return Err(ChatError::illegal_argument(format!("{name} push nickname length exceeds the limit")));
        }
        Ok((user, nickname.to_owned()))
    };
    items.into_iter().map(read).collect()
}
