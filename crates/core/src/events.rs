//! Logins, logouts, joins and leaves: what changed, and the queues the app's backend pulls.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::app::App;
use crate::id::{DeviceId, MessageId, RoomId, SessionId, UserId};
use crate::limits::Rule;
use crate::metrics::DropReason;
use crate::node::{Node, QueryError};
use crate::session::Session;
use crate::store::{Change, InboxReader};
use crate::timers::Due;

/// How many events a queue keeps: the newest replaces the oldest (RTM event documents, 2021-03-02).
pub const EVENTS_KEPT: usize = 2000;

/// How many events one pull takes at most (RTM event documents, 2021-03-02).
pub const EVENTS_PER_PULL: usize = 1000;

/// How long to wait before events that the store refused are offered to it again, in milliseconds.
const BACKLOG_RETRY_MS: u64 = 1000;

/// The two queues of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// Logins and logouts.
    User,
    /// Joins and leaves.
    Room,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventType {
    /// The user came online.
    Login,
    /// The user went offline.
    Logout,
    /// The user became a member of the room.
    Join,
    /// The user is no longer a member of the room.
    Leave,
}

/// One entry of an event queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub event_type: EventType,
    /// Who.
    pub user: UserId,
    /// Where, for joins and leaves.
    pub room: Option<RoomId>,
    /// When: Unix time in milliseconds.
    pub at_ms: u64,
}

/// A change of who is there, of one session. The store turns it into an [`Event`] if it changed anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// What happened.
    pub event_type: EventType,
    /// Whose session.
    pub user: UserId,
    /// Which device.
    pub device: DeviceId,
    /// Which session.
    pub session: SessionId,
    /// Which room, for joins and leaves.
    pub room: Option<RoomId>,
    /// When: Unix time in milliseconds.
    pub at_ms: u64,
    /// Of a logout: the server ended the session in favour of another, or the backend did. For observers.
    pub forced: bool,
    /// Of a logout: the user has no other session on this node, and none takes the place of this one. For observers.
    pub last: bool,
    /// Records that are written in the same step, if the transition changes anything. No [`Change::Expect`].
    pub changes: Vec<Change>,
}

/// What the store refused (its disk is full), in order. Live traffic goes on meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    /// As many as the queues would keep; beyond that the oldest are dropped and counted.
    waiting: VecDeque<Transition>,
    /// Acks; beyond [`ACKS_WAITING`] the oldest are dropped, and their messages come again.
    acks: VecDeque<(InboxReader, Vec<MessageId>)>,
    retrying: bool,
}

/// How many acks of an app wait for a store that refuses them.
const ACKS_WAITING: usize = 10_000;

/// Resolves when transitions are durable, or waiting in the backlog.
pub(crate) type Recorded = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Node {
    /// A transition of a session, as of now.
    pub(crate) fn transition(&self, session: &Session, event_type: EventType, room: Option<&RoomId>) -> Transition {
        Transition {
            event_type,
            user: session.user().clone(),
            device: session.device().clone(),
            session: session.id(),
            room: room.cloned(),
            at_ms: session.app().event_time_ms(self.clock().wall_ms()),
            forced: false,
            last: false,
            changes: Vec::new(),
        }
    }

    /// Queues transitions for the store, at the moment of the call.
    pub(crate) fn record(&self, app: &Arc<App>, mut transitions: Vec<Transition>) -> Recorded {
        if transitions.is_empty() {
            return Box::pin(std::future::ready(()));
        }
        if !app.observers().is_empty() {
            for transition in &mut transitions {
                transition.changes = app.observed(|observer| observer.transition(transition));
            }
        }
        if app.backlog.lock().retrying {
            // Behind those that wait, so that the order stays.
            self.keep_in_backlog(app, transitions);
            return Box::pin(std::future::ready(()));
        }
        let commit = self.store().record(app.id(), transitions.clone(), EVENTS_KEPT);
        let (node, app) = (self.clone(), app.clone());
        Box::pin(async move {
            if let Err(error) = commit.await {
                tracing::warn!(app = %app.id(), %error, "events wait until the store takes them");
                node.keep_in_backlog(&app, transitions);
            }
        })
    }

    fn keep_in_backlog(&self, app: &Arc<App>, transitions: Vec<Transition>) {
        let mut backlog = app.backlog.lock();
        backlog.waiting.extend(transitions);
        self.bound_backlog(app, &mut backlog);
    }

    /// Keeps an ack that the store refused until it takes it.
    pub(crate) fn keep_ack_in_backlog(&self, app: &Arc<App>, reader: InboxReader, ids: Vec<MessageId>) {
        let mut backlog = app.backlog.lock();
        backlog.acks.push_back((reader, ids));
        self.bound_backlog(app, &mut backlog);
    }

    /// Drops what is too much, and arms the retry if there is anything left and none is armed.
    fn bound_backlog(&self, app: &Arc<App>, backlog: &mut Backlog) {
        let excess = backlog.acks.len().saturating_sub(ACKS_WAITING);
        backlog.acks.drain(..excess);
        let excess = backlog.waiting.len().saturating_sub(2 * EVENTS_KEPT);
        backlog.waiting.drain(..excess);
        self.metrics().dropped(DropReason::EventBacklog, excess as u64);
        if !std::mem::replace(&mut backlog.retrying, true) {
            let at_ms = self.clock().monotonic_ms() + BACKLOG_RETRY_MS;
            self.timers().at(at_ms, Due::EventBacklog(Arc::downgrade(app)));
        }
    }

    /// The timer of an app's backlog.
    pub(crate) fn retry_backlog(&self, app: &Arc<App>) {
        let (node, app) = (self.clone(), app.clone());
        self.spawn(async move {
            let Backlog { waiting, acks, .. } = {
                let mut backlog = app.backlog.lock();
                // Still retrying: what comes meanwhile gets behind.
                std::mem::replace(&mut *backlog, Backlog { retrying: true, ..Backlog::default() })
            };
            let refused_acks = node.retry_acks(acks).await;
            let taken = node.store().record(app.id(), waiting.iter().cloned().collect(), EVENTS_KEPT).await.is_ok();
            let mut backlog = app.backlog.lock();
            backlog.retrying = false;
            for ack in refused_acks.into_iter().rev() {
                backlog.acks.push_front(ack);
            }
            if !taken {
                let later = std::mem::replace(&mut backlog.waiting, waiting);
                backlog.waiting.extend(later);
            }
            if !backlog.waiting.is_empty() || !backlog.acks.is_empty() {
                node.bound_backlog(&app, &mut backlog);
            }
        });
    }

    /// Offers acks to the store again. Returns those it still refuses.
    async fn retry_acks(&self, acks: VecDeque<(InboxReader, Vec<MessageId>)>) -> Vec<(InboxReader, Vec<MessageId>)> {
        let commits: Vec<_> = acks
            .into_iter()
            .map(|(reader, ids)| {
                let commit = self.store().inbox_ack(&reader, &ids);
                (commit, reader, ids)
            })
            .collect();
        let mut refused = Vec::new();
        for (commit, reader, ids) in commits {
            if commit.await.is_err() {
                refused.push((reader, ids));
            }
        }
        refused
    }

    /// Takes the oldest events off a queue, at most [`EVENTS_PER_PULL`].
    ///
    /// # Errors
    /// When asked too often, or the store fails.
    pub async fn pull_events(&self, app: &Arc<App>, kind: EventKind) -> Result<Vec<Event>, QueryError> {
        let rule = match kind {
            EventKind::User => Rule::UserEventPulls,
            EventKind::Room => Rule::RoomEventPulls,
        };
        app.limit(rule, self.clock().monotonic_us())?;
        let events = self.store().pull_events(app.id(), kind, EVENTS_PER_PULL).await?;
        self.metrics().events_pulled.inc_by(events.len() as u64);
        Ok(events)
    }
}
