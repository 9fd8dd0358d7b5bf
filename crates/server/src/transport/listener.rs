//! Accepts connections and hands each to its own task.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use stentor_gateway_ws::{GatewayState, Stream};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::{HttpTimes, KeepAlive, Serve, serve};
use super::cors::WithCors;
use super::gate::{Admission, Gate, Place};
use super::tls::Tls;

/// Connections that wait to be accepted: enough for the clients of a restarted server to come back at once.
const BACKLOG: u32 = 4096;

/// After an accept that failed because nothing is left to open files with.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(50);

/// Listens on an address.
///
/// # Errors
/// When it is taken or not ours.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart must not wait for the connections of the process before to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// What is served.
#[derive(Debug, Clone)]
pub(crate) enum Served {
    /// HTTP.
    Http {
        /// To a connection that has a place.
        routes: WithCors<Router>,
        /// To one beyond the maximum.
        full: Router,
    },
    /// The gateway, without HTTP before it. A connection beyond the maximum is closed.
    Gateway(GatewayState),
}

/// One listening socket.
pub(crate) struct Listener {
    pub(crate) socket: TcpListener,
    pub(crate) gate: Arc<Gate>,
    /// Connections that have left HTTP for the gateway.
    pub(crate) upgraded: Arc<dyn Fn() -> usize + Send + Sync>,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) handshake_timeout: Duration,
    pub(crate) times: HttpTimes,
    pub(crate) served: Served,
    /// Finish the request that is being answered.
    pub(crate) stop: CancellationToken,
    /// End at once.
    pub(crate) cut: CancellationToken,
    pub(crate) connections: TaskTracker,
}

impl Listener {
    /// Accepts until stopped.
    pub(crate) async fn run(self) {
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((tcp, _peer)) => self.accepted(tcp),
                // The client has gone again.
                Err(error) if is_of_the_client(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "no connection can be accepted");
                    tokio::time::sleep(PAUSE_AFTER_ERROR).await;
                }
            }
        }
    }

    fn accepted(&self, tcp: TcpStream) {
        match (self.gate.admit((self.upgraded)()), &self.served) {
            (Admission::Served(place), Served::Http { routes, .. }) => {
                self.http(tcp, place, routes.clone(), KeepAlive::Yes);
            }
            (Admission::Told(place), Served::Http { full, .. }) => self.http(tcp, place, full.clone(), KeepAlive::No),
            (Admission::Served(place), Served::Gateway(gateway)) => {
                let gateway = gateway.clone();
                // From here on it is counted there.
                self.spawn(tcp, place, move |stream| async move { gateway.serve_tcp(stream) });
            }
            (Admission::Told(_), Served::Gateway(_)) | (Admission::Closed, _) => {}
        }
    }

    fn http<S: Serve>(&self, tcp: TcpStream, place: Place, service: S, keep_alive: KeepAlive) {
        let (times, stop) = (self.times, self.stop.clone());
        self.spawn(tcp, place, move |stream| serve(stream, service, times, keep_alive, stop));
    }

    fn spawn<F>(&self, tcp: TcpStream, place: Place, serve: impl FnOnce(Stream) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send,
    {
        let acceptor = self.tls.as_ref().map(|tls| tls.acceptor());
        let (times, handshake_timeout, cut) = (self.times, self.handshake_timeout, self.cut.clone());
        let connection = async move {
            if prepare(&tcp, times).is_err() {
                return;
            }
            let Some(stream) = open(tcp, acceptor, handshake_timeout).await else { return };
            serve(stream).await;
        };
        self.connections.spawn(async move {
            let _place = place;
            tokio::select! {
                () = connection => {}
                () = cut.cancelled() => {}
            }
        });
    }
}

/// Sets what the kernel does for us.
fn prepare(tcp: &TcpStream, times: HttpTimes) -> io::Result<()> {
    // Messages are small and must not wait for each other.
    tcp.set_nodelay(true)?;
    // The HTTP library waits forever for a client that has asked and does not read the answer.
    Ok(rustix::net::sockopt::set_tcp_user_timeout(tcp, times.stalled_timeout_ms)?)
}

/// Shakes hands, with TLS. `None` if nothing came of it.
async fn open(tcp: TcpStream, acceptor: Option<TlsAcceptor>, timeout: Duration) -> Option<Stream> {
    let Some(acceptor) = acceptor else { return Some(Stream::Plain(tcp)) };
    match tokio::time::timeout(timeout, acceptor.accept(tcp)).await {
        Ok(Ok(tls)) => Some(Stream::Tls(Box::new(tls))),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake failed");
            None
        }
        Err(_elapsed) => None,
    }
}

fn is_of_the_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
