//! How the HTTP side reports what it did, without knowing who counts.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

/// The status that a request is counted under when its client went away before there was a reply.
pub const CLIENT_CLOSED_REQUEST: u16 = 499;

/// Asked once per route when the router is built, so that nothing is looked up per request.
pub trait HttpMetrics: Send + Sync + std::fmt::Debug {
    /// The counters of one route, named by its template (`/dev/v2/project/{appid}/…`).
    fn route(&self, route: &str) -> Arc<dyn RouteMetrics>;
}

/// The counters of one route. Called on the path of every request: atomics only.
pub trait RouteMetrics: Send + Sync + std::fmt::Debug {
    /// A request has its reply, `elapsed` after its head was read.
    fn finished(&self, status: StatusCode, elapsed: Duration);
}

/// Counts nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoMetrics;

impl HttpMetrics for NoMetrics {
    fn route(&self, _route: &str) -> Arc<dyn RouteMetrics> {
        Arc::new(Self)
    }
}

impl RouteMetrics for NoMetrics {
    fn finished(&self, _status: StatusCode, _elapsed: Duration) {}
}
