//! Watches a route: gives each request its ID, and afterwards writes one line of access log and counts it.
//!
//! The line names the route's template, never the URL, and no header: URLs and headers hold names and tokens.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use http::{Method, Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::metrics::{CLIENT_CLOSED_REQUEST, HttpMetrics, RouteMetrics};
use crate::request_id::{RequestId, RequestIds, X_REQUEST_ID};

/// Where request IDs come from and where requests are counted. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Observe {
    ids: Arc<RequestIds>,
    metrics: Arc<dyn HttpMetrics>,
}

impl Observe {
    /// IDs from `ids`, counts to `metrics`.
    #[must_use]
    pub fn new(ids: Arc<RequestIds>, metrics: Arc<dyn HttpMetrics>) -> Self {
        Self { ids, metrics }
    }

    /// The layer for one route, named by its template.
    ///
    /// Behind it every request has a [`RequestId`] among its extensions, and every response the header
    /// `X-Request-ID`.
    #[must_use]
    pub fn route(&self, route: &str) -> ObserveLayer {
        let metrics = self.metrics.route(route);
        ObserveLayer(Arc::new(Route { name: route.into(), ids: self.ids.clone(), metrics }))
    }
}

#[derive(Debug)]
struct Route {
    name: Box<str>,
    ids: Arc<RequestIds>,
    metrics: Arc<dyn RouteMetrics>,
}

/// Watches one route, see [`Observe::route`].
#[derive(Debug, Clone)]
pub struct ObserveLayer(Arc<Route>);

impl<S> Layer<S> for ObserveLayer {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Observed { inner, route: self.0.clone() }
    }
}

/// A service that is watched, see [`Observe::route`].
#[derive(Debug, Clone)]
pub struct Observed<S> {
    inner: S,
    route: Arc<Route>,
}

impl<S, B, R> Service<Request<B>> for Observed<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ObservedFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let id = self.route.ids.next();
        request.extensions_mut().insert(id);
        let watch = Watch {
            id,
            method: request.method().clone(),
            route: self.route.clone(),
            started: Instant::now(),
            finished: false,
        };
        ObservedFuture { inner: self.inner.call(request), watch }
    }
}

pin_project! {
    /// The reply that is waited for, see [`Observe::route`].
    #[derive(Debug)]
    pub struct ObservedFuture<F> {
        #[pin]
        inner: F,
        watch: Watch,
    }
}

impl<F, R, E> Future for ObservedFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut reply = ready!(this.inner.poll(context));
        if let Ok(response) = &mut reply {
            response.headers_mut().insert(X_REQUEST_ID, this.watch.id.header_value());
            this.watch.finish(response.status());
        }
        Poll::Ready(reply)
    }
}

/// One request under way. Dropped before it finished, the client has gone.
#[derive(Debug)]
struct Watch {
    id: RequestId,
    method: Method,
    route: Arc<Route>,
    started: Instant,
    finished: bool,
}

impl Watch {
    fn finish(&mut self, status: StatusCode) {
        self.finished = true;
        let elapsed = self.started.elapsed();
        self.route.metrics.finished(status, elapsed);
        self.log(status, elapsed);
    }

    fn log(&self, status: StatusCode, elapsed: Duration) {
        let (request_id, method, route) = (tracing::field::display(self.id), self.method.as_str(), &*self.route.name);
        let (status, duration_us) = (status.as_u16(), u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX));
        // What goes well is only of interest while debugging; a flood over its rate limit must not become a
        // flood of log lines.
        if status < 400 || status == StatusCode::TOO_MANY_REQUESTS.as_u16() {
            tracing::debug!(target: "stentor::http", request_id, method, route, status, duration_us, "request");
        } else {
            tracing::info!(target: "stentor::http", request_id, method, route, status, duration_us, "request");
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.finished
            && let Ok(status) = StatusCode::from_u16(CLIENT_CLOSED_REQUEST)
        {
            self.finish(status);
        }
    }
}
