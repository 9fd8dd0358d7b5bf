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
    /// Of these, across a kill.
    pub resumed_across_kill: u64,
    /// Events that were pulled.
    pub events: u64,
    /// Pulls whose answer was lost.
    pub pulls_lost: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} sent, {} acknowledged, {} in doubt, {} delivered, {} repeated, {} replaced; ",
            self.sent, self.acknowledged, self.in_doubt, self.delivered, self.repeated, self.replaced
        )?;
        write!(f, "{} logins, {} resumed, {} across a kill; ", self.logins, self.resumed, self.resumed_across_kill)?;
        write!(f, "{} events, {} pulls lost", self.events, self.pulls_lost)
    }
}
