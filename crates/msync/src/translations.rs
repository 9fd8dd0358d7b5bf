//! The translations beside a text. On the wire they are in `MessageBody.meta`, as `{"translations":[{"code":"zh-Hans",
//! "text":"…"}]}` (observed: the Web SDK asks for them, sends them along, and shows them); in JSON they are in the body.

use serde_json::{Value, json};
use stentor_chat_content::{ContentType, ContentView};

/// The body's member, and the wire's.
const NAME: &str = "translations";

/// The body of a text, with the translations that the wire has beside it. They are left out if they take more than
/// `room` bytes together with the body: a message is not refused for them.
#[must_use]
pub fn with_translations(mut body: String, meta: Option<&str>, room: usize) -> String {
    let read = || serde_json::from_str::<Value>(meta?).ok().map(|meta| known(meta.get(NAME)));
    let translations = read().unwrap_or_default();
    let member = format!(",{}:{}}}", json!(NAME), Value::from(translations.clone()));
    if !translations.is_empty() && body.len() + member.len() <= room && body.ends_with('}') {
        body.pop();
        body.push_str(&member);
    }
    body
}

/// The translations of a text, as the wire has them: the members of `MessageBody.meta`.
#[must_use]
pub fn translations_of(view: ContentView<'_>) -> Option<Value> {
    if view.kind() != ContentType::Text {
        return None;
    }
    let list = view.body_members().get(NAME)?.as_json();
    let translations = known(serde_json::from_str(list).ok().as_ref());
    (!translations.is_empty()).then(|| json!({ NAME: translations }))
}

/// Those that are of the known form, with nothing else in them.
fn known(list: Option<&Value>) -> Vec<Value> {
    let text = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
    let translation = |item| Some(json!({ "code": text(item, "code")?, "text": text(item, "text")? }));
    list.and_then(Value::as_array).into_iter().flatten().filter_map(translation).collect()
}
