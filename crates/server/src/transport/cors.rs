//! Lets browsers call the REST API from the configured origins (the Fetch standard's CORS protocol).
//!
//! A request without `Origin`, which is every request that no browser makes, costs one look at its headers.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use futures_util::future::Either;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use tower::{Layer, Service};

use crate::config::server::Origin;

const ALLOWED_METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, DELETE, OPTIONS");
const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, range, restrict-access, share-secret, thumbnail, thumbnail-height, thumbnail-width, \
     x-agora-token, x-agora-uid, x-request-id, x-requested-with",
);
const EXPOSED_HEADERS: HeaderValue =
    HeaderValue::from_static("accept-ranges, content-disposition, content-length, content-range, x-request-id");
const MAX_AGE_S: HeaderValue = HeaderValue::from_static("600");

/// The origins that may call.
#[derive(Debug, Clone)]
pub(crate) struct Cors {
    any: bool,
    listed: Arc<[String]>,
    /// A path that browsers ask for with credentials, whoever's page it is.
    credentials_at: Option<Arc<str>>,
}

impl Cors {
    /// Allows these origins.
    pub(crate) fn new(origins: &[Origin]) -> Self {
        let any = origins.iter().any(|origin| origin.as_str() == "*");
        let listed = origins.iter().map(|origin| origin.as_str().to_owned()).collect();
        Self { any, listed, credentials_at: None }
    }

    /// With a path that lets browsers send credentials, which say nothing there: SockJS clients do so, and wait for ever
    /// for the permission.
    pub(crate) fn with_credentials_at(self, path: &str) -> Self {
        Self { credentials_at: Some(path.into()), ..self }
    }

    /// Adds what the browser wants to read, if the origin may call.
    ///
    /// The origin is echoed: with `*` a browser would not let a page use credentials. The browser's own credentials
    /// (its password dialog) are for origins that are listed by name only; a page that brings its own in
    /// `Authorization` or `X-Agora-Token` needs no permission for them.
    fn allow(&self, origin: &HeaderValue, path: &str, headers: &mut HeaderMap) -> bool {
        let listed = origin.to_str().is_ok_and(|origin| self.listed.iter().any(|l| l.eq_ignore_ascii_case(origin)));
        headers.append(VARY, HeaderValue::from_name(ORIGIN));
        if !(listed || self.any) {
            return false;
        }
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if listed || self.credentials_at.as_deref() == Some(path) {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        true
    }

    fn preflight(&self, origin: &HeaderValue, path: &str) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        if self.allow(origin, path, headers) {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS);
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
            headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_S);
        }
        response
    }
}

impl<S> Layer<S> for Cors {
    type Service = WithCors<S>;

    fn layer(&self, inner: S) -> Self::Service {
        WithCors { inner, cors: self.clone() }
    }
}

/// A service that browsers may call, see [`Cors`].
#[derive(Debug, Clone)]
pub(crate) struct WithCors<S> {
    inner: S,
    cors: Cors,
}

type Reply = Result<Response<Body>, Infallible>;
type Boxed = Pin<Box<dyn Future<Output = Reply> + Send>>;

impl<S, B> Service<Request<B>> for WithCors<S>
where
    S: Service<Request<B>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<S::Future, Either<Boxed, Ready<Reply>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Some(origin) = request.headers().get(ORIGIN).cloned() else {
            return Either::Left(self.inner.call(request));
        };
        if request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
            return Either::Right(Either::Right(ready(Ok(self.cors.preflight(&origin, request.uri().path())))));
        }
        let (cors, path) = (self.cors.clone(), request.uri().path().to_owned());
        let reply = self.inner.call(request);
        Either::Right(Either::Left(Box::pin(async move {
            let mut response = reply.await?;
            if cors.allow(&origin, &path, response.headers_mut()) {
                response.headers_mut().insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
            }
            Ok(response)
        })))
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;
    use crate::config::value::Setting;

    async fn call(origins: &str, request: http::request::Builder) -> Response<Body> {
        let cors = Cors::new(&Vec::<Origin>::from_text(origins).unwrap());
        let router = Router::new().route("/", get(|| async { "hello" })).layer(cors);
        router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn the_origin_is_echoed() {
        let reply = call("*", Request::get("/").header(ORIGIN, "https://a.example")).await;
        assert_eq!(reply.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "https://a.example");
        assert_eq!(reply.headers()[VARY], "origin");
        assert!(!reply.headers().contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));
        let reply = call("*", Request::get("/")).await;
        assert!(reply.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN).is_none() && reply.headers().get(VARY).is_none());
    }

    #[tokio::test]
    async fn only_listed_origins_get_the_browsers_credentials() {
        let reply = call("https://a.example", Request::get("/").header(ORIGIN, "https://a.example")).await;
        assert_eq!(reply.headers()[ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
        let reply = call("https://a.example", Request::get("/").header(ORIGIN, "https://b.example")).await;
        assert!(!reply.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
    }

    #[tokio::test]
    async fn one_path_is_asked_for_with_credentials() {
        let cors = Cors::new(&Vec::<Origin>::from_text("*").unwrap()).with_credentials_at("/info");
        let router = Router::new().route("/", get(|| async {})).route("/info", get(|| async {})).layer(cors);
        for (path, allowed) in [("/info?t=1", true), ("/", false)] {
            for method in [Method::GET, Method::OPTIONS] {
                let request = Request::builder().method(method).uri(path).header(ORIGIN, "https://a.example");
                let request = request.header(ACCESS_CONTROL_REQUEST_METHOD, "GET").body(Body::empty()).unwrap();
                let reply = router.clone().oneshot(request).await.unwrap();
                assert_eq!(reply.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "https://a.example");
                assert_eq!(reply.headers().contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS), allowed);
            }
        }
    }

    #[tokio::test]
    async fn a_preflight_is_answered_for_every_url() {
        let request = Request::options("/nowhere")
            .header(ORIGIN, "https://a.example")
            .header(ACCESS_CONTROL_REQUEST_METHOD, "POST");
        let reply = call("*", request).await;
        assert_eq!(reply.status(), StatusCode::NO_CONTENT);
        let allowed = reply.headers()[ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap();
        // The vendor's SDKs send the last three with files.
        for header in ["authorization", "x-agora-token", "restrict-access", "share-secret", "x-requested-with"] {
            assert!(allowed.split(", ").any(|name| name == header), "{header}");
        }
    }
}
