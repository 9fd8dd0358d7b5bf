//! What `stentor listen` prints: lines for people, or one JSON object per line.

use serde_json::{Value, json};
use stentor_gateway_ws::client::{ChannelMessage, ClientEvent, PeerMessage, Welcome};

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
            Style::Json => self.json().map(|value| value.to_string()),
            Style::Text => self.text(),
        }
    }

    fn json(&self) -> Option<Value> {
        Some(match self {
            Line::Connected { user, welcome, channels } => json!({
                "type": "connected",
                "user": user,
                "session": welcome.session,
                "resumed": welcome.resumed,
                "channels": channels,
                "server_time": welcome.server_time,
            }),
            Line::Disconnected { code } => json!({ "type": "disconnected", "code": code }),
            Line::JoinFailed { channel, reason } => {
                json!({ "type": "join_failed", "channel": channel, "reason": reason })
            }
            Line::Event(event) => return event_json(event),
        })
    }

    fn text(&self) -> Option<String> {
        Some(match self {
            Line::Connected { user, welcome, channels } => {
                let again = if welcome.resumed { " again, nothing was missed" } else { "" };
                let channels = if channels.is_empty() { String::new() } else { format!(", in {}", channels.join(", ")) };
                format!("* connected as {user}{again}{channels}")
            }
            Line::Disconnected { .. } => "* connection lost, trying again".to_owned(),
            Line::JoinFailed { channel, reason } => format!("* cannot join {channel} again: {reason}"),
            Line::Event(event) => return event_text(event),
        })
    }
}

fn event_json(event: &ClientEvent) -> Option<Value> {
    Some(match event {
        ClientEvent::PeerMessage(PeerMessage { from, payload, ts, message_id, from_inbox }) => json!({
            "type": "peer_message",
            "from": from,
            "channel": null,
            "payload": payload,
            "ts": ts,
            "message_id": message_id.to_string(),
            "from_inbox": from_inbox,
        }),
        ClientEvent::ChannelMessage(ChannelMessage { channel, from, payload, ts, message_id }) => json!({
            "type": "channel_message",
            "from": from,
            "channel": channel,
            "payload": payload,
            "ts": ts,
            "message_id": message_id.to_string(),
            "from_inbox": false,
        }),
        ClientEvent::ChannelMessagesMissed { channel, count } => {
            json!({ "type": "channel_messages_missed", "channel": channel, "count": count })
        }
        ClientEvent::MemberJoined { channel, user } => {
            json!({ "type": "member_joined", "channel": channel, "user": user })
        }
        ClientEvent::MemberLeft { channel, user } => json!({ "type": "member_left", "channel": channel, "user": user }),
        ClientEvent::MemberCount { channel, count } => {
            json!({ "type": "member_count", "channel": channel, "count": count })
        }
        ClientEvent::Presence { states } => {
            let states: Vec<Value> =
                states.iter().map(|state| json!({ "user": state.user, "state": state.state })).collect();
            json!({ "type": "presence", "states": states })
        }
        ClientEvent::ChannelAttributes { channel, attributes } => {
            let attributes: Vec<Value> = attributes
                .iter()
                .map(|attribute| {
                    json!({
                        "key": attribute.key,
                        "value": attribute.value,
                        "updated_by": attribute.updated_by,
                        "updated_at": attribute.updated_at,
                    })
                })
                .collect();
            json!({ "type": "channel_attributes", "channel": channel, "attributes": attributes })
        }
        ClientEvent::TokenWillExpire { expires_at } => json!({ "type": "token_will_expire", "expires_at": expires_at }),
        ClientEvent::Reconnect { after_ms } => json!({ "type": "reconnect", "after_ms": after_ms }),
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
        let json: Value = serde_json::from_str(&Line::Event(&event).render(Style::Json).unwrap()).unwrap();
        let expected = json!({
            "type": "peer_message", "from": "alice", "channel": null, "payload": "h\u{1b}[2Ji\n", "ts": 5,
            "message_id": "7", "from_inbox": true,
        });
        assert_eq!(json, expected);
        assert_eq!(Line::Event(&event).render(Style::Text).unwrap(), "alice → you (kept): h\\u{1b}[2Ji\\n");
    }
}
