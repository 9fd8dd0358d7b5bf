//! How bytes come in: sockets, TLS, HTTP/1.1, and how many at once.

mod connection;
mod cors;
mod gate;
mod listener;
mod tls;
mod unread;

pub(crate) use connection::HttpTimes;
pub(crate) use cors::{Cors, WithCors};
pub(crate) use gate::Gate;
pub(crate) use listener::{Listener, Served, bind};
pub use tls::{Tls, TlsError};
