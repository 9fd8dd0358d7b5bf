//! Who is told of what happens in an app, at the moment at which it is written down: what an observer makes of it is
//! written in the same step, so that neither is there without the other. An app without one pays nothing.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::app::App;
use crate::events::EventType;
use crate::gate::{Gate, Turns};
use crate::id::{DeviceId, UserId};
use crate::message::Message;
use crate::store::Change;

/// A message that was taken and is about to be kept.
#[derive(Debug)]
pub struct Accepted<'a> {
    /// The message.
    pub message: &'a Message,
    /// To whom it goes, without the copy for its sender. Empty for a room: its members are not asked.
    pub receivers: &'a [UserId],
    /// The receivers who have no session on this node, not even one that may come back within the grace.
    pub absent: &'a [UserId],
    /// A connected client sent it, not the backend.
    pub by_client: bool,
}

/// A session began or ended.
#[derive(Debug)]
pub struct SessionEvent<'a> {
    /// [`EventType::Login`] or [`EventType::Logout`].
    pub event_type: EventType,
    /// Whose session.
    pub user: &'a UserId,
    /// Which device.
    pub device: &'a DeviceId,
    /// The server ended it in favour of another login, or the backend did.
    pub forced: bool,
    /// When: Unix time in milliseconds.
    pub at_ms: u64,
}

/// Makes records of what happens. Called with locks held, once for each event, and perhaps again if a change meets
/// another: must return at once. What it makes holds no [`Change::Expect`].
pub trait Observer: Send + Sync + fmt::Debug {
    /// A message was taken. Broadcasts are not told.
    fn message(&self, accepted: &Accepted<'_>) -> Vec<Change>;

    /// A session began or ended.
    fn session(&self, event: &SessionEvent<'_>) -> Vec<Change>;
}

/// What an app is observed by, and what its messages must pass.
#[derive(Debug, Default)]
pub struct Hooks {
    /// Who is told what happens.
    pub observer: Option<Arc<dyn Observer>>,
    /// Who is asked before a client's message is taken.
    pub gate: Option<Arc<dyn Gate>>,
}

/// The hooks of an app, and what belongs to them.
#[derive(Debug, Default)]
pub(crate) struct Hooked {
    hooks: OnceLock<Hooks>,
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
        self.hooked.hooks.set(hooks).is_ok()
    }

    pub(crate) fn observer(&self) -> Option<&Arc<dyn Observer>> {
        self.hooked.get()?.observer.as_ref()
    }
}
