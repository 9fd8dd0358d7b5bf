//! What a Chat client sends to users, groups and rooms.

use bytes::Bytes;
use stentor_chat_content::{Content, MAX_BYTES, read_payload};
use stentor_core::delivery::sent_items::SentItem;
use stentor_core::delivery::{Origin, SendError, SendGroup, SendOptions, SendPeer, SendRoom};
use stentor_core::directory::rooms::RoomKind;
use stentor_core::id::{MessageId, RoomId, UserId};
use stentor_core::message::{Marks, MessageKind, Priority, Target};

use super::answer::{Answer, Answered, Client};
use super::codes;
use super::reply::Outcome;
use super::request::{Read, Send};
use crate::codec::Refusal;

/// Named members of a room or group in one message.
pub(crate) const MAX_USERS: usize = 20;

/// Messages in one read receipt.
const MAX_READ: usize = 100;

/// Said of a message that is not there, or is none of the client's business.
const NO_MESSAGE: &str = "no such message";

/// Where something is sent to.
pub(crate) enum To {
    User(UserId),
    Group(RoomId),
    Room(RoomId),
}

/// Something that is to be sent.
struct Parcel {
    to: To,
    payload: Bytes,
    kind: MessageKind,
    priority: Priority,
    only_for: Vec<UserId>,
    online_only: bool,
    receipt: bool,
    /// What it is known by if it is sent again, in protocols where that is done.
    item: Option<SentItem>,
}

impl Parcel {
    /// Something about earlier messages.
    fn news(to: To, payload: String, kind: MessageKind) -> Self {
        let (payload, priority) = (payload.into(), Priority::Normal);
        Self { to, payload, kind, priority, only_for: Vec::new(), online_only: false, receipt: false, item: None }
    }
}

impl To {
    /// What of it is asked for when something is refused: a user's conversation has the words of a group.
    pub(super) fn kind(&self) -> RoomKind {
        match self {
            Self::User(_) | Self::Group(_) => RoomKind::Group,
            Self::Room(_) => RoomKind::Room,
        }
    }
}

impl From<To> for Target {
    fn from(to: To) -> Self {
        match to {
            To::User(user) => Self::User(user),
            To::Group(group) => Self::Group(group),
            To::Room(room) => Self::Room(room),
        }
    }
}

impl Client {
    /// Sends something that may be sent again: then it is known, also after a restart, if `item` says by what.
    pub(crate) fn send(self, send: &Send<'_>, item: Option<SentItem>) -> Answer {
        match self.parcel(send) {
            Ok(parcel) => Answer::waits(async move { self.dispatch(Parcel { item, ..parcel }).await }),
            Err(refusal) => Answer::Done(Err(refusal)),
        }
    }

    /// Tells who wrote messages that they were read. What the user cannot have got is left out.
    pub(crate) fn read(self, read: &Read<'_>) -> Answer {
        let (to, users) = match self.receipt(read) {
            Ok(receipt) => receipt,
            Err(refusal) => return Answer::Done(Err(refusal)),
        };
        let ids: Vec<_> = read.ids.iter().map(|id| id.0).collect();
        Answer::waits(async move {
            let mut by_author: Vec<(UserId, Vec<MessageId>)> = Vec::new();
            for id in ids {
                let Some(author) = self.author(&to, id).await? else { continue };
                match by_author.iter_mut().find(|(other, _)| *other == author) {
                    Some((_, ids)) => ids.push(id),
                    None => by_author.push((author, vec![id])),
                }
            }
            let mut answered = Err(Refusal::new(codes::INVALID_MESSAGE, NO_MESSAGE));
            for (author, ids) in by_author {
                // In a group, these are the ones who want to know.
                if users.is_empty() || users.contains(&author) {
                    let payload = read_payload(ids.iter().map(ToString::to_string));
                    answered = self.tell_author(&to, author, payload, MessageKind::Read).await;
                    if answered.is_err() {
                        break;
                    }
                }
            }
            answered
        })
    }

    /// Tells who wrote a message something about it: that it was read, in a payload of that kind, or a JSON object with its
    /// `event`. Refused if the user cannot have got it there.
    pub(crate) fn receipted(self, to: Target, id: MessageId, payload: String, kind: MessageKind) -> Answer {
        Answer::waits(async move {
            match self.author(&to, id).await? {
                Some(author) => self.tell_author(&to, author, payload, kind).await,
                None => Err(Refusal::new(codes::INVALID_MESSAGE, NO_MESSAGE)),
            }
        })
    }

    async fn author(&self, to: &Target, id: MessageId) -> Result<Option<UserId>, Refusal> {
        let author = self.state.node().wrote(&self.app, &self.session, to, id).await;
        author.map_err(|error| codes::not_sent(RoomKind::Group, &error))
    }

    async fn tell_author(&self, to: &Target, author: UserId, payload: String, kind: MessageKind) -> Answered {
        let parcel = match to {
            Target::Group(group) => {
                Parcel { only_for: vec![author], ..Parcel::news(To::Group(group.clone()), payload, kind) }
            }
            // In a conversation of two, who wrote it is the other.
            Target::User(_) | Target::Room(_) => Parcel::news(To::User(author), payload, kind),
        };
        self.dispatch(parcel).await
    }

    /// Tells a user something that has no form of its own: a JSON object with its `event`.
    pub(crate) fn tell(self, user: &str, payload: String) -> Answer {
        match self.user(user) {
            Ok(user) => {
                let parcel = Parcel::news(To::User(user), payload, MessageKind::Notice);
                Answer::waits(async move { self.dispatch(parcel).await })
            }
            Err(refusal) => Answer::Done(Err(refusal)),
        }
    }

    fn parcel(&self, send: &Send<'_>) -> Result<Parcel, Refusal> {
        let to = self.to(&send.chat_type, &send.to)?;
        let content =
            Content::parse(Some(&send.body_type), Some(send.body), send.ext, MAX_BYTES).map_err(codes::bad_content)?;
        Ok(Parcel {
            only_for: self.only_for(&to, &send.users)?,
            to,
            payload: content.into_payload().into(),
            kind: MessageKind::Content,
            priority: priority(send.level.as_deref())?,
            online_only: send.online_only,
            receipt: send.need_group_ack,
            item: None,
        })
    }

    /// Of which conversation messages were read, and in a group, whose.
    fn receipt(&self, read: &Read<'_>) -> Result<(Target, Vec<UserId>), Refusal> {
        let to = self.to(&read.chat_type, &read.to)?;
        let only_for = self.only_for(&to, &read.users)?;
        match to {
            To::Room(_) => return Err(invalid("messages in rooms are not receipted")),
            // Nobody but who wrote them wants to know.
            To::Group(_) if only_for.is_empty() => return Err(invalid("`users` must say who wrote the messages")),
            To::Group(_) | To::User(_) => {}
        }
        if read.ids.is_empty() || read.ids.len() > MAX_READ {
            return Err(invalid(format_args!("`ids` must have 1 to {MAX_READ} messages")));
        }
        Ok((to.into(), only_for))
    }

    async fn dispatch(&self, parcel: Parcel) -> Answered {
        let Parcel { to, payload, kind, priority, only_for, online_only, receipt, item } = parcel;
        let (node, app) = (self.state.node(), &self.app);
        let (from, origin) = (self.session.user().clone(), Origin::Client(&self.session));
        // A receipt is no message that anybody looks for later, and what only some may see is nobody's history.
        let history = kind == MessageKind::Content && only_for.is_empty();
        let marks = Marks { kind, priority, receipt: receipt && matches!(to, To::Group(_)), ..Marks::default() };
        // Beside a message that is not kept, nothing is.
        let also = item.filter(|_| !online_only).map(SentItem::remembered);
        let options =
            SendOptions { keep: true, history, marks, sync_sender: true, online_only, also, ..SendOptions::default() };
        match to {
            To::User(to) => {
                let send = SendPeer { from, to, payload, wait_for_ack: false, options };
                let sent = node.send_peer(app, origin, send).await;
                outcome(RoomKind::Group, sent.map(|sent| (sent.id, sent.sent_at_ms)))
            }
            To::Group(group) => {
                let send = SendGroup { from, group, payload, only_for, options };
                let sent = node.send_group(app, origin, send).await;
                outcome(RoomKind::Group, sent.map(|sent| (sent.id, sent.sent_at_ms)))
            }
            To::Room(room) => {
                let also = options.also.filter(|_| history && app.policy().history.is_some());
                let options = SendOptions { sync_sender: false, also, ..options };
                let sent = node.send_room(app, origin, SendRoom { from, room, payload, only_for, options }).await;
                outcome(RoomKind::Room, sent.map(|sent| (sent.id, sent.sent_at_ms)))
            }
        }
    }

    pub(crate) fn to(&self, chat_type: &str, name: &str) -> Result<To, Refusal> {
        match chat_type {
            "chat" => self.user(name).map(To::User),
            "groupchat" => self.group(name).map(To::Group),
            "chatroom" => self.room(name).map(To::Room),
            _ => Err(invalid("`chat_type` must be chat, groupchat or chatroom")),
        }
    }

    fn only_for(&self, to: &To, users: &[String]) -> Result<Vec<UserId>, Refusal> {
        if matches!(to, To::User(_)) && !users.is_empty() {
            return Err(invalid("`users` is for groups and rooms"));
        }
        if users.len() > MAX_USERS {
            return Err(invalid(format_args!("`users` must not have more than {MAX_USERS} names")));
        }
        users.iter().map(|name| self.user(name)).collect()
    }
}

fn outcome(kind: RoomKind, sent: Result<(MessageId, u64), SendError>) -> Answered {
    sent.map(|(id, sent_at_ms)| Outcome::Sent { id, sent_at_ms }).map_err(|error| codes::not_sent(kind, &error))
}

fn priority(level: Option<&str>) -> Result<Priority, Refusal> {
    match level {
        None | Some("normal") => Ok(Priority::Normal),
        Some("high") => Ok(Priority::High),
        Some("low") => Ok(Priority::Low),
        Some(_) => Err(invalid("`level` must be high, normal or low")),
    }
}

pub(super) fn invalid(reason: impl std::fmt::Display) -> Refusal {
    Refusal::new(codes::INVALID_ARGUMENT, reason)
}
