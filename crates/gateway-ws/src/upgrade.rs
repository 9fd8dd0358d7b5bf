//! The HTTP side: answers the upgrade request and hands the socket over to its task.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{any, get};
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_ACCEPT, UPGRADE};
use http::{Extensions, HeaderValue, StatusCode};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use serde::Serialize;

use crate::carrier::Carrier;
use crate::handshake::{self, HandshakeError};
use crate::protocol::Protocol;
use crate::serve;
use crate::state::GatewayState;
use crate::stream::Stream;

/// Finds the ID that whoever routes requests gave a request, among the request's extensions.
pub type FindRequestId = fn(&Extensions) -> u64;

/// The route of a protocol's clients, at `path`. HTTP must be served with upgrades enabled, on `TokioIo<`[`Stream`]`>`.
pub fn router(state: GatewayState, protocol: Protocol, path: &str, request_id: FindRequestId) -> Router {
    let upgrade = move |State(state): State<GatewayState>, request: Request| async move {
        let request_id = request_id(request.extensions());
        upgrade(&state, protocol, request, request_id)
    };
    Router::new().route(path, any(upgrade)).with_state(state)
}

/// The routes of SDKs that connect by SockJS, below `path`: what they ask first, and the WebSocket.
pub fn sockjs_router(state: GatewayState, path: &str, request_id: FindRequestId) -> Router {
    let info = |State(state): State<GatewayState>| async move { info(&state) };
    let websocket = format!("{path}/{{server}}/{{session}}/websocket");
    router(state.clone(), Protocol::Msync(Carrier::SockJs), &websocket, request_id)
        .merge(Router::new().route(&format!("{path}/info"), get(info)).with_state(state))
}

/// What the server can do. The number is for clients that have no randomness.
fn info(state: &GatewayState) -> Response {
    let info =
        SockJsInfo { websocket: true, origins: ["*:*"], cookie_needed: false, entropy: state.node().random() >> 32 };
    let mut response = json(StatusCode::OK, &info);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[derive(Serialize)]
struct SockJsInfo {
    websocket: bool,
    origins: [&'static str; 1],
    cookie_needed: bool,
    entropy: u64,
}

fn upgrade(state: &GatewayState, protocol: Protocol, mut request: Request, request_id: u64) -> Response {
    let accept = match handshake::check(request.method(), request.version(), request.headers()) {
        Ok(accept) => accept,
        Err(error) => return refused(error, request_id),
    };
    if state.closing().is_cancelled() {
        return error(StatusCode::SERVICE_UNAVAILABLE, "the server goes down", request_id);
    }
    let upgrade = hyper::upgrade::on(&mut request);
    let task = connect(state.clone(), protocol, upgrade);
    drop(state.connections().spawn(task));
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    response
}

async fn connect(state: GatewayState, protocol: Protocol, upgrade: OnUpgrade) {
    let upgraded = match upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => {
            tracing::debug!(%error, "the connection was lost while it was upgraded");
            return;
        }
    };
    match upgraded.downcast::<TokioIo<Stream>>() {
        Ok(parts) => serve::run(state, protocol, parts.io.into_inner(), parts.read_buf).await,
        Err(_) => tracing::error!("HTTP is not served on the gateway's stream: the connection cannot be upgraded"),
    }
}

fn refused(why: HandshakeError, request_id: u64) -> Response {
    let mut response = error(why.status(), &why.to_string(), request_id);
    if let Some((name, value)) = why.hint() {
        response.headers_mut().insert(name, value);
    }
    response
}

/// The body of an answer that does not upgrade.
#[derive(Serialize)]
struct Refusal<'a> {
    result: &'static str,
    request_id: String,
    code: u16,
    reason: &'a str,
}

fn error(status: StatusCode, reason: &str, request_id: u64) -> Response {
    let code = status.as_u16();
    let body = Refusal { result: "failed", request_id: request_id.to_string(), code, reason };
    json(status, &body)
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut response = Response::new(Body::from(serde_json::to_string(body).unwrap_or_default()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
