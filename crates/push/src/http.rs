//! Requests to providers: pooled connections, HTTP/2 where the other side has it, bounded time and size. Redirects are not
//! followed, and no proxy of the environment is used.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Url};
use serde_json::Value;

use crate::error::{BadSetup, PushError};
use crate::open_names::{OpenNames, PrivateAddress, is_open};
use crate::trust::{Identity, Trust};

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// The longest wait that a provider can ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(86_400);

/// How requests are made.
#[derive(Debug)]
pub struct HttpSetup {
    /// Whom to trust.
    pub trust: Trust,
    /// The certificate to show, for APNs with a certificate.
    pub identity: Option<Identity>,
    /// How long a request may take, from the connection to the last byte of the answer.
    pub timeout: Duration,
    /// How long opening a connection may take.
    pub connect_timeout: Duration,
    /// How long an unused connection stays open.
    pub idle: Duration,
    /// How many unused connections stay open to one host (HTTP/1.1; of HTTP/2 there is one).
    pub idle_connections: usize,
    /// Whether requests may go to addresses that [`stentor_callbacks::address::is_public`] refuses. Leave it off where
    /// others choose the URL: Web Push and webhooks.
    pub allow_private: bool,
}

impl HttpSetup {
    /// Ten seconds for a request, three for a connection; 32 unused connections for 90 s; public addresses only.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        Self {
            trust,
            identity: None,
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(3),
            idle: Duration::from_secs(90),
            idle_connections: 32,
            allow_private: false,
        }
    }
}

/// What requests are made with. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Http {
    client: Client,
    allow_private: bool,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("allow_private", &self.allow_private).finish_non_exhaustive()
    }
}

impl Http {
    /// A client.
    ///
    /// # Errors
    /// When TLS cannot be set up, or the certificate does not fit its key.
    pub fn new(setup: &HttpSetup) -> Result<Self, BadSetup> {
        const PING: Duration = Duration::from_secs(60);
        let mut builder = Client::builder()
            .tls_backend_preconfigured(setup.trust.config(setup.identity.as_ref())?)
            .user_agent("Stentor")
            .redirect(Policy::none())
            .no_proxy()
            .timeout(setup.timeout)
            .connect_timeout(setup.connect_timeout)
            .pool_idle_timeout(setup.idle)
            .pool_max_idle_per_host(setup.idle_connections)
            .http2_keep_alive_interval(PING)
            .http2_keep_alive_timeout(setup.timeout)
            .http2_keep_alive_while_idle(true);
        if !setup.allow_private {
            builder = builder.dns_resolver(Arc::new(OpenNames));
        }
        let client = builder.build().map_err(|error| BadSetup::Client(error.without_url().to_string()))?;
        Ok(Self { client, allow_private: setup.allow_private })
    }

    /// The bare client, for whoever measures what is built upon it.
    #[cfg(feature = "counterparts")]
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// A POST to a URL. Names are checked when they are resolved; an address in the URL is checked here.
    pub(crate) fn post(&self, url: Url) -> Result<RequestBuilder, PushError> {
        if !self.allow_private && !is_open(&url) {
            return Err(PushError::refused("the address is private"));
        }
        Ok(self.client.post(url))
    }
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// A header's text; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON; null if it is none.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// `Retry-After` (RFC 9110, 10.2.3): seconds, or a date that is compared with `now_ms` (Unix time in milliseconds).
    pub(crate) fn retry_after(&self, now_ms: u64) -> Option<Duration> {
        let value = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        let wait = match value.parse() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_date) => {
                let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
                let at_ms = u64::try_from(at.as_millisecond()).ok()?;
                Duration::from_millis(at_ms.saturating_sub(now_ms))
            }
        };
        Some(wait.min(MAX_RETRY_AFTER))
    }

    /// What an answer means that only its status tells about: for statuses that the provider's documents say nothing else
    /// of. 408, 425 and 5xx pass; a redirect or another 4xx does not.
    pub(crate) fn unexpected(&self, now_ms: u64) -> PushError {
        let reason = format!("status {}", self.status);
        match self.status {
            401 | 403 => PushError::credentials(reason),
            429 => PushError::throttled(reason, self.retry_after(now_ms), crate::error::Scope::Provider),
            408 | 425 | 500..=599 => PushError::failed_until(reason, self.retry_after(now_ms)),
            _ => PushError::refused(reason),
        }
    }
}

/// Sends a request and reads the answer.
pub(crate) async fn send(request: RequestBuilder) -> Result<Reply, PushError> {
    let reply = send_for_status(request).await?;
    if reply.body.len() > MAX_ANSWER { Err(PushError::failed("the answer is too long")) } else { Ok(reply) }
}

/// The same where the status says it all: of a body that is too long, some is read.
pub(crate) async fn send_for_status(request: RequestBuilder) -> Result<Reply, PushError> {
    let mut response = request.send().await.map_err(|error| lost(&error))?;
    let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
    let mut body = BytesMut::new();
    while body.len() <= MAX_ANSWER
        && let Some(chunk) = response.chunk().await.map_err(|error| lost(&error))?
    {
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, headers, body: body.freeze() })
}

/// What happened on the way. The cause's own words are of the system or TLS: the URL is not in them.
fn lost(error: &reqwest::Error) -> PushError {
    let causes: Vec<_> = std::iter::successors(error.source(), |&error| error.source()).collect();
    if causes.iter().any(|cause| cause.is::<PrivateAddress>()) {
        return PushError::refused(PrivateAddress.to_string());
    }
    if error.is_builder() {
        return PushError::refused("the request cannot be made");
    }
    if error.is_timeout() {
        return PushError::failed("no answer in time");
    }
    let what = if error.is_connect() { "no connection" } else { "the connection was lost" };
    match causes.last() {
        Some(cause) => PushError::failed(format!("{what}: {cause}")),
        None => PushError::failed(what),
    }
}

/// Whether a text of the configuration can stand in a header: visible ASCII, and not nothing.
pub(crate) fn is_header_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A base URL, without a slash at its end.
pub(crate) fn base(text: &str, what: &'static str) -> Result<String, BadSetup> {
    let url = Url::parse(text).map_err(|_| BadSetup::Url(what))?;
    let good = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none();
    if good && url.query().is_none() && url.fragment().is_none() {
        Ok(url.as_str().trim_end_matches('/').to_owned())
    } else {
        Err(BadSetup::Url(what))
    }
}

/// A base URL and a path.
pub(crate) fn join(base: &str, path: &str) -> Result<Url, PushError> {
    Url::parse(&format!("{base}{path}")).map_err(|_| PushError::refused("the URL cannot be made"))
}

impl Http {
    /// Posts JSON to a service that is no provider, and reads the answer: its status, its JSON (`null` if it is none), and
    /// how long the service wants to be left alone. `now_ms` is Unix time.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn ask(&self, url: &str, body: &Value, now_ms: u64) -> Result<Answered, PushError> {
        let url = Url::parse(url).map_err(|_| PushError::refused("the URL cannot be made"))?;
        let request = self.post(url)?.header(CONTENT_TYPE, "application/json").body(body.to_string());
        let reply = send(request).await?;
        Ok(Answered { status: reply.status, body: reply.json(), retry_after: reply.retry_after(now_ms) })
    }
}

/// What a service answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The body; `null` if it is no JSON.
    pub body: Value,
    /// How long it wants to be left alone.
    pub retry_after: Option<Duration>,
}

/// Whether a text can be the URL of a service: `http` or `https`, with neither a user nor a query.
///
/// # Errors
/// When it cannot.
pub fn check_url(text: &str) -> Result<(), BadSetup> {
    base(text, "it").map(|_base| ())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn retry_after(value: &'static str) -> Option<Duration> {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]);
        Reply { status: 503, headers, body: Bytes::new() }.retry_after(1_445_412_420_000)
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after("120"), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(retry_after("99999999999"), Some(MAX_RETRY_AFTER));
        assert_eq!(retry_after("soon"), None);
    }

    #[test]
    fn bases_are_urls() {
        assert_eq!(base("https://push.example.com/", "x").as_deref(), Ok("https://push.example.com"));
        assert_eq!(base("http://[::1]:8080/a/b/", "x").as_deref(), Ok("http://[::1]:8080/a/b"));
        for odd in [
            "",
            "push.example.com",
            "ftp://a",
            "https://user:secret@a",
            "https://:secret@a",
            "https://a/?b",
            "https://a/#b",
        ] {
            assert!(base(odd, "x").is_err(), "{odd}");
        }
    }
}
