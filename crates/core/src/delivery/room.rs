//! To the members of rooms: limit, stamp, fan out, keep.

use std::slice;
use std::sync::Arc;

use super::{Accepted, Draft, Origin, SendError};
use crate::app::App;
use crate::gate::{Passed, Saying, Turn};
use crate::id::{MessageId, RoomId, UserId};
use crate::limits::Rule;
use crate::message::{Marks, Message, MessageKind, Priority, Target};
use crate::metrics::DropReason;
use crate::node::Node;
use crate::notice::{Envelope, Notice};
use crate::rooms::{Audience, Recent, Room, RoomState};
use crate::session::{OfferedNotice, Session};
use crate::store::{Keep, KeepInHistory, StoreError};

/// A message to a room.
#[derive(Debug, Clone)]
pub struct SendRoom {
    /// The room; one without members takes messages too.
    pub room: RoomId,
    /// Only for these of its members; others, and names of nobody who is there, are passed over silently. For every
    /// member if there are none.
    pub only_for: Vec<UserId>,
    /// The message.
    pub draft: Draft,
}

/// The same message to several rooms, with an ID for each.
#[derive(Debug, Clone)]
pub struct SendRooms {
    /// The rooms; one that stands here twice gets it once.
    pub rooms: Vec<RoomId>,
    /// Only for these of their members, as in [`SendRoom::only_for`].
    pub only_for: Vec<UserId>,
    /// The message.
    pub draft: Draft,
}

/// A room message that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentRoom {
    /// Its number.
    pub id: MessageId,
    /// When the server took it: Unix time in milliseconds.
    pub sent_at_ms: u64,
}

/// A room message on its way to the members.
#[derive(Debug, Clone, Copy)]
pub(super) struct Post<'a> {
    pub(super) message: &'a Arc<Message>,
    /// Only for these, if there are any.
    pub(super) only_for: &'a [UserId],
    /// Its ID was given earlier: it may be older than that of the room's last message.
    pub(super) planned: bool,
}

/// A message that nothing speaks against any more.
struct Admitted {
    draft: Draft,
    by_client: bool,
}

impl Node {
    /// Sends to the members of a room.
    ///
    /// # Errors
    /// When the message was not taken. If it could not be kept, members may have received it all the same.
    pub async fn send_room(&self, app: &Arc<App>, origin: Origin<'_>, send: SendRoom) -> Result<SentRoom, SendError> {
        let SendRoom { room, only_for, draft } = send;
        let (admitted, turn) = self.admit(app, origin, slice::from_ref(&room), &only_for, draft).await?;
        let message = self.say(app, &room, &only_for, &admitted);
        drop(turn);
        self.settle(app, slice::from_ref(&message), &only_for, &admitted).await?;
        Ok(SentRoom::of(&message))
    }

    /// Sends to the members of several rooms: each room under the rate, or none; one durable step for all that is
    /// kept. Answers per room, in the order asked.
    ///
    /// # Errors
    /// When the message was not taken for any room. If it could not be kept, members may have received it all the
    /// same.
    pub async fn send_rooms(
        &self,
        app: &Arc<App>,
        origin: Origin<'_>,
        send: SendRooms,
    ) -> Result<Vec<(RoomId, SentRoom)>, SendError> {
        let SendRooms { rooms, only_for, draft } = send;
        let rooms = distinct(rooms);
        let (admitted, turn) = self.admit(app, origin, &rooms, &only_for, draft).await?;
        let messages: Vec<_> = rooms.iter().map(|room| self.say(app, room, &only_for, &admitted)).collect();
        drop(turn);
        self.settle(app, &messages, &only_for, &admitted).await?;
        Ok(rooms.into_iter().zip(messages.iter().map(|message| SentRoom::of(message))).collect())
    }

    /// Checks what can be refused, and settles who sends it and how much it matters.
    async fn admit<'a>(
        &self,
        app: &'a App,
        origin: Origin<'_>,
        rooms: &[RoomId],
        only_for: &[UserId],
        draft: Draft,
    ) -> Result<(Admitted, Option<Turn<'a>>), SendError> {
        Self::check_payload(app, &draft.payload)?;
        let rule = if app.policy().combined_sends { Rule::PeerSends } else { Rule::RoomSends };
        self.limit_sends(app, origin, rule, rooms.len())?;
        if let Origin::Client(session) = origin
            && !rooms.iter().all(|room| session.is_in(room))
        {
            return Err(SendError::NotInRoom);
        }
        let marks = Marks { kind: draft.kind, priority: draft.priority, ..Marks::default() };
        let targets: Vec<_> = rooms.iter().cloned().map(Target::Room).collect();
        let saying = Saying::new(draft.payload, marks).only_for(only_for);
        let Passed { payload, priority, turn } = self.pass_gate(app, origin, &targets, saying).await?;
        let from = origin.sender(draft.from);
        let priority = effective(app, &from, priority);
        let draft = Draft { from, payload, priority, ..draft };
        Ok((Admitted { draft, by_client: origin.is_client() }, turn))
    }

    /// Stamps the message under the room's lock, so that every member sees one order, that of the IDs, and fans it
    /// out.
    fn say(&self, app: &Arc<App>, room: &RoomId, only_for: &[UserId], admitted: &Admitted) -> Arc<Message> {
        let sent_at_ms = self.clock().wall_ms();
        let stamp = || {
            let Draft { from, payload, kind, priority, .. } = admitted.draft.clone();
            let marks = Marks { kind, priority, targeted: !only_for.is_empty(), broadcast: false };
            let to = Target::Room(room.clone());
            Arc::new(Message { id: self.next_id(sent_at_ms), from, to, payload, sent_at_ms, marks })
        };
        self.metrics().accepted_room.inc();
        let named = sessions_of(app, only_for);
        let Some(room) = app.rooms.get(room) else { return stamp() };
        let mut state = room.lock();
        let message = stamp();
        self.offer_to_members(app, &room, &mut state, &named, Post { message: &message, only_for, planned: false });
        message
    }

    /// Does what is to be done for messages that were fanned out here: keeps them, tells other nodes, and waits
    /// until everything is durable.
    async fn settle(
        &self,
        app: &App,
        messages: &[Arc<Message>],
        only_for: &[UserId],
        admitted: &Admitted,
    ) -> Result<(), StoreError> {
        let keeps: Vec<_> = messages.iter().filter_map(|message| keep(app, message, admitted)).collect();
        // Queued before anything is waited for: a sender who hangs up does not take it back.
        let durable = (!keeps.is_empty()).then(|| self.store().keep_all(keeps));
        for message in messages {
            self.fan_out_elsewhere(app, message, only_for).await;
        }
        if let Some(durable) = durable {
            durable.await?;
            if app.policy().broadcasts.is_some() && admitted.draft.kind == MessageKind::Content {
                messages.iter().for_each(|message| app.active.note(message.to.name()));
            }
        }
        Ok(())
    }

    /// Fans a message of another node out to the members here.
    pub(crate) fn fan_out_here(&self, app: &App, message: &Arc<Message>, only_for: &[UserId]) {
        self.fan_out(app, Post { message, only_for, planned: false });
    }

    /// Fans a message that has its ID already out to the members here. True if they have seen a later one before.
    pub(super) fn fan_out(&self, app: &App, post: Post<'_>) -> bool {
        let Target::Room(room) = &post.message.to else { return false };
        let named = sessions_of(app, post.only_for);
        let Some(room) = app.rooms.get(room) else { return false };
        let mut state = room.lock();
        // A node that was killed in the middle of a broadcast sends some of it twice.
        if post.message.marks.broadcast && state.recent.holds(post.message.id) {
            return false;
        }
        self.offer_to_members(app, &room, &mut state, &named, post)
    }

    /// `named`: the sessions of the users whom the message is only for; some of them may not be in the room. True if
    /// the members have seen a later message before.
    fn offer_to_members(
        &self,
        app: &App,
        room: &Arc<Room>,
        state: &mut RoomState,
        named: &[Arc<Session>],
        post: Post<'_>,
    ) -> bool {
        let Post { message, only_for, planned } = post;
        let envelope = Envelope::new(Notice::RoomMessage { room: room.id.clone(), message: message.clone() });
        let echo = app.policy().rooms.echo_to_sender;
        let wants = |session: &&Arc<Session>| echo || session.user() != &message.from;
        if only_for.is_empty() {
            self.offer_all(state.sessions().iter().filter(wants), &envelope);
        } else {
            self.offer_all(named.iter().filter(|session| state.contains(session)).filter(wants), &envelope);
        }
        if !state.is_gone() && !state.sessions().is_empty() {
            let now_ms = self.clock().monotonic_ms();
            let audience = Audience::new(message.from.clone(), only_for);
            let place = if planned { self.next_id(self.clock().wall_ms()) } else { message.id };
            let recent = Recent::new(place, audience, envelope, now_ms);
            state.recent.remember(recent, app.policy().rooms.replayed);
            self.arm_room_upkeep(app, room, state);
        }
        state.note_seen(message.id)
    }

    /// Offers one notice to many sessions.
    pub(crate) fn offer_all<'a>(&self, sessions: impl Iterator<Item = &'a Arc<Session>>, envelope: &Arc<Envelope>) {
        let now_ms = self.clock().monotonic_ms();
        let (mut taken, mut dropped) = (0, 0);
        for session in sessions {
            match session.offer(envelope, now_ms) {
                OfferedNotice::Taken => taken += 1,
                OfferedNotice::Dropped => dropped += 1,
                OfferedNotice::Away => {}
            }
        }
        if let Notice::RoomMessage { .. } = envelope.notice {
            self.metrics().offered_room.inc_by(taken);
        }
        self.metrics().dropped(DropReason::SlowConsumer, dropped);
    }
}

impl SendRoom {
    /// A message to every member of a room.
    #[must_use]
    pub fn new(room: RoomId, draft: Draft) -> Self {
        Self { room, only_for: Vec::new(), draft }
    }
}

impl SentRoom {
    fn of(message: &Message) -> Self {
        Self { id: message.id, sent_at_ms: message.sent_at_ms }
    }
}

/// The rooms in the order of their first mention.
fn distinct(mut rooms: Vec<RoomId>) -> Vec<RoomId> {
    let mut seen = std::collections::HashSet::new();
    rooms.retain(|room| seen.insert(room.clone()));
    rooms
}

/// What a message of this sender is, whatever it says.
pub(super) fn effective(app: &App, from: &UserId, asked: Priority) -> Priority {
    let high = app.policy().overload.as_ref().is_some_and(|overload| overload.high_senders.contains(from));
    if high { Priority::High } else { asked }
}

/// The sessions of some users, in rooms or not. Looked up before a room is locked: that is the order of the locks.
fn sessions_of(app: &App, users: &[UserId]) -> Vec<Arc<Session>> {
    let mut sessions = Vec::new();
    for (at, user) in users.iter().enumerate() {
        if !users[..at].contains(user) {
            app.hub.for_each_of(user, |session| sessions.push(session.clone()));
        }
    }
    sessions
}

/// What of a room message is to be durable, if anything: its place in the history, what is written alongside, and,
/// once, that the room has had a message.
fn keep(app: &App, message: &Arc<Message>, admitted: &Admitted) -> Option<Keep> {
    let Admitted { draft, by_client } = admitted;
    let policy = app.policy();
    let mut changes = draft.alongside.changes(message);
    if let Some(observer) = app.observer() {
        changes.extend(observer.message(&Accepted { message, receivers: &[], absent: &[], by_client: *by_client }));
    }
    if policy.broadcasts.is_some() && draft.kind == MessageKind::Content {
        changes.extend(app.active.first_message(message.to.name()));
    }
    let history = keep_in_history(app, message, draft);
    if history.is_none() && changes.is_empty() {
        return None;
    }
    Some(Keep { app: policy.id.clone(), message: message.clone(), inbox: None, history, changes })
}

/// How a room message is kept in the history, if it is.
pub(super) fn keep_in_history(app: &App, message: &Message, draft: &Draft) -> Option<KeepInHistory> {
    app.policy().history.filter(|_| draft.history).map(|policy| KeepInHistory {
        expires_at_ms: message.sent_at_ms + policy.retention_ms,
        max_bytes: policy.max_bytes,
        hidden_from: draft.hidden_from.clone(),
    })
}
