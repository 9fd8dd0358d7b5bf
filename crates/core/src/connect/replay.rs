//! What a client that comes back missed of its rooms.

use std::sync::Arc;

use parking_lot::MutexGuard;

use crate::app::App;
use crate::clock::MonotonicMs;
use crate::id::{MessageId, RoomId, UserId};
use crate::metrics::DropReason;
use crate::node::Node;
use crate::notice::{Envelope, Notice};
use crate::rooms::{Reader, Room, RoomState};
use crate::session::{Closing, JoinedRoom, Session};

/// A room of the session, locked.
pub(super) type LockedRoom<'a> = (&'a JoinedRoom, &'a Arc<Room>, MutexGuard<'a, RoomState>);

/// What a client that comes back has of its rooms.
#[derive(Debug, Clone, Copy)]
pub(super) enum LeftOff<'a> {
    /// As it says: messages of rooms.
    Said(&'a [(RoomId, MessageId)]),
    /// It does not say that: what was put into its mailbox before something of it was confirmed last.
    Unsaid,
}

impl LeftOff<'_> {
    /// What a connection is told that its session goes on without: whoever is known by the device alone may be
    /// somebody else, who must not come back at once and take the session away again.
    pub(super) const fn gives_way(self) -> Closing {
        match self {
            Self::Said(_) => Closing::Superseded,
            Self::Unsaid => Closing::Replaced,
        }
    }
}

/// Messages of a room that a client missed.
pub(super) struct Replay {
    envelopes: Vec<(MessageId, Arc<Envelope>)>,
    /// Per room, how many of the gap there are in all.
    gaps: Vec<(RoomId, u64)>,
}

impl Replay {
    /// What of the rooms' recent messages the client does not have.
    pub(super) fn of(
        app: &App,
        user: &UserId,
        rooms: &[LockedRoom<'_>],
        left_off: LeftOff<'_>,
        confirmed_ms: MonotonicMs,
    ) -> Self {
        let reader = Reader { user, echo: app.policy().rooms.echo_to_sender };
        let levels = app.policy().overload.is_some();
        let mut replay = Self { envelopes: Vec::new(), gaps: Vec::new() };
        for (joined, room, state) in rooms {
            let left_off = match left_off {
                LeftOff::Said(points) => {
                    let points = points.iter().filter(|(of, _)| *of == room.id).map(|(_, id)| *id);
                    state.recent.left_off(joined.joined_after, points, levels)
                }
                LeftOff::Unsaid => state.recent.left_off_at(joined.joined_after, confirmed_ms),
            };
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
    pub(super) fn trim_replay(&self, session: &Session, replay: Replay) -> Vec<Arc<Envelope>> {
        let Replay { mut envelopes, gaps } = replay;
        let (app, policy) = (session.app(), &session.app().policy().rooms);
        envelopes.sort_by_key(|(id, _)| *id);
        let (mut fits, mut bytes) = (0, 0);
        for (_, envelope) in envelopes.iter().rev().take(policy.replayed) {
            bytes += envelope.size_bytes();
            if fits > 0 && bytes > policy.replayed_bytes {
                break;
            }
            fits += 1;
        }
        envelopes.drain(..envelopes.len() - fits);
        let mut notices = Vec::new();
        for (room, gap) in gaps {
            let replayed = envelopes
                .iter()
                .filter(|(_, envelope)| matches!(&envelope.notice, Notice::RoomMessage { room: of, .. } if *of == room))
                .count() as u64;
            if gap > replayed {
                self.metrics().dropped(DropReason::ReplayLimit, gap - replayed);
                let (app, user, missed) = (app.id(), session.user(), gap - replayed);
                tracing::debug!(%app, %user, %room, missed, replayed, "more was said in a room than is replayed");
                notices.push(Envelope::new(Notice::RoomMessagesMissed { room, count: gap - replayed }));
            }
        }
        notices.extend(envelopes.into_iter().map(|(_, envelope)| envelope));
        notices
    }
}
