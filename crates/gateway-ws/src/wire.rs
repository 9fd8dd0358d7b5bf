//! The writing side of one connection: frames on their way to the socket, and the mailbox they come from.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::mem;
use std::sync::{Arc, OnceLock};

use bytes::{Buf, Bytes};
use stentor_core::id::MessageId;
use stentor_core::notice::{Envelope, Notice};
use stentor_core::session::{Closing, Session};

use crate::checkpoint::Checkpoints;
use crate::counters::{self, Counters};
use crate::msync::{self, Shelf};
use crate::packing::Out;
use crate::protocol::{Protocol, Pull};
use crate::socket::{FRAMES_PER_WRITE, WriteHalf};
use crate::teller::Teller;

/// So many bytes are taken out of a mailbox for one write, about.
const BYTES_PER_WRITE: usize = 64 * 1024;

/// So many writes in a row, then the others have their turn.
const WRITES_IN_A_ROW: usize = 4;

/// What a flush came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// Everything is written, and the mailbox was found empty: the outlet is told when it fills.
    Idle,
    /// There is more, but others wait.
    More,
    /// The socket takes no more.
    Blocked {
        /// It took something before.
        progress: bool,
    },
    /// The socket is broken or closed.
    Broken,
}

/// The writing side of one connection.
#[derive(Debug)]
pub(crate) struct Wire {
    teller: Teller,
    socket: Option<WriteHalf>,
    /// The session, and which of its connections this is.
    session: Option<(Arc<Session>, u64)>,
    /// The mailbox is left alone until [`Wire::release`].
    held: bool,
    /// What the client pulls, and acks by queue, in the protocol that has it so.
    shelf: Option<Box<Shelf>>,
    /// How far the client has read, in a protocol and a carrier where it is asked.
    checkpoints: Option<Box<Checkpoints>>,
    /// Packs what is written, in the order in which it is: frames are packed as they come in here.
    packing: Option<Box<Out>>,
    /// Frames that go before those in the mailbox: replies, and what the socket did not take yet.
    queue: VecDeque<Bytes>,
    queued_bytes: usize,
    /// A part of the first frame in the queue was written.
    head_started: bool,
    /// The socket took no more; the connection's task waits until it does.
    blocked: bool,
}

#[derive(Default)]
struct Scratch {
    envelopes: Vec<Arc<Envelope>>,
    frames: Vec<Bytes>,
}

thread_local! {
    // Shared by all connections of a thread, so that an idle one holds no buffers.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Wire {
    pub(crate) fn new(teller: Teller, socket: WriteHalf) -> Self {
        Self {
            shelf: matches!(teller.protocol, Protocol::Msync(_)).then(Box::default),
            checkpoints: teller.protocol.has_checkpoints().then(Box::default),
            teller,
            socket: Some(socket),
            session: None,
            held: false,
            packing: None,
            queue: VecDeque::new(),
            queued_bytes: 0,
            head_started: false,
            blocked: false,
        }
    }

    /// From now on the mailbox of `session` is written out; if it is packed by frames, once it is released: SDKs take up what
    /// was agreed upon a moment after they have read the welcome, and do not understand what comes right behind it.
    pub(crate) fn attach(&mut self, session: Arc<Session>, attachment: u64, packing: Option<Box<Out>>) {
        self.held = matches!(packing.as_deref(), Some(Out::Lz4(_)));
        self.packing = packing;
        self.session = Some((session, attachment));
    }

    /// The mailbox is written out, if there is one.
    pub(crate) fn release(&mut self) {
        self.held = false;
    }

    pub(crate) fn is_held(&self) -> bool {
        self.held
    }

    /// No more of the mailbox is written, and of what was taken out only a frame that is half out if
    /// `drop_queue`.
    pub(crate) fn detach(&mut self, drop_queue: bool) {
        self.session = None;
        if drop_queue {
            self.queue.truncate(usize::from(self.head_started));
        }
    }

    /// Adds a frame that is not in the mailbox; an empty one is none.
    pub(crate) fn push(&mut self, frame: Bytes) {
        let protocol = self.teller.protocol;
        let frame = protocol.packed(protocol.wrapped(frame), self.packing.as_deref_mut());
        if frame.is_empty() {
            return;
        }
        self.queued_bytes += frame.len();
        self.queue.push_back(frame);
    }

    /// The frame that answers a sign of life.
    pub(crate) fn pong(&mut self, now_ms: u64) -> Bytes {
        match &mut self.shelf {
            Some(shelf) => msync::unread(shelf.list(), now_ms),
            None => self.teller.protocol.pong(now_ms),
        }
    }

    /// Asks the client for a sign of life, where that can be done.
    pub(crate) fn probe(&mut self) {
        if let Some(checkpoints) = &mut self.checkpoints {
            checkpoints.want();
        }
    }

    /// The client has answered a ping.
    pub(crate) fn ponged(&mut self, payload: &[u8]) {
        if let (Some(checkpoints), Some((session, attachment))) = (&mut self.checkpoints, &self.session)
            && let Some(at_ms) = checkpoints.pong(payload)
        {
            session.confirm(*attachment, at_ms);
        }
    }

    /// The frame that answers a pull, and what the client has.
    pub(crate) fn pull(&mut self, pull: Pull, now_ms: u64) -> (Vec<MessageId>, Bytes) {
        let (Some(shelf), Some((session, _))) = (&mut self.shelf, &self.session) else {
            return (Vec::new(), Bytes::new());
        };
        let audience = |own| self.teller.audience_of(session, own);
        shelf.pull(pull.address, pull.key, audience, now_ms)
    }

    /// Bytes that wait for the socket.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked
    }

    pub(crate) fn socket(&mut self) -> Option<&mut WriteHalf> {
        self.socket.as_mut()
    }

    /// Closes the writing side of the socket.
    pub(crate) fn shut(&mut self) {
        self.socket = None;
        self.session = None;
        self.queue = VecDeque::new();
    }

    /// Writes until nothing is left, the socket takes no more, or others should have their turn. The mailbox is
    /// left alone once the connection is `closing`: it may be another connection's by now.
    pub(crate) fn flush(&mut self, closing: &OnceLock<Closing>, counters: &Counters) -> Flushed {
        SCRATCH.with_borrow_mut(|scratch| self.flush_with(scratch, closing, counters))
    }

    fn flush_with(&mut self, scratch: &mut Scratch, closing: &OnceLock<Closing>, counters: &Counters) -> Flushed {
        let mut progress = false;
        for _ in 0..WRITES_IN_A_ROW {
            let Some(mut socket) = self.socket.take() else { return Flushed::Broken };
            if closing.get().is_some() {
                self.session = None;
            }
            self.fill(scratch);
            if scratch.frames.is_empty() && !socket.has_unsent() {
                self.socket = Some(socket);
                self.blocked = false;
                return Flushed::Idle;
            }
            match socket.try_write(&scratch.frames) {
                Ok(written) => {
                    progress |= written > 0;
                    self.written(written, scratch, counters);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.put_back(scratch, 0);
                    self.socket = Some(socket);
                    if !mem::replace(&mut self.blocked, true) {
                        counters::count(&counters.blocked);
                    }
                    return Flushed::Blocked { progress };
                }
                Err(_) => {
                    scratch.frames.clear();
                    return Flushed::Broken;
                }
            }
            self.socket = Some(socket);
        }
        Flushed::More
    }

    /// Collects frames for one write: first the queue, then the mailbox.
    fn fill(&mut self, scratch: &mut Scratch) {
        let mut bytes = 0;
        while scratch.frames.len() < FRAMES_PER_WRITE
            && let Some(frame) = self.queue.pop_front()
        {
            bytes += frame.len();
            scratch.frames.push(frame);
        }
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
            self.queued_bytes = 0;
        } else {
            self.queued_bytes -= bytes;
        }
        let room = FRAMES_PER_WRITE - scratch.frames.len();
        if room > 0
            && bytes < BYTES_PER_WRITE
            && !self.held
            && let Some((session, attachment)) = &self.session
        {
            let (teller, shelf, packing) = (&self.teller, &mut self.shelf, &mut self.packing);
            let mut replayed = 0;
            let mut encode = |envelope: Arc<Envelope>| {
                replayed += u32::from(matches!(envelope.notice, Notice::RoomMessage { .. } | Notice::RoomEvent { .. }));
                let audience = teller.audience(session, &envelope.notice);
                let shelved = shelf.as_mut().and_then(|shelf| shelf.take_in(&envelope.notice, &audience));
                let frame =
                    shelved.map_or_else(|| teller.frame(session, &envelope), |frame| teller.protocol.wrapped(frame));
                teller.protocol.packed(frame, packing.as_deref_mut())
            };
            loop {
                session.take(*attachment, room, BYTES_PER_WRITE - bytes, &mut scratch.envelopes);
                let nothing_left = scratch.envelopes.is_empty();
                // What these clients are not told has an empty frame.
                let frames = scratch.envelopes.drain(..).map(&mut encode).filter(|frame| !frame.is_empty());
                scratch.frames.extend(frames);
                if nothing_left || !scratch.frames.is_empty() {
                    break;
                }
            }
            if let Some(checkpoints) = &mut self.checkpoints {
                checkpoints.wrote(replayed);
            }
            self.ask_how_far(scratch);
        }
    }

    /// Adds a ping, if one is due, behind everything that was in the mailbox.
    fn ask_how_far(&mut self, scratch: &mut Scratch) {
        let (Some(checkpoints), Some((session, _))) = (&mut self.checkpoints, &self.session) else { return };
        // Taken before the mailbox is looked into: what was in it then is written.
        let now_ms = self.teller.numbers.monotonic_ms();
        if scratch.frames.len() < FRAMES_PER_WRITE && checkpoints.is_due(now_ms) {
            let all = session.waiting() == 0;
            if all || checkpoints.is_wanted() {
                scratch.frames.push(checkpoints.ping(now_ms, all));
            }
        }
    }

    fn written(&mut self, bytes: usize, scratch: &mut Scratch, counters: &Counters) {
        let mut left = bytes;
        let mut complete = 0;
        for frame in &mut scratch.frames {
            if left < frame.len() {
                frame.advance(left);
                self.head_started = left > 0 || (complete == 0 && self.head_started);
                break;
            }
            left -= frame.len();
            complete += 1;
        }
        if complete == scratch.frames.len() {
            self.head_started = false;
        }
        self.put_back(scratch, complete);
        counters::count(&counters.writes);
        counters::add(&counters.frames_out, complete);
        counters::add(&counters.bytes_out, bytes);
    }

    /// Puts the frames after the first `written` ones back to the front of the queue.
    fn put_back(&mut self, scratch: &mut Scratch, written: usize) {
        for frame in scratch.frames.drain(written..).rev() {
            self.queued_bytes += frame.len();
            self.queue.push_front(frame);
        }
        scratch.frames.clear();
    }
}
