//! What `stentor listen` prints: lines for people, or one JSON object per line.

use serde_json::{Value, json};
use stentor_gateway_ws::client::{Attribute, ChannelMessage, ClientEvent, PeerMessage, UserState, Welcome};

pub(super) mod chat;

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// One thing to print.
#[derive(Debug)]
pub(super) enum Line<'a> {
    /// The client is logged in and has joined its channels.
    Connected {
        /// As whom.
        user: &'a str,
        /// What the server said.
        welcome: &'a Welcome,
        /// The channels it is in.
        channels: &'a [String],
    },
    /// The connection is lost, and looked for again.
    Disconnected {
        /// The close code, if there was one.
        code: Option<u16>,
    },
    /// A channel that the client was in cannot be joined any more.
    JoinFailed {
        /// The channel.
        channel: &'a str,
        /// Why.
        reason: String,
    },
    /// Something that the server said.
    Event(&'a ClientEvent),
}

impl Line<'_> {
    /// The line; `None` for what is not worth one.
    pub(super) fn render(&self, style: Style) -> Option<String> {
        match style {
            Style::Json => self.json(),
            Style::Text => self.text(),
        }
    }

    fn json(&self) -> Option<String> {
        Some(match self {
            Line::Connected { user, welcome, channels } => object(
                "connected",
                [
                    ("user", json!(user)),
                    ("session", json!(welcome.session)),
                    ("resumed", json!(welcome.resumed)),
                    ("channels", json!(channels)),
                    ("server_time", json!(welcome.server_time)),
                ],
            ),
            Line::Disconnected { code } => object("disconnected", [("code", json!(code))]),
            Line::JoinFailed { channel, reason } => {
                object("join_failed", [("channel", json!(channel)), ("reason", json!(reason))])
            }
            Line::Event(event) => return event_json(event),
        })
    }

    fn text(&self) -> Option<String> {
        Some(match self {
            Line::Connected { user, welcome, channels } => {
                let again = if welcome.resumed { " again, nothing was missed" } else { "" };
                let channels =
                    if channels.is_empty() { String::new() } else { format!(", in {}", channels.join(", ")) };
                format!("* connected as {user}{again}{channels}")
            }
            Line::Disconnected { .. } => "* connection lost, trying again".to_owned(),
            Line::JoinFailed { channel, reason } => format!("* cannot join {channel} again: {reason}"),
            Line::Event(event) => return event_text(event),
        })
    }
}

/// An object whose fields stand in this order, for whoever reads along.
fn object<const N: usize>(kind: &str, fields: [(&str, Value); N]) -> String {
    let mut text = format!("{{\"type\":\"{kind}\"");
    for (name, value) in fields {
        text.push_str(&format!(",\"{name}\":{value}"));
    }
    text.push('}');
    text
}

fn event_json(event: &ClientEvent) -> Option<String> {
    Some(match event {
        ClientEvent::PeerMessage(PeerMessage { from, payload, ts, message_id, from_inbox }) => object(
            "peer_message",
            [
                ("from", json!(from)),
                ("channel", Value::Null),
                ("payload", json!(payload)),
                ("ts", json!(ts)),
                ("message_id", json!(message_id.to_string())),
                ("from_inbox", json!(from_inbox)),
            ],
        ),
        ClientEvent::ChannelMessage(ChannelMessage { channel, from, payload, ts, message_id }) => object(
            "channel_message",
            [
                ("from", json!(from)),
                ("channel", json!(channel)),
                ("payload", json!(payload)),
                ("ts", json!(ts)),
                ("message_id", json!(message_id.to_string())),
                ("from_inbox", json!(false)),
            ],
        ),
        ClientEvent::ChannelMessagesMissed { channel, count } => {
            object("channel_messages_missed", [("channel", json!(channel)), ("count", json!(count))])
        }
        ClientEvent::MemberJoined { channel, user } => {
            object("member_joined", [("channel", json!(channel)), ("user", json!(user))])
        }
        ClientEvent::MemberLeft { channel, user } => {
            object("member_left", [("channel", json!(channel)), ("user", json!(user))])
        }
        ClientEvent::MemberCount { channel, count } => {
            object("member_count", [("channel", json!(channel)), ("count", json!(count))])
        }
        ClientEvent::Presence { states } => {
            let state = |state: &UserState| json!({ "user": state.user, "state": state.state });
            object("presence", [("states", states.iter().map(state).collect())])
        }
        ClientEvent::ChannelAttributes { channel, attributes } => {
            let attribute = |attribute: &Attribute| {
                json!({
                    "key": attribute.key,
                    "value": attribute.value,
                    "updated_by": attribute.updated_by,
                    "updated_at": attribute.updated_at,
                })
            };
            let attributes = attributes.iter().map(attribute).collect();
            object("channel_attributes", [("channel", json!(channel)), ("attributes", attributes)])
        }
        ClientEvent::TokenWillExpire { expires_at } => object("token_will_expire", [("expires_at", json!(expires_at))]),
        ClientEvent::Reconnect { after_ms } => object("reconnect", [("after_ms", json!(after_ms))]),
        // Told as connected and disconnected.
        ClientEvent::Closed { .. } | ClientEvent::Reconnected { .. } => return None,
    })
}

fn event_text(event: &ClientEvent) -> Option<String> {
    Some(match event {
        ClientEvent::PeerMessage(message) => {
            let kept = if message.from_inbox { " (kept)" } else { "" };
            format!("{} → you{kept}: {}", message.from, harmless(&message.payload))
        }
        ClientEvent::ChannelMessage(message) => {
            format!("{} → {}: {}", message.from, message.channel, harmless(&message.payload))
        }
        ClientEvent::ChannelMessagesMissed { channel, count } => format!("* {count} messages in {channel} were missed"),
        ClientEvent::MemberJoined { channel, user } => format!("* {user} joined {channel}"),
        ClientEvent::MemberLeft { channel, user } => format!("* {user} left {channel}"),
        ClientEvent::Reconnect { after_ms } => format!("* the server goes down; back in {after_ms} ms"),
        ClientEvent::TokenWillExpire { .. } => "* the token expires soon".to_owned(),
        ClientEvent::MemberCount { .. }
        | ClientEvent::Presence { .. }
        | ClientEvent::ChannelAttributes { .. }
        | ClientEvent::Closed { .. }
        | ClientEvent::Reconnected { .. } => return None,
    })
}

/// A payload on a terminal: it must not move the cursor or change the title.
fn harmless(payload: &str) -> String {
    payload.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use stentor_core::id::MessageId;

    use super::*;

    #[test]
    fn messages_have_the_fields_of_the_contract() {
        let event = ClientEvent::PeerMessage(PeerMessage {
            from: "alice".into(),
            payload: "h\u{1b}[2Ji\n".into(),
            ts: 5,
            message_id: MessageId(7),
            from_inbox: true,
        });
        let expected = r#"{"type":"peer_message","from":"alice","channel":null,"payload":"h\u001b[2Ji\n","ts":5,"message_id":"7","from_inbox":true}"#;
        assert_eq!(Line::Event(&event).render(Style::Json).unwrap(), expected);
        assert_eq!(Line::Event(&event).render(Style::Text).unwrap(), "alice → you (kept): h\\u{1b}[2Ji\\n");
    }
}
