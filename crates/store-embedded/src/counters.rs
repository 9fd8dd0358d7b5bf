//! What the store has done since it was opened.

use std::sync::atomic::{AtomicU64, Ordering};

/// Plain counters: they order nothing.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    commits: AtomicU64,
    writes: AtomicU64,
    refused: AtomicU64,
    checkpoints: AtomicU64,
}

impl Counters {
    /// A transaction with this many operations became durable.
    pub(crate) fn committed(&self, writes: usize) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.writes.fetch_add(writes as u64, Ordering::Relaxed);
    }

    /// So many operations were done without anything to make durable.
    pub(crate) fn nothing_to_commit(&self, writes: usize) {
        self.writes.fetch_add(writes as u64, Ordering::Relaxed);
    }

    /// So many operations failed.
    pub(crate) fn refused(&self, writes: usize) {
        self.refused.fetch_add(writes as u64, Ordering::Relaxed);
    }

    /// The write-ahead log was copied into the file.
    pub(crate) fn checkpointed(&self) {
        self.checkpoints.fetch_add(1, Ordering::Relaxed);
    }

    /// Name, help and value of each, with the operations that wait now.
    pub(crate) fn all(&self, waiting: usize) -> Vec<(&'static str, &'static str, u64)> {
        let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (commits, checkpoints) = (value(&self.commits), value(&self.checkpoints));
        // A commit syncs the log once; a checkpoint syncs the log, the file, and the header of the new log.
        let fsyncs = commits + 3 * checkpoints;
        vec![
            ("store_writes", "Writes that were done; each is durable", value(&self.writes)),
            ("store_commits", "Transactions that made writes durable", commits),
            ("store_fsyncs", "Syncs of commits and checkpoints, estimated", fsyncs),
            ("store_checkpoints", "Copies of the write-ahead log into the file", checkpoints),
            ("store_writes_failed", "Writes that failed", value(&self.refused)),
            ("store_queue_length", "Operations that wait now", waiting as u64),
        ]
    }
}
