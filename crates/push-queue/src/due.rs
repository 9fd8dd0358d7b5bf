//! What is due: a message whose receivers are away, or a user whose client acks nothing.

use bytes::Bytes;
use minicbor::{Decode, Encode};
use stentor_core::id::{MessageId, UserId};
use stentor_core::message::{Marks, Message, Target};
use stentor_core::records::{Record, RecordKind};

/// Receivers in one record: a message to more of them makes several.
pub(crate) const RECEIVERS: usize = 500;

/// A record of the queue.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Due {
    /// Who is to be told.
    #[n(0)]
    users: Vec<String>,
    /// Of what; `None`: of everything that waits in their inboxes and was not looked at yet.
    #[n(1)]
    message: Option<DueMessage>,
    /// Without a message: up to which one.
    #[n(2)]
    up_to: u64,
    /// It has waited for translations: it does not a second time.
    #[n(3)]
    #[cbor(default)]
    translated: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct DueMessage {
    #[n(0)]
    id: u64,
    #[n(1)]
    from: String,
    #[n(2)]
    target: u8,
    #[n(3)]
    to: String,
    #[cbor(n(4), with = "minicbor::bytes")]
    payload: Vec<u8>,
    #[n(5)]
    sent_at_ms: u64,
    #[n(6)]
    marks: u16,
}

impl Record for Due {
    const KIND: RecordKind = RecordKind::PushDue;
}

/// What is to be done.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    /// Tell these users of this message, which may have waited for translations.
    Message { message: Message, users: Vec<UserId>, translated: bool },
    /// Look what waits for this user, up to a message.
    Inbox(UserId, MessageId),
}

impl Due {
    pub(crate) fn of_message(message: &Message, users: &[UserId]) -> Self {
        let Message { id, from, to, payload, sent_at_ms, marks } = message;
        let message = DueMessage {
            id: id.0,
            from: from.as_str().to_owned(),
            target: to.number(),
            to: to.name().to_owned(),
            payload: payload.to_vec(),
            sent_at_ms: *sent_at_ms,
            marks: marks.number(),
        };
        Self {
            users: users.iter().map(|user| user.as_str().to_owned()).collect(),
            message: Some(message),
            up_to: 0,
            translated: false,
        }
    }

    pub(crate) fn of_inbox(user: &UserId, up_to: MessageId) -> Self {
        Self { users: vec![user.as_str().to_owned()], message: None, up_to: up_to.0, translated: false }
    }

    /// The same, after it has waited for translations.
    pub(crate) fn translated(self) -> Self {
        Self { translated: true, ..self }
    }

    /// `None`: a newer version wrote something else.
    pub(crate) fn work(self) -> Option<Work> {
        let mut users: Vec<_> = self.users.iter().map(|user| UserId::from_trusted(user)).collect();
        let Some(message) = self.message else {
            return Some(Work::Inbox(users.pop()?, MessageId(self.up_to)));
        };
        let message = Message {
            id: MessageId(message.id),
            from: UserId::from_trusted(&message.from),
            to: Target::from_trusted(message.target, &message.to)?,
            payload: Bytes::from(message.payload),
            sent_at_ms: message.sent_at_ms,
            marks: Marks::from_number(message.marks),
        };
        Some(Work::Message { message, users, translated: self.translated })
    }
}

#[cfg(test)]
mod tests {
    use stentor_core::id::RoomId;
    use stentor_core::records::{decode, encode};

    use super::*;

    #[test]
    fn records_read_back() {
        let message = Message {
            id: MessageId(7),
            from: UserId::from_trusted("alice"),
            to: Target::Group(RoomId::from_trusted("g")),
            payload: Bytes::from_static(b"{}"),
            sent_at_ms: 5,
            marks: Marks { targeted: true, ..Marks::default() },
        };
        let users = vec![UserId::from_trusted("bob"), UserId::from_trusted("carol")];
        let due = Due::of_message(&message, &users);
        for (due, waited) in [(due.clone(), false), (due.translated(), true)] {
            let Some(Work::Message { message: read, users: to, translated }) =
                decode::<Due>(&encode(&due)).expect("reads").work()
            else {
                panic!("a message")
            };
            assert_eq!((read, to, translated), (message.clone(), users.clone(), waited));
        }
        let inbox = Due::of_inbox(&users[0], MessageId(9));
        let Some(Work::Inbox(user, up_to)) = decode::<Due>(&encode(&inbox)).expect("reads").work() else {
            panic!("an inbox")
        };
        assert_eq!((&user, up_to), (&users[0], MessageId(9)));
    }
}
