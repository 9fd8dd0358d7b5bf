//! The `stentor` server: configuration, composition, transport, command line.
//!
//! [`Server::spawn`] is the composition root: only here meet the store, the core, the dialect and the gateway.

mod admin;
pub mod cli;
mod compose;
pub mod config;
pub mod data_dir;
mod dns;
pub mod exit;
pub mod files;
pub mod first_start;
pub mod generated;
pub mod local;
pub mod logging;
mod metrics;
mod server;
mod transport;

pub use server::{Parts, Server, StartError};
pub use transport::{Tls, TlsError};
