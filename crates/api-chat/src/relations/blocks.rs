//! `users/{username}/blocks/users…`: whom a user does not want to hear from.

use axum::response::Response;
use serde_json::Value;
use stentor_core::directory::DirectoryError;
use stentor_core::directory::user_blocks::BlockError;
use stentor_core::id::UserId;
use stentor_core::records::cursor;

use super::{MAX_PAGE, after, news, reply_of, two_users};
use crate::body::{Object, RawBody};
use crate::call::Call;
use crate::error::ChatError;
use crate::names::user_id;
use crate::rates::ChatRule;
use crate::users::view::user_view;

/// Users who are unblocked in one request.
pub(super) const MAX_UNBLOCKED: usize = 50;

/// List whom a user blocks
#[utoipa::path(
    get,
    path = "/users/{username}/blocks/users",
    operation_id = "listBlocks",
    tag = "contacts",
    params(
        ("username" = String, Path, description = "The user ID"),
        ("pageSize" = Option<u32>, Query, description = "1 to 50; without it and a cursor, all"),
        ("cursor" = Option<String>, Query, description = "Of the page before"),
    ),
    responses((status = 200, description = "The blocked users, the newest first", body = serde_json::Value)),
)]
pub(super) async fn list(call: Call) -> Result<Response, ChatError> {
    let user = call.user_param("username")?;
    call.app_or(&user)?;
    call.limit(ChatRule::UserBlocks)?;
    let after = after(&call)?;
    let paged = after.is_some() || call.query("pageSize").is_some();
    let limit = if paged { call.query_number("pageSize", MAX_PAGE, MAX_PAGE) } else { usize::MAX };
    let page = call.node().blocked_users(&call.app, &user, after.as_deref(), limit).await?;
    let names: Vec<_> = page.items.iter().map(UserId::as_str).collect();
    let reply = call.reply().without_app().entities(Vec::<Value>::new()).count(names.len());
    Ok(reply.data(names).cursor(page.next.as_deref().map(cursor)).send())
}

/// Block users
#[utoipa::path(
    post,
    path = "/users/{username}/blocks/users",
    operation_id = "blockUsers",
    tag = "contacts",
    params(("username" = String, Path, description = "The user ID")),
    request_body(content = serde_json::Value, example = json!({"usernames": ["user2"]})),
    responses((status = 200, description = "The blocked users", body = serde_json::Value)),
)]
pub(super) async fn add(call: Call, body: RawBody) -> Result<Response, ChatError> {
    block(&call, &body).await
}

/// Block users: the same as web clients ask for it
#[utoipa::path(
    post,
    path = "/sdk/user/{username}/blocks",
    operation_id = "blockUsersAsClients",
    tag = "contacts",
    params(("username" = String, Path, description = "The user ID")),
    request_body(content = serde_json::Value, example = json!({"usernames": ["user2"]})),
    responses((status = 200, description = "The blocked users", body = serde_json::Value)),
)]
pub(super) async fn add_as_clients(call: Call, body: RawBody) -> Result<Response, ChatError> {
    block(&call, &body).await
}

async fn block(call: &Call, body: &RawBody) -> Result<Response, ChatError> {
    let user = call.user_param("username")?;
    call.app_or(&user)?;
    call.limit(ChatRule::UserBlocks)?;
    let body = body.object()?;
    let names = names(&body)?;
    call.node().user(&call.app, &user).await?;
    let blocked: Result<Vec<_>, _> =
        names.iter().map(|name| user_id(name).map_err(|_| no_blocked(&user, name))).collect();
    call.node().block_users(&call.app, &user, &blocked?).await.map_err(|error| refused(&user, error))?;
    news::blocked(call, &user, &names, true).await?;
    Ok(call.reply().uri(call.url("")).entities(Vec::<Value>::new()).data(names).send())
}

fn refused(user: &UserId, error: BlockError) -> ChatError {
    match error {
        BlockError::NoBlocked(name) => no_blocked(user, &name),
        // The documents give the number and no text.
        BlockError::Directory(DirectoryError::TooMany { max }) => {
            ChatError::exceed_limit(format!("user block number exceed limit {max}"))
        }
        BlockError::Directory(other) => other.into(),
    }
}

fn no_blocked(user: &UserId, name: &str) -> ChatError {
    let text = format!("attempt to adding new block[{name}] for user[{user}],but user[{name}] not found.");
    ChatError::illegal_argument(text)
}

/// Unblock users: as web clients ask for it
#[utoipa::path(
    delete,
    path = "/sdk/user/{username}/blocks",
    operation_id = "unblockUsersAsClients",
    tag = "contacts",
    params(("username" = String, Path, description = "The user ID")),
    request_body(content = serde_json::Value, example = json!({"usernames": ["user2"]})),
    responses((status = 200, description = "Who was unblocked", body = serde_json::Value)),
)]
pub(super) async fn remove_as_clients(call: Call, body: RawBody) -> Result<Response, ChatError> {
    let user = call.user_param("username")?;
    call.app_or(&user)?;
    call.limit(ChatRule::UserBlocks)?;
    let body = body.object()?;
    let names = names(&body)?;
    if names.len() > MAX_UNBLOCKED {
        return Err(ChatError::illegal_argument("parameters is invalid : usernames"));
    }
    for name in &names {
        let blocked = user_id(name).map_err(|_| ChatError::user_not_found())?;
        call.node().unblock_user(&call.app, &user, &blocked).await?;
    }
    news::blocked(&call, &user, &names, false).await?;
    Ok(call.reply().uri(call.url("")).entities(Vec::<Value>::new()).data(names).send())
}

fn names(body: &Object) -> Result<Vec<&str>, ChatError> {
    let names = body.texts("usernames")?.filter(|names| !names.is_empty());
    names.ok_or_else(|| ChatError::illegal_argument("parameters is invalid : usernames"))
}

/// Unblock a user
#[utoipa::path(
    delete,
    path = "/users/{username}/blocks/users/{blocked}",
    operation_id = "unblockUser",
    tag = "contacts",
    params(
        ("username" = String, Path, description = "The user ID"),
        ("blocked" = String, Path, description = "The other's user ID"),
    ),
    responses((status = 200, description = "Who was blocked", body = serde_json::Value)),
)]
pub(super) async fn remove(call: Call) -> Result<Response, ChatError> {
    let (user, blocked) = two_users(&call, "blocked")?;
    call.limit(ChatRule::UserBlocks)?;
    let removed = call.node().unblock_user(&call.app, &user, &blocked).await?;
    news::blocked(&call, &user, &[blocked.as_str()], false).await?;
    Ok(reply_of(&call, &user, "blocks").await?.entities(vec![user_view(&removed)]).send())
}
