//! The JSON of a notification.

use serde_json::{Map, Value, json};

use crate::error::PushError;
use crate::push::{Push, flag, text};
use crate::text::fit;

/// The longest payload, in bytes.
const MAX_PAYLOAD: usize = 4096;

/// Renders a push. A content that is too long is cut; then the title.
pub(super) fn render(push: &Push) -> Result<String, PushError> {
    let ext = &push.extensions.apns;
    let mut aps = Map::new();
    aps.insert("alert".into(), json!({"title": push.title, "body": push.content}));
    let sound = text(ext, "em_push_sound").or(push.sound.as_deref()).unwrap_or("default");
    aps.insert("sound".into(), sound.into());
    if let Some(badge) = ext.get("em_push_badge").and_then(Value::as_u64).or(push.badge.map(u64::from)) {
        aps.insert("badge".into(), badge.into());
    }
    for (key, wish) in [("category", "em_push_category"), ("thread-id", "thread_id")] {
        if let Some(value) = text(ext, wish) {
            aps.insert(key.into(), value.into());
        }
    }
    for (key, wish) in
        [("mutable-content", "em_push_mutable_content"), ("content-available", "em_push_content_available")]
    {
        if flag(ext, wish) {
            aps.insert(key.into(), 1.into());
        }
    }
    let mut payload = push.custom.to_map();
    payload.insert("aps".into(), aps.into());
    fit(payload.into(), MAX_PAYLOAD, &["/aps/alert/body", "/aps/alert/title"])
        .ok_or_else(|| PushError::refused("PayloadTooLarge"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::DeviceToken;

    fn push() -> Push {
        Push::new(DeviceToken::new("00"), "Alice", "Hi", "k")
    }

    fn rendered(push: &Push) -> Value {
        serde_json::from_str(&render(push).expect("a payload")).expect("JSON")
    }

    #[test]
    fn wishes_of_the_sender_stand_in_the_payload() {
        let mut push = push();
        push.badge = Some(3);
        push.custom.to = "bob".into();
        assert_eq!(
            rendered(&push)["aps"],
            json!({"alert": {"title": "Alice", "body": "Hi"}, "sound": "default", "badge": 3})
        );
        let ext = json!({"em_apns_ext": {"em_push_sound": "ring.caf", "em_push_badge": 7, "em_push_category": "c",
            "em_push_mutable_content": true, "em_push_content_available": 1, "thread_id": "t"}});
        push.extensions = crate::Extensions::of(ext.as_object().expect("an object"));
        let payload = rendered(&push);
        assert_eq!(
            payload["aps"],
            json!({"alert": {"title": "Alice", "body": "Hi"}, "sound": "ring.caf", "badge": 7, "category": "c",
                "mutable-content": 1, "content-available": 1, "thread-id": "t"})
        );
        assert_eq!(payload["t"], "bob");
    }

    #[test]
    fn what_is_too_long_is_cut_between_graphemes() {
        let mut push = push();
        push.content = "👨‍👩‍👧‍👦\"".repeat(1_000);
        let payload = render(&push).expect("a payload");
        assert!(payload.len() <= MAX_PAYLOAD && payload.len() > MAX_PAYLOAD - 40, "{}", payload.len());
        let body = rendered(&push)["aps"]["alert"]["body"].as_str().expect("a text").to_owned();
        assert!(body.ends_with("👨‍👩‍👧‍👦\"…") || body.ends_with("\"👨‍👩‍👧‍👦…"), "{body}");
        push.title = "t".repeat(9_000);
        assert_eq!(render(&push).expect("a payload").len(), MAX_PAYLOAD);
        push.custom.ext = Some("x".repeat(4_096).into());
        assert_eq!(render(&push), Err(PushError::refused("PayloadTooLarge")));
    }

    #[test]
    fn a_payload_at_the_limit_is_left_alone() {
        let mut push = push();
        let room = MAX_PAYLOAD - render(&push).expect("a payload").len() + push.content.len();
        push.content = "x".repeat(room);
        assert!(render(&push).expect("a payload").contains(&push.content));
        push.content.push('x');
        assert_eq!(render(&push).expect("a payload").len(), MAX_PAYLOAD);
    }
}
