//! Coming into a room: what newer SDKs are told of it in the answer, and leaving the others on the way.

use std::sync::Arc;

use serde_json::json;
use stentor_core::directory::rooms::RoomKind;
use stentor_core::id::RoomId;
use stentor_msync::{Message as _, Meta, MucBody, MucOperation, MucStatus, NameSpace};

use super::up::{Item, answer};
use super::{codes, frame, queue};
use crate::chat::answer::{Answer, Client, Outcome};
use crate::protocol::{Begun, Caller};

/// From this version of the protocol on, clients read what comes along with an answer. Some of those before take it for
/// something else, and never see the answer.
const TOLD_FROM: u32 = 4;

/// How long a text may be that a client says to the others when it comes, in bytes: all of them get it. What is longer is not
/// handed on.
const MAX_EXT_BYTES: usize = 1024;

impl Item {
    /// Comes into a room; and, if asked to, leaves all others.
    pub(super) fn join(self, body: &MucBody, name: &str) -> Begun {
        let (caller, id) = (Arc::clone(&self.caller), self.id);
        let leave_others = body.leave_other_rooms.unwrap_or(false);
        let clock = Arc::clone(caller.state.node().clock());
        let room = RoomId::from_trusted(name);
        let ext = body.ext.as_deref().filter(|ext| (1..=MAX_EXT_BYTES).contains(&ext.len()));
        let joining = Client::new(&caller).join_saying(name, ext.map(Into::into));
        let Answer::Waits(joining) = joining else {
            return joining.begun(false, move |answered| answer(id, answered, codes::refused, clock.wall_ms()));
        };
        let answering = Box::pin(async move {
            let answered = joining.await;
            let Ok(Outcome::Count(count)) = &answered else {
                return answer(id, &answered, codes::refused, clock.wall_ms());
            };
            if leave_others {
                caller.leave_others(&room).await;
            }
            let told = if caller.action_version >= TOLD_FROM { caller.told_of(&room, *count).await } else { None };
            frame::answer_with(id, told, clock.wall_ms())
        });
        Begun::Waits { answering, logs_out: false }
    }
}

impl Caller {
    async fn leave_others(&self, room: &RoomId) {
        for other in self.session.rooms().iter().filter(|other| *other != room) {
            if let Err(error) = self.state.node().leave(&self.session, other).await {
                // A room of one's own cannot be left.
                tracing::debug!(%error, "a room was not left");
            }
        }
    }

    /// What the client may want to know of a room that it came into. `None` if that cannot be read now.
    async fn told_of(&self, id: &RoomId, count: usize) -> Option<Meta> {
        let (node, user) = (self.state.node(), self.session.user());
        let room = node.find_room(&self.app, RoomKind::Room, id).await.ok()??;
        let member = node.find_member(&self.app, id, user).await.ok()?;
        let muted_until = member.as_ref().and_then(|member| member.muted_until_ms);
        let muted_until = muted_until.filter(|until_ms| *until_ms > node.clock().wall_ms());
        let info = json!({ user.as_str(): {
            "is_all_mute": room.muted_all,
            "create_timestamp": room.created_ms,
            "is_in_white_list": member.is_some_and(|member| member.allowed),
            "member_count": count,
            "mute_duration": muted_until.map_or(-1, |until_ms| i64::try_from(until_ms).unwrap_or(i64::MAX)),
        } });
        let address = queue::room(self.app.id().as_str(), id);
        let body = MucBody {
            muc_id: Some(address.clone()),
            operation: Some(MucOperation::Join as i32),
            from: Some(queue::user(self.app.id().as_str(), user.as_str())),
            is_chatroom: Some(true),
            status: Some(MucStatus {
                error_code: Some(0),
                chatroom_info: Some(info.to_string()),
                ..MucStatus::default()
            }),
            ..MucBody::default()
        };
        let stamp = self.state.numbers().next();
        Some(Meta {
            id: Some(stamp.number),
            from: Some(address),
            timestamp: Some(stamp.at_ms),
            ns: Some(NameSpace::Muc as i32),
            payload: Some(body.encode_to_vec().into()),
            ..Meta::default()
        })
    }
}
