//! What is told of earlier messages: that they were taken back, read or changed (Easemob documents
//! `callback_message_recall`, `callback_single_read_ack`, `callback_group_read_ack`, `callback_message_modify`).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stentor_chat_content::ContentView;
use stentor_core::id::MessageId;
use stentor_core::message::Message;

use super::content::{ext, flat};
use super::filter::ChatKind;
use super::message::{Body, group_of};
use super::{Inner, Told};

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

/// What a message was changed to.
#[derive(Serialize)]
struct Edited<'a> {
    edit_message_id: &'a str,
    ext: Box<RawValue>,
    bodies: [Box<RawValue>; 1],
    from: &'a str,
    to: &'a str,
    meta: EditMeta<'a>,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct EditMeta<'a> {
    edit_msg: EditNote<'a>,
}

#[derive(Serialize)]
struct EditNote<'a> {
    chat_type: String,
    send_time: u64,
    edit_time: u64,
    sender: &'a str,
    count: u32,
    operator: &'a str,
}

/// What `recall_payload` of the content crate wrote.
#[derive(Deserialize)]
struct RecallNews {
    msg_id: String,
}

/// What `read_payload` of the content crate wrote.
#[derive(Deserialize)]
struct ReadNews {
    ids: Vec<String>,
}

/// What `edit_payload` of the content crate wrote.
#[derive(Deserialize)]
struct EditNews<'a> {
    msg_id: String,
    by: String,
    sender: String,
    edits: u32,
    body_type: String,
    #[serde(borrow)]
    body: &'a RawValue,
    #[serde(borrow)]
    ext: &'a RawValue,
}

impl Inner {
    pub(super) fn recall(&self, message: &Message) -> Option<Told> {
        let RecallNews { msg_id: recalled } = serde_json::from_slice(&message.payload).ok()?;
        let id = message.id.to_string();
        let call_id = format!("{}_{id}", self.app_key);
        let about = About { ext: Empty {}, ack_message_id: &recalled, bodies: Some([]), msg_config: None, kind: None };
        let body = Body { chat_type: "recall", recall_id: Some(&recalled), ..self.body(&call_id, message, &id, about) };
        Self::tell(&call_id, message.sent_at_ms, &body)
    }

    /// A message was read; one that was told with others has a number behind its ID.
    pub(super) fn read_ack(&self, message: &Message, read: &str, number: usize) -> Option<Told> {
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

    /// A message was changed.
    pub(super) fn edit(&self, message: &Message) -> Option<Told> {
        let id = message.id.to_string();
        let call_id = format!("{}_{id}", self.app_key);
        let news: EditNews<'_> = serde_json::from_slice(&message.payload).ok()?;
        let content = format!(r#"{{"type":"{}","body":{},"ext":{}}}"#, news.body_type, news.body, news.ext);
        let view = ContentView::decode(content.as_bytes()).ok()?;
        let edit_msg = EditNote {
            chat_type: format!("chat:{}", ChatKind::of(&message.to).place()),
            send_time: news.msg_id.parse::<MessageId>().ok()?.unix_ms(),
            edit_time: message.sent_at_ms,
            sender: &news.sender,
            count: news.edits,
            operator: &news.by,
        };
        let payload = Edited {
            edit_message_id: &news.msg_id,
            ext: ext(view)?,
            bodies: [flat(view)?],
            from: &news.sender,
            to: message.to.name(),
            meta: EditMeta { edit_msg },
            kind: "edit",
        };
        let body = Body { chat_type: "edit", ..self.body(&call_id, message, &id, payload) };
        Self::tell(&call_id, message.sent_at_ms, &body)
    }
}

/// The messages that a receipt is about.
pub(super) fn read_ids(receipt: &Message) -> Vec<String> {
    serde_json::from_slice(&receipt.payload).map_or_else(|_| Vec::new(), |ReadNews { ids }| ids)
}
