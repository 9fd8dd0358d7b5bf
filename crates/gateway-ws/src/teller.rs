//! How one connection's client is told: in its protocol, in its app, and which frames may be shared with others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use stentor_core::clock::{Clock, MonotonicMs};
use stentor_core::id::UserId;
use stentor_core::notice::{Envelope, Notice};
use stentor_core::room_event::RoomEvent;
use stentor_core::session::Session;

use crate::protocol::Protocol;

/// Numbers for what has none of its own, in protocols where everything has one. Shared by all connections of a gateway.
#[derive(Debug)]
pub(crate) struct Numbers {
    clock: Arc<dyn Clock>,
    count: AtomicU64,
}

/// A number and the time at which it was given: Unix time in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) number: u64,
    pub(crate) at_ms: u64,
}

impl Numbers {
    /// From `seed` on, so that those of two nodes, or of two lives of one, hardly meet.
    pub(crate) fn new(clock: Arc<dyn Clock>, seed: u64) -> Self {
        Self { clock, count: AtomicU64::new(seed) }
    }

    /// The time of the monotonic clock.
    pub(crate) fn monotonic_ms(&self) -> MonotonicMs {
        self.clock.monotonic_ms()
    }

    /// The next one. Its highest bit is set, which that of a message ID is not: it is none of those.
    pub(crate) fn next(&self) -> Stamp {
        let at_ms = self.clock.wall_ms();
        let count = self.count.fetch_add(1, Ordering::Relaxed) & 0xf_ffff;
        Stamp { number: 1 << 63 | at_ms << 20 | count, at_ms }
    }
}

/// How a client is told.
#[derive(Debug, Clone)]
pub(crate) struct Teller {
    pub(crate) protocol: Protocol,
    pub(crate) numbers: Arc<Numbers>,
}

/// For whom a frame is made: those of one codec slot share it.
pub(crate) struct Audience<'a> {
    /// What clients call the app.
    pub(crate) app: &'a str,
    /// They are the sender's own clients, or those of somebody who was put into a group.
    pub(crate) own: bool,
    pub(crate) numbers: &'a Numbers,
}

impl Teller {
    /// The complete frame of a notice; empty if the client is told nothing.
    pub(crate) fn frame(&self, session: &Session, envelope: &Envelope) -> Bytes {
        let audience = self.audience(session, &envelope.notice);
        envelope.encoded(self.protocol.slot(audience.own), |notice| {
            self.protocol.wrapped(self.protocol.notice(notice, &audience))
        })
    }

    /// Who is told of a notice.
    pub(crate) fn audience<'a>(&'a self, session: &'a Session, notice: &Notice) -> Audience<'a> {
        self.audience_of(session, is_own(notice, session.user()))
    }

    /// The same, where it is known whether they are the sender's own clients.
    pub(crate) fn audience_of<'a>(&'a self, session: &'a Session, own: bool) -> Audience<'a> {
        Audience { app: session.app().id().as_str(), own, numbers: &self.numbers }
    }
}

/// Whether the user sent it, or is one of those whom another put into a group: these are told in other words.
fn is_own(notice: &Notice, user: &UserId) -> bool {
    match notice {
        Notice::PeerMessage { message, .. } => message.from == *user,
        Notice::RoomEvent { group: true, event: RoomEvent::Joined { users, .. }, by, .. } => {
            by.as_ref() != Some(user) && users.contains(user)
        }
        _ => false,
    }
}
