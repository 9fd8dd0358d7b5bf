//! The gateway over real sockets on loopback, with the core on the memory store and a clock that stands still.

#![expect(clippy::expect_used, reason = "a suite of tests")]

mod chat;
mod connections;
mod drain;
mod harness;
mod login;
mod malformed;
mod msync;
mod pressure;
mod requests;
mod resume;
mod tls;
