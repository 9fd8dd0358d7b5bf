//! Requests by route and status, and how long they took.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ::http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use stentor_http_kit::{HttpMetrics, RouteMetrics};

const BUCKETS_S: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Statuses are 100 to 599.
const STATUSES: usize = 500;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

/// Counts requests.
#[derive(Debug)]
pub(crate) struct HttpCounters {
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram>,
}

impl HttpCounters {
    /// Registers the counters.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let requests = Family::default();
        let seconds: Family<RouteLabels, Histogram> = Family::new_with_constructor(|| Histogram::new(BUCKETS_S));
        registry.register("http_requests", "HTTP requests by route and status", requests.clone());
        registry.register("http_request_seconds", "From request head to reply, by route", seconds.clone());
        Self { requests, seconds }
    }
}

impl HttpMetrics for HttpCounters {
    fn route(&self, route: &str) -> Arc<dyn RouteMetrics> {
        let labels = RouteLabels { route: route.to_owned() };
        Arc::new(RouteCounters {
            route: route.to_owned(),
            requests: self.requests.clone(),
            by_status: std::iter::repeat_with(OnceLock::new).take(STATUSES).collect(),
            seconds: self.seconds.get_or_create_owned(&labels),
        })
    }
}

/// One route. A status is looked up once, and is an atomic from then on.
#[derive(Debug)]
struct RouteCounters {
    route: String,
    requests: Family<RequestLabels, Counter>,
    by_status: Box<[OnceLock<Counter>]>,
    seconds: Histogram,
}

impl RouteMetrics for RouteCounters {
    fn finished(&self, status: StatusCode, elapsed: Duration) {
        let status = status.as_u16();
        if let Some(counter) = self.by_status.get(usize::from(status.saturating_sub(100))) {
            let create = || self.requests.get_or_create_owned(&RequestLabels { route: self.route.clone(), status });
            counter.get_or_init(create).inc();
        }
        self.seconds.observe(elapsed.as_secs_f64());
    }
}
