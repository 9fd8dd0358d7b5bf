//! What a client that comes back missed of its rooms.

use std::sync::Arc;

use parking_lot::MutexGuard;

use crate::app::App;
use crate::id::{MessageId, RoomId, UserId};
use crate::metrics::DropReason;
use crate::node::Node;
use crate::notice::{Envelope, Notice};
use crate::rooms::{Reader, Room, RoomState};
use crate::session::JoinedRoom;

/// A room of the session, locked.
pub(super) type LockedRoom<'a> = (&'a JoinedRoom, &'a Arc<Room>, MutexGuard<'a, RoomState>);

/// Messages of a room that a client missed.
pub(super) struct Replay {
    envelopes: Vec<(MessageId, Arc<Envelope>)>,
    /// Per room, how many of the gap there are in all.
    gaps: Vec<(RoomId, u64)>,
}

impl Replay {
    /// What of the rooms' recent messages the client does not have.
    pub(super) fn of(app: &App, user: &UserId, rooms: &[LockedRoom<'_>], points: &[(RoomId, MessageId)]) -> Self {
        let reader = Reader { user, echo: app.policy().rooms.echo_to_sender };
        let levels = app.policy().overload.is_some();
        let mut replay = Self { envelopes: Vec::new(), gaps: Vec::new() };
        for (joined, room, state) in rooms {
            let points = points.iter().filter(|(of, _)| *of == room.id).map(|(_, id)| *id);
            let left_off = state.recent.left_off(joined.joined_after, points, levels);
            let before = replay.envelopes.len();
            let lacking = state.recent.lacking(left_off, reader);
            replay.envelopes.extend(lacking.map(|recent| (recent.place, recent.envelope.clone())));
            let gap = (replay.envelopes.len() - before) as u64 + state.recent.missed(left_off, reader);
            replay.gaps.push((room.id.clone(), gap));
        }
        replay
    }
}

impl Node {
    /// The newest messages of a replay, and what to tell of those that are not replayed.
    pub(super) fn trim_replay(&self, app: &App, replay: Replay) -> Vec<Arc<Envelope>> {
        let Replay { mut envelopes, gaps } = replay;
        envelopes.sort_by_key(|(id, _)| *id);
        let excess = envelopes.len().saturating_sub(app.policy().rooms.replayed);
        envelopes.drain(..excess);
        let mut notices = Vec::new();
        for (room, gap) in gaps {
            let replayed = envelopes
                .iter()
                .filter(|(_, envelope)| matches!(&envelope.notice, Notice::RoomMessage { room: of, .. } if *of == room))
                .count() as u64;
            if gap > replayed {
                self.metrics().dropped(DropReason::ReplayLimit, gap - replayed);
                notices.push(Envelope::new(Notice::RoomMessagesMissed { room, count: gap - replayed }));
            }
        }
        notices.extend(envelopes.into_iter().map(|(_, envelope)| envelope));
        notices
    }
}
