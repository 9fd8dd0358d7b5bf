//! `GET callbacks/storage/info` and `POST callbacks/storage/retry`: callbacks that could not be delivered, and sending them
//! again (Easemob document `callback_postsending_exception_storage`).

use axum::response::Response;
use serde_json::{Value, json};
use stentor_callbacks::{ResendError, SetDate};

use super::Callbacks;
use crate::body::RawBody;
use crate::call::Call;
use crate::envelope::Envelope;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// What both have in common: only the backend, and the rate.
fn allowed(call: &Call) -> Result<&Callbacks, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::Callbacks)?;
    call.chat.callbacks.as_ref().ok_or_else(ChatError::internal)
}

/// The envelope of the documents' examples: both have the collection's URL, and the action `post`.
fn reply(call: &Call, data: Value) -> Envelope {
    call.reply().path("/callbacks").uri(call.url("/callbacks")).action("post").data(data)
}

/// List the callbacks that could not be delivered
#[utoipa::path(
    get,
    path = "/callbacks/storage/info",
    operation_id = "listFailedCallbacks",
    tag = "callbacks",
    responses((status = 200, description = "Sets of ten minutes (UTC), with size and number of retries", body = serde_json::Value)),
)]
pub(super) async fn info(call: Call) -> Result<Response, ChatError> {
    let sets = allowed(&call)?.outbox().dead_sets().await?;
    let set =
        |set: &stentor_callbacks::DeadSet| json!({ "date": set.date.as_str(), "size": set.size, "retry": set.resends });
    Ok(reply(&call, sets.iter().map(set).collect()).send())
}

/// Send the callbacks of ten minutes again
#[utoipa::path(
    post,
    path = "/callbacks/storage/retry",
    operation_id = "retryFailedCallbacks",
    tag = "callbacks",
    request_body(content = serde_json::Value, example = json!({ "date": "202108272230", "retry": 0, "targetUrl": "" })),
    responses((status = 200, description = "success, or failure if there was nothing to send", body = serde_json::Value)),
)]
pub(super) async fn retry(call: Call, body: RawBody) -> Result<Response, ChatError> {
    let callbacks = allowed(&call)?;
    let fields = body.object()?;
    let date = fields.text("date")?.and_then(SetDate::parse).ok_or_else(|| invalid("date"))?;
    // Counted by the backend for itself (documented): only its type is looked at.
    fields.integer("retry")?;
    let target = fields.text("targetUrl")?.filter(|url| !url.is_empty());
    let sent = callbacks.outbox().resend(&date, target).await.map_err(|error| match error {
        ResendError::Url(_) => invalid("targetUrl"),
        ResendError::Store(error) => error.into(),
    })?;
    let data = if sent > 0 { "success" } else { "failure" };
    Ok(reply(&call, data.into()).send())
}

/// 400. No document has a text; this is that of its neighbours.
fn invalid(field: &str) -> ChatError {
    ChatError::illegal_argument(format!("parameters is invalid : {field}"))
}
