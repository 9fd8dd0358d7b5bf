//! What clients send to others, and ask of rooms: items of theirs become requests of the Chat protocol.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use serde_json::value::RawValue;
use stentor_chat_content::{ContentType, MAX_BYTES, read_payload};
use stentor_core::id::MessageId;
use stentor_core::message::MessageKind;
use stentor_msync::translations::with_translations;
use stentor_msync::{
    BodyType, CONFERENCES, EditScope, Jid, KeyValue, KeyValueData, MessageBody, Meta, MucBody, MucOperation, NameSpace,
    RosterBody, RouteType, Status, content, decode, decode_body,
};

use super::resent::{Again, Done, ItemKey, Resent};
use super::{codes, frame};
use crate::chat::answer::{Answer, Answered, Client, Outcome};
use crate::chat::request;
use crate::chat::send::MAX_USERS;
use crate::codec::{DecimalId, Malformed, Refusal};
use crate::protocol::{Begun, Caller, Said};

/// How a refusal is put.
type Words = fn(&Refusal) -> Status;

/// An item as it came in, and who sent it.
pub(super) struct Item {
    pub(super) caller: Arc<Caller>,
    pub(super) id: u64,
    /// What a message that is sent again is known by.
    key: Option<ItemKey>,
    to: Jid,
    route: i32,
    ext: Vec<KeyValue>,
    users: Vec<String>,
}

/// Begins what an item asks for.
pub(super) fn begin(caller: &Arc<Caller>, meta: Meta) -> Result<Said, Malformed> {
    let Meta { id, to, ns, payload, routetype, ext, directed_users, .. } = meta;
    let (id, to, payload) = (id.unwrap_or_default(), to.unwrap_or_default(), payload.unwrap_or_default());
    let item = Item {
        caller: Arc::clone(caller),
        id,
        key: (ns == Some(NameSpace::Chat as i32) && id > 0).then(|| {
            let (name, domain) = (to.name.as_deref().unwrap_or_default(), to.domain.as_deref().unwrap_or_default());
            Resent::key(&caller.session, id, &[name.as_bytes(), domain.as_bytes(), &payload])
        }),
        to,
        route: routetype.unwrap_or_default(),
        ext,
        users: directed_users,
    };
    let malformed = |_| Malformed(codes::MALFORMED.to_owned());
    Ok(match NameSpace::try_from(ns.unwrap_or_default()) {
        // What the client says of itself is not answered.
        Ok(NameSpace::Statistic) => Said::Nothing,
        _ if is_elsewhere(caller, &item.to) => Said::Request(item.refused(codes::other_app())),
        Ok(NameSpace::Chat) => {
            let body = decode_body(payload).map_err(malformed)?;
            let elsewhere = body.to.as_ref().is_some_and(|to| is_elsewhere(caller, to));
            Said::Request(if elsewhere { item.refused(codes::other_app()) } else { item.chat(&body) })
        }
        Ok(NameSpace::Muc) => {
            let body: MucBody = decode(payload).map_err(malformed)?;
            let elsewhere = body.muc_id.as_ref().is_some_and(|room| is_elsewhere(caller, room));
            Said::Request(if elsewhere { item.refused(codes::other_app()) } else { item.muc(&body) })
        }
        Ok(NameSpace::Roster) => {
            let body: RosterBody = decode(payload).map_err(malformed)?;
            Said::Request(if body.to.iter().any(|user| is_elsewhere(caller, user)) {
                item.refused(codes::other_app())
            } else {
                item.answered(codes::refused, |client| client.relate(&body))
            })
        }
        Ok(NameSpace::Conference) => Said::Request(item.refused(codes::no_calls())),
        _ => Said::Request(item.refused(codes::unknown())),
    })
}

/// Whether an address is of another app than the client's. The SDKs do not always say one.
pub(super) fn is_elsewhere(caller: &Caller, address: &Jid) -> bool {
    let own = caller.app.id();
    let app = address.app_key.as_deref().filter(|app| !app.is_empty() && *app != own.as_str());
    // It may have been called otherwise at the login, too.
    app.is_some_and(|app| caller.state.sdk_app(app).as_ref() != Some(own))
}

impl Item {
    fn chat(self, body: &MessageBody) -> Begun {
        match BodyType::try_from(body.kind.unwrap_or_default()) {
            Ok(BodyType::Normal | BodyType::Chat | BodyType::Groupchat | BodyType::Chatroom) => self.send(body),
            Ok(BodyType::Recall) => self.recall(body),
            Ok(BodyType::Edit) => self.edit(body),
            Ok(BodyType::ReadAck) => {
                let id = MessageId(body.ack_message_id.unwrap_or_default());
                self.receipt(body, id, read_payload([id.to_string()]), MessageKind::Read)
            }
            Ok(BodyType::DeliverAck) => {
                let id = MessageId(body.ack_message_id.unwrap_or_default());
                let notice = serde_json::json!({ "event": "delivered", "msg_id": id.to_string() }).to_string();
                self.receipt(body, id, notice, MessageKind::Notice)
            }
            // In a group it is for the server alone, which counts nothing that was not read.
            Ok(BodyType::ChannelAck) if self.is_conference() => self.done(),
            Ok(BodyType::ChannelAck) => {
                let notice = serde_json::json!({ "event": "conversation_read" }).to_string();
                let name = self.name(body);
                self.answered(codes::refused, |client| client.tell(&name, notice))
            }
            Err(_) => self.refused(codes::unknown()),
        }
    }

    fn send(self, body: &MessageBody) -> Begun {
        if self.users.len() > MAX_USERS {
            return self.refused(codes::too_many_directed());
        }
        let chat_type = match BodyType::try_from(body.kind.unwrap_or_default()) {
            Ok(BodyType::Groupchat) => "groupchat",
            Ok(BodyType::Chatroom) => "chatroom",
            _ => "chat",
        };
        let content = body.contents.first().cloned().unwrap_or_default();
        let Ok((kind, json)) = content::to_json(&content) else { return self.refused(codes::unknown()) };
        let ext = content::ext_to_json(&body.ext).map(raw);
        let json = translated(json, kind, body, ext.as_deref());
        let allow_group_ack = body.msg_config.as_ref().and_then(|config| config.allow_group_ack);
        let send = request::Send {
            chat_type: chat_type.into(),
            to: self.name(body).into(),
            body_type: kind.as_str().into(),
            body: &json,
            ext: ext.as_deref(),
            level: self.level().map(Cow::Borrowed),
            users: self.users.clone(),
            online_only: self.route == RouteType::Online as i32,
            need_group_ack: allow_group_ack.unwrap_or(false),
        };
        let item = self.key.as_ref().map(ItemKey::item);
        self.answered(codes::refused, |client| client.send(&send, item))
    }

    fn recall(self, body: &MessageBody) -> Begun {
        let ext = self.ext.iter().find(|ext| ext.key.as_deref() == Some("recallMessageExtensionInfo"));
        let ext = ext.and_then(|ext| match &ext.value {
            Some(KeyValueData::String(text)) => Some(Cow::Owned(text.clone())),
            _ => None,
        });
        let name = self.name(body);
        let recall = request::Recall {
            chat_type: self.chat_type(&name).into(),
            to: name.into(),
            message_id: DecimalId(MessageId(body.ack_message_id.unwrap_or_default())),
            ext,
        };
        self.answered(codes::not_recalled, |client| client.recall(&recall))
    }

    fn edit(self, body: &MessageBody) -> Begun {
        let content = body.contents.first().cloned().unwrap_or_default();
        let Ok((kind, json)) = content::to_json(&content) else { return self.refused(codes::unknown()) };
        let both = body.edit_scope == Some(EditScope::BodyAndExt as i32);
        let ext = if both { content::ext_to_json(&body.ext).map(raw) } else { None };
        let (name, json) = (self.name(body), translated(json, kind, body, ext.as_deref()));
        let edit = request::Edit {
            chat_type: self.chat_type(&name).into(),
            to: name.into(),
            message_id: DecimalId(MessageId(body.edit_message_id.unwrap_or_default())),
            body: Some(&json),
            ext: ext.as_deref(),
        };
        self.answered(codes::not_edited, |client| client.edit(&edit))
    }

    /// Tells who wrote a message what became of it. Who that is in a group is not on the wire: the core knows.
    fn receipt(self, body: &MessageBody, id: MessageId, payload: String, kind: MessageKind) -> Begun {
        let chat_type = if self.is_conference() { "groupchat" } else { "chat" };
        let name = self.name(body);
        self.answered(codes::refused, |client| match client.to(chat_type, &name) {
            Ok(to) => client.receipted(to.into(), id, payload, kind),
            Err(refusal) => Answer::Done(Err(refusal)),
        })
    }

    fn muc(self, body: &MucBody) -> Begun {
        let room = body.muc_id.as_ref().and_then(|room| room.name.clone()).unwrap_or_default();
        match MucOperation::try_from(body.operation.unwrap_or_default()) {
            Ok(MucOperation::Join) => self.join(body, &room),
            Ok(MucOperation::Leave) => {
                self.answered(codes::refused, |client| client.leave(&request::Room { room: room.into() }))
            }
            // What else there is to do with rooms and groups, the SDKs do over REST.
            _ => self.refused(codes::unknown()),
        }
    }

    /// To whom: what the address says; the body has only the name.
    fn name(&self, body: &MessageBody) -> String {
        let in_body = || body.to.as_ref().and_then(|to| to.name.clone());
        self.to.name.clone().or_else(in_body).unwrap_or_default()
    }

    fn is_conference(&self) -> bool {
        self.to.domain.as_deref() == Some(CONFERENCES)
    }

    /// Rooms and groups have the same domain; a room is one that the client is in.
    fn chat_type(&self, name: &str) -> &'static str {
        match self.is_conference() {
            false => "chat",
            true if self.caller.session.rooms().iter().any(|room| room.as_str() == name) => "chatroom",
            true => "groupchat",
        }
    }

    /// The level of a room's message.
    fn level(&self) -> Option<&'static str> {
        let tag = self.ext.iter().find(|ext| ext.key.as_deref() == Some("chatroom_msg_tag"))?;
        match tag.value {
            Some(KeyValueData::Varint(0)) => Some("high"),
            Some(KeyValueData::Varint(2)) => Some("low"),
            _ => None,
        }
    }

    fn done(self) -> Begun {
        self.refused(frame::ok())
    }

    fn refused(self, status: Status) -> Begun {
        Begun::Done(frame::answer(self.id, status, 0, self.caller.state.node().clock().wall_ms()))
    }

    /// Has the Chat protocol do it, and puts the answer into frames.
    fn answered(self, words: Words, does: impl FnOnce(Client) -> Answer) -> Begun {
        let (caller, id) = (Arc::clone(&self.caller), self.id);
        let clock = Arc::clone(caller.state.node().clock());
        let reply = move |answered: &Answered| answer(id, answered, words, clock.wall_ms());
        match (does(Client::new(&self.caller)), self.key) {
            (Answer::Waits(answering), Some(key)) => once(&caller, (id, &key), answering, reply),
            (answer, _) => answer.begun(false, reply),
        }
    }
}

/// Has something done that may be asked for again: then it is not done again, and has the same answer.
fn once(
    caller: &Arc<Caller>,
    (id, key): (u64, &ItemKey),
    answering: Pin<Box<dyn Future<Output = Answered> + Send>>,
    reply: impl FnOnce(&Answered) -> Bytes + Send + 'static,
) -> Begun {
    let state = caller.state.clone();
    let begin = || {
        let (state, key) = (state.clone(), key.clone());
        async move {
            let answered = answering.await;
            match done(&answered, state.node().clock().wall_ms()) {
                Some(done) => state.resent().done(&key, done),
                None => state.resent().forget(&key),
            }
            reply(&answered)
        }
    };
    let replied = match state.resent().reply(key, state.node().clock().monotonic_ms(), begin) {
        Again::Done(Done { server_id, at_ms }) => {
            return Begun::Done(frame::answer(id, frame::ok(), server_id, at_ms));
        }
        Again::Asked(replied) => replied,
        Again::New(mut replied) => {
            // Polled in the order of the requests, and to its end even if the client goes: it may come back and ask.
            if let Some(frame) = (&mut replied).now_or_never() {
                return Begun::Done(frame);
            }
            drop(state.connections().spawn(replied.clone()));
            replied
        }
    };
    Begun::Waits { answering: Box::pin(replied), logs_out: false }
}

/// What is remembered of an answer; `None` if nothing was done.
fn done(answered: &Answered, now_ms: u64) -> Option<Done> {
    match answered {
        Ok(Outcome::Sent { id, sent_at_ms }) => Some(Done { server_id: id.0, at_ms: *sent_at_ms }),
        Ok(_) => Some(Done { server_id: 0, at_ms: now_ms }),
        Err(_) => None,
    }
}

pub(super) fn answer(id: u64, answered: &Answered, words: Words, now_ms: u64) -> Bytes {
    match answered {
        Ok(Outcome::Sent { id: server_id, sent_at_ms }) => frame::answer(id, frame::ok(), server_id.0, *sent_at_ms),
        Ok(_) => frame::answer(id, frame::ok(), 0, now_ms),
        Err(refusal) => frame::answer(id, words(refusal), 0, now_ms),
    }
}

/// The body of a content, a text's with the translations that the SDK has put beside it, if there is room for them.
fn translated(json: String, kind: ContentType, body: &MessageBody, ext: Option<&RawValue>) -> Box<RawValue> {
    let room = MAX_BYTES.saturating_sub(ext.map_or(0, |ext| ext.get().len()));
    let meta = body.meta.as_deref().filter(|_| kind == ContentType::Text);
    raw(with_translations(json, meta, room))
}

/// JSON text that was written here.
fn raw(json: String) -> Box<RawValue> {
    RawValue::from_string(json).unwrap_or_else(|_| {
        debug_assert!(false, "what is written here is JSON");
        RawValue::NULL.to_owned()
    })
}
