//! What is told of messages: `chat` when one was sent, and `chat_offline` for each receiver who was away (Easemob document
//! `callback_message_send`).

use serde::Serialize;
use serde_json::value::RawValue;
use stentor_chat_content::ContentView;
use stentor_core::id::UserId;
use stentor_core::message::{Message, MessageKind, Target};
use stentor_core::observer::Accepted;
use stentor_core::store::Change;

use super::content::{content_word, ext, flat};
use super::filter::{CallbackEvent, ChatKind, Filter, Source};
use super::news::read_ids;
use super::{Inner, Told};

/// The version of `security`. Every document says to ignore it.
const SECURITY_VERSION: &str = "1.0.0";

/// What every callback about a message has.
#[derive(Serialize)]
pub(super) struct Body<'a, P> {
    #[serde(rename = "callId")]
    pub(super) call_id: &'a str,
    #[serde(rename = "eventType")]
    pub(super) event_type: &'static str,
    pub(super) timestamp: u64,
    pub(super) chat_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) group_id: Option<&'a str>,
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recall_id: Option<&'a str>,
    pub(super) msg_id: &'a str,
    pub(super) payload: P,
    #[serde(rename = "securityVersion")]
    pub(super) security_version: &'static str,
    pub(super) appkey: &'a str,
    pub(super) host: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) channel_channel: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) channel_user: Option<String>,
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

/// The group or room of a message.
pub(super) fn group_of(target: &Target) -> Option<&str> {
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
                let ids = read_ids(message);
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
        let id = message.id.to_string();
        let content_type = Some(format!("chat:{}:{}", kind.place(), content_word(view.kind())));
        let body = Body {
            event_type,
            to: to.map_or(message.to.name(), UserId::as_str),
            content_type,
            ..self.body(call_id, message, &id, payload)
        };
        Self::tell(call_id, message.sent_at_ms, &body)
    }

    pub(super) fn body<'a, P>(
        &'a self,
        call_id: &'a str,
        message: &'a Message,
        id: &'a str,
        payload: P,
    ) -> Body<'a, P> {
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
