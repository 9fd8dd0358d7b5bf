//! `POST users/{username}/messageroaming`: the past of a conversation, page by page, as clients ask for it. What they get
//! is ours, and beside it, in `msg`, what the vendor's service answers: an item of its own protocol.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use stentor_chat_content::ContentView;
use stentor_core::history::{Conversation, Hide};
use stentor_core::id::{MessageId, UserId};
use stentor_core::message::{Message, Target};
use stentor_core::node::QueryError;
use stentor_core::store::{HistoryFilter, HistoryPage};

use super::item::item;
use super::request::{is_printable, read, room};
use crate::auth::Principal;
use crate::body::RawBody;
use crate::call::Call;
use crate::error::ChatError;
use crate::names::any_user;
use crate::rates::ChatRule;

/// Messages on a page unless the client says how many (Web SDK).
pub(super) const DEFAULT_PAGE: u64 = 20;
/// Messages on a page, at most. Our choice: clients ask for up to 50.
pub(super) const MAX_PAGE: u64 = 100;

/// The body.
#[derive(Debug, Deserialize)]
struct Roaming {
    /// `user@easemob.com`, or `group@conference.easemob.com`, with or without `org#app_` before it.
    queue: Option<String>,
    /// Where the last page ended; -1 or nothing: at the beginning.
    start: Option<Value>,
    pull_number: Option<u64>,
    /// From the oldest on, instead of from the newest.
    is_positive: Option<bool>,
    /// Types, with commas between them; empty: all.
    #[serde(rename = "msgType")]
    types: Option<String>,
    #[serde(rename = "startTime")]
    start_ms: Option<u64>,
    #[serde(rename = "endTime")]
    end_ms: Option<u64>,
    /// Only from this user.
    #[serde(rename = "userId")]
    from: Option<String>,
}

/// The past of a conversation
#[utoipa::path(
    post,
    path = "/users/{username}/messageroaming",
    operation_id = "roamingMessages",
    tag = "messages",
    params(("username" = String, Path, description = "The user ID")),
    request_body(content = serde_json::Value, example = json!({
        "queue": "user2@easemob.com", "start": -1, "pull_number": 20, "is_positive": false, "end": -1
    })),
    responses((status = 200, description = "A page of messages, and where the next begins", body = serde_json::Value)),
)]
pub(super) async fn handler(call: Call, body: RawBody) -> Result<Response, ChatError> {
    let owner = call.user_param("username")?;
    call.app_or(&owner)?;
    if !call.chat.features.roaming {
        return Err(closed());
    }
    call.limit(ChatRule::RoamingReads)?;
    let request: Roaming = read(&body)?;
    let conversations = request.conversations(&call, &owner).await?;
    let forwards = request.is_positive.unwrap_or(false);
    let limit = request.pull_number.filter(|limit| *limit > 0).unwrap_or(DEFAULT_PAGE).min(MAX_PAGE);
    // One more, to know whether there is another page.
    let page = HistoryPage { offset: 0, limit: limit + 1, newest_first: !forwards };
    let mut found = Vec::new();
    for conversation in &conversations {
        let filter = request.filter(conversation.seen_by(&owner), forwards)?;
        found.extend(call.node().history(&call.app, &filter, page).await.map_err(not_found)?);
    }
    found.sort_unstable_by_key(|message| if forwards { message.id.0 } else { u64::MAX - message.id.0 });
    let is_last = found.len() as u64 <= limit;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next_key = found.last().map(|message| message.id.to_string());
    let types = request.types.as_deref().unwrap_or_default();
    let wanted = |kind: &str| types.is_empty() || types.split(',').any(|word| word.trim() == kind);
    // By default broadcasts do not roam (broadcast documents); they are in the downloads.
    let roams = |message: &&Arc<Message>| call.chat.broadcasts_roam || !message.marks.broadcast;
    let app = call.app.id().as_str();
    let msgs: Vec<_> = found.iter().filter(roams).filter_map(|message| view(app, message, wanted)).collect();
    let data = json!({ "msgs": msgs, "next_key": next_key, "is_last": is_last, "queue": request.queue });
    Ok(call.reply().path(call.path()).data(data).send())
}

impl Roaming {
    /// What is asked for. A group and a room may have one name: the queue does not say which it is.
    async fn conversations(&self, call: &Call, owner: &UserId) -> Result<Vec<Conversation>, ChatError> {
        let queue = self.queue.as_deref().unwrap_or_default();
        let queue = queue.strip_prefix(&format!("{}_", call.chat.key())).unwrap_or(queue);
        let (name, domain) = queue.split_once('@').unwrap_or((queue, ""));
        if !is_printable(name) {
            return Err(ChatError::illegal_argument("queue is invalid"));
        }
        if !domain.starts_with("conference.") {
            return Ok(vec![with_user(name)]);
        }
        // The past of a group is its members'.
        let member = call.node().is_member(&call.app, &room(name), owner).await?;
        if !member && !matches!(call.principal(), Principal::App) {
            return Err(call.no_permission());
        }
        Ok(in_groups(name))
    }

    fn filter(&self, all: HistoryFilter, forwards: bool) -> Result<HistoryFilter, ChatError> {
        let from_where = match &self.start {
            None | Some(Value::Null) => None,
            Some(Value::Number(number)) if number.as_i64() == Some(-1) => None,
            Some(Value::Number(number)) => Some(number.as_u64()),
            Some(Value::String(text)) if text.is_empty() || text == "-1" => None,
            Some(Value::String(text)) => Some(text.parse().ok()),
            Some(_) => Some(None),
        };
        let from_where = match from_where {
            None => None,
            Some(id) => Some(id.map(MessageId).ok_or_else(|| ChatError::illegal_argument("start is invalid"))?),
        };
        let from = self.from.as_deref().filter(|name| !name.is_empty()).map(any_user);
        // Between two, the filter's own sender says whose conversation it is.
        let from = if all.both_ways { all.from.clone() } else { from };
        Ok(HistoryFilter {
            from,
            after: from_where.filter(|_| forwards),
            before: from_where.filter(|_| !forwards),
            start_ms: self.start_ms.unwrap_or(0),
            end_ms: self.end_ms.unwrap_or(u64::MAX),
            ..all
        })
    }
}

/// A message of the past, if its type is wanted.
fn view(app: &str, message: &Message, wanted: impl Fn(&str) -> bool) -> Option<Value> {
    let content = ContentView::decode(&message.payload).ok().filter(|content| wanted(content.kind().as_str()))?;
    let parsed = |json: &str| serde_json::from_str::<Value>(json).ok();
    let chat_type = match message.to {
        Target::User(_) => "chat",
        Target::Group(_) => "groupchat",
        Target::Room(_) => "chatroom",
    };
    let (body, ext) = (parsed(content.body())?, parsed(content.ext().unwrap_or("{}"))?);
    Some(json!({
        "id": message.id.to_string(), "from": message.from.as_str(), "to": message.to.name(), "chat_type": chat_type,
        "body_type": content.kind().as_str(), "body": body, "ext": ext, "ts": message.sent_at_ms,
        "edits": message.marks.edits, "msg": item(app, message, content),
    }))
}

/// The conversation with a user.
pub(super) fn with_user(name: &str) -> Conversation {
    Conversation::With(any_user(name))
}

/// What was said in the group, and in the room, of this name.
pub(super) fn in_groups(name: &str) -> Vec<Conversation> {
    vec![Conversation::In(Target::Group(room(name))), Conversation::In(Target::Room(room(name)))]
}

/// Hides from a user what there is of conversations.
pub(super) async fn conversations(
    call: &Call,
    user: &UserId,
    what: &[Conversation],
    hide: &Hide,
) -> Result<(), ChatError> {
    for conversation in what {
        call.node().hide(&call.app, user, conversation, hide.clone()).await?;
    }
    Ok(())
}

/// 403: the same, as the Web SDK looks for it when it asks for the past.
fn closed() -> ChatError {
    ChatError::new(StatusCode::FORBIDDEN, "forbidden_op", "messageroaming function not open")
}

/// 400: the app keeps nothing of the past.
pub(super) fn not_open() -> ChatError {
    let text = "this appKey not open message roaming";
    ChatError::new(StatusCode::BAD_REQUEST, "service open exception", text)
}

fn not_found(error: QueryError) -> ChatError {
    match error {
        QueryError::NoHistory => closed(),
        QueryError::Store(error) => error.into(),
        QueryError::Limited(_) => ChatError::reach_limit(),
    }
}
