//! What a client remembers from one connection to the next.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use stentor_core::id::MessageId;

/// A resume sends again at most what the mailbox held: so many message IDs are remembered as seen.
const SEEN: usize = 1024;

/// What a login needs to go on with an earlier session.
#[derive(Debug, Clone, Default)]
pub struct Resume {
    /// The session's number.
    pub session: String,
    /// The newest message the client has of each channel or room.
    pub channels: BTreeMap<String, MessageId>,
    /// The newest of each room and level, where rooms have levels.
    pub(super) levels: BTreeMap<String, BTreeMap<String, MessageId>>,
    pub(super) joined: BTreeSet<String>,
    pub(super) seen: Seen,
}

impl Resume {
    /// Where a client left off that kept nothing but these.
    #[must_use]
    pub fn new(session: impl Into<String>, channels: BTreeMap<String, MessageId>) -> Self {
        Self { session: session.into(), channels, ..Self::default() }
    }
}

/// The last message IDs, to drop what comes again.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    order: VecDeque<MessageId>,
    ids: HashSet<MessageId>,
}

impl Seen {
    /// Whether it is the first time.
    pub(super) fn insert(&mut self, id: MessageId) -> bool {
        if !self.ids.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > SEEN
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

#[derive(Debug)]
pub(super) struct Memory {
    point: Resume,
}

impl Memory {
    /// Starts with what the login went on with; of another session only the seen messages are worth keeping.
    pub(super) fn new(session: &str, channels: &[String], earlier: Option<Resume>) -> Self {
        let earlier = earlier.unwrap_or_default();
        let mut point = Resume { session: session.to_owned(), seen: earlier.seen, ..Resume::default() };
        if session == earlier.session {
            point.channels = earlier.channels;
            point.levels = earlier.levels;
        }
        point.joined.extend(channels.iter().cloned());
        Self { point }
    }

    pub(super) fn resume_point(&self) -> Resume {
        self.point.clone()
    }

    pub(super) fn joined(&mut self, channel: &str) {
        self.point.joined.insert(channel.to_owned());
    }

    pub(super) fn left(&mut self, channel: &str) {
        self.point.joined.remove(channel);
        self.point.channels.remove(channel);
        self.point.levels.remove(channel);
    }

    /// A room message of some level.
    pub(super) fn levelled_message(&mut self, room: &str, level: &str, id: MessageId) {
        self.room_message(room, id);
        let newest = self.point.levels.entry(room.to_owned()).or_default().entry(level.to_owned()).or_insert(id);
        *newest = id.max(*newest);
    }

    /// Whether a message that is acked is new.
    pub(super) fn is_new(&mut self, id: MessageId) -> bool {
        self.point.seen.insert(id)
    }

    pub(super) fn room_message(&mut self, channel: &str, id: MessageId) {
        match self.point.channels.get_mut(channel) {
            Some(newest) => *newest = id.max(*newest),
            None => {
                self.point.channels.insert(channel.to_owned(), id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_forgotten_after_a_while() {
        let mut seen = Seen::default();
        assert!(seen.insert(MessageId(1)));
        assert!(!seen.insert(MessageId(1)));
        assert!((2..=SEEN as u64 + 1).all(|id| seen.insert(MessageId(id))));
        assert!(seen.insert(MessageId(1)));
        assert_eq!(seen.ids.len(), SEEN);
    }

    #[test]
    fn a_new_session_starts_without_channels() {
        let mut first = Memory::new("a", &[], None);
        first.joined("lobby");
        first.room_message("lobby", MessageId(7));
        first.room_message("lobby", MessageId(5));
        assert!(first.is_new(MessageId(3)));
        let point = first.resume_point();
        assert_eq!(point.channels["lobby"], MessageId(7));
        let mut same = Memory::new("a", &["lobby".to_owned()], Some(point.clone()));
        assert_eq!(same.resume_point().channels["lobby"], MessageId(7));
        assert!(!same.is_new(MessageId(3)));
        let other = Memory::new("b", &[], Some(point)).resume_point();
        assert!(other.channels.is_empty() && other.joined.is_empty());
    }
}
