//! What is told of earlier messages when they are taken back, changed or read: a JSON object that gateways deliver
//! between the fields that every message has (`type`, `chat_type`, `id`, `from`, `to`, `ts`), so it has others.

use serde_json::{Map, Value};

use crate::ContentView;

/// A message was taken back: `msg_id`, `by`, and `ext` if the one who did it says more.
#[must_use]
pub fn recall_payload(id: &str, by: &str, ext: Option<&str>) -> String {
    let mut fields = about(id, by);
    fields.extend(ext.map(|ext| ("ext".to_owned(), ext.into())));
    Value::Object(fields).to_string()
}

/// A message has other content: `msg_id`, `by`, `sender` (who sent it), `edits` (how often it was changed by now), and the
/// content as a new message has it: `body_type`, `body`, `ext`.
#[must_use]
pub fn edit_payload(id: &str, by: &str, sender: &str, edits: u32, content: ContentView<'_>) -> String {
    let mut fields = about(id, by);
    fields.insert("sender".to_owned(), sender.into());
    let mut payload = Value::Object(fields).to_string();
    payload.pop();
    let (kind, body, ext) = (content.kind(), content.body(), content.ext().unwrap_or("{}"));
    payload.push_str(&format!(r#","edits":{edits},"body_type":"{kind}","body":{body},"ext":{ext}}}"#));
    payload
}

/// Messages were read: `ids`.
#[must_use]
pub fn read_payload(ids: impl IntoIterator<Item = String>) -> String {
    let ids: Vec<_> = ids.into_iter().map(Value::from).collect();
    Value::Object([("ids".to_owned(), ids.into())].into_iter().collect()).to_string()
}

fn about(id: &str, by: &str) -> Map<String, Value> {
    [("msg_id".to_owned(), id.into()), ("by".to_owned(), by.into())].into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_say_which_message_and_who() {
        let fields = |json: &str| serde_json::from_str::<Value>(json).expect("JSON");
        assert_eq!(fields(&recall_payload("12", "a\"b", None)), serde_json::json!({ "msg_id": "12", "by": "a\"b" }));
        assert_eq!(fields(&recall_payload("12", "a", Some("{}")))["ext"], "{}");
        let content = br#"{"type":"txt","body":{"msg":"new"},"ext":{"a":1.10}}"#;
        let view = ContentView::decode(content).expect("content");
        let edit = edit_payload("12", "admin", "a\"b", 3, view);
        assert!(edit.ends_with(r#","edits":3,"body_type":"txt","body":{"msg":"new"},"ext":{"a":1.10}}"#), "{edit}");
        assert_eq!(fields(&edit)["msg_id"], "12");
        assert_eq!((&fields(&edit)["by"], &fields(&edit)["sender"]), (&"admin".into(), &"a\"b".into()));
    }
}
