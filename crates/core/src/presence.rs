//! Is a user there, and who wants to know.

/// A user's state, as seen by others (RTM peer online states).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presence {
    /// Has a session that was heard of lately.
    Online,
    /// Has a session, but nothing was heard of it for a while: it may come back within the grace.
    Unreachable,
    /// Has no session.
    Offline,
}
