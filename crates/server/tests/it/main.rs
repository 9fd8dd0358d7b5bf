//! The server as its users see it. One binary: each module is about one thing they see.

mod admin;
mod cli;
mod configuration;
mod connections;
mod first_start;
mod generated;
mod shutdown;
mod tls;
mod transcripts;

/// The binary under test.
const STENTOR: &str = env!("CARGO_BIN_EXE_stentor");
