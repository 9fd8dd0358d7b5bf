//! The pages for whoever operates the server: health, metrics, and the description of the API.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use serde_json::json;
use stentor_core::node::Node;
use stentor_core::store::StoreHealth;
use stentor_http_kit::json::json as json_reply;
use stentor_http_kit::{Observe, RequestId};
use utoipa_swagger_ui::{Config, SwaggerUi, Url};

use crate::metrics::{OPEN_METRICS, Page};

/// Where the description of the RTM API is.
const RTM_JSON: &str = "/docs/openapi/rtm.json";
const CHAT_JSON: &str = "/docs/openapi/chat.json";

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
    observe: Observe,
}

impl Admin {
    /// Shows the state of `node`, and `page`. `observe` watches its routes.
    pub(crate) fn new(node: Node, page: Page, observe: Observe) -> Self {
        Self(Arc::new(Inner { node, page, observe }))
    }

    /// `/healthz`, `/readyz`.
    pub(crate) fn health(&self) -> Router {
        let page = |path, page| watched(Router::new().route(path, page), &self.0.observe, path);
        page("/healthz", get(healthz)).merge(page("/readyz", get(readyz))).with_state(self.clone())
    }

    /// `/metrics`.
    pub(crate) fn metrics(&self) -> Router {
        let page = Router::new().route("/metrics", get(metrics));
        watched(page, &self.0.observe, "/metrics").with_state(self.clone())
    }

    /// What a client hears that came when the server was full: how it is, or 503.
    pub(crate) fn full(&self) -> Router {
        let elsewhere = any(stentor_api_rtm::crowded).layer(self.0.observe.route("unmatched"));
        self.health().merge(self.metrics()).fallback_service(elsewhere)
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
pub(crate) fn docs(observe: &Observe) -> Router {
    let urls = [Url::new("Agora RTM (Signaling)", RTM_JSON), Url::new("Agora Chat / Easemob IM", CHAT_JSON)];
    let config = Config::new(urls).validator_url("none").try_it_out_enabled(true).persist_authorization(false);
    let pages: Router = SwaggerUi::new("/docs")
        .url(RTM_JSON, stentor_api_rtm::openapi())
        .url(CHAT_JSON, stentor_api_chat::openapi())
        .config(config)
        .into();
    let pages = pages.layer(map_response(async |mut response: Response| {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, ONLY_FROM_HERE);
        response
    }));
    let pages = pages.route("/", get(async || Redirect::temporary("/docs/")));
    watched(pages, observe, "/docs")
}

/// Gives requests their ID and counts them as `route`; refuses in JSON.
fn watched<S: Clone + Send + Sync + 'static>(pages: Router<S>, observe: &Observe, route: &str) -> Router<S> {
    pages.layer(from_fn(in_json)).layer(observe.route(route))
}

/// Puts our refusal in the place of the framework's, which is not JSON.
async fn in_json(request: Request, next: Next) -> Response {
    let mut same = Request::default();
    if let Some(id) = request.extensions().get::<RequestId>() {
        same.extensions_mut().insert(*id);
    }
    let response = next.run(request).await;
    match response.status() {
        // 400: the path is not UTF-8, and so is none of ours.
        StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => stentor_api_rtm::no_route(same).await,
        StatusCode::METHOD_NOT_ALLOWED => stentor_api_rtm::only_get(same).await,
        _ => response,
    }
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
