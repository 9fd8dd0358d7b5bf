//! `[store]`: what survives a restart, and how it is written.

use super::section::section;
use super::value::{Bounded, words};

words! {
    /// Which engine keeps what is to be kept.
    pub enum Engine {
        /// SQLite in the data directory.
        Embedded = "embedded",
        /// Nothing survives the process: for trying things out and for tests.
        Memory = "memory",
    }
}

section! {
    /// The store.
    pub struct StoreSection {
        /// "embedded" keeps everything in the data directory, "memory" forgets everything at the end of the process.
        engine: Engine = Engine::Embedded;
        /// Operations that may wait for the disk. One more is refused: the sender gets an error and may try again.
        queue: Bounded<1, 1_000_000> = Bounded::clamped(65_536);
        /// Read the whole file at start and check its structure: seconds per gigabyte.
        check_pages_at_start: bool = false;
    }
}
