//! What was said in a room lately, for clients that come back, and how much of it is not here any more.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::clock::MonotonicMs;
use crate::id::{MessageId, UserId};
use crate::notice::Envelope;

/// The last messages of a room.
#[derive(Debug, Default)]
pub(crate) struct RecentMessages {
    messages: VecDeque<Recent>,
    /// Numbers and senders of messages that fell out of `messages`, to say how many a client missed.
    older: VecDeque<(MessageId, UserId)>,
    forgotten: Forgotten,
}

/// A message that a client may come back for.
#[derive(Debug)]
pub(crate) struct Recent {
    pub(crate) id: MessageId,
    pub(crate) from: UserId,
    pub(crate) envelope: Arc<Envelope>,
    at_ms: MonotonicMs,
}

impl RecentMessages {
    /// Remembers a message for clients that come back.
    pub(crate) fn remember(&mut self, recent: Recent, keep: usize) {
        self.messages.push_back(recent);
        if self.messages.len() > keep
            && let Some(oldest) = self.messages.pop_front()
        {
            self.older.push_back((oldest.id, oldest.from));
        }
        if self.older.len() > OLDER_NUMBERS
            && let Some((id, from)) = self.older.pop_front()
        {
            self.forgotten.note(id, from);
        }
    }

    /// The messages after `after`, not from `except`, that are still here.
    pub(crate) fn after(&self, after: MessageId, except: Option<&UserId>) -> impl Iterator<Item = &Recent> {
        self.messages.iter().filter(move |recent| recent.id > after && Some(&recent.from) != except)
    }

    /// How many messages after `after`, not from `except`, are not here any more; at least, if it is very many.
    pub(crate) fn missed_after(&self, after: MessageId, except: Option<&UserId>) -> u64 {
        let newer = self.older.iter().rev().take_while(|(id, _)| *id > after);
        newer.filter(|(_, from)| Some(from) != except).count() as u64
    }

    /// Whether any message after `after`, not from `except`, is too old to be remembered in any way.
    pub(crate) fn has_forgotten_after(&self, after: MessageId, except: Option<&UserId>) -> bool {
        self.forgotten.newest_except(except).is_some_and(|newest| newest > after)
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
            for (id, from) in std::mem::take(&mut self.older) {
                self.forgotten.note(id, from);
            }
            if let Some(oldest) = self.messages.pop_front() {
                self.forgotten.note(oldest.id, oldest.from);
            }
        }
    }
}

/// How many numbers of messages a room remembers beyond the messages themselves: 24 KiB.
const OLDER_NUMBERS: usize = 1024;

/// The newest message that a room remembers nothing else of, and the newest of them from another sender: nobody
/// misses what he sent himself.
#[derive(Debug, Default)]
struct Forgotten {
    newest: Option<(MessageId, UserId)>,
    newest_of_others: Option<MessageId>,
}

impl Forgotten {
    /// Numbers come in their order.
    fn note(&mut self, id: MessageId, from: UserId) {
        if let Some((newest, sender)) = self.newest.take()
            && sender != from
        {
            self.newest_of_others = Some(newest);
        }
        self.newest = Some((id, from));
    }

    fn newest_except(&self, except: Option<&UserId>) -> Option<MessageId> {
        let (newest, sender) = self.newest.as_ref()?;
        if Some(sender) == except { self.newest_of_others } else { Some(*newest) }
    }
}

impl Recent {
    pub(crate) fn new(id: MessageId, from: UserId, envelope: Arc<Envelope>, at_ms: MonotonicMs) -> Self {
        Self { id, from, envelope, at_ms }
    }
}
