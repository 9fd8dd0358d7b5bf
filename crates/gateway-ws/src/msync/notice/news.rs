//! What has no form of its own in the core, and mostly one of its own on the wire: JSON objects with an `event`.

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use stentor_core::id::{MessageId, RoomId};
use stentor_msync::{
    BodyType, Content, Message as _, MessageBody, Meta, MucBody, MucOperation, NameSpace, RosterBody, RosterOperation,
};

use super::Told;
use crate::msync::queue;

/// The fields of all events.
#[derive(Deserialize)]
pub(super) struct Event<'a> {
    event: String,
    msg_id: Option<String>,
    /// A user, or a group if `group`.
    with: Option<String>,
    #[serde(default)]
    group: bool,
    /// The device that did it, and knows.
    device: Option<String>,
    reason: Option<String>,
    group_id: Option<String>,
    group_name: Option<String>,
    #[serde(default)]
    agreed: bool,
    #[serde(default)]
    users: Vec<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

impl Told<'_> {
    /// The items of an event.
    pub(super) fn event(&self, event: &Event<'_>) -> Option<Vec<Meta>> {
        let id = event.msg_id.as_deref().and_then(|id| id.parse().ok());
        let one = |meta| Some(vec![meta]);
        match (event.event.as_str(), id) {
            ("delivered", Some(id)) => one(self.body(&self.about(BodyType::DeliverAck, id))),
            ("conversation_read", _) => {
                let body = MessageBody { contents: vec![Content::default()], ..self.of_kind(BodyType::ChannelAck) };
                one(self.body(&body))
            }
            ("roaming_deleted", _) => one(self.roaming_deleted(event)),
            ("conversation_deleted", _) => one(self.conversation_deleted(event)),
            ("push_settings", _) => one(self.push_settings(event)),
            ("contact_invited", _) => one(self.roster(RosterOperation::Add, event)),
            // Who asked is told that the other agreed, and that there is a contact; clients have an event for each.
            ("contact_added", _) if event.agreed => {
                let agreed = self.roster(RosterOperation::RemoteAccept, event);
                let number = MessageId(self.audience.numbers.next().number);
                let agreed = Meta { id: Some(number.0), ..agreed };
                Some(vec![agreed, self.roster(RosterOperation::Accept, event)])
            }
            ("contact_added", _) => one(self.roster(RosterOperation::Accept, event)),
            ("contact_declined", _) => one(self.roster(RosterOperation::RemoteDecline, event)),
            ("contact_removed", _) => one(self.roster(RosterOperation::Remove, event)),
            ("group_application", _) => one(self.admission(MucOperation::Apply, event)),
            ("group_application_accepted", _) => one(self.admission(MucOperation::ApplyAccept, event)),
            ("group_application_declined", _) => one(self.admission(MucOperation::ApplyDecline, event)),
            ("group_invitation", _) => one(self.admission(MucOperation::Invite, event)),
            ("group_invitation_accepted", _) => one(self.admission(MucOperation::InviteAccept, event)),
            ("group_invitation_declined", _) => one(self.admission(MucOperation::InviteDecline, event)),
            ("user_blocked", _) => one(self.roster(RosterOperation::Ban, event)),
            ("user_unblocked", _) => one(self.roster(RosterOperation::Allow, event)),
            _ => None,
        }
    }

    fn roaming_deleted(&self, event: &Event<'_>) -> Meta {
        let chat_type = if event.group { "groupchat" } else { "chat" };
        let device = event.device.as_deref().unwrap_or_default();
        self.notify(
            "roaming_delete",
            &json!({ "data": { "to": event.with, "chatType": chat_type, "resource": device } }),
        )
    }

    fn conversation_deleted(&self, event: &Event<'_>) -> Meta {
        let kind = if event.group { "groupchat" } else { "chat" };
        let (user, device) = (self.message.from.as_str(), event.device.as_deref().unwrap_or_default());
        let at_ms = self.message.sent_at_ms;
        let data = json!({ "op": "del", "id": event.with, "type": kind, "ts": at_ms, "from": user, "res": device });
        self.notify("conv", &json!({ "data": data }))
    }

    fn push_settings(&self, event: &Event<'_>) -> Meta {
        let data: serde_json::Value =
            event.data.and_then(|data| serde_json::from_str(data.get()).ok()).unwrap_or_else(|| json!({}));
        let mut value = json!({ "operator_resource": event.device.as_deref().unwrap_or_default(), "data": data });
        value[if event.group { "group" } else { "user" }] = event.with.as_deref().unwrap_or_default().into();
        self.notify("user_notification_mute", &json!({ "values": [value] }))
    }

    /// Something about a group and one who is not in it, from the one to the other.
    fn admission(&self, operation: MucOperation, event: &Event<'_>) -> Meta {
        let app = self.audience.app;
        let body = MucBody {
            muc_id: event.group_id.as_deref().map(|id| queue::room(app, &RoomId::from_trusted(id))),
            operation: Some(operation as i32),
            from: Some(queue::user(app, self.message.from.as_str())),
            to: vec![queue::user(app, self.message.to.name())],
            muc_name: event.group_name.clone(),
            reason: event.reason.clone(),
            is_chatroom: Some(false),
            ..MucBody::default()
        };
        self.meta(NameSpace::Muc, body.encode_to_vec().into())
    }

    /// Something about contacts: from the sender to the receiver, or to those who are named.
    fn roster(&self, operation: RosterOperation, event: &Event<'_>) -> Meta {
        let app = self.audience.app;
        let receiver = [self.message.to.name()];
        let mut to: Vec<_> = event.users.iter().map(|user| queue::user(app, user)).collect();
        if to.is_empty() {
            to = receiver.iter().map(|user| queue::user(app, user)).collect();
        }
        let body = RosterBody {
            operation: Some(operation as i32),
            from: Some(queue::user(app, self.message.from.as_str())),
            to,
            reason: event.reason.clone(),
            ..RosterBody::default()
        };
        self.meta(NameSpace::Roster, body.encode_to_vec().into())
    }
}
