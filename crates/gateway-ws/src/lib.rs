//! Stentor's WebSocket gateway: the protocols of `docs/gateway.md` (RTM clients), `docs/gateway-chat.md` (Chat
//! clients) and `docs/gateway-msync.md` (the vendor's Chat SDKs), spoken between them and the core.
//!
//! A connection is a [`stream::Stream`] that the server accepted and spoke HTTP on. `upgrade` answers the upgrade
//! request and takes the socket over; `serve` is the task of one connection: it reads, has requests answered by the
//! `protocol` of its path ([`rtm`], [`chat`], `msync`) and ends it; `connection` is what the core, the flusher and that task share; `wire` writes frames,
//! several at a time, as `teller` makes them; `flusher` does so for connections whose mailbox filled, without waking their tasks.
//! [`frame`], [`codec`] and [`handshake`] are pure.
//!
//! What it does not know: who may log in (a dialect does), where a message goes (the core does), how sockets are
//! accepted (the server does).

mod carrier;
pub mod chat;
mod checkpoint;
pub mod codec;
pub mod codes;
mod connection;
mod counters;
mod flusher;
pub mod frame;
pub mod handshake;
mod msync;
mod packing;
mod protocol;
pub mod rtm;
mod serve;
mod socket;
pub mod sockjs;
mod state;
mod stream;
mod teller;
mod upgrade;
mod wire;

#[cfg(feature = "client")]
pub mod client;

pub use carrier::Carrier;
pub use counters::CountersNow;
pub use msync::resent;
pub use protocol::Protocol;
pub use state::{GatewayConfig, GatewayState, Logins};
pub use stream::Stream;
pub use upgrade::{FindRequestId, router, sockjs_router};
