//! To the members of rooms: limit, stamp, fan out, keep.

use std::collections::HashSet;
use std::slice;
use std::sync::Arc;

use bytes::Bytes;

use super::{Accepted, Origin, SendError, SendOptions, SendRoom, SendRooms, SentRoom};
use crate::app::App;
use crate::directory::rooms::RoomKind;
use crate::gate::{Passed, Saying, Turn};
use crate::id::{MessageId, RoomId, UserId};
use crate::limits::Rule;
use crate::mailbox::GivenUp;
use crate::message::{Marks, Message, MessageKind, Priority, Target};
use crate::metrics::DropReason;
use crate::node::Node;
use crate::notice::{Envelope, Notice};
use crate::rooms::{ActiveRooms, Audience, Lost, Recent, Room, RoomState};
use crate::session::{LostMessages, OfferedNotice, Session};
use crate::store::{Keep, StoreError};

/// How many rooms one command may have. Dialects allow fewer.
pub const ROOMS: usize = 100;

/// What is sent, before it has its numbers.
pub(super) struct Said {
    pub(super) from: UserId,
    pub(super) payload: Bytes,
    pub(super) only_for: Vec<UserId>,
    pub(super) options: SendOptions,
    pub(super) by_client: bool,
    /// Rooms of which it is to be recorded that they have had a message.
    pub(super) activates: Vec<RoomId>,
}

/// A room message on its way to the members.
#[derive(Debug, Clone, Copy)]
pub(super) struct FanOut<'a> {
    pub(super) message: &'a Arc<Message>,
    /// Only for these, if there are any.
    pub(super) only_for: &'a [UserId],
    pub(super) place: Place,
}

/// Where a message stands among those of its room: for clients that come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Where its ID says, which was given in the room's turn.
    OfId,
    /// Behind everything of before: its ID was given earlier, and may be older than that of the room's last message.
    Last,
    /// Where it stood before a restart.
    At(MessageId),
}

impl Node {
    /// Sends to the members of a room.
    ///
    /// # Errors
    /// When the message was not taken. If it could not be kept, members may have received it all the same.
    pub async fn send_room(&self, app: &Arc<App>, origin: Origin<'_>, send: SendRoom) -> Result<SentRoom, SendError> {
        let SendRoom { from, room, payload, only_for, options } = send;
        let said = Said { from, payload, only_for, options, by_client: origin.is_client(), activates: Vec::new() };
        let (said, turn) = self.admit(app, origin, slice::from_ref(&room), said).await?;
        let message = self.post_to_room(app, &room, &said);
        drop(turn);
        self.settle(app, slice::from_ref(&message), &said).await?;
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
        let SendRooms { from, rooms, payload, only_for, options } = send;
        let rooms = distinct(rooms);
        let said = Said { from, payload, only_for, options, by_client: origin.is_client(), activates: Vec::new() };
        let (said, turn) = self.admit(app, origin, &rooms, said).await?;
        let messages: Vec<_> = rooms.iter().map(|room| self.post_to_room(app, room, &said)).collect();
        drop(turn);
        self.settle(app, &messages, &said).await?;
        Ok(rooms.into_iter().zip(messages.iter().map(|message| SentRoom::of(message))).collect())
    }

    /// Checks what can be refused, and settles who sends it and how much it matters.
    async fn admit<'a>(
        &self,
        app: &'a App,
        origin: Origin<'_>,
        rooms: &[RoomId],
        mut said: Said,
    ) -> Result<(Said, Option<Turn<'a>>), SendError> {
        Self::check_payload(app, &said.payload)?;
        Self::check_count(rooms.len(), ROOMS)?;
        let rule = match said.only_for.is_empty() {
            _ if app.policy().combined_sends => Rule::PeerSends,
            true => Rule::RoomSends,
            false => Rule::TargetedRoomSends,
        };
        self.limit_sends(app, origin, rule, rooms.len())?;
        if let Origin::Client(session) = origin
            && !rooms.iter().all(|room| session.is_in(room))
        {
            return Err(SendError::NotInRoom);
        }
        let marks = &mut said.options.marks;
        marks.targeted |= !said.only_for.is_empty();
        marks.echo |= said.options.sync_sender;
        let targets: Vec<_> = rooms.iter().cloned().map(Target::Room).collect();
        let passed = self.pass_gate(app, origin, &said.from, &targets, Saying::new(said.payload, *marks)).await?;
        let Passed { payload, priority, turn } = passed;
        said.payload = payload;
        said.from = origin.sender(said.from);
        if marks.targeted && marks.echo {
            said.only_for.push(said.from.clone());
        }
        marks.priority = effective(app, &said.from, &said.payload, Marks { priority, ..*marks });
        said.activates = self.not_yet_active(app, rooms, &said.options).await?;
        Ok((said, turn))
    }

    /// The rooms of which it is to be recorded that they have had a message: of an app whose rooms are registered only
    /// those that are there, since there is no end to the others.
    async fn not_yet_active(
        &self,
        app: &App,
        rooms: &[RoomId],
        options: &SendOptions,
    ) -> Result<Vec<RoomId>, StoreError> {
        let (registered, mut unknown) = (app.policy().rooms.registered.is_some(), Vec::new());
        if app.policy().broadcasts.is_none() || options.marks.kind != MessageKind::Content {
            return Ok(unknown);
        }
        for room in rooms.iter().filter(|room| !app.active.is_known(room.as_str())) {
            if !registered || self.find_room(app, RoomKind::Room, room).await?.is_some() {
                unknown.push(room.clone());
            }
        }
        Ok(unknown)
    }

    /// Stamps the message under the room's lock, so that every member sees one order, that of the IDs, and fans it
    /// out.
    pub(super) fn post_to_room(&self, app: &Arc<App>, room: &RoomId, said: &Said) -> Arc<Message> {
        let sent_at_ms = self.clock().wall_ms();
        let stamp = || {
            let (from, payload, marks) = (said.from.clone(), said.payload.clone(), said.options.marks);
            let to = Target::Room(room.clone());
            Arc::new(Message { id: self.next_id(sent_at_ms), from, to, payload, sent_at_ms, marks })
        };
        let only_for = &said.only_for[..];
        self.metrics().accepted_room.inc();
        let named = sessions_of(app, only_for);
        let level = said.options.marks.priority;
        let Some(room) = app.rooms.get(room) else {
            app.gone_rooms.of(room).accepted(level, sent_at_ms);
            return stamp();
        };
        room.account.accepted(level, sent_at_ms);
        let mut state = room.lock();
        let message = stamp();
        self.offer_to_members(
            app,
            &room,
            &mut state,
            &named,
            FanOut { message: &message, only_for, place: Place::OfId },
        );
        message
    }

    /// Does what is to be done for messages that were fanned out here: keeps them, tells other nodes, and waits
    /// until everything is durable.
    pub(super) async fn settle(&self, app: &App, messages: &[Arc<Message>], said: &Said) -> Result<(), StoreError> {
        let keeps: Vec<_> = messages.iter().filter_map(|message| keep(app, message, said)).collect();
        // Queued before anything is waited for: a sender who hangs up does not take it back.
        let durable = (!keeps.is_empty()).then(|| self.store().keep_all(keeps));
        for message in messages {
            self.fan_out_elsewhere(app, message, &said.only_for).await;
        }
        if let Some(durable) = durable {
            durable.await?;
            said.activates.iter().for_each(|room| app.active.note(room.as_str()));
        }
        Ok(())
    }

    /// Fans a message of another node out to the members here.
    pub(crate) fn fan_out_here(&self, app: &App, message: &Arc<Message>, only_for: &[UserId]) {
        self.fan_out(app, FanOut { message, only_for, place: Place::OfId });
    }

    /// Fans a message that has its ID already out to the members here. Returns its place among the room's messages, if
    /// there are members.
    pub(super) fn fan_out(&self, app: &App, fan_out: FanOut<'_>) -> Option<MessageId> {
        let Target::Room(room) = &fan_out.message.to else { return None };
        let named = sessions_of(app, fan_out.only_for);
        let room = app.rooms.get(room)?;
        let mut state = room.lock();
        // A node that was killed in the middle of a broadcast sends some of it twice.
        if fan_out.message.marks.broadcast && state.recent.holds(fan_out.message.id) {
            return None;
        }
        self.offer_to_members(app, &room, &mut state, &named, fan_out)
    }

    /// `named`: the sessions of the users whom the message is only for; some of them may not be in the room. Returns the
    /// message's place, if it is remembered.
    fn offer_to_members(
        &self,
        app: &App,
        room: &Arc<Room>,
        state: &mut RoomState,
        named: &[Arc<Session>],
        fan_out: FanOut<'_>,
    ) -> Option<MessageId> {
        let FanOut { message, only_for, place } = fan_out;
        let level = message.marks.priority;
        room.account.begin(message.sent_at_ms);
        if self.is_over_budget(app, state, message) {
            let clients = state.sessions().len() as u64;
            room.account.lost(level, Lost::Budget, clients);
            self.metrics().room_dropped(level, Lost::Budget, clients);
            return None;
        }
        let envelope = Envelope::new(Notice::RoomMessage { room: room.id.clone(), message: message.clone() });
        // What becomes of an earlier message is news for its sender's other sessions, too, and perhaps it was the backend.
        let echo = app.policy().rooms.echo_to_sender || message.marks.echo || message.marks.kind.is_about_another();
        let wants = |session: &&Arc<Session>| echo || session.user() != &message.from;
        let Offered { taken, no_place, too_slow } = if only_for.is_empty() {
            self.offer_all(state.sessions().iter().filter(wants), &envelope)
        } else {
            self.offer_all(named.iter().filter(|session| state.contains(session)).filter(wants), &envelope)
        };
        self.metrics().offered_room.inc_by(taken);
        room.account.offered(level, taken);
        for (why, count) in [(Lost::Lanes, no_place), (Lost::SlowConsumer, too_slow)] {
            room.account.lost(level, why, count);
            self.metrics().room_dropped(level, why, count);
        }
        if state.is_gone() || state.sessions().is_empty() {
            return None;
        }
        let now_ms = self.clock().monotonic_ms();
        let audience = Audience::of(message, only_for);
        let place = match place {
            Place::OfId => message.id,
            Place::Last => self.next_id(self.clock().wall_ms()),
            Place::At(place) => place,
        };
        let recent = Recent::new(place, audience, envelope, now_ms);
        state.recent.remember(recent, app.policy().rooms.kept());
        self.arm_room_upkeep(app, room, state);
        Some(place)
    }

    /// Whether the message is not delivered because too much was said in the room lately, and the node is busy. What
    /// only some get, what goes to every room, and what is not content is never too much.
    fn is_over_budget(&self, app: &App, state: &mut RoomState, message: &Message) -> bool {
        let Some(overload) = &app.policy().overload else { return false };
        let Marks { kind, priority, targeted, broadcast, .. } = message.marks;
        if targeted || broadcast || kind != MessageKind::Content {
            return false;
        }
        let (per_second, now_us) = (overload.room_messages_per_second, self.clock().monotonic_us());
        let budget = state.budget.get_or_insert_default();
        if budget.is_used_up(priority, per_second, now_us) && self.is_busy(overload.busy_after_ms) {
            return true;
        }
        budget.note(priority, per_second, now_us);
        false
    }

    /// Offers one notice to many sessions of an app.
    pub(crate) fn offer_all<'a>(
        &self,
        sessions: impl Iterator<Item = &'a Arc<Session>>,
        envelope: &Arc<Envelope>,
    ) -> Offered {
        let now_ms = self.clock().monotonic_ms();
        let (mut offered, mut lost) = (Offered::default(), LostMessages::default());
        for session in sessions {
            match session.offer(envelope, now_ms, &mut lost) {
                OfferedNotice::Taken => offered.taken += 1,
                OfferedNotice::NoPlace => offered.no_place += 1,
                OfferedNotice::Dropped => offered.too_slow += 1,
                OfferedNotice::Away => {}
            }
            self.count_lost(session.app(), &mut lost);
        }
        self.metrics().dropped(DropReason::SlowConsumer, offered.too_slow);
        offered
    }

    /// Counts room messages that were in mailboxes and are not delivered.
    pub(crate) fn count_lost(&self, app: &App, lost: &mut LostMessages) {
        let LostMessages { gave_way, cut, events } = lost;
        self.metrics().dropped(DropReason::ReplayLimit, std::mem::take(events));
        for (given_up, why) in [(gave_way, Lost::Lanes), (cut, Lost::SlowConsumer)] {
            for GivenUp { room, level } in given_up.drain(..) {
                app.room_account(&room).taken_back(level, why, 1);
                self.metrics().room_dropped(level, why, 1);
            }
        }
    }
}

/// What became of an offer to many sessions.
#[derive(Debug, Default)]
pub(crate) struct Offered {
    /// So many have it in the mailbox.
    taken: u64,
    /// So many have lanes that are full of what matters as much or more.
    no_place: u64,
    /// So many were disconnected as slow consumers.
    too_slow: u64,
}

impl SentRoom {
    fn of(message: &Message) -> Self {
        Self { id: message.id, sent_at_ms: message.sent_at_ms }
    }
}

/// The rooms in the order of their first mention.
fn distinct(mut rooms: Vec<RoomId>) -> Vec<RoomId> {
    let mut seen = HashSet::new();
    rooms.retain(|room| seen.insert(room.clone()));
    rooms
}

/// How much a message matters, whatever it asks for: that may be for its sender or its content to say. Where there are
/// no levels, everything matters the same.
pub(super) fn effective(app: &App, from: &UserId, payload: &[u8], marks: Marks) -> Priority {
    let Some(overload) = &app.policy().overload else { return Priority::default() };
    let by_content = marks.kind == MessageKind::Content;
    if overload.high_senders.contains(from)
        || by_content && overload.high_content.as_ref().is_some_and(|high| high.has(payload))
    {
        return Priority::High;
    }
    marks.priority
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

/// What of a room message is to be durable, if anything: its place in the history, what is written beside it, and,
/// once, that the room has had a message.
fn keep(app: &App, message: &Arc<Message>, said: &Said) -> Option<Keep> {
    let options = &said.options;
    let accepted = Accepted { message, receivers: &[], absent: &[], kept: false, by_client: said.by_client };
    let mut changes = options.also.as_ref().map(|also| also.changes(&accepted)).unwrap_or_default();
    changes.extend(app.observed(|observer| observer.message(&accepted)));
    if let Target::Room(room) = &message.to
        && said.activates.contains(room)
    {
        changes.push(ActiveRooms::had_message(room));
    }
    let history = Node::keep_in_history(app, message, options.history && !options.online_only, &options.hidden_from);
    if history.is_none() && changes.is_empty() {
        return None;
    }
    Some(Keep { app: app.id().clone(), message: message.clone(), inbox: None, history, changes })
}
