//! `push/list/label` and `push/task`: pushes without a message to the users of labels, and to everybody (push documents). The
//! answer comes at once; the queue tells the users page by page.

use axum::response::Response;
use serde_json::{Map, Value, json};
use stentor_core::id::MessageId;
use stentor_push_queue::tasks::{NewTask, TaskError, TaskView};
use stentor_push_queue::{PageError, PushQueue, TaskPage};

use super::direct::{Asked, Way, begin, brief, limit_request, open_queue};
use super::invalid;
use super::labels::no_label;
use crate::body::{Object, RawBody};
use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// Labels in one request (documented).
pub(super) const MAX_LABELS: usize = 5;
/// How much later a task may begin, from and to, in milliseconds (documented).
pub(super) const START_MS: (u64, u64) = (3_600_000, 30 * 86_400_000);

/// Push to the users of labels
#[utoipa::path(
    post,
    path = "/push/list/label",
    operation_id = "pushToLabels",
    tag = "push",
    request_body(content = serde_json::Value, example = json!({
        "targets": ["post-90s"], "strategy": 2, "pushMessage": { "title": "Hello", "content": "Welcome" }
    })),
    responses((status = 200, description = "The number of the task, as `taskId`", body = serde_json::Value)),
)]
pub(super) async fn labels(call: Call, body: RawBody) -> Result<Response, ChatError> {
    call.only_app()?;
    let body = body.object()?;
    let (queue, _) = begin(&call, ChatRule::PushToLabels, &body)?;
    let targets = body.texts("targets")?.filter(|targets| !targets.is_empty()).ok_or_else(|| invalid("targets"))?;
    if targets.len() > MAX_LABELS {
        return Err(limit_request());
    }
    let mut labels: Vec<(u64, String)> = Vec::with_capacity(targets.len());
    for name in targets {
        if !labels.iter().any(|(_, label)| label == name) {
            let (_, users) = call.node().push_label(&call.app, name).await?.ok_or_else(|| no_label(name))?;
            labels.push((users, name.to_owned()));
        }
    }
    // Whom fewest are called comes first: the others are asked for these only.
    labels.sort();
    let id = create(&call, queue, &body, labels.into_iter().map(|(_, label)| label).collect()).await?;
    Ok(brief(&call).data(json!({ "taskId": id })).send())
}

/// Push to everybody
#[utoipa::path(
    post,
    path = "/push/task",
    operation_id = "pushToEverybody",
    tag = "push",
    request_body(content = serde_json::Value, example = json!({
        "startDate": "2030-01-01 12:00:00", "pushMessage": { "title": "Hello", "subTitle": "Hello", "content": "Hello" }
    })),
    responses((status = 200, description = "The number of the task", body = serde_json::Value)),
)]
pub(super) async fn everybody(call: Call, body: RawBody) -> Result<Response, ChatError> {
    call.only_app()?;
    let body = body.object()?;
    let (queue, _) = begin(&call, ChatRule::PushTasks, &body)?;
    let id = create(&call, queue, &body, Vec::new()).await?;
    Ok(brief(&call).data(id).send())
}

/// List tasks
#[utoipa::path(
    get,
    path = "/push/task",
    operation_id = "listPushTasks",
    tag = "push",
    responses((status = 200, description = "The tasks of `push/list/label` and `push/task` that have not come to their end, \
        the next to begin first", body = serde_json::Value)),
)]
pub(super) async fn list(call: Call) -> Result<Response, ChatError> {
    call.only_app()?;
    let queue = open_queue(&call)?;
    call.limit(ChatRule::PushLogReads)?;
    let shown = |task: TaskView| {
        let said: Value = serde_json::from_str(&task.said).unwrap_or_default();
        let (id, start_ms) = (task.id.0, task.start_ms);
        let mut shown =
            json!({ "taskId": id, "start": start_ms, "begun": task.begun, "pushMessage": said["pushMessage"] });
        if !task.labels.is_empty() {
            shown["labels"] = task.labels.into();
        }
        shown
    };
    let tasks = queue.tasks().await?;
    Ok(brief(&call).data(tasks.into_iter().map(shown).collect::<Vec<_>>()).send())
}

/// Take a task away
#[utoipa::path(
    delete,
    path = "/push/task/{task_id}",
    operation_id = "cancelPushTask",
    tag = "push",
    params(("task_id" = u64, Path, description = "Its number")),
    responses((status = 200, description = "Whom it has not told by now it does not tell", body = serde_json::Value)),
)]
pub(super) async fn cancel(call: Call) -> Result<Response, ChatError> {
    call.only_app()?;
    let queue = open_queue(&call)?;
    call.limit(ChatRule::PushLogReads)?;
    let id = call.param("task_id").parse().ok().map(MessageId).ok_or_else(|| invalid("taskId"))?;
    if !queue.cancel_task(id).await? {
        return Err(ChatError::illegal_argument("push task does not exist"));
    }
    Ok(brief(&call).data(json!({ "taskId": id.0, "result": "success" })).send())
}

/// Makes the task of a body that was read before, and returns its number.
async fn create(call: &Call, queue: &PushQueue, body: &Object, labels: Vec<String>) -> Result<u64, ChatError> {
    let start_ms = start(call, body)?;
    let kept = ["strategy", "pushMessage"].map(|name| (name.to_owned(), body.0.get(name).cloned().unwrap_or_default()));
    let said = Value::from(Map::from_iter(kept)).to_string();
    match queue.create_task(NewTask { labels, said, start_ms }).await {
        Ok(id) => Ok(id.0),
        Err(TaskError::TooMany) => Err(limit_request()),
        Err(TaskError::Store(error)) => Err(error.into()),
    }
}

/// When it is to begin, if not at once.
fn start(call: &Call, body: &Object) -> Result<Option<u64>, ChatError> {
    let Some(text) = body.text("startDate")?.filter(|text| !text.is_empty()) else { return Ok(None) };
    // The text has whole seconds: so has what it is measured by.
    let now_ms = call.node().clock().wall_ms() / 1000 * 1000;
    let in_range = |start_ms: &u64| (now_ms + START_MS.0..=now_ms + START_MS.1).contains(start_ms);
    call.chat.push_zone.read(text).filter(in_range).map(Some).ok_or_else(|| invalid("startDate"))
}

/// Tells users what a task says.
pub(super) async fn tell_page(page: TaskPage<'_>) -> Result<(), PageError> {
    let TaskPage { queue, said, users, step } = page;
    let body: Map<String, Value> = serde_json::from_str(said).map_err(|_| PageError::Unreadable)?;
    let asked = Asked::read(&Object(body)).map_err(|_| PageError::Unreadable)?;
    Way::over(queue).page(users, &asked, step).await
}
