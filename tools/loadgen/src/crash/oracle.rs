//! Knows what was sent and acknowledged, sees what arrives, and finds what must not be.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::slice;

use anyhow::{Context, ensure};

use super::counts::Traffic;

/// Messages kept for one user: the newest replaces the oldest.
pub(super) const INBOX: usize = 200;

/// More messages than there are senders: nothing that was sent so many messages earlier is still on its way.
const AT_ONCE: usize = 1000;

/// A message's number: its place in the order of sending, and what its payload begins with.
pub(super) type Number = usize;

/// Who has an inbox: a user, or one of several devices of a user.
pub(super) type Mailbox = usize;

/// Who sends, one message after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Sender(pub(super) usize);

/// A channel, a group or a room.
pub(super) type Place = usize;

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct To {
    place: Option<Place>,
    /// Whose inboxes keep it. Of a place that has none whoever is there may get it.
    mailboxes: Vec<Mailbox>,
}

impl To {
    /// To users.
    pub(super) fn mailboxes(mailboxes: impl Into<Vec<Mailbox>>) -> Self {
        Self { place: None, mailboxes: mailboxes.into() }
    }

    /// To whoever is in a channel or room.
    pub(super) fn place(place: Place) -> Self {
        Self { place: Some(place), mailboxes: Vec::new() }
    }

    /// To the members of a group.
    pub(super) fn group(place: Place, members: impl Into<Vec<Mailbox>>) -> Self {
        Self { place: Some(place), mailboxes: members.into() }
    }

    fn includes(&self, mailbox: Mailbox, place: Option<Place>) -> bool {
        let whoever_is_there = self.mailboxes.is_empty() && self.place.is_some();
        self.place == place && (whoever_is_there || self.mailboxes.contains(&mailbox))
    }
}

/// What senders and mailboxes are called, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// What receivers see as the sender. Devices of one user are several senders of one name.
    pub(super) senders: Vec<String>,
    pub(super) mailboxes: Vec<String>,
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

/// What one mailbox was sent and its client has seen.
#[derive(Debug, Default)]
struct Receiver {
    /// Message IDs and numbers seen, both ways.
    by_id: HashMap<u64, Number>,
    by_number: HashMap<Number, u64>,
    /// The newest seen of each sender, separately for messages to users and each place.
    newest: HashMap<(Sender, Option<Place>), Number>,
    /// Messages that the client sent an ack for.
    acked: HashSet<Number>,
    /// Of these, those whose ack is known to be durable.
    confirmed: HashSet<Number>,
    /// Everything that was to be kept for it, in the order of sending.
    kept: Vec<Number>,
    /// Of these, what has not been found in the inbox and settled.
    open: BTreeSet<Number>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    clock: u64,
    names: Names,
    messages: Vec<Message>,
    receivers: HashMap<Mailbox, Receiver>,
    /// Of new devices, the user's other ones, that messages were sent to.
    new_devices: HashMap<Mailbox, Vec<Mailbox>>,
    pub(super) counts: Traffic,
    pub(super) violations: Vec<String>,
}

/// How a sender wants a message treated.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wish {
    pub(super) keep: bool,
    pub(super) history: bool,
}

impl Oracle {
    pub(super) fn new(names: Names) -> Self {
        Self { names, ..Self::default() }
    }

    fn name(&self, mailbox: Mailbox) -> String {
        self.names.mailboxes.get(mailbox).cloned().unwrap_or_else(|| format!("mailbox {mailbox}"))
    }

    fn sender(&self, number: Number) -> &str {
        self.names.senders.get(self.messages[number].sender.0).map_or("nobody", String::as_str)
    }

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
        for mailbox in to.mailboxes.iter().filter(|_| keep) {
            let receiver = self.receivers.entry(*mailbox).or_default();
            receiver.kept.push(number);
            receiver.open.insert(number);
        }
        self.messages.push(Message { sender, to, keep, history, fate: Fate::InDoubt, began, ended: None });
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
        match message.fate {
            Fate::Acknowledged => self.counts.acknowledged += 1,
            Fate::InDoubt => {}
            Fate::Refused => self.violated(format!("message {number} was refused with {status}")),
        }
        let acked = |user| self.receivers.get(user).is_some_and(|receiver| receiver.acked.contains(&number));
        if delivered && !self.messages[number].to.mailboxes.iter().any(acked) {
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

    /// Something else than an answer shows that a message in doubt was taken. Whether it was in doubt.
    pub(super) fn taken(&mut self, number: Number) -> bool {
        let in_doubt = self.messages.get_mut(number).filter(|message| message.fate == Fate::InDoubt);
        let was = in_doubt.as_ref().is_some_and(|message| message.ended.is_some());
        if let Some(message) = in_doubt {
            message.fate = Fate::Acknowledged;
        }
        was
    }

    /// Something else than the message itself tells the owner of a mailbox of a message.
    ///
    /// # Errors
    /// When it was not sent like this, or the client knows it under another ID.
    pub(super) fn tells(
        &self,
        mailbox: Mailbox,
        place: Option<Place>,
        from: &str,
        number: Number,
        id: u64,
    ) -> anyhow::Result<()> {
        let message = self.messages.get(number).context("nobody sent it")?;
        ensure!(message.fate != Fate::Refused && message.keep, "it was refused, or not to be kept");
        ensure!(message.to.includes(mailbox, place), "it went to somebody else");
        ensure!(self.sender(number) == from, "it is of another sender");
        let known = self.id_of(mailbox, number);
        ensure!(known.is_none_or(|known| known == id), "its ID is {known:?}");
        Ok(())
    }

    /// The ID under which a client saw a message.
    pub(super) fn id_of(&self, mailbox: Mailbox, number: Number) -> Option<u64> {
        self.receivers.get(&mailbox)?.by_number.get(&number).copied()
    }

    /// Whether so much newer was sent to a mailbox that a message may have been replaced.
    pub(super) fn may_be_gone(&self, mailbox: Mailbox, number: Number) -> bool {
        let Some(receiver) = self.receivers.get(&mailbox) else { return false };
        // In the order of sending: few are on their way at once.
        let from = receiver.kept.partition_point(|other| other + AT_ONCE < number);
        let newer = receiver.kept[from..].iter().filter(|other| **other != number && !self.older(**other, number));
        newer.take(INBOX).count() == INBOX
    }

    /// A client saw a message. Returns its number if it makes sense.
    pub(super) fn delivered(
        &mut self,
        mailbox: Mailbox,
        place: Option<Place>,
        from: &str,
        id: u64,
        payload: &str,
    ) -> Option<Number> {
        let who = self.name(mailbox);
        let number = payload.split(':').next().and_then(|digits| digits.parse::<Number>().ok());
        let Some((number, message)) = number.and_then(|number| Some((number, self.messages.get(number)?))) else {
            self.violated(format!("{who} got message ID {id}, which nobody sent: {payload:.40}"));
            return None;
        };
        let (sender, refused) = (message.sender, message.fate == Fate::Refused);
        let same = self.new_devices.get(&mailbox).map_or(slice::from_ref(&mailbox), Vec::as_slice);
        let to_here = same.iter().any(|mailbox| message.to.includes(*mailbox, place));
        if !to_here || refused || from != self.sender(number) {
            self.violated(format!("{who} got message {number} from {from}, which was sent otherwise or refused"));
            return None;
        }
        let receiver = self.receivers.entry(mailbox).or_default();
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
        let newest = receiver.newest.insert((sender, place), number);
        self.counts.delivered += 1;
        if let Some(newest) = newest.filter(|newest| *newest > number) {
            self.violated(format!("{who} got message {number} of {from} after {newest}"));
        }
        Some(number)
    }

    /// A client is about to send an ack.
    pub(super) fn acking(&mut self, mailbox: Mailbox, number: Number) {
        self.receivers.entry(mailbox).or_default().acked.insert(number);
    }

    /// The server has shown that it keeps the acks of these. Their messages must not come over a later connection.
    pub(super) fn acks_confirmed(&mut self, mailbox: Mailbox, numbers: &[Number]) {
        self.counts.confirmed += numbers.len() as u64;
        self.receivers.entry(mailbox).or_default().confirmed.extend(numbers);
    }

    /// Whether the ack of a message is known to be durable.
    pub(super) fn is_ack_confirmed(&self, mailbox: Mailbox, number: Number) -> bool {
        self.receivers.get(&mailbox).is_some_and(|receiver| receiver.confirmed.contains(&number))
    }

    /// A device that was never seen before: it is owed what none of the user's `others` has acked, and must not get
    /// what is known to be acked.
    pub(super) fn new_device(&mut self, name: String, others: &[Mailbox]) -> Mailbox {
        self.names.mailboxes.push(name);
        let mailbox = self.names.mailboxes.len() - 1;
        self.new_devices.insert(mailbox, others.to_vec());
        let others: Vec<_> = others.iter().filter_map(|other| self.receivers.get(other)).collect();
        let mut fresh = Receiver::default();
        let kept: BTreeSet<_> = others.iter().flat_map(|other| other.kept.iter().copied()).collect();
        fresh.kept = kept.into_iter().collect();
        let acked = |number: &Number| others.iter().any(|other| other.acked.contains(number));
        fresh.open = others.iter().flat_map(|other| other.open.iter().copied()).filter(|one| !acked(one)).collect();
        fresh.confirmed = others.iter().flat_map(|other| other.confirmed.iter().copied()).collect();
        self.receivers.insert(mailbox, fresh);
        mailbox
    }

    /// Acknowledged messages of an inbox that are not in `inbox` though they were never acked, except those
    /// that newer ones have certainly or possibly replaced. Nothing is settled.
    pub(super) fn missing(&self, mailbox: Mailbox, inbox: &BTreeSet<Number>) -> Vec<Number> {
        let Some(receiver) = self.receivers.get(&mailbox) else { return Vec::new() };
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

    /// What the inbox held, in a time without sending. `acks` says whether its client, or another device's, acked
    /// since the last time; one that never did and lacks a message has a full inbox.
    pub(super) fn settle(&mut self, mailbox: Mailbox, inbox: &BTreeSet<Number>, acks: bool) {
        let who = self.name(mailbox);
        for number in self.missing(mailbox, inbox) {
            let sender = self.sender(number).to_owned();
            self.violated(format!("message {number} of {sender} to {who} was acknowledged and is lost"));
        }
        let Some(receiver) = self.receivers.get(&mailbox) else { return };
        let replaced = receiver.open.iter().filter(|number| self.owed(receiver, **number, inbox)).count();
        if inbox.len() > INBOX {
            self.violated(format!("the inbox of {who} held {} messages", inbox.len()));
        } else if replaced > 0 && !acks && inbox.len() < INBOX {
            let held = inbox.len();
            self.violated(format!("{who} lacks {replaced} messages though its inbox held only {held}"));
        }
        self.counts.replaced += replaced as u64;
        if let Some(receiver) = self.receivers.get_mut(&mailbox) {
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

#[cfg(test)]
mod tests;
