//! The HTTP side: answers the upgrade request and hands the socket over to its task.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use http::header::{CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_ACCEPT, UPGRADE};
use http::{HeaderValue, StatusCode};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use crate::handshake::{self, HandshakeError};
use crate::serve;
use crate::state::GatewayState;
use crate::stream::Stream;

/// Where clients connect.
pub const PATH: &str = "/ws/rtm";

/// The gateway's route. HTTP must be served with upgrades enabled, on `TokioIo<`[`Stream`]`>`.
pub fn router(state: GatewayState) -> Router {
    Router::new().route(PATH, any(upgrade)).with_state(state)
}

async fn upgrade(State(state): State<GatewayState>, mut request: Request) -> Response {
    let accept = match handshake::check(request.method(), request.version(), request.headers()) {
        Ok(accept) => accept,
        Err(error) => return refused(error),
    };
    if state.closing().is_cancelled() {
        return error(StatusCode::SERVICE_UNAVAILABLE, "the server goes down");
    }
    let upgrade = hyper::upgrade::on(&mut request);
    let task = connect(state.clone(), upgrade);
    drop(state.connections().spawn(task));
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    response
}

async fn connect(state: GatewayState, upgrade: OnUpgrade) {
    let upgraded = match upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => {
            tracing::debug!(%error, "the connection was lost while it was upgraded");
            return;
        }
    };
    match upgraded.downcast::<TokioIo<Stream>>() {
        Ok(parts) => serve::run(state, parts.io.into_inner(), parts.read_buf).await,
        Err(_) => tracing::error!("HTTP is not served on the gateway's stream: the connection cannot be upgraded"),
    }
}

fn refused(why: HandshakeError) -> Response {
    let mut response = error(why.status(), &why.to_string());
    if let Some((name, value)) = why.hint() {
        response.headers_mut().insert(name, value);
    }
    response
}

fn error(status: StatusCode, reason: &str) -> Response {
    let body = serde_json::json!({ "result": "failed", "code": status.as_u16(), "reason": reason });
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
