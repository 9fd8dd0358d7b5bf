//! The one queue between callers and the store's threads.
//!
//! Writes wait here in the order of the calls. A read carries the number of writes queued before it and is
//! handed to its reader thread when that many writes are done: at once if none is waiting.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;
use stentor_core::store::StoreError;
use tokio::sync::oneshot;

use crate::failure::{Failure, closed};
use crate::tables::Tables;

/// A write in the queue. It may run more than once before it is committed.
pub(crate) trait Write: Send {
    /// Does the work inside the open transaction.
    fn run(&mut self, tables: &mut Tables) -> Result<(), Failure>;

    /// The work is durable. Returns whether there is more to do: then it goes to the end of the queue.
    fn committed(&mut self) -> bool {
        false
    }

    /// Tells whoever waits.
    fn finish(self: Box<Self>, outcome: Result<(), StoreError>);
}

/// A read, on the connection of its lane.
pub(crate) type Read = Box<dyn FnOnce(&Connection) + Send>;

/// The reader threads: a long query of the history does not stand before an inbox.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lane {
    /// Inboxes, sessions, counters.
    Quick = 0,
    /// History.
    Long = 1,
}

impl Lane {
    /// Every lane.
    pub(crate) const ALL: [Self; 2] = [Self::Quick, Self::Long];
}

/// What the writer gets.
pub(crate) enum Taken {
    /// Writes, oldest first.
    Batch(Vec<Box<dyn Write>>),
    /// Nothing came in the time given.
    Nothing,
    /// Closed, and nothing is left.
    Closed,
}

/// How the writer takes a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gather {
    /// How many writes are worth waiting for, once there is one.
    pub(crate) expected: usize,
    /// How long, at most.
    pub(crate) patience: Duration,
    /// At most so many.
    pub(crate) max: usize,
    /// How long to wait for the first, if not for ever.
    pub(crate) idle: Option<Duration>,
}

/// The queue.
pub(crate) struct Queue {
    bound: usize,
    state: Mutex<State>,
    writer: Condvar,
    readers: [Condvar; 2],
}

#[derive(Default)]
struct State {
    writes: VecDeque<Box<dyn Write>>,
    /// Writes ever queued.
    queued: u64,
    /// Writes ever finished, well or not: always the first ones queued.
    finished: u64,
    /// Reads behind so many writes.
    held: VecDeque<(u64, Lane, Read)>,
    lanes: [VecDeque<Read>; 2],
    /// The writer sleeps until so many writes wait.
    wake_at: usize,
    /// No more operations are taken.
    closed: bool,
    /// No more reads will be handed to the lanes.
    drained: bool,
    /// The threads are gone, or about to end without touching anything.
    ended: bool,
    closers: Vec<oneshot::Sender<()>>,
}

impl State {
    fn waiting(&self) -> usize {
        self.writes.len() + self.held.len() + self.lanes.iter().map(VecDeque::len).sum::<usize>()
    }

    fn admits(&self, bound: usize) -> Result<(), StoreError> {
        if self.closed {
            Err(closed())
        } else if self.waiting() >= bound {
            Err(StoreError::Busy)
        } else {
            Ok(())
        }
    }
}

impl Queue {
    /// A queue of at most `bound` waiting operations, reads included.
    pub(crate) fn new(bound: usize) -> Self {
        let state = State { wake_at: 1, ..State::default() };
        Self { bound, state: Mutex::new(state), writer: Condvar::new(), readers: [Condvar::new(), Condvar::new()] }
    }

    /// Queues a write, or finishes it with the reason why not.
    pub(crate) fn write(&self, write: Box<dyn Write>) {
        let mut state = self.state.lock();
        if let Err(error) = state.admits(self.bound) {
            drop(state);
            return write.finish(Err(error));
        }
        self.append(&mut state, write);
    }

    fn append(&self, state: &mut State, write: Box<dyn Write>) {
        state.writes.push_back(write);
        state.queued += 1;
        if state.writes.len() >= state.wake_at {
            self.writer.notify_one();
        }
    }

    /// Queues a read behind the writes that are waiting.
    ///
    /// # Errors
    /// When the queue is full or closed.
    pub(crate) fn read(&self, lane: Lane, read: Read) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        state.admits(self.bound)?;
        if state.finished == state.queued {
            state.lanes[lane as usize].push_back(read);
            self.readers[lane as usize].notify_one();
        } else {
            let behind = state.queued;
            state.held.push_back((behind, lane, read));
        }
        Ok(())
    }

    /// The next batch. Waits for the first write, then for more of them as `gather` says.
    pub(crate) fn take(&self, gather: Gather) -> Taken {
        let mut state = self.state.lock();
        let idle_at = gather.idle.map(|idle| Instant::now() + idle);
        while state.writes.is_empty() {
            if state.closed {
                return Taken::Closed;
            }
            match idle_at {
                None => self.writer.wait(&mut state),
                Some(at) if self.writer.wait_until(&mut state, at).timed_out() => return Taken::Nothing,
                Some(_) => {}
            }
        }
        let expected = gather.expected.min(gather.max);
        let until = Instant::now() + gather.patience;
        state.wake_at = expected;
        while state.writes.len() < expected && !state.closed {
            if self.writer.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        state.wake_at = 1;
        let count = state.writes.len().min(gather.max);
        Taken::Batch(state.writes.drain(..count).collect())
    }

    /// The oldest `finished` writes that were taken are done; `again` go to the end of the queue. Lets the reads
    /// behind them go. Returns how many writes wait.
    pub(crate) fn finished(&self, finished: usize, again: Vec<Box<dyn Write>>) -> usize {
        let mut state = self.state.lock();
        for write in again {
            self.append(&mut state, write);
        }
        state.finished += finished as u64;
        while state.held.front().is_some_and(|(behind, ..)| *behind <= state.finished) {
            if let Some((_, lane, read)) = state.held.pop_front() {
                state.lanes[lane as usize].push_back(read);
                self.readers[lane as usize].notify_one();
            }
        }
        state.writes.len()
    }

    /// The next read of a lane; `None` when there will be none.
    pub(crate) fn take_read(&self, lane: Lane) -> Option<Read> {
        let mut state = self.state.lock();
        loop {
            if let Some(read) = state.lanes[lane as usize].pop_front() {
                return Some(read);
            }
            if state.drained {
                return None;
            }
            self.readers[lane as usize].wait(&mut state);
        }
    }

    /// Takes nothing more. The receiver resolves when the threads have done everything and closed the files.
    pub(crate) fn close(&self) -> oneshot::Receiver<()> {
        let (closer, closed) = oneshot::channel();
        let mut state = self.state.lock();
        state.closed = true;
        if state.ended {
            let _ = closer.send(());
        } else {
            state.closers.push(closer);
            self.writer.notify_one();
        }
        closed
    }

    /// The writer has done its last batch: the readers end when their lanes are empty.
    pub(crate) fn drained(&self) {
        self.state.lock().drained = true;
        self.readers.iter().for_each(|reader| {
            reader.notify_all();
        });
    }

    /// A thread has ended, as it should or by a panic: nothing will be done any more. Whatever still waits fails.
    pub(crate) fn ended(&self) {
        let mut state = self.state.lock();
        (state.closed, state.drained, state.ended) = (true, true, true);
        state.closers.drain(..).for_each(|closer| {
            let _ = closer.send(());
        });
        let left =
            (std::mem::take(&mut state.writes), std::mem::take(&mut state.held), std::mem::take(&mut state.lanes));
        drop(state);
        self.writer.notify_all();
        self.readers.iter().for_each(|reader| {
            reader.notify_all();
        });
        drop(left);
    }

    /// Whether operations are refused because the store was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Operations that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.state.lock().waiting()
    }
}
