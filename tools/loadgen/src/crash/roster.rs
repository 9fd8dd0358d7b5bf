//! Who takes part: users with different habits, and senders.

use super::oracle::{Mailbox, Names, Sender};

/// What a user does while the server is under load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Habit {
    /// Online, acks everything.
    Acks,
    /// Online, acks everything, loses its connection now and then and resumes.
    Stumbles,
    /// Online, acks nothing.
    Mute,
    /// Not there.
    Away,
    /// Logs in and out, joins and leaves, is cut off, is replaced by itself.
    ComesAndGoes,
}

/// The users; a user is known by its place here.
pub(super) const USERS: [(&str, Habit); 13] = [
    // The one that gets so much that its inbox overflows.
    ("away-0", Habit::Away),
    ("away-1", Habit::Away),
    ("away-2", Habit::Away),
    ("acks-0", Habit::Acks),
    ("acks-1", Habit::Acks),
    ("stumbles-0", Habit::Stumbles),
    ("stumbles-1", Habit::Stumbles),
    ("mute-0", Habit::Mute),
    ("mute-1", Habit::Mute),
    ("comes-0", Habit::ComesAndGoes),
    ("comes-1", Habit::ComesAndGoes),
    ("comes-2", Habit::ComesAndGoes),
    ("comes-3", Habit::ComesAndGoes),
];

/// The channels.
pub(super) const CHANNELS: [&str; 2] = ["hall", "yard"];

/// Senders over REST. Each sends one message after the other; they are never logged in.
pub(super) const REST_SENDERS: usize = 6;

/// A user's name.
pub(super) fn name(user: usize) -> &'static str {
    USERS[user].0
}

/// A sender over REST.
pub(super) fn rest(number: usize) -> Sender {
    Sender(number)
}

/// A user as a sender.
pub(super) fn client(user: usize) -> Sender {
    Sender(REST_SENDERS + user)
}

/// What a sender over REST is called.
pub(super) fn rest_name(number: usize) -> String {
    format!("sender-{number}")
}

/// All users, by their place in the roster.
pub(super) fn users() -> impl Iterator<Item = Mailbox> {
    0..USERS.len()
}

/// The names of all: a user has one mailbox.
pub(super) fn names() -> Names {
    let mailboxes: Vec<_> = users().map(|user| name(user).to_owned()).collect();
    let senders = (0..REST_SENDERS).map(rest_name).chain(mailboxes.iter().cloned()).collect();
    Names { senders, mailboxes }
}
