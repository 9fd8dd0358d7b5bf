//! The bounded mailbox between the core and one session's socket.
//!
//! What waits to be written is in `queue`. A peer message is also in `unacked` from the moment it is offered until
//! its ack, so that a client that comes back gets it again. While the inbox is handed over (*drain*), peer
//! messages that come meanwhile are `held`, so that everything arrives in the order of the message IDs.
//!
//! Overflow: `mailbox_notices` or `mailbox_bytes` of what waits and what is unacked together. The client is then
//! cut as a slow consumer, which drops everything but the unacked peer messages; if those alone are too many,
//! the session has ended.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::id::MessageId;
use crate::notice::{Envelope, Notice};
use crate::policy::SessionPolicy;
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

/// The mailbox of one session.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    queue: VecDeque<Arc<Envelope>>,
    /// Notices in `queue` that no entry of `unacked` stands for.
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
        self.queue.len()
    }

    fn has_space(&self, bytes: usize, limits: &SessionPolicy) -> bool {
        self.offered + self.queued_alone < limits.mailbox_notices
            && self.unacked_bytes + self.queued_alone_bytes + bytes <= limits.mailbox_bytes
    }

    pub(crate) fn has_space_for(&self, envelope: &Envelope, limits: &SessionPolicy) -> bool {
        self.has_space(envelope.size_bytes(), limits)
    }

    /// Adds something that is not acked.
    pub(crate) fn push(&mut self, envelope: &Arc<Envelope>) {
        self.queued_alone += 1;
        self.queued_alone_bytes += envelope.size_bytes();
        self.queue.push_back(envelope.clone());
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
        self.held = None;
        self.queued_alone = 0;
        self.queued_alone_bytes = 0;
        self.drained_bytes = 0;
        self.announced = false;
        self.drain_step = None;
    }

    /// True if the outlet is to be told now.
    pub(crate) fn announce(&mut self) -> bool {
        !self.queue.is_empty() && !std::mem::replace(&mut self.announced, true)
    }

    pub(crate) fn take(&mut self, max_notices: usize, max_bytes: usize, into: &mut Vec<Arc<Envelope>>) {
        let mut bytes = 0;
        let mut taken = 0;
        while taken < max_notices
            && bytes < max_bytes
            && let Some(envelope) = self.queue.pop_front()
        {
            let size = envelope.size_bytes();
            match envelope.notice {
                Notice::PeerMessage { from_inbox: false, .. } => {}
                Notice::PeerMessage { from_inbox: true, .. } => self.drained_bytes -= size,
                _ => {
                    self.queued_alone -= 1;
                    self.queued_alone_bytes -= size;
                }
            }
            bytes += size;
            taken += 1;
            into.push(envelope);
        }
        if self.queue.is_empty() {
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

fn pop_older(held: &mut VecDeque<Arc<Envelope>>, id: MessageId) -> Option<Arc<Envelope>> {
    let older = matches!(&held.front()?.notice, Notice::PeerMessage { message, .. } if message.id < id);
    if older { held.pop_front() } else { None }
}
