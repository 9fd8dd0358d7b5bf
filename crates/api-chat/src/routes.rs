//! The URLs: the app is found and its prefix taken off, then one router has the rest. And the description of the same
//! routes.

use axum::Router;
use axum::extract::Request;
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use stentor_http_kit::percent::decode_segment;
use tower::ServiceExt;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

use crate::call::Addressed;
use crate::error::ChatError;
use crate::state::ChatState;
use crate::{
    callbacks, files, groups, history, messages, metadata, mutes, not_open, presence, push, relations, rooms, token,
    users,
};

/// Every endpoint. A family of one path is one entry.
fn endpoints() -> Vec<UtoipaMethodRouter<ChatState>> {
    let mut endpoints = vec![routes!(token::handler)];
    endpoints.extend(users::endpoints());
    endpoints.extend(callbacks::endpoints());
    endpoints.extend(messages::endpoints());
    endpoints.extend(files::endpoints());
    endpoints.extend(history::endpoints());
    endpoints.extend(relations::endpoints());
    endpoints.extend(mutes::endpoints());
    endpoints.extend(metadata::endpoints());
    endpoints.extend(presence::endpoints());
    endpoints.extend(push::endpoints());
    endpoints.extend(rooms::endpoints());
    endpoints.extend(groups::endpoints());
    endpoints
}

/// The router of the dialect. It answers everything below `/{org}/{app}` and `/app-id/{app_id}`; requests to other
/// URLs are for the caller.
pub fn router(state: ChatState) -> Router {
    let inner = inner(&state);
    let dispatch = move |request: Request| dispatch(state.clone(), inner.clone(), request);
    let mut router = Router::new();
    for path in ["/{org}/{app}", "/{org}/{app}/", "/{org}/{app}/{*rest}"] {
        router = router.route(path, any(dispatch.clone()));
    }
    router
}

/// What is behind the prefix.
fn inner(state: &ChatState) -> Router {
    let mut router = Router::new();
    for (_, paths, methods) in endpoints() {
        for (path, _) in paths.paths {
            let name = format!("/{{org}}/{{app}}{path}");
            router = router.route(&path, methods.clone().layer(state.observe().route(&name)));
        }
    }
    for (path, methods) in not_open::routes() {
        let name = format!("/{{org}}/{{app}}{path}");
        router = router.route(path, methods.layer(state.observe().route(&name)));
    }
    let elsewhere = async || ChatError::no_route();
    let no_method = async || ChatError::no_method();
    router
        .method_not_allowed_fallback(no_method)
        .fallback_service(any(elsewhere).layer(state.observe().route("unmatched")))
        .with_state(state.clone())
}

/// Finds the app, has the request answered, and gives a refusal its time.
async fn dispatch(state: ChatState, inner: Router, mut request: Request) -> Response {
    let started_us = state.node().clock().monotonic_us();
    let response = match address(&state, &mut request, started_us) {
        Ok(()) => inner.oneshot(request).await.unwrap_or_else(|never| match never {}),
        Err(refused) => refused.into_response(),
    };
    finish(&state, response, started_us)
}

/// A refusal is written now, when its time is known. One of the framework's own becomes one of ours.
fn finish(state: &ChatState, mut response: Response, started_us: u64) -> Response {
    let foreign = (response.status().is_client_error() && !response.headers().contains_key(header::CONTENT_TYPE)
        || is_text(&response))
    .then(|| ChatError::illegal_argument("this is an invalid request."));
    let Some(refused) = response.extensions_mut().remove::<ChatError>().or(foreign) else { return response };
    let clock = state.node().clock();
    let duration_ms = clock.monotonic_us().saturating_sub(started_us) / 1000;
    let mut written = refused.into_response_at(clock.wall_ms(), duration_ms);
    for (name, value) in response.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            written.headers_mut().insert(name.clone(), value.clone());
        }
    }
    written
}

/// The framework answers in plain text what it cannot route or read.
fn is_text(response: &Response) -> bool {
    let text = |value: &header::HeaderValue| value.as_bytes().starts_with(b"text/plain");
    response.status().is_client_error() && response.headers().get(header::CONTENT_TYPE).is_some_and(text)
}

/// Notes the app among the request's extensions, and takes the prefix off its URL.
fn address(state: &ChatState, request: &mut Request, started_us: u64) -> Result<(), ChatError> {
    let path = request.uri().path();
    // Clients have one call with the app behind this.
    let path = path.strip_prefix("/api/sdk/v1").filter(|rest| rest.starts_with('/')).unwrap_or(path);
    let mut parts = path[1..].splitn(3, '/');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let rest = format!("/{}", parts.next().unwrap_or_default());
    // Clients call the server API by another name.
    let rest = match rest.strip_prefix("/sdk/message/roaming/") {
        Some(below) => format!("/rest/message/roaming/{below}"),
        None => rest,
    };
    let (org, name) = (decode_segment(first).unwrap_or_default(), decode_segment(second).unwrap_or_default());
    let chat = if org == "app-id" { state.app_by_id(&name) } else { state.app_by_key(&format!("{org}#{name}")) };
    let app = chat.and_then(|chat| state.node().app(&chat.key()));
    let (Some(chat), Some(app)) = (chat.cloned(), app) else {
        return Err(ChatError::no_app(&org, &name, &rest));
    };
    let prefix = format!("/{first}/{second}").into();
    let uri = match request.uri().query() {
        Some(query) => format!("{rest}?{query}"),
        None => rest,
    };
    *request.uri_mut() = uri.parse::<Uri>().map_err(|_| ChatError::no_route())?;
    request.extensions_mut().insert(Addressed { chat, app, prefix, started_us });
    Ok(())
}

/// The description of the API: OpenAPI 3.1, under `/{org_name}/{app_name}`.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let inner = endpoints().into_iter().fold(OpenApiRouter::new(), OpenApiRouter::routes);
    OpenApiRouter::with_openapi(Description::openapi()).nest("/{org_name}/{app_name}", inner).into_openapi()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Stentor: Agora Chat / Easemob IM server REST API",
        description = "Users, rooms, groups, messages and files. Every path is also there under /app-id/{app_id}. \
            Authenticate with a Bearer token: an app token of POST token, a user's token, or an AccessToken2.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact(),
    ),
    tags(
        (name = "tokens", description = "Tokens for the app and for users"),
        (name = "users", description = "Registered users, their state and their devices"),
        (name = "messages", description = "Sending, taking back, changing, and the past"),
        (name = "rooms", description = "Chat rooms, their members and their attributes"),
        (name = "groups", description = "Groups and their members"),
        (name = "files", description = "Files that messages refer to"),
        (name = "contacts", description = "Contacts, and who is blocked"),
        (name = "attributes", description = "Attributes of users"),
        (name = "presence", description = "Statuses that users publish, and who subscribes to them"),
        (name = "push", description = "What users want to be pushed, and templates"),
        (name = "mutes", description = "Who may not send anywhere"),
        (name = "callbacks", description = "Callbacks that could not be delivered"),
    ),
    security(("bearer" = [])),
    modifiers(&Credentials),
)]
struct Description;

/// How to authenticate.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}
