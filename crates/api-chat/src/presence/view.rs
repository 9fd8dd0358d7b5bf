//! A status as replies show it. The documents type the numbers as numbers and print them as texts.

use serde_json::{Map, Value, json};
use stentor_core::directory::status::PublishedStatus;

/// `uid`, `last_time`, `ext`, and `status` by device; with `expiry` (Unix time in milliseconds) in replies to
/// subscriptions.
pub(super) fn status_view(status: &PublishedStatus, expires_ms: Option<u64>) -> Value {
    let devices: Map<_, _> =
        status.devices.iter().map(|(device, status)| (device.as_str().to_owned(), status.to_string().into())).collect();
    let mut view = json!({
        "uid": status.user.as_str(),
        "last_time": (status.changed_ms / 1000).to_string(),
        "ext": status.ext,
        "status": devices,
    });
    if let Some(expires_ms) = expires_ms {
        view["expiry"] = (expires_ms / 1000).to_string().into();
    }
    view
}
