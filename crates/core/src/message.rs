//! The message: what a sender gave us, stamped with an ID and a time.

use bytes::Bytes;

use crate::id::{MessageId, RoomId, UserId};

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// To one user: a peer message.
    User(UserId),
    /// To the members of a room who are there now.
    Room(RoomId),
    /// To the members of a group, there or not: each has it in the inbox until acked.
    Group(RoomId),
}

impl Target {
    /// The user's or the room's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::User(user) => user.as_str(),
            Self::Room(room) | Self::Group(room) => room.as_str(),
        }
    }

    /// A number for stores and other nodes: 0 user, 1 room, 2 group.
    #[must_use]
    pub fn number(&self) -> u8 {
        match self {
            Self::User(_) => 0,
            Self::Room(_) => 1,
            Self::Group(_) => 2,
        }
    }

    /// Reads what [`Self::number`] and [`Self::name`] wrote. `None` for an unknown number.
    #[must_use]
    pub fn from_trusted(number: u8, name: &str) -> Option<Self> {
        match number {
            0 => Some(Self::User(UserId::from_trusted(name))),
            1 => Some(Self::Room(RoomId::from_trusted(name))),
            2 => Some(Self::Group(RoomId::from_trusted(name))),
            _ => None,
        }
    }
}

/// How much a message matters when not everything can be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Priority {
    /// Dropped last.
    High,
    /// Everything that is not said to be anything else.
    #[default]
    Normal,
    /// Dropped first.
    Low,
}

impl Priority {
    /// Every priority, the most important first.
    pub const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];
}

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MessageKind {
    /// Something that a user or the backend said.
    #[default]
    Content,
    /// An earlier message is taken back; the payload says which.
    Recall,
    /// An earlier message has a new payload; the payload says which, and holds it.
    Edit,
    /// Somebody has read something; the payload says what.
    Read,
    /// Something changed that a client shows; the payload says what.
    Notice,
}

impl MessageKind {
    /// Whether it says what became of an earlier message.
    pub(crate) fn is_about_another(self) -> bool {
        matches!(self, Self::Recall | Self::Edit)
    }
}

/// What is to be known of a message beside who, where and what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Marks {
    /// What it is for.
    pub kind: MessageKind,
    /// How much it matters.
    pub priority: Priority,
    /// Only for named members of the room or group.
    pub targeted: bool,
    /// Sent to every active room of the app.
    pub broadcast: bool,
    /// How often its payload was replaced, at most [`Self::EDITS_MAX`].
    pub edits: u8,
    /// In a room, its sender's own sessions get it, too.
    pub echo: bool,
    /// Its sender asks who has read it.
    pub receipt: bool,
}

impl Marks {
    /// More edits are not counted.
    pub const EDITS_MAX: u8 = 15;

    /// The marks as a number below 2^16, for stores and other nodes. Plain content is 0.
    #[must_use]
    pub fn number(self) -> u16 {
        let kind = match self.kind {
            MessageKind::Content => 0,
            MessageKind::Recall => 1,
            MessageKind::Edit => 2,
            MessageKind::Read => 3,
            MessageKind::Notice => 4,
        };
        let priority = match self.priority {
            Priority::Normal => 0,
            Priority::High => 1,
            Priority::Low => 2,
        };
        let edits = u16::from(self.edits.min(Self::EDITS_MAX));
        kind | priority << 4
            | u16::from(self.targeted) << 6
            | u16::from(self.broadcast) << 7
            | edits << 8
            | u16::from(self.echo) << 12
            | u16::from(self.receipt) << 13
    }

    /// Reads what [`Self::number`] wrote. What a newer version added is ignored.
    #[must_use]
    pub fn from_number(number: u16) -> Self {
        let kind = match number & 0xf {
            1 => MessageKind::Recall,
            2 => MessageKind::Edit,
            3 => MessageKind::Read,
            4 => MessageKind::Notice,
            _ => MessageKind::Content,
        };
        let priority = match number >> 4 & 3 {
            1 => Priority::High,
            2 => Priority::Low,
            _ => Priority::Normal,
        };
        let edits = u8::try_from(number >> 8 & 0xf).unwrap_or(Self::EDITS_MAX);
        let flag = |bit: u16| number & 1 << bit != 0;
        Self { kind, priority, targeted: flag(6), broadcast: flag(7), edits, echo: flag(12), receipt: flag(13) }
    }
}

/// A message that was taken: immutable and shared from here on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number, ordered by time.
    pub id: MessageId,
    /// The sender, as authenticated.
    pub from: UserId,
    /// The receiver.
    pub to: Target,
    /// What was sent: opaque to the core, valid UTF-8 for dialects that promise text.
    pub payload: Bytes,
    /// When the server took it: Unix time in milliseconds.
    pub sent_at_ms: u64,
    /// What else is to be known of it.
    pub marks: Marks,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_read_back() {
        let kinds =
            [MessageKind::Content, MessageKind::Recall, MessageKind::Edit, MessageKind::Read, MessageKind::Notice];
        for kind in kinds {
            for priority in Priority::ALL {
                for flags in 0..=u8::MAX {
                    let flag = |bit: u8| flags & 1 << bit != 0;
                    let (targeted, broadcast, echo, receipt) = (flag(0), flag(1), flag(2), flag(3));
                    let marks = Marks { kind, priority, targeted, broadcast, edits: flags >> 4, echo, receipt };
                    assert_eq!(Marks::from_number(marks.number()), marks);
                }
            }
        }
        assert_eq!(Marks::default().number(), 0);
        let many = Marks { edits: 16, ..Marks::default() };
        assert_eq!(Marks::from_number(many.number()).edits, Marks::EDITS_MAX);
    }

    #[test]
    fn targets_read_back() {
        for number in 0..3 {
            let target = Target::from_trusted(number, "a").expect("known");
            assert_eq!((target.number(), target.name()), (number, "a"));
        }
        assert_eq!(Target::from_trusted(3, "a"), None);
    }
}
