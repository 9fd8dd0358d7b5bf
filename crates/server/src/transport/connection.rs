//! One connection: HTTP/1.1 until the client goes, is too slow, or becomes a WebSocket.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use stentor_gateway_ws::Stream;
use tokio_util::sync::CancellationToken;
use tower::Service;

use super::unread::ReadsRest;
use crate::config::transport::HttpSection;

/// Smaller buffers would make large bodies slow.
const MIN_BUFFER_BYTES: usize = 64 * 1024;

/// The bounds of an HTTP connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HttpTimes {
    /// For one request head, and between two requests.
    pub(crate) header_timeout: Duration,
    /// Of one request head.
    pub(crate) header_bytes: usize,
    /// For a client that takes nothing of what is sent to it, in milliseconds.
    pub(crate) stalled_timeout_ms: u32,
}

impl From<&HttpSection> for HttpTimes {
    fn from(section: &HttpSection) -> Self {
        Self {
            header_timeout: Duration::from_millis(section.header_timeout_ms.get()),
            header_bytes: section.header_bytes.size(),
            stalled_timeout_ms: u32::try_from(section.stalled_timeout_ms.get()).unwrap_or(u32::MAX),
        }
    }
}

/// Whether a connection may have more than one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeepAlive {
    /// As many as it likes.
    Yes,
    /// One, and then it is closed.
    No,
}

/// A router, or something around it.
pub(crate) trait Serve:
    Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send + 'static> + Clone + Send + 'static
{
}

impl<S> Serve for S where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send + 'static>
        + Clone
        + Send
        + 'static
{
}

/// Serves one connection. When `stop` is cancelled, the request that is being answered is finished, and then the
/// connection is closed.
pub(crate) async fn serve<S: Serve>(
    stream: Stream,
    service: S,
    times: HttpTimes,
    keep_alive: KeepAlive,
    stop: CancellationToken,
) {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(times.header_timeout)
        .max_header_size(times.header_bytes)
        .max_buf_size(times.header_bytes.max(MIN_BUFFER_BYTES))
        .half_close(false)
        .keep_alive(keep_alive == KeepAlive::Yes);
    let connection =
        builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(ReadsRest(service))).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        // Clients that go away or speak nonsense are no news.
        tracing::debug!(%error, "a connection ended");
    }
}
