//! The bounded mailbox between the core and one session's socket.
//!
//! What waits to be written is in `queue`. A peer message is also in `unacked` from the moment it is offered until
//! its ack, so that a client that comes back gets it again. While the inbox is handed over (*drain*), peer
//! messages that come meanwhile are `held`, so that everything arrives in the order of the message IDs.
//!
//! Room messages stand in *lanes*, one for each level: high ones are written before everything else, low ones after
//! everything else, and normal ones stand in `queue`, among peer messages and other notices. Within a lane the order
//! is that of the offers. The lanes for high and low ones are only there while they hold something.
//!
//! Overflow, where the app has levels ([`OverloadPolicy`]): when so many room messages wait that one more does not
//! fit, the newest one of the lowest level gives way, if that is lower than the one that comes; otherwise the one
//! that comes is dropped. Everything else makes room messages give way in the same manner before the next bound
//! matters. When the client has caught up, it is told how many of each room it missed.
//!
//! Overflow of the whole: `mailbox_notices` or `mailbox_bytes` of what waits and what is unacked together. The client
//! is then cut as a slow consumer, which drops everything but the unacked peer messages; if those alone are too many,
//! the session has ended.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::id::MessageId;
use crate::id::RoomId;
use crate::message::Priority;
use crate::notice::{Envelope, Notice};
use crate::policy::{OverloadPolicy, SessionPolicy};
use crate::store::Cancelled;

/// What a session did with a peer message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offered {
    /// It is in the mailbox.
    Taken,
    /// The session has ended.
    Gone,
    /// The mailbox is full of unacked messages: the session must be ended.
    Overflow,
}

/// What a sender who waits is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AckOutcome {
    Acked,
    TimedOut,
}

/// Somebody wants to know of an ack. When the last mailbox forgets it, the sender hears that nobody is there.
#[derive(Debug)]
pub(crate) struct Expectation {
    sender: Mutex<Option<oneshot::Sender<AckOutcome>>>,
    /// The write into the inbox that an early ack makes needless.
    inbox_write: Cancelled,
}

impl Expectation {
    pub(crate) fn new(inbox_write: Cancelled) -> (Arc<Self>, oneshot::Receiver<AckOutcome>) {
        let (sender, receiver) = oneshot::channel();
        (Arc::new(Self { sender: Mutex::new(Some(sender)), inbox_write }), receiver)
    }

    /// A client has the message.
    pub(crate) fn acked(&self) {
        self.inbox_write.cancel();
        self.resolve(AckOutcome::Acked);
    }

    /// The sender has waited long enough.
    pub(crate) fn timed_out(&self) {
        self.resolve(AckOutcome::TimedOut);
    }

    fn resolve(&self, outcome: AckOutcome) {
        if let Some(sender) = self.sender.lock().take() {
            // A sender that does not wait any more is fine.
            let _ = sender.send(outcome);
        }
    }
}

/// A peer message that was offered and not acked.
#[derive(Debug)]
struct Unacked {
    id: MessageId,
    /// To send it again; absent for what the inbox still has.
    envelope: Option<Arc<Envelope>>,
    expected: Option<Arc<Expectation>>,
    kept: bool,
}

/// What was found in the mailbox for an ack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Acked {
    /// The inbox has it and can forget it.
    pub(crate) kept: bool,
}

/// A room message that is not delivered, though it was in the mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GivenUp {
    pub(crate) room: RoomId,
    pub(crate) level: Priority,
}

/// Room messages that do not stand in the queue.
#[derive(Debug, Default)]
struct Lanes {
    high: VecDeque<Arc<Envelope>>,
    low: VecDeque<Arc<Envelope>>,
    /// How many gave way since the client had caught up last, by room.
    missed: Vec<(RoomId, u64)>,
}

impl Lanes {
    fn are_empty(&self) -> bool {
        self.high.is_empty() && self.low.is_empty() && self.missed.is_empty()
    }
}

/// The mailbox of one session.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    queue: VecDeque<Arc<Envelope>>,
    lanes: Option<Box<Lanes>>,
    /// Room messages in the lanes, those in `queue` included, and their bytes.
    room_messages: u32,
    room_bytes: u32,
    /// Notices in `queue` and the lanes that no entry of `unacked` stands for.
    queued_alone: usize,
    queued_alone_bytes: usize,
    /// Bytes in `queue` that the drain put there: bounded by its pauses, not by the mailbox's limit.
    drained_bytes: usize,
    unacked: VecDeque<Unacked>,
    /// Entries of `unacked` that hold their envelope, and their bytes: the others are in the inbox, whose cap
    /// bounds them.
    offered: usize,
    unacked_bytes: usize,
    /// Peer messages that wait for the end of the drain; `None` when there is no drain.
    held: Option<VecDeque<Arc<Envelope>>>,
    /// The outlet was told and has not yet found the queue empty.
    announced: bool,
    /// Woken when a drain may go on.
    drain_step: Option<oneshot::Sender<()>>,
}

/// A drain pauses while so many bytes wait to be written.
const DRAIN_PAUSE_BYTES: usize = 256 * 1024;

impl Mailbox {
    pub(crate) fn waiting(&self) -> usize {
        let in_lanes = |lanes: &Lanes| lanes.high.len() + lanes.low.len() + lanes.missed.len();
        self.queue.len() + self.lanes.as_deref().map_or(0, in_lanes)
    }

    fn has_space(&self, bytes: usize, limits: &SessionPolicy) -> bool {
        self.offered + self.queued_alone < limits.mailbox_notices
            && self.unacked_bytes + self.queued_alone_bytes + bytes <= limits.mailbox_bytes
    }

    /// Whether a notice fits, after room messages of a lower level gave way if they may.
    pub(crate) fn make_space(
        &mut self,
        envelope: &Envelope,
        limits: &SessionPolicy,
        overload: Option<&OverloadPolicy>,
        given_up: &mut Vec<GivenUp>,
    ) -> bool {
        let bytes = envelope.size_bytes();
        let level = envelope.room_level().map(|(_, level)| level);
        while !self.has_space(bytes, limits) {
            if overload.is_none() || !self.give_up_below(level, given_up) {
                return false;
            }
        }
        true
    }

    /// Whether a room message fits into the lanes, after room messages of a lower level gave way.
    pub(crate) fn make_space_in_lanes(
        &mut self,
        envelope: &Envelope,
        level: Priority,
        overload: &OverloadPolicy,
        given_up: &mut Vec<GivenUp>,
    ) -> bool {
        let bytes = envelope.size_bytes();
        if bytes > overload.lane_bytes {
            return false;
        }
        while self.room_messages as usize >= overload.lane_notices
            || self.room_bytes as usize + bytes > overload.lane_bytes
        {
            if !self.give_up_below(Some(level), given_up) {
                return false;
            }
        }
        true
    }

    /// Drops the newest room message of the lowest level that waits, if that is lower than `level`; `None` is above
    /// all levels.
    fn give_up_below(&mut self, level: Option<Priority>, given_up: &mut Vec<GivenUp>) -> bool {
        // The least important is the greatest.
        let is_below = |lane: Priority| level.is_none_or(|level| lane > level);
        let lowest_first = Priority::ALL.into_iter().rev();
        let Some(envelope) = lowest_first.take_while(|lane| is_below(*lane)).find_map(|lane| self.pop_newest(lane))
        else {
            return false;
        };
        self.left(&envelope);
        if let Some(lost) = GivenUp::of(&envelope) {
            self.note_missed(&lost.room);
            given_up.push(lost);
        }
        true
    }

    /// A message of this room gave way, or found no place.
    pub(crate) fn note_missed(&mut self, room: &RoomId) {
        let missed = &mut self.lanes.get_or_insert_default().missed;
        match missed.iter_mut().find(|(of, _)| of == room) {
            Some((_, count)) => *count += 1,
            None => missed.push((room.clone(), 1)),
        }
    }

    fn pop_newest(&mut self, lane: Priority) -> Option<Arc<Envelope>> {
        match lane {
            Priority::High => self.lanes.as_mut()?.high.pop_back(),
            Priority::Low => self.lanes.as_mut()?.low.pop_back(),
            Priority::Normal => {
                let at = self.queue.iter().rposition(|envelope| envelope.room_level().is_some())?;
                self.queue.remove(at)
            }
        }
    }

    /// Room messages that wait.
    pub(crate) fn room_messages(&self) -> impl Iterator<Item = GivenUp> {
        let lanes = self.lanes.iter().flat_map(|lanes| lanes.high.iter().chain(&lanes.low));
        self.queue.iter().chain(lanes).filter_map(|envelope| GivenUp::of(envelope))
    }

    /// Adds something that is not acked.
    pub(crate) fn push(&mut self, envelope: &Arc<Envelope>) {
        let bytes = envelope.size_bytes();
        self.queued_alone += 1;
        self.queued_alone_bytes += bytes;
        let level = envelope.room_level().map(|(_, level)| level);
        if level.is_some() {
            self.room_messages += 1;
            self.room_bytes += u32::try_from(bytes).unwrap_or(u32::MAX);
        }
        let lane = match level {
            Some(Priority::High) => &mut self.lanes.get_or_insert_default().high,
            Some(Priority::Low) => &mut self.lanes.get_or_insert_default().low,
            Some(Priority::Normal) | None => &mut self.queue,
        };
        lane.push_back(envelope.clone());
    }

    /// Something has left the queue or a lane.
    fn left(&mut self, envelope: &Envelope) {
        let bytes = envelope.size_bytes();
        match &envelope.notice {
            Notice::PeerMessage { from_inbox: false, .. } => return,
            Notice::PeerMessage { from_inbox: true, .. } => {
                self.drained_bytes -= bytes;
                return;
            }
            Notice::RoomMessage { .. } => {
                self.room_messages -= 1;
                self.room_bytes -= u32::try_from(bytes).unwrap_or(u32::MAX);
            }
            _ => {}
        }
        self.queued_alone -= 1;
        self.queued_alone_bytes -= bytes;
    }

    /// The next one to write.
    fn pop(&mut self) -> Option<Arc<Envelope>> {
        let Some(lanes) = &mut self.lanes else { return self.queue.pop_front() };
        let mut next = lanes.high.pop_front().or_else(|| self.queue.pop_front()).or_else(|| lanes.low.pop_front());
        if next.is_none() && !lanes.missed.is_empty() {
            let (room, count) = lanes.missed.remove(0);
            let missed = Envelope::new(Notice::RoomMessagesMissed { room, count });
            self.queued_alone += 1;
            self.queued_alone_bytes += missed.size_bytes();
            next = Some(missed);
        }
        if lanes.are_empty() {
            self.lanes = None;
        }
        next
    }

    /// Adds a peer message: kept until acked, written now or after the drain.
    pub(crate) fn push_peer(
        &mut self,
        envelope: &Arc<Envelope>,
        id: MessageId,
        expected: Option<Arc<Expectation>>,
        kept: bool,
    ) {
        self.unacked_bytes += envelope.size_bytes();
        self.offered += 1;
        self.unacked.push_back(Unacked { id, envelope: Some(envelope.clone()), expected, kept });
        match &mut self.held {
            Some(held) => held.push_back(envelope.clone()),
            None => self.queue.push_back(envelope.clone()),
        }
    }

    /// Adds a page that the drain read from the inbox, together with what was held and is older than its end.
    pub(crate) fn push_drained(&mut self, page: Vec<(MessageId, Arc<Envelope>)>) {
        for (id, envelope) in page {
            if self.holds(id) {
                continue; // it is held, or was written before
            }
            while let Some(first) = self.held.as_mut().and_then(|held| pop_older(held, id)) {
                self.queue.push_back(first);
            }
            self.unacked.push_back(Unacked { id, envelope: None, expected: None, kept: true });
            self.drained_bytes += envelope.size_bytes();
            self.queue.push_back(envelope);
        }
    }

    /// What was offered, is kept and not acked.
    pub(crate) fn unacked_kept(&self) -> impl Iterator<Item = MessageId> {
        self.unacked.iter().filter(|unacked| unacked.kept).map(|unacked| unacked.id)
    }

    /// Whether the message was offered and not acked.
    pub(crate) fn holds(&self, id: MessageId) -> bool {
        self.unacked.iter().any(|unacked| unacked.id == id)
    }

    /// Ends the drain: what was held follows.
    pub(crate) fn finish_drain(&mut self) {
        if let Some(held) = self.held.take() {
            self.queue.extend(held);
        }
    }

    /// Whether a drain is going on.
    pub(crate) fn is_draining(&self) -> bool {
        self.held.is_some()
    }

    /// A receiver that is woken when the drain may go on, or `None` if it may at once.
    pub(crate) fn drain_pause(&mut self) -> Option<oneshot::Receiver<()>> {
        if self.drained_bytes < DRAIN_PAUSE_BYTES {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        self.drain_step = Some(sender);
        Some(receiver)
    }

    /// Begins a connection: nothing was written on it yet, so all that is unacked is held, for the drain that
    /// follows to put in its place.
    pub(crate) fn attach(&mut self) {
        self.detach();
        // What the inbox has comes with the drain; forgetting it here lets the page bring it again.
        self.unacked.retain(|unacked| unacked.envelope.is_some());
        let mut held: Vec<_> =
            self.unacked.iter().filter_map(|unacked| unacked.envelope.clone().map(|e| (unacked.id, e))).collect();
        held.sort_by_key(|(id, _)| *id);
        self.held = Some(held.into_iter().map(|(_, envelope)| envelope).collect());
    }

    /// Ends a connection: what is not acked stays.
    pub(crate) fn detach(&mut self) {
        self.queue = VecDeque::new();
        self.lanes = None;
        self.room_messages = 0;
        self.room_bytes = 0;
        self.held = None;
        self.queued_alone = 0;
        self.queued_alone_bytes = 0;
        self.drained_bytes = 0;
        self.announced = false;
        self.drain_step = None;
    }

    /// True if the outlet is to be told now.
    pub(crate) fn announce(&mut self) -> bool {
        self.waiting() > 0 && !std::mem::replace(&mut self.announced, true)
    }

    pub(crate) fn take(&mut self, max_notices: usize, max_bytes: usize, into: &mut Vec<Arc<Envelope>>) {
        let mut bytes = 0;
        let mut taken = 0;
        while taken < max_notices
            && bytes < max_bytes
            && let Some(envelope) = self.pop()
        {
            self.left(&envelope);
            bytes += envelope.size_bytes();
            taken += 1;
            into.push(envelope);
        }
        if self.queue.is_empty() && self.lanes.is_none() {
            self.announced = false;
            // An idle session keeps no buffer.
            if self.queue.capacity() > 8 {
                self.queue = VecDeque::new();
            }
        }
        if self.drained_bytes < DRAIN_PAUSE_BYTES / 2
            && let Some(step) = self.drain_step.take()
        {
            let _ = step.send(());
        }
    }

    /// The client has this message.
    pub(crate) fn ack(&mut self, id: MessageId) -> Option<Acked> {
        let at = self.unacked.iter().position(|unacked| unacked.id == id)?;
        let unacked = self.unacked.remove(at)?;
        if let Some(envelope) = &unacked.envelope {
            self.offered -= 1;
            self.unacked_bytes = self.unacked_bytes.saturating_sub(envelope.size_bytes());
        }
        if let Some(expected) = &unacked.expected {
            expected.acked();
        }
        if self.unacked.is_empty() && self.unacked.capacity() > 8 {
            self.unacked = VecDeque::new();
        }
        Some(Acked { kept: unacked.kept })
    }

    /// The session is over: forgets everything, and with it who waits for acks. Returns how many unacked
    /// messages were in nobody's inbox.
    pub(crate) fn end(&mut self) -> u64 {
        self.detach();
        self.unacked_bytes = 0;
        self.offered = 0;
        let lost = self.unacked.iter().filter(|unacked| !unacked.kept).count();
        self.unacked = VecDeque::new();
        lost as u64
    }
}

impl GivenUp {
    fn of(envelope: &Envelope) -> Option<Self> {
        envelope.room_level().map(|(room, level)| Self { room: room.clone(), level })
    }
}

fn pop_older(held: &mut VecDeque<Arc<Envelope>>, id: MessageId) -> Option<Arc<Envelope>> {
    let older = matches!(&held.front()?.notice, Notice::PeerMessage { message, .. } if message.id < id);
    if older { held.pop_front() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_mailbox_is_small() {
        // Three lanes for each session would be another 64 bytes; the two that are seldom used cost a pointer.
        let size = size_of::<Mailbox>();
        assert!(size <= 184, "{size} bytes");
    }
}
