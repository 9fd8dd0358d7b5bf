//! What clients are told of rooms and groups that they are in.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use stentor_core::id::{RoomId, UserId};
use stentor_core::room_event::RoomEvent;
use stentor_msync::{EventInfo, Jid, Message, Meta, MucBody, MucOperation, NameSpace};

use super::{frame, queue};
use crate::teller::{Audience, Stamp};

/// The frame of an event.
pub(super) fn event(
    room: &RoomId,
    group: bool,
    event: &RoomEvent,
    by: Option<&UserId>,
    audience: &Audience<'_>,
) -> Bytes {
    let address = queue::room(audience.app, room);
    let place = Place { audience, address: &address, group, by };
    let bodies = match event {
        // On the wire these are two events.
        RoomEvent::Attributes { set, removed, by } => {
            let set = (!set.is_empty()).then(|| place.attributes_set(set, by));
            let removed = (!removed.is_empty()).then(|| place.attributes_removed(removed, by));
            set.into_iter().chain(removed).collect()
        }
        event => vec![place.body(event)],
    };
    let stamps: Vec<_> = bodies.iter().map(|_| audience.numbers.next()).collect();
    let Some(at_ms) = stamps.last().map(|stamp| stamp.at_ms) else { return Bytes::new() };
    let meta = |(body, stamp): (MucBody, Stamp)| Meta {
        id: Some(stamp.number),
        from: Some(address.clone()),
        timestamp: Some(stamp.at_ms),
        ns: Some(NameSpace::Muc as i32),
        payload: Some(body.encode_to_vec().into()),
        ..Meta::default()
    };
    frame::told(bodies.into_iter().zip(stamps).map(meta).collect(), address.clone(), at_ms)
}

/// Where something happened, and who is told.
struct Place<'a> {
    audience: &'a Audience<'a>,
    address: &'a Jid,
    group: bool,
    /// The user whose doing it was.
    by: Option<&'a UserId>,
}

impl Place<'_> {
    fn body(&self, event: &RoomEvent) -> MucBody {
        match event {
            RoomEvent::Joined { users, count, .. } if self.group && self.audience.own => {
                MucBody { muc_member_count: members(*count), ..self.about(MucOperation::DirectJoined, users) }
            }
            RoomEvent::Joined { users, count, ext } => {
                let ext = ext.as_ref().map(|ext| ext.to_string());
                MucBody { ext, ..self.moved(MucOperation::Presence, users, *count) }
            }
            RoomEvent::Left { users, count } => self.moved(MucOperation::Absence, users, *count),
            RoomEvent::Removed { users, count, .. } => {
                MucBody { muc_member_count: members(*count), ..self.about(MucOperation::Kick, users) }
            }
            RoomEvent::Unblocked { users } => self.about(MucOperation::Allow, users),
            RoomEvent::Muted { users, until_ms } => {
                let until = (*until_ms != u64::MAX).then(|| json!({ "user_mute_time": until_ms }).to_string());
                MucBody { ext: until, ..self.about(MucOperation::AddMute, users) }
            }
            RoomEvent::Unmuted { users } => self.about(MucOperation::RemoveMute, users),
            RoomEvent::AllMuted { muted } => {
                self.plain(if *muted { MucOperation::BanGroup } else { MucOperation::RemoveBanGroup })
            }
            RoomEvent::Allowed { users, allowed } => {
                let operation =
                    if *allowed { MucOperation::AddUserWhiteList } else { MucOperation::RemoveUserWhiteList };
                self.about(operation, users)
            }
            RoomEvent::Admin { user, admin } => {
                let operation = if *admin { MucOperation::AddAdmin } else { MucOperation::RemoveAdmin };
                self.about(operation, std::slice::from_ref(user))
            }
            RoomEvent::OwnerChanged { from, to } => MucBody {
                from: Some(self.user(from)),
                ..self.about(MucOperation::AssignOwner, std::slice::from_ref(to))
            },
            RoomEvent::Announcement { text } => {
                MucBody { reason: Some(text.clone()), ..self.plain(MucOperation::UpdateAnnouncement) }
            }
            RoomEvent::Info | RoomEvent::Attributes { .. } => self.plain(MucOperation::Update),
            RoomEvent::Disabled { disabled } => {
                self.plain(if *disabled { MucOperation::DisableGroup } else { MucOperation::AbleGroup })
            }
            RoomEvent::File { id, name, shared, by } => {
                let operation = if *shared { MucOperation::UploadFile } else { MucOperation::DeleteFile };
                let file = json!({ "data": { "file_id": id, "file_name": name } }).to_string();
                let plain = self.plain(operation);
                let from = by.as_ref().map(|user| self.user(user)).or(plain.from);
                MucBody { from, event_info: text(file), reason: Some(id.clone()), ..plain }
            }
            RoomEvent::Deleted => self.plain(MucOperation::Destroy),
        }
    }

    fn plain(&self, operation: MucOperation) -> MucBody {
        MucBody {
            muc_id: Some(self.address.clone()),
            operation: Some(operation as i32),
            // Nobody in particular, if it was the backend.
            from: Some(self.by.map_or_else(|| self.address.clone(), |by| self.user(by))),
            is_chatroom: Some(!self.group),
            ..MucBody::default()
        }
    }

    fn about(&self, operation: MucOperation, users: &[UserId]) -> MucBody {
        MucBody { to: users.iter().map(|user| self.user(user)).collect(), ..self.plain(operation) }
    }

    /// Users came or went by themselves. Several of them are named in a list of their own.
    fn moved(&self, operation: MucOperation, users: &[UserId], count: u64) -> MucBody {
        let names = users.iter().map(|user| user.as_str().to_owned());
        MucBody {
            from: users.first().map(|user| self.user(user)),
            muc_member_count: members(count),
            members: if users.len() > 1 { names.collect() } else { Vec::new() },
            ..self.plain(operation)
        }
    }

    fn attributes_set(&self, set: &[(String, String)], by: &UserId) -> MucBody {
        let properties: Map<_, _> = set.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect();
        let keys: Vec<_> = set.iter().map(|(key, _)| key).collect();
        let change = json!({ "result": { "successKeys": keys }, "properties": properties }).to_string();
        MucBody { from: Some(self.user(by)), event_info: text(change), ..self.plain(MucOperation::SetMetadata) }
    }

    fn attributes_removed(&self, removed: &[String], by: &UserId) -> MucBody {
        let change = json!({ "result": { "successKeys": removed }, "properties": {} }).to_string();
        MucBody { from: Some(self.user(by)), event_info: text(change), ..self.plain(MucOperation::DeleteMetadata) }
    }

    fn user(&self, user: &UserId) -> Jid {
        queue::user(self.audience.app, user.as_str())
    }
}

#[expect(clippy::unnecessary_wraps, reason = "fields of the wire are optional")]
fn text(ext: String) -> Option<EventInfo> {
    Some(EventInfo { event_type: Some(0), ext: Some(ext) })
}

fn members(count: u64) -> Option<i32> {
    i32::try_from(count).ok()
}
