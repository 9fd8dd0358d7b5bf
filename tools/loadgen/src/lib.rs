//! Load generator of Stentor: reference servers to measure against, the benchmark, and the crash test.
//!
//! Everything runs on one thread and over loopback. The clients are this crate's own, not those of the server's
//! crates: an independent reading of `docs/gateway.md`, and cheap enough that the generator is not the bottleneck. The push
//! services of the benchmark are the strict counterparts of `stentor-push`.
//!
//! Reading order: [`mod@reference`] (the yardstick), [`mod@bench`] (what is measured), [`crash`] (what must survive a
//! `kill -9`); below them [`server`] (processes), [`stentor`] (the protocol) and [`wire`] (HTTP and WebSocket bytes).

pub mod bench;
pub mod crash;
pub mod histogram;
pub mod machine;
pub mod push_client;
pub mod reference;
pub mod server;
pub mod stentor;
pub mod usage;
pub mod wire;
