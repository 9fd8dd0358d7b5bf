//! What all counterparts have in common: they listen, note what came, and behave as told.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use parking_lot::Mutex;
use serde_json::Value;
use stentor_core::clock::Clock;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;

use super::listen::SelfSigned;
use super::{Answer, Asked, Behaviour, Contract, Verdict};

/// A request that came and what it was answered with.
#[derive(Debug, Clone)]
pub struct Received {
    /// Path and query.
    pub target: String,
    /// The headers.
    pub headers: http::HeaderMap,
    /// What it said, in clear.
    pub said: Value,
    /// The body as it came.
    pub body: Bytes,
    /// The answer's status; `None` if there was none.
    pub status: Option<u16>,
}

#[derive(Default)]
struct State {
    received: Vec<Received>,
    problems: Vec<String>,
    /// A part of the target, and what to do with the next request that has it.
    next: VecDeque<(String, Behaviour)>,
    usual: Option<Behaviour>,
    connections: usize,
}

struct Inner {
    contract: Box<dyn Contract>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    count: watch::Sender<usize>,
}

/// A counterpart that listens on a port of this machine. It is down when it is dropped.
pub struct Counterpart {
    address: SocketAddr,
    certificate: Option<Vec<u8>>,
    inner: Arc<Inner>,
    stop: CancellationToken,
}

impl fmt::Debug for Counterpart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counterpart").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Counterpart {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Counterpart {
    /// Speaks HTTP/1.1 without TLS. The contract is made when the URL is known.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn plain<C: Contract>(clock: Arc<dyn Clock>, contract: impl FnOnce(&str) -> C) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let contract = Box::new(contract(&format!("http://{address}")));
        Ok(Self::start(listener, address, None, None, contract, clock))
    }

    /// Speaks HTTP/2 over TLS and nothing else. Clients may show certificates of these authorities (DER).
    ///
    /// # Errors
    /// When there is no port or no certificate.
    pub async fn tls(
        clock: Arc<dyn Clock>,
        client_authorities: &[Vec<u8>],
        contract: impl Contract,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let made = SelfSigned::new()?;
        let config = made.config(client_authorities)?;
        Ok(Self::start(listener, address, Some(config), Some(made.certificate), Box::new(contract), clock))
    }

    fn start(
        listener: TcpListener,
        address: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
        certificate: Option<Vec<u8>>,
        contract: Box<dyn Contract>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let inner = Arc::new(Inner { contract, clock, state: Mutex::default(), count: watch::channel(0).0 });
        let stop = CancellationToken::new();
        tokio::spawn(accept(listener, tls.map(TlsAcceptor::from), inner.clone(), stop.clone()));
        Self { address, certificate, inner, stop }
    }

    /// Its URL, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The certificate (DER) to trust, if it speaks TLS.
    #[must_use]
    pub fn certificate(&self) -> Option<Vec<u8>> {
        self.certificate.clone()
    }

    /// How it behaves from now on, whatever the contract says. `None`: by the contract.
    pub fn behave(&self, usual: Option<Behaviour>) {
        self.inner.state.lock().usual = usual;
    }

    /// How it behaves to the next request.
    pub fn behave_next(&self, behaviour: Behaviour) {
        self.behave_next_at("", behaviour);
    }

    /// How it behaves to the next request whose target has this part.
    pub fn behave_next_at(&self, part: &str, behaviour: Behaviour) {
        self.inner.state.lock().next.push_back((part.to_owned(), behaviour));
    }

    /// How it answers the next request.
    pub fn answer_next(&self, answer: Answer) {
        self.behave_next(Behaviour::Answer(answer));
    }

    /// Everything that came.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.inner.state.lock().received.clone()
    }

    /// How many requests came.
    #[must_use]
    pub fn count(&self) -> usize {
        *self.inner.count.borrow()
    }

    /// What was not as it should be.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        self.inner.state.lock().problems.clone()
    }

    /// How many connections were opened.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.inner.state.lock().connections
    }

    /// Waits until so many requests came. Returns everything that came, or `None` if it takes longer than `patience`.
    pub async fn wait_for(&self, requests: usize, patience: Duration) -> Option<Vec<Received>> {
        let mut count = self.inner.count.subscribe();
        timeout(patience, count.wait_for(|count| *count >= requests)).await.ok()?.ok()?;
        Some(self.received())
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, inner: Arc<Inner>, stop: CancellationToken) {
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => return,
            },
            () = stop.cancelled() => return,
        };
        inner.state.lock().connections += 1;
        let (tls, inner, stop) = (tls.clone(), inner.clone(), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = serve(stream, tls, inner) => {}
                () = stop.cancelled() => {}
            }
        });
    }
}

async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, inner: Arc<Inner>) {
    let Some(tls) = tls else {
        return speak(stream, false, false, inner).await;
    };
    if let Ok(stream) = tls.accept(stream).await {
        let certificate = stream.get_ref().1.peer_certificates().is_some();
        speak(stream, true, certificate, inner).await;
    }
}

async fn speak<S>(stream: S, h2: bool, certificate: bool, inner: Arc<Inner>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // HTTP/2 has more than one request on a connection, so it is cut here.
    let cut = CancellationToken::new();
    let service = service_fn(|request| {
        let (inner, cut) = (inner.clone(), cut.clone());
        async move { inner.answer(request, certificate, &cut).await }
    });
    let io = TokioIo::new(stream);
    let connection = async {
        if h2 {
            let _ended = http2::Builder::new(TokioExecutor::new()).serve_connection(io, service).await;
        } else {
            let _ended = http1::Builder::new().serve_connection(io, service).await;
        }
    };
    tokio::select! {
        () = connection => {}
        () = cut.cancelled() => {}
    }
}

/// Makes hyper close the connection.
#[derive(Debug, thiserror::Error)]
#[error("cut")]
struct Cut;

impl Inner {
    async fn answer(
        &self,
        request: Request<Incoming>,
        certificate: bool,
        cut: &CancellationToken,
    ) -> Result<Response<Full<Bytes>>, Cut> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        let asked = Asked {
            target: head.uri.path_and_query().map_or_else(String::new, ToString::to_string),
            method: head.method,
            version: head.version,
            headers: head.headers,
            body,
            certificate,
            now_s: self.clock.wall_ms() / 1000,
        };
        match self.decide(&asked) {
            Behaviour::Answer(answer) => {
                let response = Response::builder().status(answer.status);
                let headers = answer.headers.into_iter();
                let response = headers.fold(response, |response, (name, value)| response.header(name, value));
                response.body(Full::new(answer.body)).map_err(|_| Cut)
            }
            Behaviour::Hang => std::future::pending().await,
            Behaviour::Cut => {
                cut.cancel();
                Err(Cut)
            }
        }
    }

    fn decide(&self, asked: &Asked) -> Behaviour {
        let Verdict { answer, said, problem } = self.contract.check(asked);
        let mut state = self.state.lock();
        let told = state.next.iter().position(|(part, _)| asked.target.contains(part.as_str()));
        let told = told.and_then(|at| state.next.remove(at)).map(|(_, behaviour)| behaviour);
        let behaviour = told.or_else(|| state.usual.clone()).unwrap_or(Behaviour::Answer(answer));
        state.problems.extend(problem);
        let status = match &behaviour {
            Behaviour::Answer(answer) => Some(answer.status),
            Behaviour::Hang | Behaviour::Cut => None,
        };
        let (target, headers, body) = (asked.target.clone(), asked.headers.clone(), asked.body.clone());
        state.received.push(Received { target, headers, said, body, status });
        let count = state.received.len();
        drop(state);
        self.count.send_replace(count);
        behaviour
    }
}
