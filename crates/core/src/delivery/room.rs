//! To the members of a room: limit, stamp, fan out.

use std::sync::Arc;

use super::{Origin, SendError, SendRoom, SentRoom};
use crate::app::App;
use crate::limits::Rule;
use crate::message::{Marks, Message, Target};
use crate::metrics::DropReason;
use crate::node::Node;
use crate::notice::{Envelope, Notice};
use crate::rooms::{Recent, Room, RoomState};
use crate::session::{OfferedNotice, Session};
use crate::store::Keep;

impl Node {
    /// Sends to the members of a room.
    ///
    /// # Errors
    /// When the message was not taken.
    pub async fn send_room(&self, app: &Arc<App>, origin: Origin<'_>, send: SendRoom) -> Result<SentRoom, SendError> {
        Self::check_payload(app, &send.payload)?;
        let rule = if app.policy().combined_sends { Rule::PeerSends } else { Rule::RoomSends };
        self.limit_send(app, origin, rule)?;
        if let Origin::Client(session) = origin
            && !session.is_in(&send.room)
        {
            return Err(SendError::NotInRoom);
        }
        let history = send.history;
        let message = self.fan_out(app, origin, send);
        self.metrics().accepted_room.inc();
        self.fan_out_elsewhere(app, &message).await;
        if let Some(history) = Self::keep_in_history(app, &message, history, &[]) {
            let (app, message) = (app.id().clone(), message.clone());
            let history = Some(history);
            self.store().keep(Keep { app, message, inbox: None, history, changes: Vec::new() }).await?;
        }
        Ok(SentRoom { id: message.id, sent_at_ms: message.sent_at_ms })
    }

    /// Stamps the message under the room's lock, so that every member sees one order, that of the IDs.
    fn fan_out(&self, app: &Arc<App>, origin: Origin<'_>, send: SendRoom) -> Arc<Message> {
        let from = origin.sender(send.from);
        let sent_at_ms = self.clock().wall_ms();
        let make = |id| {
            let to = Target::Room(send.room.clone());
            Arc::new(Message { id, from, to, payload: send.payload, sent_at_ms, marks: Marks::default() })
        };
        let Some(room) = app.rooms.get(&send.room) else {
            return make(self.next_id(sent_at_ms));
        };
        let mut state = room.lock();
        let message = make(self.next_id(sent_at_ms));
        self.offer_to_members(app, &room, &mut state, &message);
        message
    }

    /// Fans a message of another node out to the members here.
    pub(crate) fn fan_out_here(&self, app: &App, message: &Arc<Message>) {
        if let Target::Room(room) = &message.to
            && let Some(room) = app.rooms.get(room)
        {
            let mut state = room.lock();
            self.offer_to_members(app, &room, &mut state, message);
        }
    }

    fn offer_to_members(&self, app: &App, room: &Arc<Room>, state: &mut RoomState, message: &Arc<Message>) {
        let envelope = Envelope::new(Notice::RoomMessage { room: room.id.clone(), message: message.clone() });
        let echo = app.policy().rooms.echo_to_sender;
        let members = state.sessions().iter().filter(|session| echo || session.user() != &message.from);
        self.offer_all(members, &envelope);
        if !state.is_gone() && !state.sessions().is_empty() {
            let now_ms = self.clock().monotonic_ms();
            let recent = Recent::new(message.id, message.from.clone(), envelope, now_ms);
            state.recent.remember(recent, app.policy().rooms.replayed);
            self.arm_room_upkeep(app, room, state);
        }
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
