//! The URLs: the router, and the description of the same routes.

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{MethodRouter, any};
use utoipa::openapi::path::PathItem;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

use crate::call::{BASE, request_id};
use crate::error::{ApiError, ErrorBody};
use crate::state::RtmState;
use crate::{channel_events, channel_messages, history, peer_messages, user_events};

/// Every endpoint.
fn endpoints() -> [UtoipaMethodRouter<RtmState>; 7] {
    [
        routes!(peer_messages::handler),
        routes!(channel_messages::handler),
        routes!(user_events::handler),
        routes!(channel_events::handler),
        routes!(history::query::handler),
        routes!(history::result::handler),
        routes!(history::count::handler),
    ]
}

/// The router of the dialect. It answers everything below `/dev/v2/project/<appid>`; requests to other URLs are for
/// the caller, who may use [`no_route`].
pub fn router(state: RtmState) -> Router {
    let mut router = Router::new();
    for (_, paths, methods) in endpoints() {
        for (path, item) in paths.paths {
            let methods = only(&item, methods.clone()).layer(state.observe().route(&path));
            let doubled = path.replacen("/rtm/", "//rtm/", 1);
            router = router.route(&path, methods.clone()).route(&doubled, methods);
        }
    }
    let elsewhere = any(no_route).layer(state.observe().route("unmatched"));
    for path in ["", "/", "/{*elsewhere}"] {
        router = router.route(&format!("{BASE}{{appid}}{path}"), elsewhere.clone());
    }
    router.with_state(state)
}

/// Answers 405 to every other method. HEAD too, which would otherwise count as GET: it would take events off the
/// queue and show them to nobody.
fn only(item: &PathItem, methods: MethodRouter<RtmState>) -> MethodRouter<RtmState> {
    if item.get.is_some() {
        methods.head(|request| refuse("GET", request)).fallback(|request| refuse("GET", request))
    } else {
        methods.fallback(|request| refuse("POST", request))
    }
}

async fn refuse(allowed: &'static str, request: Request) -> Response {
    ApiError::Method(allowed).into_response(request_id(&request))
}

/// Answers 404 as this dialect does. Put it behind [`stentor_http_kit::Observe::route`], which gives the request
/// its ID.
pub async fn no_route(request: Request) -> Response {
    ApiError::NoRoute.into_response(request_id(&request))
}

/// Answers 405 as this dialect does, to whatever was not GET. Behind the same layer as [`no_route`].
pub async fn only_get(request: Request) -> Response {
    refuse("GET", request).await
}

/// Answers 503 as this dialect does, because there are too many connections. Behind the same layer as [`no_route`].
pub async fn crowded(request: Request) -> Response {
    ApiError::Crowded.into_response(request_id(&request))
}

/// The description of the API: OpenAPI 3.1.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let start = OpenApiRouter::with_openapi(Description::openapi());
    endpoints().into_iter().fold(start, OpenApiRouter::routes).into_openapi()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Stentor: Agora RTM (Signaling) server REST API",
        description = "Send peer and channel messages, take user and channel events, query message history. \
            Authenticate with HTTP Basic (Customer ID and Customer Secret) or with an RTM token.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact(),
    ),
    tags(
        (name = "messages", description = "Sending"),
        (name = "events", description = "Logins, logouts, joins and leaves"),
        (name = "history", description = "Messages of the past"),
    ),
    components(schemas(ErrorBody)),
    security(("basic" = []), ("rtmToken" = [], "rtmUid" = []), ("accessToken2" = [])),
    modifiers(&Credentials),
)]
struct Description;

/// The three ways to authenticate.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let key =
            |name: &str, text: &str| SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, text)));
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("basic", SecurityScheme::Http(Http::new(HttpAuthScheme::Basic)));
        components.add_security_scheme("rtmToken", key("x-agora-token", "An RTM token, 006 or 007"));
        components.add_security_scheme("rtmUid", key("x-agora-uid", "The user that the token was made for"));
        components.add_security_scheme("accessToken2", key("Authorization", "agora token=<007 token>"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_is_ours_and_complete() {
        let openapi = openapi();
        assert!(openapi.info.title.starts_with("Stentor"));
        assert_eq!(openapi.info.license.as_ref().map(|license| license.name.as_str()), Some("Apache-2.0"));
        let text = openapi.to_pretty_json().unwrap();
        assert!(text.starts_with("{\n  \"openapi\": \"3.1"), "{}", &text[..40]);
        assert_eq!(openapi.paths.paths.len(), 7);
        for path in openapi.paths.paths.keys() {
            assert!(path.starts_with(BASE) && !path.contains("//"), "{path}");
        }
        for id in [
            "sendPeerMessage",
            "sendChannelMessage",
            "takeUserEvents",
            "takeChannelEvents",
            "queryHistory",
            "getHistory",
            "countHistory",
        ] {
            assert_eq!(text.matches(&format!("\"operationId\": \"{id}\"")).count(), 1, "{id}");
        }
    }
}
