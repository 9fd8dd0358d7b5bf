//! `push/log`: what became of the push of a message. Ours; the vendor has a page in its console for it.

use axum::response::Response;
use serde_json::{Value, json};
use stentor_core::id::MessageId;
use stentor_push_queue::log::{PushLogDevice, PushLogEntry};

use super::{invalid, owner_of};
use crate::call::Call;
use crate::error::ChatError;
use crate::rates::ChatRule;

/// Entries in one answer at most, and when nobody says how many.
pub(super) const PAGE: (usize, usize) = (100, 20);

/// See what became of pushes
#[utoipa::path(
    get,
    path = "/push/log",
    operation_id = "getPushLog",
    tag = "push",
    params(
        ("user" = String, Query, description = "The receiver"),
        ("msg_id" = Option<String>, Query, description = "The message; without it, the user's newest ones"),
        ("limit" = Option<usize>, Query, description = "How many, at most 100; 20 if nothing is said"),
    ),
    responses((status = 200, description = "What was decided of each message, what the push said, and what became of \
        it on each device; the newest first", body = serde_json::Value)),
)]
pub(super) async fn handler(call: Call) -> Result<Response, ChatError> {
    call.only_app()?;
    call.limit(ChatRule::PushLogReads)?;
    let user = owner_of(&call.query("user").ok_or_else(|| invalid("user"))?)?;
    let message = match call.query("msg_id").filter(|id| !id.is_empty()) {
        Some(id) => Some(MessageId(id.parse().map_err(|_| invalid("msg_id"))?)),
        None => None,
    };
    let limit = match call.query("limit") {
        Some(limit) => {
            limit.parse::<usize>().ok().filter(|limit| (1..=PAGE.0).contains(limit)).ok_or_else(|| invalid("limit"))?
        }
        None => PAGE.1,
    };
    let entries = match &call.chat.push {
        Some(push) => push.log(&user, message, limit).await?,
        None => Vec::new(),
    };
    let shown: Vec<_> = entries.iter().map(shown).collect();
    Ok(call.reply().path("/push").data(shown).send())
}

fn shown(entry: &PushLogEntry) -> Value {
    let mut shown = json!({
        "msg_id": entry.message.to_string(), "user": entry.user.as_str(), "from": entry.from,
        "decided": entry.at_ms, "pushed": entry.reason.is_none(),
        "devices": entry.devices.iter().map(device).collect::<Vec<_>>(),
    });
    let mut add = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            shown[key] = value.into();
        }
    };
    add("group", entry.group.as_deref());
    add("reason", entry.reason.as_deref());
    add("detail", entry.detail.as_deref());
    if entry.reason.is_none() {
        add("title", Some(&entry.title));
        add("content", Some(&entry.content));
    }
    shown
}

fn device(device: &PushLogDevice) -> Value {
    let mut shown = json!({
        "device_id": device.device, "notifier_name": device.notifier, "status": device.state.name(),
        "attempts": device.attempts, "timestamp": device.at_ms,
    });
    for (key, value) in [("provider", &device.provider), ("reason", &device.reason), ("id", &device.sent_id)] {
        if let Some(value) = value {
            shown[key] = value.as_str().into();
        }
    }
    shown
}
