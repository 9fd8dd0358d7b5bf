//! The outbox and the questions against a backend of our own, over real sockets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod addresses;
mod asking;
mod dead;
mod kit;
mod outbox;
mod retries;
mod tls;
