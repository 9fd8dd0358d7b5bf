//! A message as the history has it: one line of JSON (history documents, "contents of a record").

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;
use stentor_chat_content::{ContentType, ContentView};
use stentor_core::message::{Message, MessageKind, Target};

use crate::callbacks::content::{ext, flat};

#[derive(Debug, Serialize)]
struct Record<'a> {
    msg_id: String,
    timestamp: u64,
    direction: &'static str,
    to: &'a str,
    from: &'a str,
    chat_type: &'static str,
    payload: Payload<'a>,
}

#[derive(Debug, Serialize)]
struct Payload<'a> {
    bodies: [Box<RawValue>; 1],
    ext: Box<RawValue>,
    from: &'a str,
    to: &'a str,
}

/// Appends the line of a message. What is no message of ours, or says something about another one, has none.
pub(super) fn append(message: &Message, lines: &mut Vec<u8>) {
    if message.marks.kind != MessageKind::Content {
        return;
    }
    let Ok(content) = ContentView::decode(&message.payload) else { return };
    let (Some(body), Some(ext)) = (body(content), ext(content)) else { return };
    let (from, to) = (message.from.as_str(), message.to.name());
    let chat_type = match message.to {
        Target::User(_) => "chat",
        Target::Group(_) => "groupchat",
        Target::Room(_) => "chatroom",
    };
    let record = Record {
        msg_id: message.id.to_string(),
        timestamp: message.sent_at_ms,
        direction: "outgoing",
        to,
        from,
        chat_type,
        payload: Payload { bodies: [body], ext, from, to },
    };
    // Writing to a vector does not fail, and nothing in it has no JSON.
    if serde_json::to_writer(&mut *lines, &record).is_ok() {
        lines.push(b'\n');
    }
}

/// The flat body. A place has its numbers as numbers, however they were sent.
fn body(content: ContentView<'_>) -> Option<Box<RawValue>> {
    let flat = flat(content)?;
    if content.kind() != ContentType::Location {
        return Some(flat);
    }
    let mut fields: BTreeMap<Cow<'_, str>, Box<RawValue>> = serde_json::from_str(flat.get()).ok()?;
    for name in ["lat", "lng"] {
        let value = content.body_members().get(name);
        let text = value.filter(|value| value.is_text() && value.number().is_some()).and_then(|value| value.text());
        if let (Some(text), Some(field)) = (text, fields.get_mut(name)) {
            *field = RawValue::from_string(text.trim().to_owned()).ok()?;
        }
    }
    serde_json::value::to_raw_value(&fields).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use stentor_core::id::{MessageId, RoomId, UserId};
    use stentor_core::message::Marks;

    use super::*;

    fn line(to: Target, payload: &'static str, kind: MessageKind) -> String {
        let message = Message {
            id: MessageId(1_028_442_084_794_698_104),
            from: UserId::from_trusted("user1"),
            to,
            payload: payload.as_bytes().into(),
            sent_at_ms: 1_403_099_033_211,
            marks: Marks { kind, ..Marks::default() },
        };
        let mut lines = Vec::new();
        append(&message, &mut lines);
        String::from_utf8(lines).unwrap()
    }

    fn user2() -> Target {
        Target::User(UserId::from_trusted("user2"))
    }

    fn body_of(payload: &'static str) -> Value {
        let line = line(user2(), payload, MessageKind::Content);
        serde_json::from_str::<Value>(&line).unwrap()["payload"]["bodies"].clone()
    }

    #[test]
    fn a_line_is_as_documented() {
        let payload = r#"{"type":"txt","body":{"msg":"welcome to easemob!"},"ext":{"key1":"value1"}}"#;
        assert_eq!(
            line(user2(), payload, MessageKind::Content),
            concat!(
                r#"{"msg_id":"1028442084794698104","timestamp":1403099033211,"direction":"outgoing","to":"user2","#,
                r#""from":"user1","chat_type":"chat","payload":{"bodies":[{"type":"txt","msg":"welcome to easemob!"}],"#,
                r#""ext":{"key1":"value1"},"from":"user1","to":"user2"}}"#,
                "\n"
            )
        );
    }

    #[test]
    fn every_kind_of_conversation_has_its_word() {
        let room = RoomId::from_trusted("1");
        let payload = r#"{"type":"txt","body":{"msg":"x"}}"#;
        for (to, word) in
            [(user2(), "chat"), (Target::Group(room.clone()), "groupchat"), (Target::Room(room), "chatroom")]
        {
            let line: Value = serde_json::from_str(&line(to, payload, MessageKind::Content)).unwrap();
            assert_eq!((line["chat_type"].as_str(), &line["payload"]["ext"]), (Some(word), &json!({})));
        }
    }

    #[test]
    fn places_have_numbers() {
        for payload in [
            r#"{"type":"loc","body":{"lat":"39.9053","lng":"116.36302","addr":"a\"lat\":\"1\""}}"#,
            r#"{"type":"loc","body":{"lat":39.9053,"lng":116.36302,"addr":"a\"lat\":\"1\""}}"#,
        ] {
            let place = json!([{ "addr": "a\"lat\":\"1\"", "lat": 39.9053, "lng": 116.36302, "type": "loc" }]);
            assert_eq!(body_of(payload), place);
        }
    }

    #[test]
    fn custom_messages_have_their_extras_twice() {
        let body =
            body_of(r#"{"type":"custom","body":{"customEvent":"gift_1","customExts":{"name":"flower","size":"16"}}}"#);
        let expected = json!([{
            "v2:customExts": { "name": "flower", "size": "16" },
            "customExts": [{ "name": "flower" }, { "size": "16" }],
            "customEvent": "gift_1",
            "type": "custom",
        }]);
        assert_eq!(body, expected);
    }

    #[test]
    fn what_is_no_content_has_no_line() {
        assert_eq!(line(user2(), r#"{"type":"txt","body":{"msg":"x"}}"#, MessageKind::Recall), "");
        assert_eq!(line(user2(), "not ours", MessageKind::Content), "");
    }
}
