//! The server: put together from its parts, started, and ended in order.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use prometheus_client::registry::Registry;
use stentor_api_rtm::{HandleKey, RtmLogins, RtmSetup, RtmState};
use stentor_core::bus::in_process::InProcessBus;
use stentor_core::clock::{Clock, SystemClock};
use stentor_core::id::NodeId;
use stentor_core::node::{Node, NodeConfig};
use stentor_core::store::memory::MemoryStore;
use stentor_core::store::{Store, StoreError};
use stentor_gateway_ws::{GatewayConfig, GatewayState};
use stentor_http_kit::{Observe, RequestIds};
use stentor_store_embedded::{EmbeddedStore, OpenError, Options};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::{Admin, docs};
use crate::config::storage::Engine;
use crate::config::{AppConfig, Config};
use crate::data_dir::{DataDir, DataDirError};
use crate::first_start::{CredentialsError, made_up};
use crate::local::{LOCAL, Local};
use crate::metrics::{HttpCounters, PREFIX, Page, Process, Reading, Readings};
use crate::transport::{Cors, Gate, HttpTimes, Listener, Routers, Tls, TlsError, bind};
use crate::{compose, files};

/// What is left of the ten seconds for closing the store.
const STORE_CLOSE_TIMEOUT: Duration = Duration::from_millis(1_500);

/// For what the node still does by itself when its clients are gone.
const NODE_STOP_TIMEOUT: Duration = Duration::from_millis(500);

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The made-up app cannot be used.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The store cannot be opened.
    #[error("{}", with_causes(.0))]
    Open(#[from] OpenError),
    /// The store cannot be read.
    #[error("{}", with_causes(.0))]
    Store(#[from] StoreError),
    /// Certificate or key cannot be used.
    #[error("tls: {0}")]
    Tls(#[from] TlsError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The operating system gives no random numbers.
    #[error("no random numbers: {0}")]
    Random(getrandom::Error),
    /// A task did not do its work.
    #[error("the start was interrupted")]
    Interrupted,
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

/// What tests put in the place of the real thing.
#[derive(Default)]
pub struct Parts {
    /// The time; the machine's without one.
    pub clock: Option<Arc<dyn Clock>>,
    /// The store; that of the configuration without one.
    pub store: Option<Arc<dyn Store>>,
    /// Where random choices start; the operating system's choice without one.
    pub seed: Option<u64>,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("clock", &self.clock).field("seed", &self.seed).finish_non_exhaustive()
    }
}

/// A running server. Dropping it stops accepting; [`Server::shutdown`] ends it in order.
pub struct Server {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    config: Config,
    new_app: Option<AppConfig>,
    node: Node,
    gateway: GatewayState,
    tls: Option<Arc<Tls>>,
    directory: Arc<DataDir>,
    /// No more connections, and no more requests on those that are there.
    stop: CancellationToken,
    /// End what is still there.
    cut: CancellationToken,
    connections: TaskTracker,
    /// A task of the server's own has ended: it panicked.
    broken: CancellationToken,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        self.cut.cancel();
    }
}

impl Server {
    /// Starts a server. It accepts connections when this returns.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn spawn(config: Config) -> Result<Self, StartError> {
        Self::spawn_with(config, Parts::default()).await
    }

    /// Starts a server of which some parts are given.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn spawn_with(mut config: Config, parts: Parts) -> Result<Self, StartError> {
        let directory = Arc::new(DataDir::open(config.data_dir())?);
        let new_app = add_made_up_app(&mut config, &directory)?;
        let tls = open_tls(&config)?;
        let socket = listen(config.server.listen.0)?;
        let metrics_socket = config.server.metrics_listen.map(|address| listen(address.0)).transpose()?;
        let (address, metrics_address) = (local_address(&socket)?, metrics_socket.as_ref().map(local_address).transpose()?);
        let core = start_core(&config, parts, &directory).await?;
        let stop = CancellationToken::new();
        let server = Self {
            address,
            metrics_address,
            new_app,
            node: core.node.clone(),
            gateway: core.gateway.clone(),
            tls,
            directory,
            cut: CancellationToken::new(),
            connections: TaskTracker::new(),
            broken: CancellationToken::new(),
            stop,
            config,
        };
        server.serve(core, socket, metrics_socket)?;
        let certificate = server.tls.as_ref().map(|tls| tls.certificate());
        server.directory.write_secret(LOCAL, &Local::of(address, certificate, &server.config.apps).to_toml())?;
        Ok(server)
    }

    /// Starts the tasks: the node's own, and the listeners.
    fn serve(&self, core: Core, socket: TcpListener, metrics_socket: Option<TcpListener>) -> Result<(), StartError> {
        let Core { node, gateway, mut registry, seed } = core;
        let gate = Arc::new(Gate::new(self.config.server.max_connections.get(), files::limit()));
        let http = Arc::new(HttpCounters::register(&mut registry));
        register_readings(&mut registry, &node, &gateway, &gate);
        let admin = Admin::new(node.clone(), Page::new(registry));
        let served = self.routes(&node, &gateway, &admin, http, seed)?;

        let listener = |socket, tls: Option<Arc<Tls>>, routers, gate| {
            let gateway = gateway.clone();
            Listener {
                socket,
                gate,
                upgraded: Arc::new(move || usize::try_from(gateway.counters().open).unwrap_or(usize::MAX)),
                tls,
                handshake_timeout: Duration::from_millis(self.config.tls.handshake_timeout_ms.get()),
                times: HttpTimes::from(&self.config.http),
                routers,
                stop: self.stop.clone(),
                cut: self.cut.clone(),
                connections: self.connections.clone(),
            }
        };
        if let Some(socket) = metrics_socket {
            let routers = Routers { served: admin.full(), full: admin.full() };
            self.keep_running(listener(socket, None, routers, Arc::new(Gate::new(64, None))).run());
        }
        let routers = Routers { served, full: admin.full() };
        self.keep_running(listener(socket, self.tls.clone(), routers, gate).run());
        self.keep_running(async move { node.run().await });
        Ok(())
    }

    /// A task of the server's own, which ends with it. If it ends before, the server is broken.
    fn keep_running(&self, task: impl Future<Output = ()> + Send + 'static) {
        let (stop, cut, broken) = (self.stop.clone(), self.cut.clone(), self.broken.clone());
        tokio::spawn(async move {
            let mut task = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(task));
            tokio::select! {
                _ended = &mut task => if !stop.is_cancelled() { broken.cancel() },
                () = cut.cancelled() => {}
            }
        });
    }

    /// Waits until the server cannot go on by itself; that never happens in a server without bugs.
    pub async fn broken(&self) {
        self.broken.cancelled().await;
    }

    fn routes(
        &self,
        node: &Node,
        gateway: &GatewayState,
        admin: &Admin,
        http: Arc<HttpCounters>,
        seed: u64,
    ) -> Result<Router, StartError> {
        let observe = Observe::new(Arc::new(RequestIds::new(seed)), http);
        let rtm = stentor_api_rtm::router(RtmState::new(RtmSetup {
            node: node.clone(),
            apps: self.config.apps.iter().map(compose::rtm_app).collect(),
            observe: observe.clone(),
            handle_key: HandleKey::new(random()?),
            body_timeout: Duration::from_millis(self.config.http.body_timeout_ms.get()),
        }));
        let elsewhere = any(stentor_api_rtm::no_route).layer(observe.route("unmatched"));
        let mut router = Router::new()
            .merge(rtm)
            .merge(stentor_gateway_ws::router(gateway.clone()))
            .merge(admin.health())
            .merge(docs())
            .fallback_service(elsewhere);
        if self.metrics_address.is_none() {
            router = router.merge(admin.metrics());
        }
        Ok(router.layer(Cors::new(&self.config.server.cors_origins)))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it serves metrics, if not there.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Its address as a URL.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The configuration it runs with, made-up app included.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The app that was made up at this start, if it is the first.
    #[must_use]
    pub fn new_app(&self) -> Option<&AppConfig> {
        self.new_app.as_ref()
    }

    /// The core.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Its data directory.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.directory.path()
    }

    /// Reads certificate and key again. Without TLS, does nothing.
    ///
    /// # Errors
    /// When they cannot be used; those from before stay.
    pub fn reload_tls(&self) -> Result<(), TlsError> {
        self.tls.as_ref().map_or(Ok(()), |tls| tls.reload())
    }

    /// Ends it in order: no more connections, clients are told to come back, requests are finished, everything that
    /// was accepted is durable. Takes at most ten seconds.
    ///
    /// # Errors
    /// When the store could not be closed in time, or failed.
    pub async fn shutdown(self) -> Result<(), StoreError> {
        self.node.drain(self.config.server.drain_spread_ms.get());
        self.gateway.close();
        self.stop.cancel();
        self.connections.close();
        let timeout = Duration::from_millis(self.config.server.drain_timeout_ms.get());
        let ended = async {
            self.gateway.closed().await;
            self.connections.wait().await;
        };
        if tokio::time::timeout(timeout, ended).await.is_err() {
            tracing::warn!(connections = self.connections.len(), "connections that did not end in time are cut");
        }
        if tokio::time::timeout(NODE_STOP_TIMEOUT, self.node.stopped()).await.is_err() {
            tracing::warn!("the node did not finish its work in time");
        }
        self.cut.cancel();
        self.directory.remove(LOCAL);
        match tokio::time::timeout(STORE_CLOSE_TIMEOUT, self.node.store().close()).await {
            Ok(closed) => closed,
            Err(elapsed) => Err(StoreError::Failed(Box::new(elapsed))),
        }
    }
}

fn add_made_up_app(config: &mut Config, directory: &DataDir) -> Result<Option<AppConfig>, StartError> {
    if !config.apps.is_empty() {
        return Ok(None);
    }
    let made_up = made_up(directory)?;
    config.apps = made_up.apps;
    Ok(config.apps.first().filter(|_| made_up.new).cloned())
}

pub(crate) fn open_tls(config: &Config) -> Result<Option<Arc<Tls>>, StartError> {
    match (&config.tls.certificate, &config.tls.key) {
        (Some(certificate), Some(key)) => Ok(Some(Arc::new(Tls::open(&certificate.0, &key.0)?))),
        _ => Ok(None),
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    bind(address).map_err(|source| StartError::Listen { address, source })
}

fn local_address(socket: &TcpListener) -> Result<SocketAddr, StartError> {
    socket.local_addr().map_err(|source| StartError::Listen { address: ([0, 0, 0, 0], 0).into(), source })
}

fn random<const N: usize>() -> Result<[u8; N], StartError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(StartError::Random)?;
    Ok(bytes)
}

/// What is there before anything is served.
struct Core {
    node: Node,
    gateway: GatewayState,
    registry: Registry,
    seed: u64,
}

async fn start_core(config: &Config, parts: Parts, directory: &DataDir) -> Result<Core, StartError> {
    let seed = parts.seed.map_or_else(|| random().map(u64::from_ne_bytes), Ok)?;
    let clock = parts.clock.unwrap_or_else(|| Arc::new(SystemClock::new()));
    let store = match parts.store {
        Some(store) => store,
        None => open_store(config, directory).await?,
    };
    let mut registry = Registry::with_prefix(PREFIX);
    let node = NodeConfig {
        node: NodeId::SINGLE,
        apps: config.apps.iter().map(|app| compose::app_policy(config, app)).collect(),
        seed,
    };
    let node = Node::start(node, store, Arc::new(InProcessBus::alone()), clock, &mut registry).await?;
    let logins = Arc::new(RtmLogins::new(config.apps.iter().map(compose::rtm_app)));
    let gateway = GatewayState::new(node.clone(), logins, GatewayConfig::default());
    Ok(Core { node, gateway, registry, seed })
}

async fn open_store(config: &Config, directory: &DataDir) -> Result<Arc<dyn Store>, StartError> {
    match config.store.engine {
        Engine::Memory => Ok(Arc::new(MemoryStore::default())),
        Engine::Embedded => {
            let options =
                Options { queue_bound: config.store.queue.size(), check_pages: config.store.check_pages_at_start };
            let path = directory.path().to_owned();
            // Opening reads from the disk, and after a crash replays the log.
            let open = tokio::task::spawn_blocking(move || EmbeddedStore::open(&path, &options));
            Ok(Arc::new(open.await.map_err(|_panicked| StartError::Interrupted)??))
        }
    }
}

fn register_readings(registry: &mut Registry, node: &Node, gateway: &GatewayState, gate: &Arc<Gate>) {
    let process = Process::started(node.clock().wall_ms());
    let (node, gateway, gate) = (node.clone(), gateway.clone(), gate.clone());
    registry.register_collector(Box::new(Readings(move || {
        let (census, sockets) = (node.census(), gateway.counters());
        let count = |count: usize| count as u64;
        let mut readings = vec![
            Reading::gauge("sessions_attached", "Sessions with a connection", count(census.attached)),
            Reading::gauge("sessions_detached", "Sessions whose client may come back", count(census.detached)),
            Reading::gauge("rooms", "Rooms (channels) with members or attributes", count(census.rooms)),
            Reading::gauge("mailbox_notices", "Notices that wait in mailboxes", count(census.waiting)),
            Reading::gauge("http_connections", "HTTP connections", count(gate.open())),
            Reading::gauge("max_connections", "Connections that may be served at once", count(gate.max())),
            Reading::counter("connections_turned_away", "Connections beyond the maximum", gate.turned_away()),
            Reading::gauge("gateway_connections", "WebSocket connections", sockets.open),
            Reading::counter("gateway_accepted", "WebSocket connections accepted", sockets.accepted),
            Reading::counter("gateway_frames_in", "Frames from clients", sockets.frames_in),
            Reading::counter("gateway_bytes_in", "Bytes from clients", sockets.bytes_in),
            Reading::counter("gateway_frames_out", "Frames to clients", sockets.frames_out),
            Reading::counter("gateway_bytes_out", "Bytes to clients", sockets.bytes_out),
            Reading::counter("gateway_writes", "Writes to sockets; a write takes several frames", sockets.writes),
            Reading::counter("gateway_blocked", "Times that a socket took no more", sockets.blocked),
            Reading::counter("gateway_refused_logins", "Logins refused", sockets.refused_logins),
            Reading::counter("gateway_violations", "Clients that broke the protocol", sockets.violations),
            Reading::counter("gateway_slow_consumers", "Clients that read too slowly", sockets.slow_consumers),
        ];
        readings.extend(node.store().counters().into_iter().map(|(name, help, value)| {
            // The store says what it counts; what waits is the one figure that goes up and down.
            if name.ends_with("_length") { Reading::gauge(name, help, value) } else { Reading::counter(name, help, value) }
        }));
        readings.extend(process.readings());
        readings
    })));
}
