//! What the core counts.
/// The node's counters.
#[derive(Debug)]
pub struct Metrics {}
