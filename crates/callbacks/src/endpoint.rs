//! The URL of a callback, checked.

use http::uri::Scheme;
use http::{HeaderValue, Uri};

/// Why a text is not the URL of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// It cannot be read.
    #[error("is not a URL")]
    Malformed,
    /// Neither `http` nor `https`.
    #[error("must begin with http:// or https://")]
    Scheme,
    /// It has a user name or password: they would be in every log on the way.
    #[error("must not hold credentials")]
    Credentials,
    /// It is longer than 2048 bytes.
    #[error("is longer than 2048 bytes")]
    TooLong,
}

/// Bytes of a URL.
pub(crate) const MAX_URL_BYTES: usize = 2048;

/// Where a callback goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    text: String,
    tls: bool,
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
    /// The `Host` header.
    authority: HeaderValue,
    /// Path and query.
    target: Uri,
}

impl Endpoint {
    /// Reads a URL. A fragment is ignored.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, BadUrl> {
        if text.len() > MAX_URL_BYTES {
            return Err(BadUrl::TooLong);
        }
        let uri: Uri = text.parse().map_err(|_| BadUrl::Malformed)?;
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(BadUrl::Scheme),
        };
        let authority = uri.authority().ok_or(BadUrl::Malformed)?;
        if authority.as_str().contains('@') {
            return Err(BadUrl::Credentials);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let target = uri.path_and_query().map_or("/", |path| path.as_str()).parse().map_err(|_| BadUrl::Malformed)?;
        let port = match authority.port_u16() {
            Some(port) => port,
            // A port that is no number up to 65535 reads as none.
            None if host.is_empty() || authority.as_str() != authority.host() => return Err(BadUrl::Malformed),
            None if tls => 443,
            None => 80,
        };
        Ok(Self {
            text: text.to_owned(),
            tls,
            port,
            authority: HeaderValue::from_str(authority.as_str()).map_err(|_| BadUrl::Malformed)?,
            host,
            target,
        })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether TLS is spoken there.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// The name or address.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn authority(&self) -> &HeaderValue {
        &self.authority
    }

    pub(crate) fn target(&self) -> &Uri {
        &self.target
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let endpoint = Endpoint::parse("https://hooks.example.com:8443/a/b?c=d#e").expect("a URL");
        assert!(endpoint.is_tls());
        assert_eq!((endpoint.host(), endpoint.port()), ("hooks.example.com", 8443));
        assert_eq!(
            (endpoint.target().to_string(), endpoint.authority().as_bytes()),
            ("/a/b?c=d".into(), &b"hooks.example.com:8443"[..])
        );

        let endpoint = Endpoint::parse("http://[::1]").expect("a URL");
        assert_eq!((endpoint.host(), endpoint.port(), endpoint.target().to_string()), ("::1", 80, "/".into()));
        assert_eq!(Endpoint::parse("https://a").expect("a URL").port(), 443);
    }

    #[test]
    fn others_are_refused() {
        for (url, why) in [
            ("", BadUrl::Malformed),
            ("hooks.example.com", BadUrl::Scheme),
            ("/path", BadUrl::Scheme),
            ("ftp://a/b", BadUrl::Scheme),
            ("file:///etc/passwd", BadUrl::Malformed),
            ("http://", BadUrl::Malformed),
            ("https://user:secret@a/", BadUrl::Credentials),
            ("http://a b/", BadUrl::Malformed),
            ("http://a:99999/", BadUrl::Malformed),
        ] {
            assert_eq!(Endpoint::parse(url), Err(why), "{url}");
        }
        assert_eq!(Endpoint::parse(&format!("http://a/{}", "x".repeat(MAX_URL_BYTES))), Err(BadUrl::TooLong));
    }
}
