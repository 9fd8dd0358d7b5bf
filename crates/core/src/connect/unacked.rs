//! Clients that are connected and do not ack: a dead connection looks like a living one until it is silent for long.
//! Observers who tell people of messages in other ways hear of what was handed to such a client.
//!
//! A session is watched from the moment at which it gets a kept message until it has acked everything: one timer at a
//! time, however many messages there are. When the user's last session ends, an observer is told of the end itself. When
//! one ends and others are there, or one takes its place, what it had not acked is told when its wait is over: until
//! then another one may ack it.

use std::sync::Arc;

use crate::app::App;
use crate::id::{MessageId, UserId};
use crate::node::Node;
use crate::session::{Session, SessionState};
use crate::timers::Due;

/// What a session had not acked when it ended.
#[derive(Debug)]
pub(crate) struct LeftUnacked {
    app: Arc<App>,
    user: UserId,
    up_to: MessageId,
}

impl Node {
    /// The session has something to ack.
    pub(crate) fn watch_acks(&self, session: &Arc<Session>) {
        if let Some(wait_ms) = session.app().ack_wait_ms() {
            self.watch_acks_after(session, wait_ms);
        }
    }

    fn watch_acks_after(&self, session: &Arc<Session>, wait_ms: u64) {
        if session.begin_ack_watch() {
            self.timers().at(self.clock().monotonic_ms() + wait_ms, Due::Unacked(Arc::downgrade(session)));
        }
    }

    /// The user's other sessions on this node.
    pub(super) fn others_of(session: &Arc<Session>) -> Vec<Arc<Session>> {
        let mut others = Vec::new();
        session.app().hub.for_each_of(session.user(), |other| {
            if !Arc::ptr_eq(other, session) {
                others.push(other.clone());
            }
        });
        others
    }

    /// A session that is not the user's last one ends: what it has not acked is told when the wait for the newest message
    /// is over.
    pub(super) fn leave_unacked(&self, session: &Session, state: &SessionState) {
        let Some(wait_ms) = session.app().ack_wait_ms() else { return };
        let untold = state.mailbox.unacked_kept().filter(|id| *id > state.unacked_told);
        let Some(up_to) = untold.max() else { return };
        // A clock that was put back makes nobody wait for longer.
        let left_ms = (up_to.unix_ms() + wait_ms).saturating_sub(self.clock().wall_ms()).min(wait_ms);
        let left = LeftUnacked { app: session.app().clone(), user: session.user().clone(), up_to };
        self.timers().at(self.clock().monotonic_ms() + left_ms, Due::LeftUnacked(Arc::new(left)));
    }

    /// The wait for what an ended session had not acked is over.
    pub(crate) fn left_unacked_due(&self, left: Arc<LeftUnacked>) {
        let LeftUnacked { app, user, up_to } = &*left;
        let changes = app.observed(|observer| observer.unacked(user, *up_to));
        let commit = self.store().change(app.id(), changes);
        let node = self.clone();
        self.spawn(async move {
            if let Err(error) = commit.await {
                tracing::warn!(user = %left.user, %error, "what is not acked is told when the store takes it");
                let again_ms = node.clock().monotonic_ms() + left.app.ack_wait_ms().unwrap_or_default();
                node.timers().at(again_ms, Due::LeftUnacked(left));
            }
        });
    }

    /// The timer of a watched session.
    pub(crate) fn acks_due(&self, session: &Arc<Session>) {
        session.end_ack_watch();
        let Some(wait_ms) = session.app().ack_wait_ms() else { return };
        let now_ms = self.clock().wall_ms();
        let (mut up_to, mut next_ms) = (None, u64::MAX);
        {
            let state = session.state();
            if state.ended {
                return;
            }
            for id in state.mailbox.unacked_kept().filter(|id| *id > state.unacked_told) {
                let missed_at_ms = id.unix_ms() + wait_ms;
                if missed_at_ms <= now_ms {
                    up_to = up_to.max(Some(id));
                } else {
                    next_ms = next_ms.min(missed_at_ms - now_ms);
                }
            }
        }
        if next_ms != u64::MAX {
            // A clock that was put back makes nobody wait for longer.
            self.watch_acks_after(session, next_ms.min(wait_ms));
        }
        let Some(up_to) = up_to else { return };
        let changes = session.app().observed(|observer| observer.unacked(session.user(), up_to));
        let commit = self.store().change(session.app().id(), changes);
        let (node, session) = (self.clone(), session.clone());
        self.spawn(async move {
            match commit.await {
                Ok(_) => {
                    let mut state = session.state();
                    state.unacked_told = state.unacked_told.max(up_to);
                }
                Err(error) => {
                    tracing::warn!(user = %session.user(), %error, "what is not acked is told when the store takes it");
                    node.watch_acks(&session);
                }
            }
        });
    }
}
