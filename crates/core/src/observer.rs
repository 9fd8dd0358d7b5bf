//! Who is told of what happens in an app, at the moment at which it is written down: what an observer makes of it is
//! written in the same step, so that neither is there without the other. An app without one pays nothing.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::app::App;
use crate::directory::rooms::Room;
use crate::events::Transition;
use crate::gate::{Gate, Turns};
use crate::id::{MessageId, UserId};
use crate::message::Message;
use crate::room_event::RoomEvent;
use crate::store::Change;

/// A message that was taken and is about to be kept.
#[derive(Debug)]
pub struct Accepted<'a> {
    /// The message.
    pub message: &'a Message,
    /// To whom it goes, without the copy for its sender. Empty for a room: its members are not asked.
    pub receivers: &'a [UserId],
    /// The receivers who have no connection to this node: nobody there, or a session that waits for its client to come
    /// back.
    pub absent: &'a [UserId],
    /// It is kept for those who are away.
    pub kept: bool,
    /// A connected client sent it, not the backend.
    pub by_client: bool,
}

/// What happened to a registered room or group.
#[derive(Debug, Clone, Copy)]
pub enum RoomNews<'a> {
    /// It is there.
    Created {
        /// Its first members, the owner included.
        members: &'a [UserId],
    },
    /// It or its members changed. Not [`RoomEvent::Deleted`].
    Changed(&'a RoomEvent),
    /// It is gone.
    Deleted {
        /// Its last members, the owner included.
        members: &'a [UserId],
    },
}

/// A registered room or group, and what happened to it.
#[derive(Debug)]
pub struct RoomObserved<'a> {
    /// The room as it is then; one that was deleted as it was.
    pub room: &'a Room,
    /// What happened.
    pub news: RoomNews<'a>,
    /// The user whose request it was; `None`: it was the backend's, or nobody's.
    pub by: Option<&'a UserId>,
    /// When: Unix time in milliseconds.
    pub at_ms: u64,
}

/// Makes records of what happens. Called with locks held, once for each event, and perhaps again if a change meets
/// another: must return at once. What it makes holds no [`Change::Expect`].
pub trait Observer: Send + Sync + fmt::Debug {
    /// A message was taken. Broadcasts are not told.
    fn message(&self, accepted: &Accepted<'_>) -> Vec<Change>;

    /// A session began or ended, or came into a live room or left it.
    fn transition(&self, transition: &Transition) -> Vec<Change>;

    /// A registered room or group, or its members, changed.
    fn room(&self, observed: &RoomObserved<'_>) -> Vec<Change>;

    /// After how many milliseconds without an ack this observer wants to hear of it; `None`: never.
    fn ack_wait_ms(&self) -> Option<u64> {
        None
    }

    /// A client of this user was handed kept messages up to this one, and has not acked one of them for
    /// [`Self::ack_wait_ms`]: it may be connected and yet nobody there. Told again only of newer messages.
    fn unacked(&self, _user: &UserId, _up_to: MessageId) -> Vec<Change> {
        Vec::new()
    }
}

/// What an app is observed by, and what its messages must pass.
#[derive(Debug, Default)]
pub struct Hooks {
    /// Who is told what happens, each in its turn.
    pub observers: Vec<Arc<dyn Observer>>,
    /// Who is asked before a client's message is taken.
    pub gate: Option<Arc<dyn Gate>>,
}

/// The hooks of an app, and what belongs to them.
#[derive(Debug, Default)]
pub(crate) struct Hooked {
    hooks: OnceLock<Hooks>,
    /// The shortest that an observer wants.
    ack_wait_ms: OnceLock<u64>,
    pub(crate) turns: Turns,
}

impl Hooked {
    fn get(&self) -> Option<&Hooks> {
        self.hooks.get()
    }

    pub(crate) fn gate(&self) -> Option<&Arc<dyn Gate>> {
        self.get()?.gate.as_ref()
    }
}

impl App {
    /// Sets the app's hooks, once, before anybody connects. `false` if it has some already.
    #[must_use]
    pub fn hook(&self, hooks: Hooks) -> bool {
        let ack_wait_ms = hooks.observers.iter().filter_map(|observer| observer.ack_wait_ms()).min();
        let set = self.hooked.hooks.set(hooks).is_ok();
        if let Some(wait_ms) = ack_wait_ms.filter(|_| set) {
            // Nobody else can have set it: the hooks were set here.
            let _ = self.hooked.ack_wait_ms.set(wait_ms);
        }
        set
    }

    /// After how long an ack is missed, in milliseconds; `None`: by nobody.
    pub(crate) fn ack_wait_ms(&self) -> Option<u64> {
        self.hooked.ack_wait_ms.get().copied()
    }

    pub(crate) fn observers(&self) -> &[Arc<dyn Observer>] {
        self.hooked.get().map_or(&[], |hooks| &hooks.observers)
    }

    /// What all observers make of something.
    pub(crate) fn observed(&self, make: impl Fn(&dyn Observer) -> Vec<Change>) -> Vec<Change> {
        self.observers().iter().flat_map(|observer| make(&**observer)).collect()
    }
}
