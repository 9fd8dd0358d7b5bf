//! What happened in a crash test, in numbers.

use std::fmt;

/// What happened, in numbers.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Messages and sessions of the RTM side.
    pub rtm: Traffic,
    /// Events that were pulled.
    pub events: u64,
    /// Pulls whose answer was lost.
    pub pulls_lost: u64,
    /// Messages and sessions of the Chat side. A message that reaches several devices was delivered to each.
    pub chat: Traffic,
    /// Broadcasts to every active room.
    pub broadcasts: Broadcasts,
    /// Callbacks to the backend.
    pub callbacks: Callbacks,
    /// Pushes to devices.
    pub pushes: Pushes,
}

/// What happened on one side.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
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
    /// Acks that are known to be durable.
    pub confirmed: u64,
    /// Logins that were welcomed.
    pub logins: u64,
    /// Of these, that continued a session.
    pub resumed: u64,
    /// Of these, across a kill.
    pub resumed_across_kill: u64,
}

/// Broadcasts.
#[derive(Debug, Clone, Default)]
pub struct Broadcasts {
    /// Answered with 200.
    pub acknowledged: u64,
    /// Without an answer.
    pub in_doubt: u64,
    /// Of these, carried out.
    pub taken: u64,
    /// Rooms that are active.
    pub rooms: u64,
    /// Their messages that the histories of rooms have.
    pub stored: u64,
    /// Those that clients in the rooms saw.
    pub seen: u64,
    /// Those that came to a client again with the same ID.
    pub repeated: u64,
    /// Holes that a client was told of.
    pub missed: u64,
}

/// Callbacks.
#[derive(Debug, Clone, Default)]
pub struct Callbacks {
    /// That had to come.
    pub owed: u64,
    /// That came and were answered with 200.
    pub came: u64,
    /// Of these, that had come before.
    pub repeated: u64,
    /// That were refused, cut off, or answered too late.
    pub failed: u64,
}

/// Pushes.
#[derive(Debug, Clone, Default)]
pub struct Pushes {
    /// That had to come, for messages to users who were away.
    pub owed: u64,
    /// That had to come, for messages whose client does not ack.
    pub unacked: u64,
    /// Tries that came.
    pub came: u64,
    /// Of these, that were answered otherwise than with 200, or cut off.
    pub failed: u64,
    /// Tries that came after one that was taken, across a kill.
    pub repeated: u64,
    /// That did not come because newer messages had replaced theirs in a full inbox.
    pub replaced: u64,
    /// Messages in doubt that a push showed to be taken.
    pub taken: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rtm, events, pulls_lost, chat, broadcasts, callbacks, pushes } = self;
        write!(f, "RTM: {rtm}; {events} events, {pulls_lost} pulls lost. ")?;
        write!(f, "Chat: {chat}; {broadcasts}; {callbacks}; {pushes}")
    }
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sent, acknowledged, in_doubt, delivered, repeated, replaced, .. } = self;
        write!(f, "{sent} sent, {acknowledged} acknowledged, {in_doubt} in doubt, {delivered} delivered, ")?;
        write!(f, "{repeated} repeated, {replaced} replaced, ")?;
        if self.confirmed > 0 {
            write!(f, "{} acks confirmed, ", self.confirmed)?;
        }
        write!(f, "{} logins, {} resumed, {} across a kill", self.logins, self.resumed, self.resumed_across_kill)
    }
}

impl fmt::Display for Broadcasts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acknowledged, in_doubt, taken, rooms, stored, seen, repeated, missed } = self;
        write!(f, "{acknowledged} broadcasts acknowledged, {in_doubt} in doubt, {taken} of these taken, ")?;
        write!(f, "{rooms} rooms, {stored} stored, {seen} seen, {repeated} repeated, {missed} missed")
    }
}

impl fmt::Display for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owed, came, repeated, failed } = self;
        write!(f, "{owed} callbacks owed, {came} came, {repeated} repeated, {failed} failed")
    }
}

impl fmt::Display for Pushes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owed, unacked, came, failed, repeated, replaced, taken } = self;
        write!(f, "{owed} pushes owed, {unacked} of what is not acked, {came} came, {failed} failed, ")?;
        write!(f, "{repeated} repeated across a kill, {replaced} replaced, {taken} of messages in doubt")
    }
}
