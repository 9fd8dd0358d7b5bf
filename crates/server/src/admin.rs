//! The pages for whoever operates the server: health, metrics, and the description of the API.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde_json::json;
use stentor_core::node::Node;
use stentor_core::store::StoreHealth;
use stentor_http_kit::json::json as json_reply;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::metrics::{OPEN_METRICS, Page};

/// Where the description of the RTM API is.
const RTM_JSON: &str = "/docs/openapi/rtm.json";

/// The documentation page loads nothing from elsewhere, whatever its script would like.
const ONLY_FROM_HERE: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
);

/// What the pages show.
#[derive(Debug, Clone)]
pub(crate) struct Admin(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    node: Node,
    page: Page,
}

impl Admin {
    /// Shows the state of `node`, and `page`.
    pub(crate) fn new(node: Node, page: Page) -> Self {
        Self(Arc::new(Inner { node, page }))
    }

    /// `/healthz`, `/readyz`.
    pub(crate) fn health(&self) -> Router {
        Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz)).with_state(self.clone())
    }

    /// `/metrics`.
    pub(crate) fn metrics(&self) -> Router {
        Router::new().route("/metrics", get(metrics)).with_state(self.clone())
    }

    /// What a client hears that came when the server was full: how it is, or 503.
    pub(crate) fn full(&self) -> Router {
        self.health().merge(self.metrics()).fallback(full)
    }

    fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if let StoreHealth::Refusing(why) = self.0.node.store().health() {
            reasons.push(format!("store: {why}"));
        }
        if self.0.node.is_draining() {
            reasons.push("draining: the server goes down".to_owned());
        }
        reasons
    }
}

/// `/docs`, and `/` which leads there.
pub(crate) fn docs() -> Router {
    let config = Config::new([RTM_JSON]).validator_url("none").try_it_out_enabled(true).persist_authorization(false);
    let pages: Router = SwaggerUi::new("/docs").url(RTM_JSON, stentor_api_rtm::openapi()).config(config).into();
    let pages = pages.layer(axum::middleware::map_response(async |mut response: Response| {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, ONLY_FROM_HERE);
        response
    }));
    pages.route("/", get(async || Redirect::temporary("/docs/")))
}

async fn healthz() -> Response {
    json_reply(StatusCode::OK, &json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

async fn readyz(State(admin): State<Admin>) -> Response {
    let reasons = admin.reasons();
    if reasons.is_empty() {
        json_reply(StatusCode::OK, &json!({ "status": "ready", "reasons": [] }))
    } else {
        json_reply(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": "not ready", "reasons": reasons }))
    }
}

async fn metrics(State(admin): State<Admin>) -> Response {
    ([(CONTENT_TYPE, OPEN_METRICS)], admin.0.page.render()).into_response()
}

async fn full() -> Response {
    let reason = "too many connections: try again later";
    let body = json!({ "result": "failed", "errorCode": 503, "reason": reason, "message": reason });
    json_reply(StatusCode::SERVICE_UNAVAILABLE, &body)
}
