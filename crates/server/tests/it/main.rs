//! The server as its users see it. One binary: each module is about one thing they see.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on must fail")]

mod admin;
mod chat;
mod cli;
mod cli_chat;
mod configuration;
mod connections;
mod crash;
mod delivery;
mod first_start;
mod generated;
mod sdk;
mod sdk_wire;
mod shutdown;
mod tls;
mod transcripts;
mod unread;

/// The binary under test.
const STENTOR: &str = env!("CARGO_BIN_EXE_stentor");
