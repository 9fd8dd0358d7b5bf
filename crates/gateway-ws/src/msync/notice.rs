//! What clients are told: messages, and what became of them.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use stentor_chat_content::ContentView;
use stentor_core::directory::status::PublishedStatus;
use stentor_core::id::MessageId;
use stentor_core::message::{Message, MessageKind, Priority, Target};
use stentor_core::notice::Notice;
use stentor_msync::translations::translations_of;
use stentor_msync::{
    BodyType, Content, EditScope, Jid, KeyValue, Message as _, MessageBody, MessageConfig, Meta, NameSpace, content,
    value,
};

use self::news::Event;
use super::{frame, muc, queue};
use crate::teller::Audience;

mod news;

/// The complete frame of a notice; empty for what clients are not told. A message that is to be acked is never empty: it would
/// wait for its ack for ever.
pub(crate) fn notice(notice: &Notice, audience: &Audience<'_>) -> Bytes {
    match notice {
        Notice::PeerMessage { message, from_inbox } => {
            let metas = metas(message, *from_inbox, audience);
            let queue = queue::address(audience.app, message, audience.own);
            frame::to_be_acked(metas, queue, message.id.0, message.sent_at_ms)
        }
        Notice::RoomMessage { room, message } => {
            let metas = Told { message, from_inbox: None, audience }.metas();
            frame::told(metas, queue::room(audience.app, room), message.sent_at_ms)
        }
        Notice::RoomEvent { room, group, event, by } => muc::event(room, *group, event, by.as_ref(), audience),
        Notice::Status(status) => presence(status, audience),
        // The SDKs count and look at their token by themselves.
        Notice::MemberCount { .. } | Notice::CredentialExpiring { .. } | Notice::RoomMessagesMissed { .. } => {
            Bytes::new()
        }
        // Of rooms that nobody registered, and of what nobody asks for here.
        Notice::MemberJoined { .. }
        | Notice::MemberLeft { .. }
        | Notice::Presence { .. }
        | Notice::RoomAttributes { .. } => Bytes::new(),
    }
}

/// The items of a message that is to be acked.
pub(super) fn metas(message: &Message, from_inbox: bool, audience: &Audience<'_>) -> Vec<Meta> {
    Told { message, from_inbox: Some(from_inbox), audience }.metas()
}

/// A message, and who is told of it.
struct Told<'a> {
    message: &'a Message,
    /// `None` in rooms, where nothing is kept.
    from_inbox: Option<bool>,
    audience: &'a Audience<'a>,
}

/// What became of an earlier message: see `stentor_chat_content::{recall_payload, edit_payload, read_payload}`.
#[derive(Deserialize)]
struct News<'a> {
    msg_id: Option<String>,
    by: Option<String>,
    sender: Option<String>,
    edits: Option<u32>,
    body_type: Option<String>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    #[serde(borrow)]
    ext: Option<&'a RawValue>,
    #[serde(default)]
    ids: Vec<String>,
}

impl Told<'_> {
    fn metas(&self) -> Vec<Meta> {
        let message = self.message;
        let news = || serde_json::from_slice::<News<'_>>(&message.payload).ok();
        let metas = match message.marks.kind {
            MessageKind::Content => ContentView::decode(&message.payload).ok().map(|view| vec![self.content(view)]),
            MessageKind::Recall => news().and_then(|news| self.recall(&news)).map(|meta| vec![meta]),
            MessageKind::Edit => news().and_then(|news| self.edit(&news)).map(|meta| vec![meta]),
            MessageKind::Read => news().map(|news| self.read(&news)).filter(|metas| !metas.is_empty()),
            MessageKind::Notice => {
                serde_json::from_slice::<Event<'_>>(&message.payload).ok().and_then(|event| self.event(&event))
            }
        };
        metas.unwrap_or_else(|| {
            tracing::error!(message = %message.id, "a message with a damaged payload is delivered as nothing");
            vec![self.notify("unknown", &json!({}))]
        })
    }

    fn content(&self, view: ContentView<'_>) -> Meta {
        let (content, ext) = content::to_wire(view);
        let config = self.message.marks.receipt.then_some(MessageConfig { allow_group_ack: Some(true) });
        let kind = match self.message.to {
            Target::User(_) => BodyType::Chat,
            Target::Group(_) => BodyType::Groupchat,
            Target::Room(_) => BodyType::Chatroom,
        };
        let beside = translations_of(view).map(|translations| translations.to_string());
        let body = MessageBody { contents: vec![content], ext, msg_config: config, meta: beside, ..self.of_kind(kind) };
        let meta = self.body(&body);
        Meta { ext: self.marks(), ..meta }
    }

    /// What stands beside a room's message.
    fn marks(&self) -> Vec<KeyValue> {
        if !matches!(self.message.to, Target::Room(_)) {
            return Vec::new();
        }
        let level = match self.message.marks.priority {
            Priority::High => 0,
            Priority::Normal => 1,
            Priority::Low => 2,
        };
        let mut marks = vec![value::int("chatroom_msg_tag", level)];
        if self.message.marks.broadcast {
            marks.push(value::int("is_broadcast", 1));
        }
        marks
    }

    fn recall(&self, news: &News<'_>) -> Option<Meta> {
        let id = news.msg_id.as_deref()?.parse().ok()?;
        let ext = news.ext.and_then(|ext| serde_json::from_str::<String>(ext.get()).ok());
        let body = MessageBody {
            from: Some(named(news.by.as_deref().unwrap_or(self.message.from.as_str()))),
            ..self.about(BodyType::Recall, id)
        };
        let ext = ext.map(|ext| value::text("recallMessageExtensionInfo", &ext)).into_iter().collect();
        Some(Meta { ext, ..self.body(&body) })
    }

    fn edit(&self, news: &News<'_>) -> Option<Meta> {
        let id: MessageId = news.msg_id.as_deref()?.parse().ok()?;
        let ext = news.ext.map_or("{}", RawValue::get);
        let payload = format!(r#"{{"type":"{}","body":{},"ext":{ext}}}"#, news.body_type.as_deref()?, news.body?.get());
        let view = ContentView::decode(payload.as_bytes()).ok()?;
        let (content, ext) = content::to_wire(view);
        let chat_type = match self.message.to {
            Target::User(_) => "chat:user",
            Target::Group(_) => "chat:group",
            Target::Room(_) => "chat:room",
        };
        let mut edited = json!({ "edit_msg": {
            "sender": news.sender,
            "send_time": id.unix_ms(),
            "chat_type": chat_type,
            "count": news.edits,
            "operator": news.by,
            "edit_time": self.message.sent_at_ms,
        } });
        if let (Some(edited), Some(Value::Object(beside))) = (edited.as_object_mut(), translations_of(view)) {
            edited.extend(beside);
        }
        Some(self.body(&MessageBody {
            from: news.sender.as_deref().map(named),
            contents: vec![content],
            ext,
            meta: Some(edited.to_string()),
            edit_message_id: Some(id.0),
            edit_scope: Some(EditScope::BodyAndExt as i32),
            ..self.of_kind(BodyType::Edit)
        }))
    }

    /// On the wire each message that was read has a receipt of its own; the last one has the number that is acked.
    fn read(&self, news: &News<'_>) -> Vec<Meta> {
        let ids: Vec<MessageId> = news.ids.iter().filter_map(|id| id.parse().ok()).collect();
        let receipt = |(index, id): (usize, &MessageId)| {
            let body = self.about(BodyType::ReadAck, *id);
            let group = matches!(self.message.to, Target::Group(_));
            let config = group.then_some(MessageConfig { allow_group_ack: Some(true) });
            let meta = self.body(&MessageBody { msg_config: config, ..body });
            let own_number = if index + 1 == ids.len() { meta.id } else { Some(self.audience.numbers.next().number) };
            Meta { id: own_number, ..meta }
        };
        ids.iter().enumerate().map(receipt).collect()
    }

    /// Something about an earlier message.
    fn about(&self, kind: BodyType, id: MessageId) -> MessageBody {
        MessageBody { ack_message_id: Some(id.0), contents: vec![Content::default()], ..self.of_kind(kind) }
    }

    /// The sender that receivers are shown is the one in the body: it is always the one that was authenticated.
    fn of_kind(&self, kind: BodyType) -> MessageBody {
        MessageBody {
            kind: Some(kind as i32),
            from: Some(named(self.message.from.as_str())),
            to: Some(named(self.message.to.name())),
            ..MessageBody::default()
        }
    }

    fn body(&self, body: &MessageBody) -> Meta {
        let is_online = self.from_inbox.map(|from_inbox| Bytes::from_static(is_online(from_inbox)));
        Meta { meta: is_online, ..self.meta(NameSpace::Chat, body.encode_to_vec().into()) }
    }

    fn notify(&self, kind: &str, fields: &serde_json::Value) -> Meta {
        self.meta(NameSpace::Notify, notify(kind, fields))
    }

    fn meta(&self, ns: NameSpace, payload: Bytes) -> Meta {
        let Self { message, audience, .. } = self;
        let to = match &message.to {
            Target::User(user) => queue::user(audience.app, user.as_str()),
            Target::Group(room) | Target::Room(room) => queue::room(audience.app, room),
        };
        Meta {
            id: Some(message.id.0),
            from: Some(queue::user(audience.app, message.from.as_str())),
            to: Some(to),
            timestamp: Some(message.sent_at_ms),
            ns: Some(ns as i32),
            payload: Some(payload),
            ..Meta::default()
        }
    }
}

const fn is_online(from_inbox: bool) -> &'static [u8] {
    if from_inbox { br#"{"is_online":0}"# } else { br#"{"is_online":1}"# }
}

fn named(name: &str) -> Jid {
    Jid { name: Some(name.to_owned()), ..Jid::default() }
}

/// A JSON object with its `type`; compact, because clients cannot read control characters in it.
fn notify(kind: &str, fields: &serde_json::Value) -> Bytes {
    let mut object = fields.as_object().cloned().unwrap_or_default();
    object.insert("type".to_owned(), kind.into());
    serde_json::Value::Object(object).to_string().into()
}

/// Somebody's status, whose changes the client's user asked for.
fn presence(status: &PublishedStatus, audience: &Audience<'_>) -> Bytes {
    let stamp = audience.numbers.next();
    let devices: serde_json::Map<_, _> =
        status.devices.iter().map(|(device, number)| (device.as_str().to_owned(), number.to_string().into())).collect();
    let values = json!([{
        "uid": status.user.as_str(),
        "status": devices,
        "last_time": status.changed_ms / 1000,
        "expiry": 0,
        "ext": status.ext,
    }]);
    let user = queue::user(audience.app, status.user.as_str());
    let meta = Meta {
        id: Some(stamp.number),
        from: Some(user.clone()),
        timestamp: Some(stamp.at_ms),
        ns: Some(NameSpace::Notify as i32),
        payload: Some(notify("presence", &json!({ "data": { "values": values } }))),
        ..Meta::default()
    };
    frame::told(vec![meta], user, stamp.at_ms)
}
