//! A small HTTP client: one request, one reply.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, rustls};

use super::trust::Trust;
use crate::exit::{Exit, Failed};

/// A server that has said nothing for so long will not.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Replies are small.
const MAX_REPLY_BYTES: usize = 4 * 1024 * 1024;

/// A reply.
#[derive(Debug)]
pub(super) struct Reply {
    /// Its status.
    pub(super) status: StatusCode,
    /// Its body, as text.
    pub(super) body: String,
}

/// There is no reply: why, and what to tell.
#[derive(Debug)]
pub(super) enum NoReply {
    /// Nobody listens there.
    NotThere(Failed),
    /// Somebody listens, and is not trusted.
    Untrusted(Failed),
    /// Somebody listens, and says nothing.
    Silent(Failed),
    /// Anything else.
    Other(Failed),
}

impl From<Failed> for NoReply {
    fn from(failed: Failed) -> Self {
        Self::Other(failed)
    }
}

impl From<NoReply> for Failed {
    fn from(no_reply: NoReply) -> Self {
        match no_reply {
            NoReply::NotThere(failed) | NoReply::Untrusted(failed) | NoReply::Silent(failed) => failed,
            NoReply::Other(failed) => failed,
        }
    }
}

/// Sends a request to its own URI, which must have scheme and host. `patience` is for all of it.
pub(super) async fn request(
    mut request: Request<Full<Bytes>>,
    trust: &Trust,
    patience: Duration,
) -> Result<Reply, NoReply> {
    let uri = request.uri().clone();
    let host = uri.authority().map(|authority| authority.as_str().to_owned()).unwrap_or_default();
    let origin_form = uri.path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = origin_form.parse().map_err(|error| Failed::new(Exit::Usage, error))?;
    let header = HeaderValue::from_str(&host).map_err(|error| Failed::new(Exit::Usage, error))?;
    request.headers_mut().insert(HOST, header);
    let exchange = async {
        let tcp = connect(&uri).await?;
        if uri.scheme_str() != Some("https") {
            return Ok(exchange(tcp, request).await?);
        }
        let name = ServerName::try_from(host_of(&uri).to_owned()).map_err(|error| Failed::new(Exit::Usage, error))?;
        let tls = TlsConnector::from(trust.client()?).connect(name, tcp).await.map_err(|error| {
            let untrusted = is_untrusted(&error);
            let failed = unreachable_at(&uri, error);
            if untrusted { NoReply::Untrusted(failed) } else { NoReply::Other(failed) }
        })?;
        Ok(exchange(tls, request).await?)
    };
    match tokio::time::timeout(patience, exchange).await {
        Ok(reply) => reply,
        Err(_elapsed) => Err(NoReply::Silent(unreachable_at(&uri, format_args!("no answer within {patience:?}")))),
    }
}

fn host_of(uri: &Uri) -> &str {
    uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
}

/// The server is not there, or not reachable.
fn unreachable_at(uri: &Uri, error: impl std::fmt::Display) -> Failed {
    let host = uri.authority().map(|authority| authority.as_str().to_owned()).unwrap_or_default();
    Failed::new(Exit::Unreachable, format!("the server at {host} cannot be reached: {error}"))
}

fn is_untrusted(error: &io::Error) -> bool {
    let cause = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    matches!(cause, Some(rustls::Error::InvalidCertificate(_)))
}

async fn connect(uri: &Uri) -> Result<TcpStream, NoReply> {
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    match tokio::time::timeout(PATIENCE, TcpStream::connect((host_of(uri), port))).await {
        Ok(Ok(tcp)) => Ok(tcp),
        Ok(Err(error)) => Err(NoReply::NotThere(unreachable_at(uri, error))),
        Err(_elapsed) => Err(NoReply::Silent(unreachable_at(uri, format_args!("no answer within {PATIENCE:?}")))),
    }
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Reply, Failed>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let lost = |error: &dyn std::fmt::Display| Failed::new(Exit::Failure, format!("the connection was lost: {error}"));
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| lost(&error))?;
    // It ends with the reply; its error is the request's as well.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    let reply = sender.send_request(request).await.map_err(|error| lost(&error))?;
    let status = reply.status();
    let body = Limited::new(reply.into_body(), MAX_REPLY_BYTES).collect().await.map_err(|error| lost(&error))?;
    Ok(Reply { status, body: String::from_utf8_lossy(&body.to_bytes()).into_owned() })
}

#[cfg(test)]
pub(super) mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// The URL of a server that accepts and never answers, while the listener lives.
    pub(in crate::cli) async fn silent() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        (listener, url)
    }

    /// What a server that does not answer costs a test.
    pub(in crate::cli) const IMPATIENCE: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn a_server_that_does_not_answer_is_given_up() {
        let (_listener, plain) = silent().await;
        for url in [plain.clone(), plain.replace("http", "https")] {
            let request = Request::get(format!("{url}/")).body(Full::default()).unwrap();
            let no_reply = super::request(request, &Trust::System, IMPATIENCE).await.unwrap_err();
            let NoReply::Silent(failed) = no_reply else { panic!("{no_reply:?}") };
            assert_eq!(failed.exit, Exit::Unreachable);
            assert!(failed.message.ends_with("cannot be reached: no answer within 50ms"), "{}", failed.message);
        }
    }

    #[tokio::test]
    async fn nobody_there_is_told_apart() {
        let (listener, url) = silent().await;
        drop(listener);
        let request = Request::get(url).body(Full::default()).unwrap();
        let no_reply = super::request(request, &Trust::System, PATIENCE).await.unwrap_err();
        assert!(matches!(no_reply, NoReply::NotThere(_)), "{no_reply:?}");
    }
}
