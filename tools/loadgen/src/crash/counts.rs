//! What happened in a crash test, in numbers.

use std::fmt;

/// What happened, in numbers.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Requests to send.
    pub sent: u64,
    /// Of these, answered with 200.
    pub acknowledged: u64,
    /// Of these, without an answer.
    pub in_doubt: u64,
    /// Messages that a client saw for the first time.
    pub delivered: u64,
    /// Messages that came again with the same ID.
    pub repeated: u64,
    /// Acknowledged messages that newer ones replaced in a full inbox.
    pub replaced: u64,
    /// Logins that were welcomed.
    pub logins: u64,
    /// Of these, that continued a session.
    pub resumed: u64,
    /// Events that were pulled.
    pub events: u64,
    /// Pulls whose answer was lost.
    pub pulls_lost: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sent, acknowledged, in_doubt, delivered, repeated, replaced, logins, resumed, events, pulls_lost } =
            self;
        write!(
            f,
            "{sent} sent, {acknowledged} acknowledged, {in_doubt} in doubt, {delivered} delivered, {repeated} \
             repeated, {replaced} replaced; {logins} logins ({resumed} resumed), {events} events, {pulls_lost} pulls lost"
        )
    }
}
