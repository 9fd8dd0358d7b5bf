//! The thread that writes: it takes whatever waits, does it in one transaction, and answers after the sync.
//!
//! Operations run without savepoints. If one fails, the batch is rolled back and run again with a savepoint
//! around each: failures are rare, and a savepoint costs each of thousands of operations two statements.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::wal::CheckpointMode;
use stentor_core::store::{Commit, StoreError};
use tokio::sync::oneshot;

use crate::failure::Failure;
use crate::open::Lock;
use crate::queue::{Gather, Queue, Taken, Write};
use crate::tables::Tables;
use crate::{Shared, answer};

/// More would make the first in the batch wait for long.
const BATCH_MAX: usize = 512;

/// The bounds of the wait for writers that are expected back.
const PATIENCE_MIN: Duration = Duration::from_micros(200);
const PATIENCE_MAX: Duration = Duration::from_millis(2);

/// How many pages of the write-ahead log may wait to be copied into the file.
const CHECKPOINT_PAGES: i32 = 4000;

/// While the store refuses writes: how long one is refused untried after a failure.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// While the store refuses writes: how long after the last write it tries one of its own. Without that, a node
/// that `readyz` has taken out of service would get no write to find out with.
const PROBE_AFTER: Duration = Duration::from_millis(500);

/// The bytes that a probe writes: what a few messages need.
const PROBE_BYTES: i64 = 64 << 10;

/// The thread's side of the store.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    tables: Tables,
    readers: Vec<JoinHandle<()>>,
    lock: Lock,
    retry_at: Option<Instant>,
    page_limit: u32,
}

/// Why a batch was rolled back.
struct Undone {
    failure: Failure,
    /// Whether a single operation failed, and the others may go on without it.
    by_operation: bool,
}

/// Starts the thread.
pub(crate) fn start(
    shared: &Arc<Shared>,
    tables: Tables,
    readers: Vec<JoinHandle<()>>,
    lock: Lock,
) -> io::Result<JoinHandle<()>> {
    let writer = Writer { shared: shared.clone(), tables, readers, lock, retry_at: None, page_limit: 0 };
    Builder::new().name("stentor-writer".to_owned()).spawn(move || {
        // Also when the thread panics: whoever waits then gets an error.
        let ended = Ended(writer.shared.clone());
        writer.run();
        drop(ended);
    })
}

struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.queue.ended();
    }
}

impl Writer {
    fn run(mut self) {
        let mut gather = Gather { expected: 1, patience: Duration::ZERO, max: BATCH_MAX, idle: None };
        loop {
            gather.idle = self.shared.health.failure().is_some().then_some(PROBE_AFTER);
            match self.queue().take(gather) {
                Taken::Batch(batch) => gather = self.batch(batch, gather),
                Taken::Nothing => self.probe(),
                Taken::Closed => break,
            }
        }
        self.close();
    }

    fn queue(&self) -> &Queue {
        &self.shared.queue
    }

    /// Does a batch. Returns how to take the next one: whoever got an answer now is likely to be back with the
    /// next write in a moment, so that many are worth a short wait. A lone writer is never waited for.
    fn batch(&mut self, mut batch: Vec<Box<dyn Write>>, gather: Gather) -> Gather {
        let started = Instant::now();
        let count = batch.len();
        let outcomes = self.outcomes(&mut batch);
        let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
        self.shared.counters.refused(failed);
        let (mut again, mut done) = (Vec::new(), Vec::with_capacity(count));
        for (mut write, outcome) in batch.into_iter().zip(outcomes) {
            if outcome.is_ok() && write.committed() {
                again.push(write);
            } else {
                done.push((write, outcome));
            }
        }
        let waiting = self.queue().finished(count, again);
        for (write, outcome) in done {
            write.finish(outcome.map_err(|failure| failure.to_error()));
        }
        // As long as the batch took: waiting for the next one at most doubles what a write takes.
        let patience = started.elapsed().clamp(PATIENCE_MIN, PATIENCE_MAX);
        self.checkpoint_if_due();
        Gather { expected: count + waiting, patience, ..gather }
    }

    fn outcomes(&mut self, batch: &mut [Box<dyn Write>]) -> Vec<Result<(), Failure>> {
        let all = |failure: Failure| vec![Err(failure); batch.len()];
        if let Some(failure) =
            self.shared.health.failure().filter(|_| self.retry_at.is_some_and(|at| at > Instant::now()))
        {
            return all(failure);
        }
        match self.attempt(batch, false) {
            Ok(outcomes) => outcomes,
            Err(undone) if undone.by_operation && batch.len() > 1 => match self.attempt(batch, true) {
                Ok(outcomes) => outcomes,
                Err(undone) => vec![Err(undone.failure); batch.len()],
            },
            Err(undone) => vec![Err(undone.failure); batch.len()],
        }
    }

    /// Runs a batch in one transaction; `apart` with a savepoint around each operation. Either everything that
    /// did not fail by itself is durable, or nothing is.
    fn attempt(&mut self, batch: &mut [Box<dyn Write>], apart: bool) -> Result<Vec<Result<(), Failure>>, Undone> {
        self.apply_page_limit();
        let changes = self.tables.connection.total_changes();
        let outcome = self.transaction(batch, apart);
        match &outcome {
            Ok(outcomes) => {
                let written = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
                self.tables.batch_committed();
                if self.tables.connection.total_changes() == changes {
                    self.shared.counters.nothing_to_commit(written);
                } else {
                    self.shared.counters.committed(written);
                    self.shared.health.wrote();
                    self.retry_at = None;
                }
            }
            Err(undone) => self.undo(undone),
        }
        outcome
    }

    fn transaction(&mut self, batch: &mut [Box<dyn Write>], apart: bool) -> Result<Vec<Result<(), Failure>>, Undone> {
        let of_store = |error: rusqlite::Error| Undone { failure: error.into(), by_operation: false };
        self.tables.execute("BEGIN IMMEDIATE", []).map_err(of_store)?;
        let mut outcomes = Vec::with_capacity(batch.len());
        for write in batch {
            let outcome = if apart { self.run_apart(write.as_mut()) } else { write.run(&mut self.tables) };
            match outcome {
                Err(failure) if !apart || failure.is_of_the_store() => {
                    let by_operation = !failure.is_of_the_store();
                    return Err(Undone { failure, by_operation });
                }
                outcome => outcomes.push(outcome),
            }
        }
        self.tables.before_commit().map_err(of_store)?;
        self.tables.execute("COMMIT", []).map_err(of_store)?;
        Ok(outcomes)
    }

    fn run_apart(&mut self, write: &mut dyn Write) -> Result<(), Failure> {
        let newest = self.tables.newest();
        self.tables.execute("SAVEPOINT operation", [])?;
        let outcome = write.run(&mut self.tables);
        if outcome.as_ref().is_err_and(|failure| !failure.is_of_the_store()) {
            self.tables.execute("ROLLBACK TO operation", [])?;
            self.tables.operation_undone(newest);
        }
        self.tables.execute("RELEASE operation", [])?;
        outcome
    }

    fn undo(&mut self, undone: &Undone) {
        // SQLite has rolled back by itself after some errors.
        if !self.tables.connection.is_autocommit()
            && let Err(error) = self.tables.execute("ROLLBACK", [])
        {
            tracing::error!(%error, "rollback failed");
        }
        self.tables.batch_undone();
        if undone.failure.is_of_the_store() || !undone.by_operation {
            self.shared.health.failed(&undone.failure);
            self.retry_at = Some(Instant::now() + RETRY_AFTER);
        }
    }

    /// Tries a write of the store's own, in two steps so that the space is really taken.
    fn probe(&mut self) {
        for bytes in [Some(PROBE_BYTES), None] {
            let mut probe: [Box<dyn Write>; 1] = [Box::new(Probe(bytes))];
            if self.attempt(&mut probe, false).is_err() {
                return;
            }
        }
    }

    fn checkpoint_if_due(&self) {
        let connection = &self.tables.connection;
        let due = |(logged, copied): (i32, i32)| logged - copied >= CHECKPOINT_PAGES;
        if !connection.wal_checkpoint_v2(None::<&str>, CheckpointMode::NOOP).is_ok_and(due) {
            return;
        }
        match connection.wal_checkpoint_v2(None::<&str>, CheckpointMode::PASSIVE) {
            Ok(_) => self.shared.counters.checkpointed(),
            // Everything is durable in the log; it is tried again after the next batch.
            Err(error) => tracing::warn!(%error, "checkpoint failed"),
        }
    }

    fn apply_page_limit(&mut self) {
        let limit = self.shared.page_limit.load(Ordering::Relaxed);
        if limit != self.page_limit {
            self.page_limit = limit;
            let sql = format!("PRAGMA max_page_count = {limit}");
            if let Err(error) = self.tables.connection.query_row(&sql, [], |_| Ok(())) {
                tracing::warn!(%error, "page limit not set");
            }
        }
    }

    fn close(self) {
        self.shared.queue.drained();
        for reader in self.readers {
            if reader.join().is_err() {
                tracing::error!("a reader thread had panicked");
            }
        }
        let connection = self.tables.connection;
        connection.flush_prepared_statement_cache();
        if let Err(error) = connection.wal_checkpoint_v2(None::<&str>, CheckpointMode::TRUNCATE) {
            tracing::warn!(%error, "last checkpoint failed: the log stays and is read at the next start");
        }
        if let Err((_, error)) = connection.close() {
            tracing::warn!(%error, "close failed");
        }
        drop(self.lock);
    }
}

struct Probe(Option<i64>);

impl Write for Probe {
    fn run(&mut self, tables: &mut Tables) -> Result<(), Failure> {
        tables.execute("UPDATE meta SET probe = zeroblob(?1)", [self.0])?;
        Ok(())
    }

    fn finish(self: Box<Self>, _: Result<(), StoreError>) {}
}

/// A write with an answer.
struct Job<T, F> {
    work: F,
    answer: Option<T>,
    waiter: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F: FnMut(&mut Tables) -> Result<T, Failure> + Send> Write for Job<T, F> {
    fn run(&mut self, tables: &mut Tables) -> Result<(), Failure> {
        self.answer = Some((self.work)(tables)?);
        Ok(())
    }

    fn finish(self: Box<Self>, outcome: Result<(), StoreError>) {
        let answer = match (outcome, self.answer) {
            (Ok(()), Some(answer)) => Ok(answer),
            (Err(error), _) => Err(error),
            (Ok(()), None) => return,
        };
        let _ = self.waiter.send(answer);
    }
}

/// Queues a write. `work` may run twice, after its first run was rolled back.
pub(crate) fn write<T: Send + 'static>(
    queue: &Queue,
    work: impl FnMut(&mut Tables) -> Result<T, Failure> + Send + 'static,
) -> Commit<T> {
    let (waiter, outcome) = oneshot::channel();
    queue.write(Box::new(Job { work, answer: None, waiter }));
    answer(outcome)
}
