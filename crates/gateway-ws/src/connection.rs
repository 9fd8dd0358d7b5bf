//! One upgraded connection, as the core, the flusher and its own task share it.
//!
//! Locks: the wire's is held while the session's mailbox is taken from. The core calls [`Outlet`] with its locks
//! held, so nothing there takes the wire's; it only notes and wakes.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use stentor_core::id::MessageId;
use stentor_core::session::{Closing, Outlet, Session};

use crate::counters::Counters;
use crate::flusher::Flusher;
use crate::packing::Out;
use crate::protocol::Pull;
use crate::socket::{ReadHalf, WriteHalf};
use crate::teller::Teller;
use crate::wire::{Flushed, Wire};

/// One upgraded connection.
#[derive(Debug)]
pub(crate) struct Connection {
    wire: Mutex<Wire>,
    teller: Teller,
    task: AtomicWaker,
    /// It stands in the flusher's queue.
    dirty: AtomicBool,
    /// The core has not heard of the client for long.
    probed: AtomicBool,
    closing: OnceLock<Closing>,
    /// What the client said that took this one's place.
    replaced_by: OnceLock<Arc<str>>,
    flusher: Arc<Flusher>,
    counters: Arc<Counters>,
}

impl Outlet for Connection {
    fn ready(self: Arc<Self>) {
        self.enqueue();
    }

    fn probe(self: Arc<Self>) {
        self.probed.store(true, Ordering::Release);
        self.enqueue();
    }

    fn close(self: Arc<Self>, why: Closing) {
        // The first reason is the one that ended it.
        let _ = self.closing.set(why);
        self.task.wake();
    }

    fn replaced_by(&self, words: &Arc<str>) {
        let _ = self.replaced_by.set(Arc::clone(words));
    }
}

impl Connection {
    pub(crate) fn new(teller: Teller, socket: WriteHalf, flusher: Arc<Flusher>, counters: Arc<Counters>) -> Arc<Self> {
        Arc::new(Self {
            wire: Mutex::new(Wire::new(teller.clone(), socket)),
            teller,
            task: AtomicWaker::new(),
            dirty: AtomicBool::new(false),
            probed: AtomicBool::new(false),
            closing: OnceLock::new(),
            replaced_by: OnceLock::new(),
            flusher,
            counters,
        })
    }

    /// Has the flusher write out the mailbox.
    pub(crate) fn enqueue(self: Arc<Self>) {
        if !self.dirty.swap(true, Ordering::AcqRel) {
            let flusher = Arc::clone(&self.flusher);
            flusher.push(self);
        }
    }

    /// The flusher's turn.
    pub(crate) fn flush_dirty(self: Arc<Self>) {
        // Before the mailbox is looked into: what comes after the look must queue the connection again.
        self.dirty.store(false, Ordering::Release);
        let flushed = {
            let mut wire = self.wire.lock();
            if wire.is_blocked() {
                return;
            }
            if self.probed.swap(false, Ordering::AcqRel) {
                wire.probe();
            }
            wire.flush(&self.closing, &self.counters)
        };
        match flushed {
            Flushed::Idle => {}
            Flushed::More => self.enqueue(),
            Flushed::Blocked { .. } | Flushed::Broken => self.task.wake(),
        }
    }

    /// The task's turn.
    pub(crate) fn flush(&self) -> Flushed {
        self.wire.lock().flush(&self.closing, &self.counters)
    }

    /// Adds a frame; an empty one is none.
    pub(crate) fn push(&self, frame: Bytes) {
        self.wire.lock().push(frame);
    }

    /// How its client is told.
    pub(crate) fn teller(&self) -> &Teller {
        &self.teller
    }

    /// The frame that answers a sign of life.
    pub(crate) fn pong(&self, now_ms: u64) -> Bytes {
        self.wire.lock().pong(now_ms)
    }

    /// The client has answered a ping.
    pub(crate) fn ponged(&self, payload: &[u8]) {
        self.wire.lock().ponged(payload);
    }

    /// The frame that answers a pull, and what the client has.
    pub(crate) fn pull(&self, pull: Pull, now_ms: u64) -> (Vec<MessageId>, Bytes) {
        self.wire.lock().pull(pull, now_ms)
    }

    /// From now on the mailbox of `session` is written out, after the welcome, and packed like everything behind it. Whether
    /// that waits for [`Connection::release`].
    pub(crate) fn attach(
        &self,
        session: Arc<Session>,
        attachment: u64,
        welcome: Bytes,
        packing: Option<Box<Out>>,
    ) -> bool {
        let mut wire = self.wire.lock();
        wire.push(welcome);
        wire.attach(session, attachment, packing);
        wire.is_held()
    }

    /// The mailbox waits no more.
    pub(crate) fn release(&self) {
        self.wire.lock().release();
    }

    /// The last frames; the mailbox stays as it is.
    pub(crate) fn end(&self, frames: impl IntoIterator<Item = Bytes>, drop_queue: bool) {
        let mut wire = self.wire.lock();
        wire.detach(drop_queue);
        frames.into_iter().for_each(|frame| wire.push(frame));
    }

    /// Says that nothing follows, where TLS wants that said. Best effort: the close frame said so before.
    pub(crate) fn end_tls(&self) {
        if let Some(socket) = self.wire.lock().socket() {
            socket.end_tls();
        }
    }

    /// Closes the writing side of the socket.
    pub(crate) fn shut(&self) {
        self.wire.lock().shut();
    }

    pub(crate) fn queued_bytes(&self) -> usize {
        self.wire.lock().queued_bytes()
    }

    pub(crate) fn is_blocked(&self) -> bool {
        self.wire.lock().is_blocked()
    }

    /// Why the core closes it, if it does.
    pub(crate) fn closing(&self) -> Option<Closing> {
        self.closing.get().copied()
    }

    /// What the client said that took this one's place.
    pub(crate) fn replaced_by(&self) -> Option<&str> {
        self.replaced_by.get().map(|words| &**words)
    }

    /// Whom to wake when the socket is blocked or broken, or the core closes the connection.
    pub(crate) fn register(&self, task: &Waker) {
        self.task.register(task);
    }

    /// Reads into `buffer`; 0 at the end of the stream.
    pub(crate) fn poll_read(
        &self,
        read: &mut ReadHalf,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if !read.is_tls() {
            return read.poll_read(cx, buffer);
        }
        match self.wire.lock().socket() {
            Some(socket) => socket.poll_decrypt(read, cx, buffer),
            None => Poll::Ready(Ok(0)),
        }
    }
}
