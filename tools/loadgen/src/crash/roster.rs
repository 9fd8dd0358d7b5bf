//! Who takes part: users with different habits, and senders.

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

/// Who sent something: a REST sender, or after those a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Sender(usize);

impl Sender {
    pub(super) fn rest(number: usize) -> Self {
        Self(number)
    }

    pub(super) fn client(user: usize) -> Self {
        Self(REST_SENDERS + user)
    }

    pub(super) fn name(self) -> String {
        if self.0 < REST_SENDERS { format!("sender-{}", self.0) } else { name(self.0 - REST_SENDERS).to_owned() }
    }
}
