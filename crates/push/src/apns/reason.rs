//! What an answer of APNs means (Apple: "Handling notification responses from APNs").

use std::time::Duration;

use crate::error::{PushError, Scope};
use crate::http::Reply;

/// Reads an answer that is not 200. `since_ms` is the body's `timestamp`.
pub(super) fn read(reply: &Reply, reason: &str, since_ms: Option<u64>, now_ms: u64) -> PushError {
    match (reply.status, reason) {
        (400, "BadDeviceToken" | "DeviceTokenNotForTopic") => PushError::dead(reason),
        (410, _) => {
            let reason = if reason.is_empty() { "Unregistered" } else { reason };
            PushError::DeadToken { reason: reason.into(), since_ms }
        }
        // The app's ID is wrong, or the credentials are another app's.
        (400, "BadTopic" | "MissingTopic" | "TopicDisallowed") => PushError::credentials(reason),
        (400, "IdleTimeout") => PushError::failed(reason),
        // It is renewed before the next try.
        (403, "ExpiredProviderToken") => PushError::failed(reason),
        (403, _) if !reason.is_empty() => PushError::credentials(reason),
        (429, "TooManyProviderTokenUpdates") => PushError::throttled(
            reason,
            Some(reply.retry_after(now_ms).unwrap_or(super::TOKEN_AT_LEAST)),
            Scope::Provider,
        ),
        (429, _) => {
            let wait = reply.retry_after(now_ms).or(Some(Duration::from_secs(60)));
            PushError::throttled(if reason.is_empty() { "TooManyRequests" } else { reason }, wait, Scope::Device)
        }
        (500..=599, reason) if !reason.is_empty() => PushError::failed_until(reason, reply.retry_after(now_ms)),
        (400..=499, reason) if !reason.is_empty() => PushError::refused(reason),
        _ => reply.unexpected(now_ms),
    }
}
