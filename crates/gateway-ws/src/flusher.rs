//! Writes out the mailboxes that filled. One task for many connections instead of waking each connection's own:
//! waking a task per delivery costs more than the write, and while this one works its way through the
//! connections, more messages arrive and share a write.

use std::future::poll_fn;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use stentor_core::clock::Clock;
use stentor_core::lag::Lag;

use crate::connection::Connection;

/// After so many connections everything else on the thread has its turn: publishers run meanwhile, so that the
/// connections still to come find several messages to write at once.
const CONNECTIONS_IN_A_ROW: usize = 32;

/// The connections whose mailbox filled, in the order in which they did. Each is in it once at most, so it is
/// bounded by their number.
#[derive(Debug)]
pub(crate) struct Flusher {
    dirty: Mutex<Vec<Arc<Connection>>>,
    clock: Arc<dyn Clock>,
    /// When the first of `dirty` came, in microseconds of the clock; [`NEVER`] if it is empty.
    waits_since_us: AtomicU64,
    /// The same of those that are being written.
    batch_since_us: AtomicU64,
    task: AtomicWaker,
    stopped: AtomicBool,
}

/// Nothing waits.
const NEVER: u64 = u64::MAX;

impl Lag for Flusher {
    fn waiting_since_us(&self) -> Option<u64> {
        let since = self.waits_since_us.load(Ordering::Relaxed).min(self.batch_since_us.load(Ordering::Relaxed));
        (since != NEVER).then_some(since)
    }
}

impl Flusher {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            dirty: Mutex::default(),
            clock,
            waits_since_us: AtomicU64::new(NEVER),
            batch_since_us: AtomicU64::new(NEVER),
            task: AtomicWaker::new(),
            stopped: AtomicBool::new(false),
        }
    }

    /// Notes a connection. Only the first one wakes the task.
    pub(crate) fn push(&self, connection: Arc<Connection>) {
        let first = {
            let mut dirty = self.dirty.lock();
            dirty.push(connection);
            let first = dirty.len() == 1;
            if first {
                self.waits_since_us.store(self.clock.monotonic_us(), Ordering::Relaxed);
            }
            first
        };
        if first {
            self.task.wake();
        }
    }

    /// Lets [`Flusher::run`] return when nothing is left to write.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.task.wake();
    }

    pub(crate) async fn run(self: Arc<Self>) {
        let mut batch = Vec::new();
        while poll_fn(|cx| self.poll_dirty(cx, &mut batch)).await {
            for (index, connection) in batch.drain(..).enumerate() {
                connection.flush_dirty();
                if index % CONNECTIONS_IN_A_ROW == CONNECTIONS_IN_A_ROW - 1 {
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    fn poll_dirty(&self, cx: &mut Context<'_>, batch: &mut Vec<Arc<Connection>>) -> Poll<bool> {
        self.task.register(cx.waker());
        let mut dirty = self.dirty.lock();
        let since_us = self.waits_since_us.swap(NEVER, Ordering::Relaxed);
        self.batch_since_us.store(since_us, Ordering::Relaxed);
        if !dirty.is_empty() {
            mem::swap(&mut *dirty, batch);
            Poll::Ready(true)
        } else if self.stopped.load(Ordering::Acquire) {
            Poll::Ready(false)
        } else {
            Poll::Pending
        }
    }
}
