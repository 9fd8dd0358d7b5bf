//! The log, on stderr.

use tracing_subscriber::EnvFilter;

use crate::config::log::{LogFormat, LogSection};

/// Starts logging. Called once per process; a second call changes nothing.
pub fn start(section: &LogSection) {
    let filter = EnvFilter::try_new(&section.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Fails only if somebody else started logging before.
    let _ = match section.format {
        LogFormat::Text => {
            use std::io::IsTerminal as _;
            builder.with_ansi(std::io::stderr().is_terminal()).try_init()
        }
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
    };
}
