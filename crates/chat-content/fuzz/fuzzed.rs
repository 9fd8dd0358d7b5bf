//! What the fuzz targets run, shared with `tests/fuzz_corpus.rs`, which runs it on stable.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use stentor_chat_content::{Content, ContentType, ContentView, MAX_BYTES};

/// `data` as the body of a request: `type`, `body` and `ext`, or `msg` and `ext`. What is accepted fits, can be read by
/// everybody, and is accepted again as it is.
pub(crate) fn messages(data: &[u8]) {
    let Ok(fields) = serde_json::from_slice::<BTreeMap<String, &RawValue>>(data) else {
        return;
    };
    let field = |name: &str| fields.get(name).copied();
    let word = field("type").and_then(|word| serde_json::from_str::<String>(word.get()).ok());
    let plain = Content::parse(word.as_deref(), field("body"), field("ext"), MAX_BYTES);
    let flat = Content::parse_flat(field("msg"), field("ext"), MAX_BYTES);
    for parsed in [plain, flat] {
        match parsed {
            Ok(content) => accepted(&content),
            Err(refusal) => assert!(refusal.to_string().len() < 80, "{refusal}"),
        }
    }
    // Of every type, so that a good body is not lost on a bad one.
    for kind in ContentType::ALL {
        if let Ok(content) = Content::parse(Some(kind.as_str()), field("body"), None, usize::MAX) {
            assert_eq!(content.view().kind(), kind);
        }
    }
}

fn accepted(content: &Content) {
    let view = content.view();
    assert!(view.body().len() + view.ext().map_or(0, str::len) <= MAX_BYTES);
    assert_eq!(ContentView::decode(content.payload().as_bytes()), Ok(view));
    let raw = |json: &str| RawValue::from_string(json.to_owned()).unwrap_or_else(|error| panic!("{error}"));
    let (body, ext, flat) = (raw(view.body()), view.ext().map(raw), raw(&view.flat()));
    let again = Content::parse(Some(view.kind().as_str()), Some(&body), ext.as_deref(), MAX_BYTES);
    assert_eq!(again.as_ref(), Ok(content));
    // In the flat form there is no place for a field of the body that is called `type`.
    if view.body_members().get("type").is_none() {
        let again = Content::parse_flat(Some(&flat), ext.as_deref(), MAX_BYTES);
        assert_eq!(again.as_ref(), Ok(content));
    }
    for (_, value) in view.body_members().chain(view.ext_members()) {
        // Texts have characters only, so what another reader makes of them is what we make of them.
        let meant: Option<String> = serde_json::from_str(value.as_json()).ok();
        assert_eq!(value.text().as_deref(), meant.as_deref());
        let _ = (value.number(), value.object().map(Iterator::count));
    }
}

/// `data` as a payload: nothing panics, and the parts of what is decoded are parts of it.
pub(crate) fn payloads(data: &[u8]) {
    let Ok(view) = ContentView::decode(data) else {
        return;
    };
    let ext = view.ext().map(|ext| format!(",\"ext\":{ext}")).unwrap_or_default();
    let again = format!("{{\"type\":\"{}\",\"body\":{}{ext}}}", view.kind(), view.body());
    assert_eq!(again.as_bytes(), data);
    for (key, value) in view.body_members().chain(view.ext_members()) {
        assert!(key.len() + value.as_json().len() < data.len());
        let _ = (value.text(), value.number(), value.object().map(Iterator::count));
    }
}
