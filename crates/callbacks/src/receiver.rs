//! A backend that takes callbacks and is strict about them: for tests, and for the crash test. Feature `receiver`.
//!
//! It checks what the documents and we promise of every request: method, media type, JSON, `security`, our signature, and
//! that a callback that comes again is the same. What is not so is a [`Receiver::problems`]. It can be told to answer
//! anything, late, or not at all, and to be down.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use md5::{Digest, Md5};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::signature;

/// How it answers a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// With this status and body.
    Answer(u16, Bytes),
    /// The same, after a while.
    Late(Duration, u16, Bytes),
    /// Never, while the connection lives.
    Hang,
    /// With a redirect to this URL.
    Redirect(String),
    /// It closes the connection.
    Cut,
}

impl Behaviour {
    /// 200 without a body.
    pub const OK: Self = Self::Answer(200, Bytes::new());

    /// This status without a body.
    #[must_use]
    pub const fn status(status: u16) -> Self {
        Self::Answer(status, Bytes::new())
    }

    /// 200 with a JSON body.
    #[must_use]
    pub fn json(body: &Value) -> Self {
        Self::Answer(200, Bytes::from(body.to_string()))
    }
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Received {
    /// The body.
    pub body: Value,
    /// Path and query.
    pub target: String,
    /// When it was signed: Unix time in seconds.
    pub signed_at_s: u64,
    /// What it was answered with; `None` if it was not.
    pub status: Option<u16>,
}

impl Received {
    /// A text of the body; empty if it is none.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }
}

#[derive(Debug, Default)]
struct State {
    received: Vec<Received>,
    problems: Vec<String>,
    next: VecDeque<Behaviour>,
    usual: Option<Behaviour>,
    /// By `callId` and `to`, the body that came first.
    bodies: HashMap<(String, String), Value>,
    connections: usize,
    answers: usize,
}

#[derive(Debug)]
struct Inner {
    secret: String,
    state: Mutex<State>,
    count: watch::Sender<usize>,
}

/// A backend that takes callbacks. It is down when it is dropped.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    inner: Arc<Inner>,
    stop: CancellationToken,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Receiver {
    /// Starts one on a free port of this machine. Callbacks must be signed with this secret.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start(secret: &str) -> io::Result<Self> {
        Self::start_at(secret, ([127, 0, 0, 1], 0).into()).await
    }

    /// Starts one there: where another was before.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start_at(secret: &str, address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (count, _) = watch::channel(0);
        let inner = Arc::new(Inner { secret: secret.to_owned(), state: Mutex::default(), count });
        let stop = CancellationToken::new();
        tokio::spawn(accept(listener, inner.clone(), stop.clone()));
        Ok(Self { address, inner, stop })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/callback", self.address)
    }

    /// How it answers from now on; 200 without this.
    pub fn behave(&self, usual: Behaviour) {
        self.inner.state.lock().usual = Some(usual);
    }

    /// How it answers the next requests, one each, before it answers as usual.
    pub fn behave_next(&self, next: impl IntoIterator<Item = Behaviour>) {
        self.inner.state.lock().next.extend(next);
    }

    /// Everything that came.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.inner.state.lock().received.clone()
    }

    /// What came and was answered with 200, each callback once.
    #[must_use]
    pub fn taken(&self) -> Vec<Received> {
        let mut seen = std::collections::HashSet::new();
        let mut taken = self.received();
        taken.retain(|one| {
            one.status == Some(200) && seen.insert((one.text("callId").to_owned(), one.text("to").to_owned()))
        });
        taken
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

    /// How many requests were answered.
    #[must_use]
    pub fn answers(&self) -> usize {
        self.inner.state.lock().answers
    }

    /// Waits until so many requests came. Returns everything that came, or `None` if it takes longer than `patience`.
    pub async fn wait_for(&self, requests: usize, patience: Duration) -> Option<Vec<Received>> {
        let mut count = self.inner.count.subscribe();
        let came = count.wait_for(|count| *count >= requests);
        timeout(patience, came).await.ok()?.ok()?;
        Some(self.received())
    }
}

async fn accept(listener: TcpListener, inner: Arc<Inner>, stop: CancellationToken) {
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => return,
            },
            () = stop.cancelled() => return,
        };
        inner.state.lock().connections += 1;
        tokio::spawn(serve(stream, inner.clone(), stop.clone()));
    }
}

async fn serve(stream: TcpStream, inner: Arc<Inner>, stop: CancellationToken) {
    let service = service_fn(|request| {
        let inner = inner.clone();
        async move { inner.answer(request).await }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        _ended = connection => {}
        () = stop.cancelled() => {}
    }
}

/// Makes hyper close the connection.
#[derive(Debug, thiserror::Error)]
#[error("cut")]
struct Cut;

impl Inner {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Cut> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        let behaviour = {
            let mut state = self.state.lock();
            let usual = state.usual.clone().unwrap_or(Behaviour::OK);
            state.next.pop_front().unwrap_or(usual)
        };
        let status = match &behaviour {
            Behaviour::Answer(status, _) | Behaviour::Late(_, status, _) => Some(*status),
            Behaviour::Redirect(_) => Some(302),
            Behaviour::Hang | Behaviour::Cut => None,
        };
        self.note(&head, &body, status);
        let answer = act(behaviour).await;
        self.state.lock().answers += 1;
        answer
    }

    fn note(&self, head: &http::request::Parts, body: &[u8], status: Option<u16>) {
        let mut problems = Vec::new();
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if head.method != Method::POST {
            problems.push(format!("the method is {}", head.method));
        }
        if header(CONTENT_TYPE.as_str()) != "application/json" {
            problems.push(format!("the media type is {:?}", header(CONTENT_TYPE.as_str())));
        }
        let signed_at_s = signature::verify(&self.secret, header(signature::HEADER), body).unwrap_or_else(|| {
            problems.push(format!("{} is wrong: {:?}", signature::HEADER, header(signature::HEADER)));
            0
        });
        let parsed = serde_json::from_slice::<Value>(body).unwrap_or_else(|error| {
            problems.push(format!("the body is no JSON: {error}"));
            Value::Null
        });
        self.check_security(&parsed, &mut problems);
        let mut state = self.state.lock();
        let key = (parsed["callId"].to_string(), parsed["to"].to_string());
        if state.bodies.entry(key).or_insert_with(|| parsed.clone()) != &parsed {
            problems.push(format!("{} came again with another body", parsed["callId"]));
        }
        state.problems.extend(problems);
        let target = head.uri.path_and_query().map_or_else(String::new, ToString::to_string);
        state.received.push(Received { body: parsed, target, signed_at_s, status });
        let count = state.received.len();
        drop(state);
        self.count.send_replace(count);
    }

    /// `security` is the MD5, in hex, of `callId`, secret and `timestamp` (callback documents).
    fn check_security(&self, body: &Value, problems: &mut Vec<String>) {
        let (Some(id), Some(timestamp)) = (body["callId"].as_str(), body["timestamp"].as_u64()) else {
            problems.push(format!("callId or timestamp is missing: {body}"));
            return;
        };
        let digest = Md5::digest(format!("{id}{}{timestamp}", self.secret));
        let expected: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        if body["security"] != expected.as_str() {
            problems.push(format!("security is {}, not {expected}", body["security"]));
        }
    }
}

/// Does as told.
async fn act(behaviour: Behaviour) -> Result<Response<Full<Bytes>>, Cut> {
    let (status, body) = match behaviour {
        Behaviour::Answer(status, body) => (status, body),
        Behaviour::Late(wait, status, body) => {
            tokio::time::sleep(wait).await;
            (status, body)
        }
        Behaviour::Redirect(to) => {
            let redirect = Response::builder().status(StatusCode::FOUND).header(http::header::LOCATION, to);
            return redirect.body(Full::default()).map_err(|_| Cut);
        }
        Behaviour::Hang => {
            return std::future::pending::<Result<_, Infallible>>().await.map_err(|never| match never {});
        }
        Behaviour::Cut => return Err(Cut),
    };
    Response::builder().status(status).body(Full::new(body)).map_err(|_| Cut)
}
