//! Knows what was sent and acknowledged, sees what arrives, and finds what must not be.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::counts::Counts;
use super::roster::{CHANNELS, Sender, USERS, name};

/// Messages kept for one user: the newest replaces the oldest.
const INBOX: usize = 200;

/// A message's number: its place in the order of sending, and what its payload begins with.
pub(super) type Number = usize;

/// Where a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    User(usize),
    Channel(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// No answer, or one that leaves it open.
    InDoubt,
    Acknowledged,
    Refused,
}

#[derive(Debug)]
struct Message {
    sender: Sender,
    to: To,
    keep: bool,
    history: bool,
    fate: Fate,
    /// When sending it began and ended, on the oracle's own clock. A message that ended before another began is
    /// older; otherwise the server may see them in either order.
    began: u64,
    ended: Option<u64>,
}

/// What one user was sent and has seen.
#[derive(Debug, Default)]
struct Receiver {
    /// Message IDs and numbers seen, both ways.
    by_id: HashMap<u64, Number>,
    by_number: HashMap<Number, u64>,
    /// The newest seen of each sender, separately for peer messages and each channel.
    newest: HashMap<(Sender, Option<usize>), Number>,
    /// Messages that the client sent an ack for.
    acked: HashSet<Number>,
    /// Everything that was to be kept for the user, in the order of sending.
    kept: Vec<Number>,
    /// Of these, what has not been found in the inbox and settled.
    open: BTreeSet<Number>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    clock: u64,
    messages: Vec<Message>,
    receivers: HashMap<usize, Receiver>,
    pub(super) counts: Counts,
    pub(super) violations: Vec<String>,
}

/// How a sender wants a message treated.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wish {
    pub(super) keep: bool,
    pub(super) history: bool,
}

impl Oracle {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn violated(&mut self, what: String) {
        self.violations.push(what);
    }

    /// A request is about to be sent. Its payload must begin with the number and a colon.
    pub(super) fn begin(&mut self, sender: Sender, to: To, wish: Wish) -> Number {
        let (began, number) = (self.tick(), self.messages.len());
        let Wish { keep, history } = wish;
        self.messages.push(Message { sender, to, keep, history, fate: Fate::InDoubt, began, ended: None });
        if let (To::User(user), true) = (to, keep) {
            let receiver = self.receivers.entry(user).or_default();
            receiver.kept.push(number);
            receiver.open.insert(number);
        }
        self.counts.sent += 1;
        number
    }

    /// The request was answered. `delivered` says that the server claims a client's ack.
    pub(super) fn answered(&mut self, number: Number, status: u16, delivered: bool) {
        let ended = self.tick();
        let message = &mut self.messages[number];
        message.ended = Some(ended);
        message.fate = match status {
            200 => Fate::Acknowledged,
            // Somebody is there and did not ack in time: it may have arrived.
            408 if !message.keep => Fate::InDoubt,
            _ => Fate::Refused,
        };
        let (fate, to) = (message.fate, message.to);
        match fate {
            Fate::Acknowledged => self.counts.acknowledged += 1,
            Fate::InDoubt => {}
            Fate::Refused => self.violated(format!("message {number} was refused with {status}")),
        }
        let acked = |user| self.receivers.get(&user).is_some_and(|receiver| receiver.acked.contains(&number));
        if delivered && !matches!(to, To::User(user) if acked(user)) {
            self.violated(format!("message {number} was answered as delivered, but no client had acked it"));
        }
    }

    /// The server was killed: what has no answer will get none, and is older than what is sent from now on.
    pub(super) fn killed(&mut self) {
        let now = self.tick();
        for message in self.messages.iter_mut().rev().take_while(|message| message.began + 100_000 > now) {
            if message.ended.is_none() {
                message.ended = Some(now);
                self.counts.in_doubt += 1;
            }
        }
    }

    /// A client saw a message. Returns its number if it makes sense.
    pub(super) fn delivered(
        &mut self,
        user: usize,
        channel: Option<&str>,
        from: &str,
        id: u64,
        payload: &str,
    ) -> Option<Number> {
        let who = name(user);
        let number = payload.split(':').next().and_then(|digits| digits.parse::<Number>().ok());
        let Some((number, message)) = number.and_then(|number| Some((number, self.messages.get(number)?))) else {
            self.violated(format!("{who} got message ID {id}, which nobody sent: {payload:.40}"));
            return None;
        };
        let to_here = match message.to {
            To::User(to) => channel.is_none() && to == user,
            To::Channel(to) => channel == Some(CHANNELS[to]),
        };
        let line = match message.to {
            To::User(_) => None,
            To::Channel(to) => Some(to),
        };
        let (sender, refused) = (message.sender, message.fate == Fate::Refused);
        if !to_here || refused || from != sender.name() {
            self.violated(format!("{who} got message {number} from {from}, which was sent otherwise or refused"));
            return None;
        }
        let receiver = self.receivers.entry(user).or_default();
        match (receiver.by_id.get(&id), receiver.by_number.get(&number)) {
            (None, None) => {}
            (Some(known), _) if *known == number => {
                self.counts.repeated += 1;
                return Some(number);
            }
            (known, known_id) => {
                let what = format!("{who} got message {number} with ID {id}; before {known:?} and {known_id:?}");
                self.violated(format!("delivered twice under different IDs: {what}"));
                return Some(number);
            }
        }
        receiver.by_id.insert(id, number);
        receiver.by_number.insert(number, id);
        let newest = receiver.newest.insert((sender, line), number);
        self.counts.delivered += 1;
        if let Some(newest) = newest.filter(|newest| *newest > number) {
            self.violated(format!("{who} got message {number} of {} after {newest}", sender.name()));
        }
        Some(number)
    }

    /// A client is about to send an ack.
    pub(super) fn acking(&mut self, user: usize, number: Number) {
        self.receivers.entry(user).or_default().acked.insert(number);
    }

    /// Acknowledged messages of a user's inbox that are not in `inbox` though they were never acked, except those
    /// that newer ones have certainly or possibly replaced. Nothing is settled.
    pub(super) fn missing(&self, user: usize, inbox: &BTreeSet<Number>) -> Vec<Number> {
        let Some(receiver) = self.receivers.get(&user) else { return Vec::new() };
        let absent = receiver.open.iter().copied().filter(|number| self.owed(receiver, *number, inbox));
        absent.filter(|number| !self.may_be_replaced(receiver, *number, inbox)).collect()
    }

    fn owed(&self, receiver: &Receiver, number: Number, inbox: &BTreeSet<Number>) -> bool {
        self.messages[number].fate == Fate::Acknowledged
            && !receiver.acked.contains(&number)
            && !inbox.contains(&number)
    }

    fn older(&self, one: Number, other: Number) -> bool {
        self.messages[one].ended.is_some_and(|ended| ended < self.messages[other].began)
    }

    /// 200 messages may have come after it, and nothing that is older was spared.
    fn may_be_replaced(&self, receiver: &Receiver, number: Number, inbox: &BTreeSet<Number>) -> bool {
        let newer = receiver.kept.iter().rev().filter(|other| **other != number && !self.older(**other, number));
        newer.take(INBOX).count() == INBOX && !inbox.iter().any(|other| self.older(*other, number))
    }

    /// What the user's inbox held, in a time without sending. `acks` says whether the user acked meanwhile since
    /// the last time; one that never did and lacks a message has a full inbox.
    pub(super) fn settle(&mut self, user: usize, inbox: &BTreeSet<Number>, acks: bool) {
        let who = name(user);
        for number in self.missing(user, inbox) {
            let sender = self.messages[number].sender.name();
            self.violated(format!("message {number} of {sender} to {who} was acknowledged and is lost"));
        }
        let Some(receiver) = self.receivers.get(&user) else { return };
        let replaced = receiver.open.iter().filter(|number| self.owed(receiver, **number, inbox)).count();
        if inbox.len() > INBOX {
            self.violated(format!("the inbox of {who} held {} messages", inbox.len()));
        } else if replaced > 0 && !acks && inbox.len() < INBOX {
            let held = inbox.len();
            self.violated(format!("{who} lacks {replaced} messages though its inbox held only {held}"));
        }
        self.counts.replaced += replaced as u64;
        if let Some(receiver) = self.receivers.get_mut(&user) {
            let Receiver { open, acked, .. } = receiver;
            open.retain(|number| inbox.contains(number) && !acked.contains(number));
        }
    }

    /// How many messages of a sender the history must hold at least, and may hold at most.
    pub(super) fn history_of(&self, sender: Sender) -> (u64, u64) {
        let sent = self.messages.iter().filter(|message| message.sender == sender && message.history);
        let (mut least, mut most) = (0, 0);
        for message in sent {
            least += u64::from(message.fate == Fate::Acknowledged);
            most += u64::from(message.fate != Fate::Refused);
        }
        (least, most)
    }
}

/// All users, by their place in the roster.
pub(super) fn users() -> impl Iterator<Item = usize> {
    0..USERS.len()
}

#[cfg(test)]
mod tests;
