//! What was said in a room lately, for clients that come back, and how much of it is not here any more.
//!
//! Messages stand in the order in which the members got them. That is the order of their IDs, except for those whose
//! ID was given before their turn came (broadcasts); so each has a *place*, and a client that has read up to some
//! message lacks what has a later place.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::clock::MonotonicMs;
use crate::id::{MessageId, UserId};
use crate::notice::{Envelope, Notice};

/// The last messages of a room.
#[derive(Debug, Default)]
pub(crate) struct RecentMessages {
    messages: VecDeque<Recent>,
    /// Messages that fell out of `messages`, to say how many a client missed.
    older: VecDeque<Older>,
    forgotten: Forgotten,
}

/// A message that a client may come back for.
#[derive(Debug)]
pub(crate) struct Recent {
    pub(crate) place: MessageId,
    pub(crate) envelope: Arc<Envelope>,
    audience: Audience,
    at_ms: MonotonicMs,
}

#[derive(Debug)]
struct Older {
    place: MessageId,
    audience: Audience,
}

/// Whom a message is for.
#[derive(Debug)]
pub(crate) struct Audience {
    from: UserId,
    /// Only for these; for every member if there are none.
    only_for: Box<[UserId]>,
}

/// Who comes back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) user: &'a UserId,
    /// Whether users get their own messages.
    pub(crate) echo: bool,
}

impl Audience {
    pub(crate) fn new(from: UserId, only_for: &[UserId]) -> Self {
        Self { from, only_for: only_for.into() }
    }

    fn has(&self, reader: Reader<'_>) -> bool {
        (reader.echo || self.from != *reader.user) && (self.only_for.is_empty() || self.only_for.contains(reader.user))
    }
}

impl RecentMessages {
    /// Remembers a message for clients that come back.
    pub(crate) fn remember(&mut self, recent: Recent, keep: usize) {
        self.messages.push_back(recent);
        if self.messages.len() > keep
            && let Some(Recent { place, audience, .. }) = self.messages.pop_front()
        {
            self.older.push_back(Older { place, audience });
        }
        if self.older.len() > OLDER_MESSAGES
            && let Some(oldest) = self.older.pop_front()
        {
            self.forgotten.note(oldest);
        }
    }

    /// The place of a message; its ID, if it is not here.
    pub(crate) fn place_of(&self, id: MessageId) -> MessageId {
        self.messages.iter().find(|recent| recent.is(id)).map_or(id, |recent| recent.place)
    }

    /// Whether a message is here.
    pub(crate) fn holds(&self, id: MessageId) -> bool {
        self.messages.iter().any(|recent| recent.is(id))
    }

    /// The messages after the place `after`, for this reader, that are still here.
    pub(crate) fn after(&self, after: MessageId, reader: Reader<'_>) -> impl Iterator<Item = &Recent> {
        self.messages.iter().filter(move |recent| recent.place > after && recent.audience.has(reader))
    }

    /// How many messages after `after`, for this reader, are not here any more; at least, if it is very many.
    pub(crate) fn missed_after(&self, after: MessageId, reader: Reader<'_>) -> u64 {
        let newer = self.older.iter().rev().take_while(|older| older.place > after);
        newer.filter(|older| older.audience.has(reader)).count() as u64
    }

    /// Whether any message after `after`, for this reader, is too old to be remembered in any way.
    pub(crate) fn has_forgotten_after(&self, after: MessageId, reader: Reader<'_>) -> bool {
        self.forgotten.newest_for(reader).is_some_and(|newest| newest > after)
    }

    /// Whether there is nothing to come back for.
    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// When the oldest was sent: monotonic.
    pub(crate) fn oldest_ms(&self) -> Option<MonotonicMs> {
        self.messages.front().map(|recent| recent.at_ms)
    }

    /// Forgets messages that nobody can come back for.
    pub(crate) fn forget_before(&mut self, before_ms: MonotonicMs) {
        while self.messages.front().is_some_and(|recent| recent.at_ms <= before_ms) {
            for older in std::mem::take(&mut self.older) {
                self.forgotten.note(older);
            }
            if let Some(Recent { place, audience, .. }) = self.messages.pop_front() {
                self.forgotten.note(Older { place, audience });
            }
        }
    }
}

/// How many messages a room remembers the place and the audience of, beyond the messages themselves: 40 KiB.
const OLDER_MESSAGES: usize = 1024;

/// The newest message that a room remembers nothing else of, and the newest of them from another sender: nobody
/// misses what he sent himself. Messages for some members only are not among them: those who missed so much are
/// told of it anyway, and the others must not be.
#[derive(Debug, Default)]
struct Forgotten {
    newest: Option<(MessageId, UserId)>,
    newest_of_others: Option<MessageId>,
}

impl Forgotten {
    /// Messages come in the order of their places.
    fn note(&mut self, message: Older) {
        let Older { place, audience: Audience { from, only_for } } = message;
        if !only_for.is_empty() {
            return;
        }
        if let Some((newest, sender)) = self.newest.take()
            && sender != from
        {
            self.newest_of_others = Some(newest);
        }
        self.newest = Some((place, from));
    }

    fn newest_for(&self, reader: Reader<'_>) -> Option<MessageId> {
        let (newest, sender) = self.newest.as_ref()?;
        if !reader.echo && sender == reader.user { self.newest_of_others } else { Some(*newest) }
    }
}

impl Recent {
    pub(crate) fn new(place: MessageId, audience: Audience, envelope: Arc<Envelope>, at_ms: MonotonicMs) -> Self {
        Self { place, envelope, audience, at_ms }
    }

    fn is(&self, id: MessageId) -> bool {
        matches!(&self.envelope.notice, Notice::RoomMessage { message, .. } if message.id == id)
    }
}
