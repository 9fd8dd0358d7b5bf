//! The JSON of `messages:send`.

use serde_json::{Map, Value, json};

use crate::error::PushError;
use crate::push::{Push, text};
use crate::text::fit;

/// The longest `notification` and `data` together, in bytes.
const MAX_PAYLOAD: usize = 4096;

/// The longest time that FCM keeps a message: four weeks.
const MAX_TTL_S: u64 = 2_419_200;

/// Renders a push.
pub(super) fn render(push: &Push) -> Result<String, PushError> {
    let payload = json!({"notification": {"title": push.title, "body": push.content}, "data": push.custom.to_texts()});
    let payload = fit(payload, MAX_PAYLOAD, &["/notification/body", "/notification/title"])
        .ok_or_else(|| PushError::refused("the payload is longer than 4096 bytes"))?;
    let mut message: Value =
        serde_json::from_str(&payload).map_err(|_| PushError::refused("the payload is no JSON"))?;
    message["token"] = push.token.as_str().into();
    message["android"] = android(push).into();
    if let Some(options) = push.extensions.android.get("fcm_options").and_then(Value::as_object)
        && !options.is_empty()
    {
        message["fcm_options"] = options.clone().into();
    }
    Ok(json!({"message": message}).to_string())
}

fn android(push: &Push) -> Map<String, Value> {
    let mut notification = Map::new();
    if let Some(channel) = text(&push.extensions.android, "fcm_channel_id") {
        notification.insert("channel_id".into(), channel.into());
    }
    if let Some(sound) = &push.sound {
        notification.insert("sound".into(), sound.as_str().into());
    }
    if let Some(badge) = push.badge {
        notification.insert("notification_count".into(), badge.into());
    }
    let mut android = Map::new();
    android.insert("priority".into(), "HIGH".into());
    android.insert("ttl".into(), format!("{}s", push.ttl.as_secs().min(MAX_TTL_S)).into());
    if let Some(collapse_id) = &push.collapse_id {
        android.insert("collapse_key".into(), collapse_id.as_str().into());
        // The key replaces what waits; the tag replaces what is shown.
        notification.insert("tag".into(), collapse_id.as_str().into());
    }
    if !notification.is_empty() {
        android.insert("notification".into(), notification.into());
    }
    android
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::push::{DeviceToken, Extensions};

    fn rendered(push: &Push) -> Value {
        serde_json::from_str(&render(push).expect("a message")).expect("JSON")
    }

    #[test]
    fn a_message_has_what_was_asked_for() {
        let mut push = Push::new(DeviceToken::new("tok"), "Alice", "Hi", "k");
        let plain = json!({"message": {"token": "tok", "notification": {"title": "Alice", "body": "Hi"},
            "data": {"t": "", "f": "", "m": ""}, "android": {"priority": "HIGH", "ttl": "86400s"}}});
        assert_eq!(rendered(&push), plain);
        push.badge = Some(2);
        push.collapse_id = Some("c".into());
        push.ttl = Duration::from_secs(10_000_000);
        push.custom.ext = Some(json!({"k": 1}));
        let ext = json!({"em_android_push_ext": {"fcm_channel_id": "ch", "fcm_options": {"analytics_label": "l"}}});
        push.extensions = Extensions::of(ext.as_object().expect("an object"));
        let message = &rendered(&push)["message"];
        assert_eq!(
            message["android"],
            json!({"priority": "HIGH", "ttl": "2419200s", "collapse_key": "c",
                "notification": {"channel_id": "ch", "notification_count": 2, "tag": "c"}})
        );
        assert_eq!(
            (&message["fcm_options"], &message["data"]["e"]),
            (&json!({"analytics_label": "l"}), &json!("{\"k\":1}"))
        );
    }

    #[test]
    fn what_is_too_long_is_cut_or_refused() {
        let mut push = Push::new(DeviceToken::new("tok"), "Alice", "x".repeat(9_000), "k");
        assert!(rendered(&push)["message"]["notification"]["body"].as_str().expect("a text").ends_with("x…"));
        push.custom.ext = Some("x".repeat(4_096).into());
        assert!(matches!(render(&push), Err(PushError::Refused { .. })));
    }
}
