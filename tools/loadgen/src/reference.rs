//! The yardstick: a bare tokio server that takes HTTP POSTs and writes WebSocket frames, and nothing else. No
//! authentication, no JSON parser, no limits, no storage. Two ways of writing:
//!
//! * *plain*: the publishing task makes one `send()` per subscriber and message;
//! * *coalescing*: publications are collected while others are ready, then each subscriber gets all of its pending
//!   frames with one `send()`.
//!
//! One thread. The frame is encoded once per message and has the length of the server's own, so that the bytes
//! on the wire are comparable.
//!
//! | request | |
//! |---|---|
//! | `GET /ws/room` upgraded | a member of the room |
//! | `GET /ws/<number>` upgraded | the user of that number |
//! | `POST /room` | the body to the room |
//! | `POST /user/<number>` | the body to the user |
//! | `POST /user/<number>/acked` | the same, answered when the client's ack came |

mod connection;
mod hub;

use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::task::{LocalSet, spawn_local};

use crate::wire::websocket::scratch;
use hub::Hub;

/// How frames are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// One `send()` per subscriber and message.
    Plain,
    /// Several pending frames per `send()`.
    Coalescing,
}

/// Serves until the process ends. Prints `listening on http://ADDR` as the server under test does.
///
/// # Errors
/// When it cannot listen.
pub fn serve(mode: Mode, listen: SocketAddr) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind(listen).await.with_context(|| format!("listening on {listen}"))?;
        println!("listening on http://{}", listener.local_addr()?);
        let hub = Hub::new(mode);
        let scratch = scratch();
        if mode == Mode::Coalescing {
            spawn_local(Rc::clone(&hub).write_pending());
        }
        loop {
            let (stream, _) = listener.accept().await.context("accepting")?;
            let (hub, scratch) = (Rc::clone(&hub), Rc::clone(&scratch));
            spawn_local(async move {
                // A connection that fails concerns nobody else; the generator notices what is missing.
                drop(connection::serve(stream, hub, scratch).await);
            });
        }
    })
}
