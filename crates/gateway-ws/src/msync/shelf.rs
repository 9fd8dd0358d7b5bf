//! What a client is to get and to ack, in queues by conversation: messages that were kept for it wait here until it pulls
//! them, a page at a time; live ones are written at once, unless older ones of the same conversation wait. Both are acked
//! by the number of the last that the client has.
//!
//! A client learns of a queue from the answer to its UNREAD, or by a NOTICE if the queue filled later. It then pulls
//! until it is told that the queue is at its end; until then it does not look at notices.
//!
//! Bounded by what waits for acks: the inbox's cap, and the mailbox.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use stentor_core::id::MessageId;
use stentor_core::message::Message;
use stentor_core::notice::Notice;
use stentor_msync::{Command, Jid, QueueCount, QueueNotice};

use super::{frame, notice, queue};
use crate::teller::Audience;

/// Messages in one page.
const PAGE: usize = 20;

/// About so many bytes of payload are in one page.
const PAGE_BYTES: usize = 64 * 1024;

/// The queues of one connection.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    queues: Vec<Queue>,
    /// The client has asked what there is: what comes later, it has to be told.
    asked: bool,
    /// What was written and not acked.
    unacked: Vec<Unacked>,
}

#[derive(Debug)]
struct Queue {
    address: Jid,
    waiting: VecDeque<Waiting>,
    /// The client knows that there is something, and has not come to the end yet.
    open: bool,
}

#[derive(Debug)]
struct Waiting {
    message: Arc<Message>,
    from_inbox: bool,
    own: bool,
}

#[derive(Debug)]
struct Unacked {
    id: MessageId,
    conversation: String,
}

impl Shelf {
    /// Takes a notice in that the client is to pull; the frame that tells the client, empty if it need not be told. `None` for what
    /// is written at once.
    pub(crate) fn take_in(&mut self, notice: &Notice, audience: &Audience<'_>) -> Option<Bytes> {
        let Notice::PeerMessage { message, from_inbox } = notice else { return None };
        let conversation = queue::of(message, audience.own);
        let at = self.position(conversation);
        let waits = at.is_some_and(|at| !self.queues[at].waiting.is_empty());
        if !from_inbox && !waits {
            self.unacked.push(Unacked { id: message.id, conversation: conversation.to_owned() });
            return None;
        }
        let at = at.unwrap_or_else(|| {
            let address = queue::address(audience.app, message, audience.own);
            self.queues.push(Queue { address, waiting: VecDeque::new(), open: false });
            self.queues.len() - 1
        });
        let queue = &mut self.queues[at];
        queue.waiting.push_back(Waiting { message: Arc::clone(message), from_inbox: *from_inbox, own: audience.own });
        let tell = self.asked && !std::mem::replace(&mut queue.open, self.asked);
        Some(if tell {
            frame::frame(Command::Notice, &QueueNotice { queue: Some(queue.address.clone()) })
        } else {
            Bytes::new()
        })
    }

    /// What there is; from now on the client knows of it.
    pub(crate) fn list(&mut self) -> Vec<QueueCount> {
        self.asked = true;
        let listed = self.queues.iter_mut().filter(|queue| !queue.waiting.is_empty()).map(|queue| {
            queue.open = true;
            let n = u32::try_from(queue.waiting.len()).unwrap_or(u32::MAX);
            QueueCount { queue: Some(queue.address.clone()), n: Some(n) }
        });
        listed.collect()
    }

    /// The next page of a queue, or its end; and what the client has, which is everything of the queue up to `key`.
    pub(crate) fn pull<'a>(
        &mut self,
        address: Jid,
        key: Option<u64>,
        audience: impl Fn(bool) -> Audience<'a>,
        now_ms: u64,
    ) -> (Vec<MessageId>, Bytes) {
        let conversation = address.name.clone().unwrap_or_default();
        let acked = key.map(|key| self.acked(&conversation, MessageId(key))).unwrap_or_default();
        let page = self.page(&conversation);
        let Some(last) = page.last().map(|last| last.message.id) else {
            return (acked, frame::end_of_queue(address, key, now_ms));
        };
        let mut metas = Vec::new();
        for Waiting { message, from_inbox, own } in page {
            metas.extend(notice::metas(&message, from_inbox, &audience(own)));
            self.unacked.push(Unacked { id: message.id, conversation: conversation.clone() });
        }
        (acked, frame::to_be_acked(metas, address, last.0, now_ms))
    }

    fn acked(&mut self, conversation: &str, up_to: MessageId) -> Vec<MessageId> {
        let is_acked = |message: &mut Unacked| message.id <= up_to && message.conversation == conversation;
        let acked = self.unacked.extract_if(.., is_acked).map(|message| message.id).collect();
        if self.unacked.is_empty() {
            // An idle connection holds no buffer.
            self.unacked = Vec::new();
        }
        acked
    }

    /// Takes out what fits into a page. A queue that is at its end is forgotten.
    fn page(&mut self, conversation: &str) -> Vec<Waiting> {
        let Some(at) = self.position(conversation) else { return Vec::new() };
        let queue = &mut self.queues[at];
        if queue.waiting.is_empty() {
            self.queues.swap_remove(at);
            return Vec::new();
        }
        queue.open = true;
        let (mut page, mut bytes) = (Vec::new(), 0);
        while page.len() < PAGE
            && bytes < PAGE_BYTES
            && let Some(next) = queue.waiting.pop_front()
        {
            bytes += next.message.payload.len();
            page.push(next);
        }
        page
    }

    fn position(&self, conversation: &str) -> Option<usize> {
        self.queues.iter().position(|queue| queue.address.name.as_deref() == Some(conversation))
    }
}
