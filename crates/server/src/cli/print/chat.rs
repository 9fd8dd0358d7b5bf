//! What `stentor listen --chat` prints.

use serde_json::json;
use stentor_gateway_ws::client::{ChatEvent, ChatMessage, ChatType, ChatWelcome};

use super::{Style, harmless, object};

/// One thing to print.
#[derive(Debug)]
pub(in crate::cli) enum ChatLine<'a> {
    /// The client is logged in and has joined its rooms.
    Connected {
        /// What the server said.
        welcome: &'a ChatWelcome,
        /// The rooms it was told to join.
        rooms: &'a [String],
    },
    /// The connection is lost, and looked for again.
    Disconnected {
        /// The close code, if there was one.
        code: Option<u16>,
    },
    /// A room that the client was in cannot be joined any more.
    JoinFailed {
        /// The room.
        room: &'a str,
        /// Why.
        reason: String,
    },
    /// Something that the server said.
    Event(&'a ChatEvent),
}

impl ChatLine<'_> {
    /// The line; `None` for what is not worth one.
    pub(in crate::cli) fn render(&self, style: Style) -> Option<String> {
        match style {
            Style::Json => self.json(),
            Style::Text => self.text(),
        }
    }

    fn json(&self) -> Option<String> {
        Some(match self {
            Self::Connected { welcome, rooms } => object(
                "connected",
                [
                    ("user", json!(welcome.user)),
                    ("device", json!(welcome.device)),
                    ("session", json!(welcome.session)),
                    ("resumed", json!(welcome.resumed)),
                    ("rooms", json!(rooms)),
                    ("server_time", json!(welcome.server_time)),
                ],
            ),
            Self::Disconnected { code } => object("disconnected", [("code", json!(code))]),
            Self::JoinFailed { room, reason } => {
                object("join_failed", [("room", json!(room)), ("reason", json!(reason))])
            }
            Self::Event(event) => return event_json(event),
        })
    }

    fn text(&self) -> Option<String> {
        Some(match self {
            Self::Connected { welcome, rooms } => {
                let again = if welcome.resumed { " again, nothing was missed" } else { "" };
                let rooms = if rooms.is_empty() { String::new() } else { format!(", in {}", rooms.join(", ")) };
                format!("* connected as {} on {}{again}{rooms}", welcome.user, welcome.device)
            }
            Self::Disconnected { .. } => "* connection lost, trying again".to_owned(),
            Self::JoinFailed { room, reason } => format!("* cannot join {room} again: {reason}"),
            Self::Event(event) => return event_text(event),
        })
    }
}

/// Exactly the fields that programs were promised; body and extension letter for letter.
fn message_json(message: &ChatMessage) -> String {
    let chat_type = json!(message.chat_type);
    let (id, from, to) = (json!(message.id.to_string()), json!(message.from), json!(message.to));
    let (body_type, level) = (json!(message.body_type), json!(message.level));
    let (body, ext) = (message.body.as_str(), message.ext.as_str());
    let ChatMessage { targeted, broadcast, ts, .. } = message;
    format!(
        "{{\"type\":\"chat_message\",\"chat_type\":{chat_type},\"id\":{id},\"from\":{from},\"to\":{to},\
         \"body_type\":{body_type},\"body\":{body},\"ext\":{ext},\"level\":{level},\"targeted\":{targeted},\
         \"broadcast\":{broadcast},\"ts\":{ts}}}"
    )
}

fn event_json(event: &ChatEvent) -> Option<String> {
    Some(match event {
        ChatEvent::Message(message) => message_json(message),
        ChatEvent::MemberCount { room, count } => {
            object("member_count", [("room", json!(room)), ("count", json!(count))])
        }
        ChatEvent::RoomMessagesMissed { room, count } => {
            object("room_messages_missed", [("room", json!(room)), ("count", json!(count))])
        }
        ChatEvent::TokenWillExpire { expires_at } => object("token_will_expire", [("expires_at", json!(expires_at))]),
        ChatEvent::Reconnect { after_ms } => object("reconnect", [("after_ms", json!(after_ms))]),
        ChatEvent::Other(value) => value.to_string(),
        // Told as disconnected.
        ChatEvent::Closed { .. } => return None,
    })
}

fn event_text(event: &ChatEvent) -> Option<String> {
    Some(match event {
        ChatEvent::Message(message) => {
            let to = match message.chat_type {
                ChatType::Chat => message.to.clone(),
                ChatType::GroupChat => format!("group {}", message.to),
                ChatType::ChatRoom => format!("room {}", message.to),
            };
            let body = message.body.value();
            let text = match (message.body_type.as_str(), body["msg"].as_str()) {
                ("txt", Some(text)) => text.to_owned(),
                (kind, _) => format!("[{kind}] {}", message.body.as_str()),
            };
            format!("{} → {}: {}", harmless(&message.from), harmless(&to), harmless(&text))
        }
        ChatEvent::RoomMessagesMissed { room, count } => format!("* {count} messages in {room} were missed"),
        ChatEvent::Reconnect { after_ms } => format!("* the server goes down; back in {after_ms} ms"),
        ChatEvent::TokenWillExpire { .. } => "* the token expires soon".to_owned(),
        ChatEvent::Other(value) => format!("* {}", harmless(&value.to_string())),
        ChatEvent::MemberCount { .. } | ChatEvent::Closed { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> ChatEvent {
        let text = r#"{"chat_type":"chatroom","id":"7","from":"alice","to":"185","body_type":"txt",
            "body":{"z":1.50,"msg":"h\u001b[2Ji"},"ext":{"n":1e400},"level":"high","targeted":true,"broadcast":false,
            "ts":5,"from_inbox":false}"#;
        ChatEvent::Message(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn messages_have_the_fields_of_the_contract() {
        let expected = r#"{"type":"chat_message","chat_type":"chatroom","id":"7","from":"alice","to":"185","body_type":"txt","body":{"z":1.50,"msg":"h\u001b[2Ji"},"ext":{"n":1e400},"level":"high","targeted":true,"broadcast":false,"ts":5}"#;
        assert_eq!(ChatLine::Event(&message()).render(Style::Json).unwrap(), expected);
        assert_eq!(ChatLine::Event(&message()).render(Style::Text).unwrap(), "alice → room 185: h\\u{1b}[2Ji");
    }
}
