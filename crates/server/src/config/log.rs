//! `[log]`: what is written to stderr.

use super::section::section;
use super::value::words;

words! {
    /// How log lines look.
    pub enum LogFormat {
        /// For people.
        Text = "text",
        /// One JSON object per line.
        Json = "json",
    }
}

section! {
    /// The log, on stderr.
    pub struct LogSection {
        /// "text", or "json" for one object per line.
        format: LogFormat = LogFormat::Text;
        /// What is logged: a level (error, warn, info, debug, trace), or levels per module as in
        /// "info,stentor_core=debug". STENTOR_LOG is short for STENTOR_LOG_FILTER.
        filter: String = "info".to_owned();
    }
}
