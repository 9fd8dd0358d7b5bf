//! A small HTTP client: one request, one reply.

use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::trust::Trust;
use crate::exit::{Exit, Failed};

/// Longer than any reply may take: a sender waits for an ack for at most ten minutes.
const TIMEOUT: Duration = Duration::from_secs(660);

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

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

/// Sends a request to its own URI, which must have scheme and host.
pub(super) async fn request(mut request: Request<Full<Bytes>>, trust: &Trust) -> Result<Reply, Failed> {
    let uri = request.uri().clone();
    let host = uri.authority().map(|authority| authority.as_str().to_owned()).unwrap_or_default();
    let origin_form = uri.path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = origin_form.parse().map_err(|error| Failed::new(Exit::Usage, error))?;
    let header = HeaderValue::from_str(&host).map_err(|error| Failed::new(Exit::Usage, error))?;
    request.headers_mut().insert(HOST, header);
    let exchange = async {
        let tcp = connect(&uri).await?;
        if uri.scheme_str() != Some("https") {
            return exchange(tcp, request).await;
        }
        let name = ServerName::try_from(host_of(&uri).to_owned()).map_err(|error| Failed::new(Exit::Usage, error))?;
        let tls = TlsConnector::from(trust.client()?).connect(name, tcp).await;
        exchange(tls.map_err(|error| unreachable_at(&uri, error))?, request).await
    };
    match tokio::time::timeout(TIMEOUT, exchange).await {
        Ok(reply) => reply,
        Err(_elapsed) => Err(Failed::new(Exit::Unreachable, "no reply in time")),
    }
}

fn host_of(uri: &Uri) -> &str {
    uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
}

/// The server is not there, or not reachable.
pub(super) fn unreachable_at(uri: &Uri, error: impl std::fmt::Display) -> Failed {
    let host = uri.authority().map(|authority| authority.as_str().to_owned()).unwrap_or_default();
    Failed::new(Exit::Unreachable, format!("the server at {host} cannot be reached: {error}"))
}

async fn connect(uri: &Uri) -> Result<TcpStream, Failed> {
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    match tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect((host_of(uri), port))).await {
        Ok(Ok(tcp)) => Ok(tcp),
        Ok(Err(error)) => Err(unreachable_at(uri, error)),
        Err(_elapsed) => Err(unreachable_at(uri, "no answer")),
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
