//! The figures that the node, the gateway, the sockets and the store keep themselves.

use std::sync::Arc;

use prometheus_client::registry::Registry;
use stentor_core::node::Node;
use stentor_gateway_ws::GatewayState;

use super::process::Process;
use super::readings::{Reading, Readings};
use crate::transport::Gate;

/// Registers all of them, read when the page is asked for.
pub(crate) fn register_figures(registry: &mut Registry, node: &Node, gateway: &GatewayState, gate: &Arc<Gate>) {
    let process = Process::started(node.clock().wall_ms());
    let (node, gateway, gate) = (node.clone(), gateway.clone(), gate.clone());
    registry.register_collector(Box::new(Readings(move || {
        let (census, sockets) = (node.census(), gateway.counters());
        let count = |count: usize| count as u64;
        let mut readings = vec![
            Reading::gauge("sessions_attached", "Sessions with a connection", count(census.attached)),
            Reading::gauge("sessions_detached", "Sessions whose client may come back", count(census.detached)),
            Reading::gauge("rooms", "Rooms (channels) with members or attributes", count(census.rooms)),
            Reading::gauge("mailbox_notices", "Notices that wait in mailboxes", count(census.waiting)),
            Reading::gauge("http_connections", "HTTP connections", count(gate.open())),
            Reading::gauge("max_connections", "Connections that may be served at once", count(gate.max())),
            Reading::counter("connections_turned_away", "Connections beyond the maximum", gate.turned_away()),
            Reading::gauge("gateway_connections", "WebSocket connections", sockets.open),
            Reading::counter("gateway_accepted", "WebSocket connections accepted", sockets.accepted),
            Reading::counter("gateway_frames_in", "Frames from clients", sockets.frames_in),
            Reading::counter("gateway_bytes_in", "Bytes from clients", sockets.bytes_in),
            Reading::counter("gateway_frames_out", "Frames to clients", sockets.frames_out),
            Reading::counter("gateway_bytes_out", "Bytes to clients", sockets.bytes_out),
            Reading::counter("gateway_writes", "Writes to sockets; a write takes several frames", sockets.writes),
            Reading::counter("gateway_blocked", "Times that a socket took no more", sockets.blocked),
            Reading::counter("gateway_refused_logins", "Logins refused", sockets.refused_logins),
            Reading::counter("gateway_violations", "Clients that broke the protocol", sockets.violations),
            Reading::counter("gateway_slow_consumers", "Clients that read too slowly", sockets.slow_consumers),
            Reading::counter(
                "gateway_resent_forgotten_of_device",
                "Items of the SDKs forgotten within ten minutes, because their device sent too many",
                sockets.resent_forgotten_of_device,
            ),
            Reading::counter(
                "gateway_resent_forgotten_of_app",
                "Items of the SDKs forgotten within ten minutes, because their app's devices sent too many",
                sockets.resent_forgotten_of_app,
            ),
        ];
        readings.extend(node.store().counters().into_iter().map(|(name, help, value)| {
            // The store says what it counts; what waits is the one figure that goes up and down.
            if name.ends_with("_length") {
                Reading::gauge(name, help, value)
            } else {
                Reading::counter(name, help, value)
            }
        }));
        readings.extend(process.readings());
        readings
    })));
}
