//! What is told of messages: `chat` when one was sent, `chat_offline` for each receiver who was away, and what happens to
//! one afterwards (Easemob documents `callback_message_send`, `callback_message_recall`, `callback_single_read_ack`,
//! `callback_group_read_ack`).

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use stentor_chat_content::ContentView;
use stentor_core::id::UserId;
use stentor_core::message::{Message, MessageKind, Target};
use stentor_core::observer::Accepted;
use stentor_core::store::Change;

use super::content::{content_word, ext, flat};
use super::filter::{CallbackEvent, ChatKind, Filter, Source};
use super::{Inner, Told};

/// The version of `security`. Every document says to ignore it.
const SECURITY_VERSION: &str = "1.0.0";

/// What every callback about a message has.
#[derive(Serialize)]
struct Body<'a, P> {
    #[serde(rename = "callId")]
    call_id: &'a str,
    #[serde(rename = "eventType")]
    event_type: &'static str,
    timestamp: u64,
    chat_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<&'a str>,
    from: &'a str,
    to: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    recall_id: Option<&'a str>,
    msg_id: &'a str,
    payload: P,
    #[serde(rename = "securityVersion")]
    security_version: &'static str,
    appkey: &'a str,
    host: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_channel: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_user: Option<String>,
}

/// What a message says, as history has it.
#[derive(Serialize)]
struct Sent<'a> {
    ext: Box<RawValue>,
    bodies: [Box<RawValue>; 1],
    from: &'a str,
    to: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// What happened to an earlier message.
#[derive(Serialize)]
struct About<'a> {
    ext: Empty,
    ack_message_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bodies: Option<[(); 0]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg_config: Option<MsgConfig>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct MsgConfig {
    allow_group_ack: bool,
}

/// The group or room of a message.
fn group_of(target: &Target) -> Option<&str> {
    match target {
        Target::User(_) => None,
        Target::Group(group) | Target::Room(group) => Some(group.as_str()),
    }
}

/// `chat_type` of a callback: rooms are `groupchat`, too (documented).
fn chat_type(target: &Target) -> &'static str {
    if group_of(target).is_some() { "groupchat" } else { "chat" }
}

impl Inner {
    pub(super) fn of_message(&self, accepted: &Accepted<'_>) -> Vec<Change> {
        let message = accepted.message;
        let source = if accepted.by_client { Source::Client } else { Source::Rest };
        let wanted = |filter: &Filter, event| {
            filter.wants(event) && filter.allows_message(message.from.as_str(), &message.to, source)
        };
        match message.marks.kind {
            MessageKind::Content => self.of_content(accepted, wanted),
            MessageKind::Recall => self.queue(|filter| wanted(filter, CallbackEvent::Recall), || self.recall(message)),
            MessageKind::Read => {
                let ids = ids_of(&message.payload);
                let told = ids.iter().enumerate().map(|(number, id)| {
                    self.queue(|filter| wanted(filter, CallbackEvent::ReadAck), || self.read_ack(message, id, number))
                });
                told.flatten().collect()
            }
            MessageKind::Edit => self.queue(|filter| wanted(filter, CallbackEvent::Edit), || self.edit(message)),
            MessageKind::Notice => Vec::new(),
        }
    }

    fn of_content(&self, accepted: &Accepted<'_>, wanted: impl Fn(&Filter, CallbackEvent) -> bool) -> Vec<Change> {
        let message = accepted.message;
        let any = |filter: &Filter| wanted(filter, CallbackEvent::Chat) || wanted(filter, CallbackEvent::ChatOffline);
        if !self.filters.iter().any(any) {
            return Vec::new();
        }
        let Ok(view) = ContentView::decode(&message.payload) else {
            tracing::error!(message = %message.id, "a message whose content cannot be read is not told");
            return Vec::new();
        };
        let wanted = |filter: &Filter, event| {
            let keys = view.ext_members().map(|(key, _)| key.into_owned());
            wanted(filter, event) && filter.allows_content(view.kind(), keys)
        };
        let id = message.id.to_string();
        let call_id = format!("{}_{id}", self.app_key);
        let mut changes = self
            .queue(|filter| wanted(filter, CallbackEvent::Chat), || self.sent(message, view, "chat", None, &call_id));
        if accepted.kept {
            for user in accepted.absent {
                // Several receivers of one message would share an ID made of the message's.
                let told = || self.sent(message, view, "chat_offline", Some(user), &self.fresh_id());
                changes.extend(self.queue(|filter| wanted(filter, CallbackEvent::ChatOffline), told));
            }
        }
        changes
    }

    /// A message was sent; `to` is the receiver who was away.
    fn sent(
        &self,
        message: &Message,
        view: ContentView<'_>,
        event_type: &'static str,
        to: Option<&UserId>,
        call_id: &str,
    ) -> Option<Told> {
        let kind = ChatKind::of(&message.to);
        let payload = Sent {
            ext: ext(view)?,
            bodies: [flat(view)?],
            from: message.from.as_str(),
            to: message.to.name(),
            kind: kind.word(),
        };
        let place = match kind {
            ChatKind::User => "user",
            ChatKind::Group => "group",
            ChatKind::Room => "room",
        };
        let id = message.id.to_string();
        let content_type = Some(format!("chat:{place}:{}", content_word(view.kind())));
        let body = Body {
            event_type,
            to: to.map_or(message.to.name(), UserId::as_str),
            content_type,
            ..self.body(call_id, message, &id, payload)
        };
        Self::tell(call_id, message.sent_at_ms, &body)
    }

    fn recall(&self, message: &Message) -> Option<Told> {
        let (id, recalled) = (message.id.to_string(), ids_of(&message.payload).into_iter().next()?);
        let call_id = format!("{}_{id}", self.app_key);
        let about = About { ext: Empty {}, ack_message_id: &recalled, bodies: Some([]), msg_config: None, kind: None };
        let body = Body { chat_type: "recall", recall_id: Some(&recalled), ..self.body(&call_id, message, &id, about) };
        Self::tell(&call_id, message.sent_at_ms, &body)
    }

    /// A message was read; one that was told with others has a number behind its ID.
    fn read_ack(&self, message: &Message, read: &str, number: usize) -> Option<Told> {
        let id = message.id.to_string();
        let behind = if number == 0 { String::new() } else { format!("_{number}") };
        let call_id = format!("{}_{id}{behind}", self.app_key);
        let in_group = group_of(&message.to).is_some();
        let about = About {
            ext: Empty {},
            ack_message_id: read,
            bodies: (!in_group).then_some([]),
            msg_config: in_group.then_some(MsgConfig { allow_group_ack: true }),
            kind: in_group.then_some("read_ack"),
        };
        let body = Body {
            chat_type: "read_ack",
            group_id: None,
            content_type: in_group.then(|| "chat:ack:read".to_owned()),
            channel_channel: Some(format!("{}_{}@conference.easemob.com", self.app_key, message.to.name())),
            channel_user: in_group.then(|| format!("{}_{}@easemob.com", self.app_key, message.from)),
            ..self.body(&call_id, message, &id, about)
        };
        Self::tell(&call_id, message.sent_at_ms, &body)
    }

    /// A message was changed: the payload says which, and what it is now.
    fn edit(&self, message: &Message) -> Option<Told> {
        let id = message.id.to_string();
        let call_id = format!("{}_{id}", self.app_key);
        let payload: Value = serde_json::from_slice(&message.payload).ok()?;
        let body = Body { chat_type: "edit", ..self.body(&call_id, message, &id, payload) };
        Self::tell(&call_id, message.sent_at_ms, &body)
    }

    fn body<'a, P>(&'a self, call_id: &'a str, message: &'a Message, id: &'a str, payload: P) -> Body<'a, P> {
        Body {
            call_id,
            event_type: "chat",
            timestamp: message.sent_at_ms,
            chat_type: chat_type(&message.to),
            group_id: group_of(&message.to),
            from: message.from.as_str(),
            to: message.to.name(),
            recall_id: None,
            msg_id: id,
            payload,
            security_version: SECURITY_VERSION,
            appkey: &self.app_key,
            host: &self.host,
            content_type: None,
            channel_channel: None,
            channel_user: None,
        }
    }
}

/// The messages that a recall or a receipt is about.
fn ids_of(payload: &[u8]) -> Vec<String> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(payload) else { return Vec::new() };
    let text = |value: &Value| match value {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    };
    if let Some(Value::Array(ids)) = fields.get("ids") {
        return ids.iter().filter_map(text).collect();
    }
    ["msg_id", "id"].into_iter().find_map(|name| fields.get(name).and_then(text)).into_iter().collect()
}
