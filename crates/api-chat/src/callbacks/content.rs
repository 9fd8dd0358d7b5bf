//! The content of a message as callbacks and the history have it (history documents, "contents of a record").

use serde_json::value::RawValue;
use stentor_chat_content::{ContentType, ContentView};

/// The body of a message in the flat form, `{"msg":"…","type":"txt"}`. A custom message has its extras twice, as a list
/// for old readers and as an object.
pub(crate) fn flat(view: ContentView<'_>) -> Option<Box<RawValue>> {
    let body = view.flat();
    let body = match view.body_members().get("customExts").filter(|_| view.kind() == ContentType::Custom) {
        Some(exts) if exts.object().is_some() => with_both_exts(&body, exts.as_json()),
        _ => body,
    };
    RawValue::from_string(body).ok()
}

/// `customExts` becomes a list of objects with one member each; the object goes to `v2:customExts`.
fn with_both_exts(flat: &str, object: &str) -> String {
    let exts: serde_json::Result<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(object);
    let single = |(key, value): (String, serde_json::Value)| serde_json::json!({ key: value });
    let list: Vec<_> = exts.unwrap_or_default().into_iter().map(single).collect();
    let list = serde_json::Value::from(list).to_string();
    let both = format!("\"customExts\":{list},\"v2:customExts\":{object}");
    flat.replacen(&format!("\"customExts\":{object}"), &both, 1)
}

/// The extension; an empty one if there is none.
pub(crate) fn ext(view: ContentView<'_>) -> Option<Box<RawValue>> {
    RawValue::from_string(view.ext().unwrap_or("{}").to_owned()).ok()
}

/// The word of `content_type` for a type.
pub(super) fn content_word(kind: ContentType) -> &'static str {
    match kind {
        ContentType::Text => "text",
        ContentType::Image => "image",
        ContentType::Audio => "voice",
        ContentType::Video => "video",
        ContentType::File => "file",
        ContentType::Location => "location",
        ContentType::Command => "command",
        ContentType::Custom => "custom",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat_of(payload: &str) -> serde_json::Value {
        let view = ContentView::decode(payload.as_bytes()).expect("a payload");
        serde_json::from_str(flat(view).expect("JSON").get()).expect("JSON")
    }

    #[test]
    fn bodies_are_flat() {
        let text = flat_of(r#"{"type":"txt","body":{"msg":"rr"}}"#);
        assert_eq!(text, serde_json::json!({ "msg": "rr", "type": "txt" }));
    }

    #[test]
    fn custom_messages_have_their_extras_in_both_forms() {
        let custom =
            flat_of(r#"{"type":"custom","body":{"customEvent":"flower","customExts":{"k":"v","k1":"v1"}},"ext":{}}"#);
        let expected = serde_json::json!({
            "customExts": [{ "k": "v" }, { "k1": "v1" }],
            "v2:customExts": { "k": "v", "k1": "v1" },
            "customEvent": "flower",
            "type": "custom",
        });
        assert_eq!(custom, expected);
        let bare = flat_of(r#"{"type":"custom","body":{"customEvent":"flower"}}"#);
        assert_eq!(bare, serde_json::json!({ "customEvent": "flower", "type": "custom" }));
    }
}
