//! The layer that watches a route, around a service of our own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::convert::Infallible;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use parking_lot::Mutex;
use stentor_http_kit::{HttpMetrics, Observe, RequestId, RequestIds, RouteMetrics};
use tower::{ServiceBuilder, ServiceExt, service_fn};

/// Routes and statuses in the order in which they were counted.
type Seen = Arc<Mutex<Vec<(String, u16)>>>;

#[derive(Debug, Default)]
struct Counted(Seen);

#[derive(Debug)]
struct CountedRoute(String, Seen);

impl HttpMetrics for Counted {
    fn route(&self, route: &str) -> Arc<dyn RouteMetrics> {
        Arc::new(CountedRoute(route.to_owned(), self.0.clone()))
    }
}

impl RouteMetrics for CountedRoute {
    fn finished(&self, status: StatusCode, elapsed: Duration) {
        assert!(elapsed < Duration::from_secs(60));
        self.1.lock().push((self.0.clone(), status.as_u16()));
    }
}

fn observe() -> (Observe, Seen) {
    let counted = Counted::default();
    let seen = counted.0.clone();
    (Observe::new(Arc::new(RequestIds::new(1)), Arc::new(counted)), seen)
}

async fn teapot(request: Request<()>) -> Result<Response<String>, Infallible> {
    let id = request.extensions().get::<RequestId>().unwrap();
    let mut response = Response::new(id.to_string());
    *response.status_mut() = StatusCode::IM_A_TEAPOT;
    Ok(response)
}

#[tokio::test]
async fn a_request_gets_an_id_and_is_counted() {
    let (observe, seen) = observe();
    let service = ServiceBuilder::new().layer(observe.route("/tea/{pot}")).service(service_fn(teapot));
    let first = service.clone().oneshot(Request::new(())).await.unwrap();
    assert_eq!(first.headers()["x-request-id"], first.body().as_str());
    let second = service.oneshot(Request::new(())).await.unwrap();
    assert_ne!(first.body(), second.body());
    assert_eq!(*seen.lock(), [("/tea/{pot}".to_owned(), 418), ("/tea/{pot}".to_owned(), 418)]);
}

#[tokio::test]
async fn a_request_whose_client_went_away_is_counted_once() {
    let (observe, seen) = observe();
    let never = service_fn(|_: Request<()>| std::future::pending::<Result<Response<()>, Infallible>>());
    let service = ServiceBuilder::new().layer(observe.route("/never")).service(never);
    drop(service.oneshot(Request::new(())));
    assert!(seen.lock().is_empty(), "it was not even called");

    let (observe, seen) = self::observe();
    let mut service = ServiceBuilder::new().layer(observe.route("/never")).service(never);
    drop(tower::Service::call(&mut service, Request::new(())));
    assert_eq!(*seen.lock(), [("/never".to_owned(), 499)]);
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_line_holds_no_url_and_no_header() {
    let written = Written::default();
    let writer = written.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let (observe, _) = observe();
    let service = ServiceBuilder::new().layer(observe.route("/tea/{pot}")).service(service_fn(teapot));
    let request = Request::get("/tea/name-of-a-user?token=in-the-query").header("authorization", "Basic in-a-header");
    let response = service.oneshot(request.body(()).unwrap()).await.unwrap();
    drop(guard);

    let text = String::from_utf8(written.0.lock().clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    for part in ["GET", "/tea/{pot}", "status=418", "duration_us=", response.body().as_str()] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    for secret in ["name-of-a-user", "in-the-query", "in-a-header"] {
        assert!(!text.contains(secret), "{secret:?} in {text}");
    }
}

#[tokio::test]
async fn in_json_the_id_is_text_and_the_duration_a_number() {
    let written = Written::default();
    let writer = written.clone();
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_writer(move || writer.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let (observe, _) = observe();
    let service = ServiceBuilder::new().layer(observe.route("/tea")).service(service_fn(teapot));
    let response = service.oneshot(Request::new(())).await.unwrap();
    drop(guard);

    let line: serde_json::Value = serde_json::from_slice(&written.0.lock()).unwrap();
    assert_eq!(line["request_id"], response.body().as_str());
    assert!(line["duration_us"].is_u64() && line["status"] == 418, "{line}");
}
