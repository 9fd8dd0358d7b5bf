//! Whom to call, and how.

use std::fmt;
use std::time::Duration;

use crate::endpoint::Endpoint;
use crate::schedule::Schedule;

/// The secret that a rule signs with. `Debug` hides it.
#[derive(Clone)]
pub struct Key(Box<str>);

impl Key {
    /// Hides a secret.
    #[must_use]
    pub fn new(secret: impl Into<Box<str>>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for what computes with it. Never log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// A callback rule: one of the places that an app's callbacks go to.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name: unique in the app, of letters, digits, `_`, `-` and `.`. What waits is kept under it: another name is
    /// another rule.
    pub name: String,
    /// Where it goes.
    pub endpoint: Endpoint,
    /// What it signs with.
    pub key: Key,
    /// Whether it may go to an address that [`crate::address::is_public`] refuses.
    pub allow_private: bool,
    /// How many requests there are at once.
    pub concurrency: usize,
    /// How long a request may take, from the connection to the last byte of the reply's head.
    pub timeout: Duration,
    /// When it is tried again.
    pub schedule: Schedule,
    /// How many callbacks wait; what is more becomes a dead letter at once.
    pub waiting: usize,
}

impl Rule {
    /// A rule with the numbers of the documents, and ours where there are none: 10 s for an answer, 8 requests at once,
    /// 100 000 that wait.
    #[must_use]
    pub fn new(name: impl Into<String>, endpoint: Endpoint, key: Key) -> Self {
        Self {
            name: name.into(),
            endpoint,
            key,
            allow_private: false,
            concurrency: 8,
            timeout: Duration::from_secs(10),
            schedule: Schedule::default(),
            waiting: 100_000,
        }
    }
}
