//! Bytes on the wire, as little as a load generator and a bare server need of HTTP/1.1 and WebSocket.

pub mod frame;
pub mod head;
pub mod http;
pub mod signature;
pub mod websocket;
