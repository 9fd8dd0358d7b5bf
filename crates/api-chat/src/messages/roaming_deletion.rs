//! `rest/message/roaming/…`: a user does not want to find messages of the past any more (Easemob roaming documents).
//! Clients call the same as `sdk/message/roaming/…`. Replies have no envelope.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use stentor_core::history::{Conversation, Hide};
use stentor_core::id::{MessageId, UserId};
use stentor_http_kit::json::json as reply;

use super::request::is_printable;
use super::roaming::{conversations, in_groups, not_open, with_user};
use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// Messages in one request (Easemob roaming documents).
pub(super) const MAX_MESSAGES: usize = 50;

macro_rules! endpoint {
    ($method:ident $path:literal, $name:ident, $operation:literal, $about:literal, $does:expr) => {
        #[doc = $about]
        #[utoipa::path(
                    $method,
                    path = $path,
                    operation_id = $operation,
                    tag = "messages",
                    params(("username" = String, Path, description = "Whose view of the history")),
                    responses((status = 200, description = "`requestStatusCode` is `ok`", body = serde_json::Value)),
                )]
        pub(super) async fn $name(call: Call) -> Result<Response, ChatError> {
            $does(call).await
        }
    };
}

endpoint!(delete "/rest/message/roaming/chat/user/{username}", user_messages, "deleteRoamingUserMessages",
    "Delete messages with a user for one side, by ID", of_user_by_id);
endpoint!(delete "/rest/message/roaming/group/user/{username}", group_messages, "deleteRoamingGroupMessages",
    "Delete messages of a group or room for one member, by ID", of_group_by_id);
endpoint!(delete "/rest/message/roaming/chat/user/{username}/time", user_time, "deleteRoamingUserMessagesUntil",
    "Delete messages with a user for one side, up to a time", of_user_by_time);
endpoint!(post "/rest/message/roaming/chat/user/{username}/time", user_time_post, "deleteRoamingUserMessagesUntilByPost",
    "Delete messages with a user for one side, up to a time", of_user_by_time);
endpoint!(delete "/rest/message/roaming/group/user/{username}/time", group_time, "deleteRoamingGroupMessagesUntil",
    "Delete messages of a group or room for one member, up to a time", of_group_by_time);
endpoint!(post "/rest/message/roaming/group/user/{username}/time", group_time_post, "deleteRoamingGroupMessagesUntilByPost",
    "Delete messages of a group or room for one member, up to a time", of_group_by_time);
endpoint!(post "/rest/message/roaming/user/{username}/delete/all", everything, "deleteRoamingMessages",
    "Delete all messages for one user", all);

async fn of_user_by_id(call: Call) -> Result<Response, ChatError> {
    let ids = ids(&call);
    delete(&call, "userId", ids).await
}

async fn of_group_by_id(call: Call) -> Result<Response, ChatError> {
    let ids = ids(&call);
    delete(&call, "groupId", ids).await
}

async fn of_user_by_time(call: Call) -> Result<Response, ChatError> {
    let until = until(&call);
    delete(&call, "userId", until).await
}

async fn of_group_by_time(call: Call) -> Result<Response, ChatError> {
    let until = until(&call);
    delete(&call, "groupId", until).await
}

async fn all(call: Call) -> Result<Response, ChatError> {
    let user = begin(&call)?;
    call.node().hide_everything(&call.app, &user).await?;
    Ok(done(&call))
}

/// The user of the path, if the app has roaming, the caller may, and not too often.
fn begin(call: &Call) -> Result<UserId, ChatError> {
    let user = call.user_param("username")?;
    call.app_or(&user)?;
    if !call.chat.features.roaming {
        return Err(not_open());
    }
    call.limit(ChatRule::RoamingDeletions)?;
    Ok(user)
}

/// `with`: the parameter that names the other side.
async fn delete(call: &Call, with: &'static str, hide: Result<Hide, ChatError>) -> Result<Response, ChatError> {
    let user = begin(call)?;
    let name = call.query(with).filter(|name| is_printable(name)).ok_or_else(|| bad(format!("{with} is invalid")))?;
    let hide = hide?;
    let what: Vec<Conversation> = if with == "userId" { vec![with_user(&name)] } else { in_groups(&name) };
    conversations(call, &user, &what, &hide).await?;
    if call.query("isNotify").as_deref() != Some("false") {
        let mut news = json!({ "event": "roaming_deleted", "with": name, "group": with == "groupId" });
        if let Some(device) = call.query("resource") {
            news["device"] = device.into();
        }
        match &hide {
            Hide::UpTo(ms) => news["until"] = (*ms).into(),
            Hide::Messages(ids) => news["ids"] = ids.iter().map(ToString::to_string).collect(),
        }
        call.node().tell_devices(&call.app, &user, news.to_string().into()).await?;
    }
    Ok(done(call))
}

fn ids(call: &Call) -> Result<Hide, ChatError> {
    let list = call.query("msgIdList").unwrap_or_default();
    let ids: Vec<_> = list.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
    if ids.is_empty() {
        return Err(bad("msgIdList can not be empty"));
    }
    if ids.len() > MAX_MESSAGES {
        return Err(bad("delete msg list limit can not greater than 50"));
    }
    // What is no number was never the number of a message.
    Ok(Hide::Messages(ids.iter().filter_map(|id| id.parse().ok()).filter(|id| *id != MessageId::ZERO).collect()))
}

fn until(call: &Call) -> Result<Hide, ChatError> {
    let until = call.query("delTime").and_then(|text| text.parse().ok()).map(Hide::UpTo);
    until.ok_or_else(|| bad("delTime is invalid"))
}

fn bad(text: impl Into<std::borrow::Cow<'static, str>>) -> ChatError {
    ChatError::new(StatusCode::BAD_REQUEST, "param exception", text)
}

fn done(call: &Call) -> Response {
    reply(StatusCode::OK, &json!({ "requestStatusCode": "ok", "timestamp": call.now_ms() }))
}
