//! Removing what is too old, a little at a time.

use stentor_core::store::{Commit, StoreError};
use tokio::sync::oneshot;

use crate::answer;
use crate::failure::Failure;
use crate::queue::{Queue, Write};
use crate::tables::Tables;
use crate::{history, inbox};

/// How much one step removes: other writes wait that long.
const STEP: usize = 200;

/// Goes to the end of the queue after each step, so that what was queued meanwhile comes first.
pub(crate) struct Expire {
    now_ms: u64,
    step: usize,
    removed: u64,
    waiter: oneshot::Sender<Result<u64, StoreError>>,
}

impl Expire {
    /// The removal of everything that has expired at `now_ms`.
    pub(crate) fn new(now_ms: u64, waiter: oneshot::Sender<Result<u64, StoreError>>) -> Self {
        Self { now_ms, step: 0, removed: 0, waiter }
    }
}

impl Write for Expire {
    fn run(&mut self, tables: &mut Tables) -> Result<(), Failure> {
        self.step = inbox::expire(tables, self.now_ms, STEP)?;
        if self.step < STEP {
            self.step += history::expire(tables, self.now_ms, STEP - self.step)?;
        }
        Ok(())
    }

    fn committed(&mut self) -> bool {
        self.removed += self.step as u64;
        self.step == STEP
    }

    fn finish(self: Box<Self>, outcome: Result<(), StoreError>) {
        let _ = self.waiter.send(outcome.map(|()| self.removed));
    }
}

/// Queues the first step.
pub(crate) fn expire(queue: &Queue, now_ms: u64) -> Commit<u64> {
    let (waiter, outcome) = oneshot::channel();
    queue.write(Box::new(Expire::new(now_ms, waiter)));
    answer(outcome)
}
