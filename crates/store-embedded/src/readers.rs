//! The threads that read, one for each lane of the queue.

use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use rusqlite::Connection;
use stentor_core::store::Commit;

use crate::failure::Failure;
use crate::queue::Lane;
use crate::{Shared, answer};

/// Starts the thread of a lane. It ends when the queue has no more reads for it.
pub(crate) fn start(shared: &Arc<Shared>, lane: Lane, connection: Connection) -> io::Result<JoinHandle<()>> {
    let shared = shared.clone();
    Builder::new().name("stentor-reader".to_owned()).spawn(move || {
        let _alarm = Alarm(&shared);
        while let Some(read) = shared.queue.take_read(lane) {
            read(&connection);
        }
    })
}

/// Fails everything that waits if the thread panics.
struct Alarm<'a>(&'a Shared);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.queue.ended();
        }
    }
}

/// Queues a read.
pub(crate) fn read<T: Send + 'static>(
    shared: &Arc<Shared>,
    lane: Lane,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
) -> Commit<T> {
    let (waiter, outcome) = tokio::sync::oneshot::channel();
    let seen_by = shared.clone();
    let read = Box::new(move |connection: &Connection| {
        // Nobody is there to hear the answer: spare the work.
        if waiter.is_closed() {
            return;
        }
        let read = work(connection).map_err(|error| {
            let failure = Failure::from(error);
            if matches!(failure, Failure::Damaged(_)) {
                seen_by.health.failed(&failure);
            }
            failure.to_error()
        });
        let _ = waiter.send(read);
    });
    match shared.queue.read(lane, read) {
        Ok(()) => answer(outcome),
        Err(refused) => Box::pin(std::future::ready(Err(refused))),
    }
}
