//! What the process's exit code means. `docs/operations.md` lists them.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did what it was asked.
    Ok,
    /// It failed while running.
    Failure,
    /// The command line or the configuration is wrong.
    Usage,
    /// The data directory is in use, unreadable, damaged, or of a newer version.
    DataDirectory,
    /// The address cannot be listened on.
    Address,
    /// `send --ack`: the receiver is not there.
    Offline,
    /// `send --ack`: the receiver is there, but did not confirm in time.
    Unconfirmed,
    /// The server cannot be reached.
    Unreachable,
}

impl Exit {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::DataDirectory => 3,
            Self::Address => 4,
            Self::Offline => 5,
            Self::Unconfirmed => 6,
            Self::Unreachable => 7,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// A command that failed: how, and what to tell.
#[derive(Debug)]
pub struct Failed {
    /// The exit code.
    pub exit: Exit,
    /// What to tell, on stderr.
    pub message: String,
}

impl Failed {
    /// A failure with its message.
    pub fn new(exit: Exit, message: impl std::fmt::Display) -> Self {
        Self { exit, message: message.to_string() }
    }
}
