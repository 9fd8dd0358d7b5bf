//! What happened lately to the rooms and groups of a session's user, for a client that comes back: it was not told, or nobody
//! knows whether it was.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::clock::MonotonicMs;
use crate::id::UserId;
use crate::notice::{Envelope, Notice};

/// How many events a session remembers. Beyond it the oldest coming or going of somebody else is forgotten, and if there is
/// none, the oldest event.
const MAX: usize = 64;

/// Events of a session's rooms and groups, the newest last.
#[derive(Debug, Default)]
pub(crate) struct Lately(VecDeque<(MonotonicMs, Arc<Envelope>)>);

impl Lately {
    /// Notes an event. What is older than `oldest_ms` is of no use any more. Returns how many are
    /// forgotten that may be.
    pub(crate) fn note(
        &mut self,
        user: &UserId,
        envelope: &Arc<Envelope>,
        now_ms: MonotonicMs,
        oldest_ms: MonotonicMs,
    ) -> u64 {
        self.forget_before(oldest_ms);
        self.0.push_back((now_ms, envelope.clone()));
        if self.0.len() <= MAX {
            return 0;
        }
        let others = self.0.iter().position(|(_, envelope)| is_movement_of_others(envelope, user));
        self.0.remove(others.unwrap_or(0));
        1
    }

    /// What happened before this moment is known to have arrived.
    pub(crate) fn forget_before(&mut self, ms: MonotonicMs) {
        while self.0.front().is_some_and(|(at_ms, _)| *at_ms < ms) {
            self.0.pop_front();
        }
    }

    /// What happened since a moment.
    pub(crate) fn since(&self, ms: MonotonicMs) -> Vec<Arc<Envelope>> {
        self.0.iter().filter(|(at_ms, _)| *at_ms >= ms).map(|(_, envelope)| envelope.clone()).collect()
    }
}

fn is_movement_of_others(envelope: &Envelope, user: &UserId) -> bool {
    let Notice::RoomEvent { event, .. } = &envelope.notice else { return false };
    event.movement().is_some_and(|users| !users.contains(user))
}
