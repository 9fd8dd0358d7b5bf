//! What was said in a room lately, for clients that come back, and how much of it is not here any more.
//!
//! Messages stand in the order in which the members got them. That is the order of their IDs, except for those whose
//! ID was given before their turn came (broadcasts); so each has a *place*, and a client that has read up to some
//! message lacks what has a later place. Clients get messages of different levels in no particular order, so this holds
//! for each level by itself.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::clock::MonotonicMs;
use crate::id::{MessageId, UserId};
use crate::message::{Marks, Message, Priority};
use crate::notice::{Envelope, Notice};

/// The last messages of a room.
#[derive(Debug, Default)]
pub(crate) struct RecentMessages {
    messages: VecDeque<Recent>,
    /// Of `messages`.
    bytes: usize,
    /// Of all rooms of the app.
    bytes_of_all: Arc<AtomicUsize>,
    /// Messages that fell out of `messages`, to say how many a client missed.
    older: VecDeque<Older>,
    forgotten: [Forgotten; Priority::ALL.len()],
    /// When the last of those was offered that are forgotten.
    forgotten_ms: Option<MonotonicMs>,
}

/// How much of its messages a room remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
    /// Of all rooms of the app: above it, a room remembers [`Self::FEW`] messages at most.
    pub(crate) bytes_of_all: usize,
}

impl Kept {
    /// What a room may remember of its messages, however much others do.
    const FEW: usize = 32;

    fn is_exceeded_by(&self, recent: &RecentMessages) -> bool {
        let count = recent.messages.len();
        count > self.messages
            || (count > 1 && recent.bytes > self.bytes)
            || (count > Self::FEW && recent.bytes_of_all.load(Ordering::Relaxed) > self.bytes_of_all)
    }
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
    at_ms: MonotonicMs,
}

/// Where a client that comes back left off: for each level the last place that it has, and whether it said so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeftOff {
    after: [MessageId; Priority::ALL.len()],
    said: [bool; Priority::ALL.len()],
}

/// Whom a message is for, and how much it matters.
#[derive(Debug)]
pub(crate) struct Audience {
    level: Priority,
    from: UserId,
    /// Its sender gets it, too.
    echo: bool,
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
    pub(crate) fn of(message: &Message, only_for: &[UserId]) -> Self {
        let Marks { priority: level, kind, echo, .. } = message.marks;
        let echo = echo || kind.is_about_another();
        Self { level, from: message.from.clone(), echo, only_for: only_for.into() }
    }

    fn has(&self, reader: Reader<'_>) -> bool {
        (reader.echo || self.echo || self.from != *reader.user)
            && (self.only_for.is_empty() || self.only_for.contains(reader.user))
    }
}

impl Drop for RecentMessages {
    fn drop(&mut self) {
        self.bytes_of_all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl RecentMessages {
    /// Of a room of an app that counts the bytes of all its rooms.
    pub(crate) fn counted_in(bytes_of_all: &Arc<AtomicUsize>) -> Self {
        let mut recent = Self::default();
        recent.bytes_of_all = Arc::clone(bytes_of_all);
        recent
    }

    /// Remembers a message for clients that come back.
    pub(crate) fn remember(&mut self, recent: Recent, keep: Kept) {
        let bytes = recent.envelope.size_bytes();
        self.bytes += bytes;
        self.bytes_of_all.fetch_add(bytes, Ordering::Relaxed);
        self.messages.push_back(recent);
        while keep.is_exceeded_by(self)
            && let Some(older) = self.pop()
        {
            self.older.push_back(older);
        }
        while self.older.len() > OLDER_MESSAGES
            && let Some(oldest) = self.older.pop_front()
        {
            self.forget(oldest);
        }
    }

    fn pop(&mut self) -> Option<Older> {
        let Recent { place, envelope, audience, at_ms } = self.messages.pop_front()?;
        let bytes = envelope.size_bytes();
        self.bytes -= bytes;
        self.bytes_of_all.fetch_sub(bytes, Ordering::Relaxed);
        Some(Older { place, audience, at_ms })
    }

    fn forget(&mut self, older: Older) {
        self.forgotten_ms = Some(older.at_ms);
        self.forgotten[older.audience.level as usize].note(older);
    }

    /// Whether a message is here.
    pub(crate) fn holds(&self, id: MessageId) -> bool {
        self.messages.iter().any(|recent| recent.is(id))
    }

    /// Where a client left off that came in after `joined_after` and has these messages: the newest of each level, or the
    /// newest of all. One that is still here stands for its level, if there are `levels`; an older one for all. One that is
    /// newer and not here is of before a restart, after which only broadcasts are here: nobody knows its level. Of several
    /// such the oldest stands for those levels of which no other is named: the newest of each is not older than that.
    pub(crate) fn left_off(
        &self,
        joined_after: MessageId,
        points: impl Iterator<Item = MessageId>,
        levels: bool,
    ) -> LeftOff {
        let mut left_off = LeftOff { after: [joined_after; 3], said: [false; 3] };
        let mut unknown: Option<(MessageId, MessageId)> = None;
        for point in points {
            match self.messages.iter().find(|recent| recent.is(point)) {
                Some(recent) if levels => left_off.has(recent.audience.level, recent.place),
                Some(recent) => Priority::ALL.into_iter().for_each(|level| left_off.has(level, recent.place)),
                None => {
                    let (oldest, newest) = unknown.unwrap_or((point, point));
                    unknown = Some((point.min(oldest), point.max(newest)));
                }
            }
        }
        let Some((oldest, newest)) = unknown else { return left_off };
        let before_restart = levels && self.messages.front().is_some_and(|recent| recent.place < newest);
        let said = left_off.said;
        for level in Priority::ALL.into_iter().filter(|level| !(before_restart && said[*level as usize])) {
            left_off.has(level, if before_restart { oldest } else { newest });
        }
        left_off
    }

    /// Where a client left off that came in after `joined_after`, does not say what it has, and has everything that was
    /// offered before `since_ms`.
    pub(crate) fn left_off_at(&self, joined_after: MessageId, since_ms: MonotonicMs) -> LeftOff {
        let messages = self.messages.iter().rev().map(|recent| (recent.place, recent.at_ms));
        let older = self.older.iter().rev().map(|older| (older.place, older.at_ms));
        let has = messages.chain(older).find(|(_, at_ms)| *at_ms < since_ms).map(|(place, _)| place);
        let all = has.unwrap_or(MessageId::ZERO).max(joined_after);
        // It lacks some of what is forgotten, too, if that is so recent.
        let said = self.forgotten_ms.is_some_and(|forgotten_ms| forgotten_ms >= since_ms);
        LeftOff { after: [all; 3], said: [said; 3] }
    }

    /// The messages that this reader lacks and that are still here.
    pub(crate) fn lacking(&self, left_off: LeftOff, reader: Reader<'_>) -> impl Iterator<Item = &Recent> {
        self.messages
            .iter()
            .filter(move |recent| left_off.lacks(recent.place, &recent.audience) && recent.audience.has(reader))
    }

    /// How many messages this reader lacks that are not here any more; at least, if it is very many.
    pub(crate) fn missed(&self, left_off: LeftOff, reader: Reader<'_>) -> u64 {
        let oldest = left_off.after.into_iter().min().unwrap_or(MessageId::ZERO);
        let newer = self.older.iter().rev().take_while(|older| older.place > oldest);
        let lacking = newer.filter(|older| left_off.lacks(older.place, &older.audience) && older.audience.has(reader));
        // Who does not say what it has read is not told that it missed what is older than any gap can be.
        let forgotten = Priority::ALL.into_iter().filter(|level| left_off.said[*level as usize]).any(|level| {
            let newest = self.forgotten[level as usize].newest_for(reader);
            newest.is_some_and(|newest| newest > left_off.after[level as usize])
        });
        lacking.count() as u64 + u64::from(forgotten)
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
                self.forget(older);
            }
            if let Some(older) = self.pop() {
                self.forget(older);
            }
        }
    }
}

/// How many messages a room remembers the place and the audience of, beyond the messages themselves: 56 KiB.
const OLDER_MESSAGES: usize = 1024;

/// The newest message of a level that a room remembers nothing else of, and the newest of them from another sender: nobody
/// misses what he sent himself. Messages for some members only are not among them: those who missed so much are
/// told of it anyway, and the others must not be.
#[derive(Debug, Default)]
struct Forgotten {
    /// From nobody, if its sender misses it, too.
    newest: Option<(MessageId, Option<UserId>)>,
    newest_of_others: Option<MessageId>,
}

impl Forgotten {
    /// Messages come in the order of their places.
    fn note(&mut self, message: Older) {
        let Older { place, audience: Audience { from, echo, only_for, .. }, .. } = message;
        if !only_for.is_empty() {
            return;
        }
        let from = (!echo).then_some(from);
        if let Some((newest, sender)) = self.newest.take()
            && sender != from
        {
            self.newest_of_others = Some(newest);
        }
        self.newest = Some((place, from));
    }

    fn newest_for(&self, reader: Reader<'_>) -> Option<MessageId> {
        let (newest, sender) = self.newest.as_ref()?;
        if !reader.echo && sender.as_ref() == Some(reader.user) { self.newest_of_others } else { Some(*newest) }
    }
}

impl LeftOff {
    /// The client has this message of a level, and those before it.
    fn has(&mut self, level: Priority, place: MessageId) {
        let after = &mut self.after[level as usize];
        *after = place.max(*after);
        self.said[level as usize] = true;
    }

    fn lacks(&self, place: MessageId, audience: &Audience) -> bool {
        place > self.after[audience.level as usize]
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::id::RoomId;
    use crate::message::{Marks, Target};

    fn user(name: &str) -> UserId {
        UserId::from_trusted(name)
    }

    /// A room that remembers messages of these places and levels.
    fn room(messages: &[(u64, Priority)]) -> RecentMessages {
        let mut room = RecentMessages::default();
        for (id, priority) in messages {
            let message = Arc::new(Message {
                id: MessageId(*id),
                from: user("admin"),
                to: Target::Room(RoomId::from_trusted("r")),
                payload: Bytes::from_static(b"x"),
                sent_at_ms: 0,
                marks: Marks { priority: *priority, ..Marks::default() },
            });
            let audience = Audience::of(&message, &[]);
            let envelope = Envelope::new(Notice::RoomMessage { room: RoomId::from_trusted("r"), message });
            room.remember(Recent::new(MessageId(*id), audience, envelope, *id), KEPT);
        }
        room
    }

    const KEPT: Kept = Kept { messages: 32, bytes: 1 << 20, bytes_of_all: 1 << 20 };

    fn lacking(room: &RecentMessages, points: &[u64]) -> Vec<u64> {
        let left_off = room.left_off(MessageId::ZERO, points.iter().copied().map(MessageId), true);
        let bob = user("bob");
        room.lacking(left_off, Reader { user: &bob, echo: false }).map(|recent| recent.place.0).collect()
    }

    #[test]
    fn points_that_are_here_stand_for_their_levels_and_older_ones_for_all() {
        let room = room(&[(10, Priority::Low), (11, Priority::High), (12, Priority::Normal)]);
        assert_eq!(lacking(&room, &[11]), [10, 12]);
        assert_eq!(lacking(&room, &[5, 4]), [10, 11, 12]);
        assert_eq!(lacking(&room, &[12, 11, 10]), [0; 0]);
    }

    #[test]
    fn of_points_of_before_a_restart_the_oldest_stands_for_levels_that_are_not_named() {
        // What was ordinary is not here any more.
        let room = room(&[(10, Priority::Low), (20, Priority::Normal)]);
        assert_eq!(lacking(&room, &[15, 10, 25]), [20], "15 or 25 is the newest normal one that the client has");
        assert_eq!(lacking(&room, &[30, 20]), [0; 0], "30 is the newest low one");
        assert_eq!(lacking(&room, &[30]), [0; 0], "one for the room");
    }
}
