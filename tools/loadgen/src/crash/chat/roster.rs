//! Who takes part on the Chat side: users with devices of different habits, a group of them all, rooms, and clients
//! that watch some of the rooms.

use crate::crash::oracle::{Mailbox, Names, Place, Sender};

/// What a device does while the server is under load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Habit {
    /// Not there.
    Away,
    /// Online, acks everything.
    Acks,
    /// Online, acks nothing.
    Mute,
    /// Online, acks everything, loses its connection now and then; resumes or logs in anew.
    Stumbles,
    /// Online, acks everything, and sends.
    Talks,
}

/// The devices: user, device, habit. A device is known by its place here: its mailbox. A user who talks has no device
/// that is away: copies of what it sends would fill an inbox of which the oracle does not know that they are in it.
const DEVICES: [(&str, &str, Habit); 13] = [
    // The one that gets so much that its inbox overflows.
    ("chat-away", "web", Habit::Away),
    ("chat-idle", "web", Habit::Away),
    ("chat-idle", "phone", Habit::Away),
    ("chat-quiet", "web", Habit::Away),
    ("chat-acks", "web", Habit::Acks),
    ("chat-stumbles", "web", Habit::Stumbles),
    ("chat-stumbles", "phone", Habit::Stumbles),
    ("chat-lags", "web", Habit::Stumbles),
    ("chat-lags", "phone", Habit::Away),
    ("chat-mute", "web", Habit::Mute),
    ("chat-talks", "web", Habit::Talks),
    ("chat-talks", "phone", Habit::Acks),
    ("chat-talker", "web", Habit::Talks),
];

/// Who is away and wants no pushes.
const WITHOUT_PUSHES: &str = "chat-quiet";

/// Who owns the group and most rooms. Nobody looks into its inbox.
pub(super) const OWNER: &str = "chat-owner";

/// Rooms from the beginning: more than two steps of a broadcast, which are of 64.
pub(super) const ROOMS: usize = 130;

/// Clients that watch rooms, and rooms of each: the rooms of a watcher lie far apart.
pub(super) const WATCHERS: usize = 2;
const WATCHED: usize = 3;
const WATCHER_NAMES: [&str; WATCHERS] = ["watch-0", "watch-1"];

/// Senders over REST: to users, then one to the group, then one to rooms. Each sends one message after the other.
pub(super) const USER_SENDERS: usize = 3;
const GROUP_SENDER: usize = USER_SENDERS;
const ROOM_SENDER: usize = USER_SENDERS + 1;
const MAKER: usize = USER_SENDERS + 2;
const REST_SENDERS: usize = USER_SENDERS + 3;

/// The group's place. Rooms come behind it.
pub(super) const GROUP: Place = 0;

/// The place of a room.
pub(super) fn place(room: usize) -> Place {
    room + 1
}

/// Who watches a room.
pub(super) fn watcher_of(room: usize) -> Option<usize> {
    let apart = ROOMS / (WATCHERS * WATCHED);
    (room.is_multiple_of(apart) && room / apart < WATCHERS * WATCHED).then(|| room / apart % WATCHERS)
}

/// A watcher's name.
pub(super) fn watcher(number: usize) -> &'static str {
    WATCHER_NAMES[number]
}

/// A watcher's mailbox, that nothing goes to.
pub(super) fn watcher_mailbox(number: usize) -> Mailbox {
    DEVICES.len() + number
}

/// The mailboxes of the devices.
pub(super) fn mailboxes() -> impl Iterator<Item = Mailbox> {
    0..DEVICES.len()
}

/// Whose a mailbox is: user and device.
pub(super) fn device(mailbox: Mailbox) -> (&'static str, &'static str) {
    match DEVICES.get(mailbox) {
        Some((user, device, _)) => (user, device),
        None => (WATCHER_NAMES[mailbox - DEVICES.len()], "web"),
    }
}

pub(super) fn habit(mailbox: Mailbox) -> Habit {
    DEVICES[mailbox].2
}

/// The mailboxes of a user.
pub(super) fn mailboxes_of(user: &str) -> impl Iterator<Item = Mailbox> {
    mailboxes().filter(move |mailbox| DEVICES[*mailbox].0 == user)
}

/// Members of the group beside its owner: all who have devices. Every user once.
pub(super) fn members() -> impl Iterator<Item = &'static str> {
    DEVICES.iter().enumerate().filter(|(at, one)| *at == 0 || DEVICES[at - 1].0 != one.0).map(|(_, one)| one.0)
}

/// Everybody who needs a token.
pub(super) fn users() -> impl Iterator<Item = &'static str> {
    members().chain(WATCHER_NAMES).chain([OWNER])
}

/// Whether a user is never there under load.
pub(super) fn is_always_away(user: &str) -> bool {
    mailboxes_of(user).all(|mailbox| habit(mailbox) == Habit::Away)
}

/// Whether the devices of a user are to be told of messages. All are bound.
pub(super) fn wants_pushes(user: &str) -> bool {
    user != WITHOUT_PUSHES
}

/// The mailbox of a device.
pub(super) fn find(user: &str, device: &str) -> Option<Mailbox> {
    DEVICES.iter().position(|one| (one.0, one.1) == (user, device))
}

/// A sender to users.
pub(super) fn user_sender(number: usize) -> Sender {
    Sender(number)
}

pub(super) fn group_sender() -> Sender {
    Sender(GROUP_SENDER)
}

pub(super) fn room_sender() -> Sender {
    Sender(ROOM_SENDER)
}

/// Who sends the first message into a new room.
pub(super) fn maker() -> Sender {
    Sender(MAKER)
}

/// A device as a sender.
pub(super) fn client(mailbox: Mailbox) -> Sender {
    Sender(REST_SENDERS + mailbox)
}

/// What a sender is called.
pub(super) fn sender_name(sender: Sender) -> String {
    match sender.0.checked_sub(REST_SENDERS) {
        None => format!("backend-{}", sender.0),
        Some(mailbox) => device(mailbox).0.to_owned(),
    }
}

pub(super) fn names() -> Names {
    let all = 0..DEVICES.len() + WATCHERS;
    let senders = (0..REST_SENDERS + DEVICES.len()).map(|number| sender_name(Sender(number))).collect();
    let name = |mailbox| {
        let (user, device) = device(mailbox);
        format!("{user}/{device}")
    };
    Names { senders, mailboxes: all.map(name).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_watcher_has_its_rooms() {
        for watcher in 0..WATCHERS {
            assert_eq!((0..ROOMS).filter(|room| watcher_of(*room) == Some(watcher)).count(), WATCHED);
        }
    }

    #[test]
    fn everybody_is_there_once() {
        assert_eq!(members().count(), 9);
        assert!(is_always_away("chat-idle") && !is_always_away("chat-lags"));
        assert_eq!(mailboxes_of("chat-talks").collect::<Vec<_>>(), [10, 11]);
        assert_eq!(find("chat-talks", "phone"), Some(11));
        assert_eq!(device(watcher_mailbox(1)).0, "watch-1");
    }
}
