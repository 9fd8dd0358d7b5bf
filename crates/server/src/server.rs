//! The server: put together from its parts, started, and ended in order.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Extensions;
use axum::routing::any;
use stentor_api_chat::ChatState;
use stentor_api_chat::callbacks::Callbacks;
use stentor_api_rtm::{HandleKey, RtmSetup, RtmState};
use stentor_core::clock::{Clock, SystemClock};
use stentor_core::node::Node;
use stentor_core::store::StoreError;
use stentor_files::FileStore;
use stentor_gateway_ws::{Carrier, GatewayState, Protocol};
use stentor_http_kit::{Observe, RequestId};
use stentor_push_queue::PushQueue;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Layer;

mod error;
mod parts;
mod pushes;

pub use error::StartError;
pub use parts::Parts;

pub(crate) use parts::push_services;
use parts::{Core, random, start_core};

use crate::admin::{Admin, docs};
use crate::config::{AppConfig, Config};
use crate::data_dir::DataDir;
use crate::dns::Dns;
use crate::first_start::made_up;
use crate::local::{LOCAL, Local};
use crate::metrics::{Page, register_figures};
use crate::transport::{Cors, Gate, HttpTimes, Listener, Served, Tls, TlsError, WithCors, bind};
use crate::{compose, files};

/// What is left of the ten seconds for closing the store.
const STORE_CLOSE_TIMEOUT: Duration = Duration::from_millis(1_500);

/// For what the node and the file store still do by themselves when their clients are gone.
const NODE_STOP_TIMEOUT: Duration = Duration::from_millis(500);

/// How often files that no record knows are looked for.
const FILES_SWEEP_EVERY: Duration = Duration::from_secs(86_400);

/// A running server. Dropping it stops accepting; [`Server::shutdown`] ends it in order.
pub struct Server {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    sdk_tcp_address: Option<SocketAddr>,
    config: Config,
    new_app: Option<AppConfig>,
    node: Node,
    gateway: GatewayState,
    callbacks: Vec<Callbacks>,
    pushes: Vec<PushQueue>,
    files: FileStore,
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
        self.callbacks.iter().for_each(|callbacks| callbacks.outbox().cancel());
        self.pushes.iter().for_each(PushQueue::cancel);
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
        let sdk_socket = sdk_tcp(&config).map(listen).transpose()?;
        let address = local_address(&socket)?;
        let metrics_address = metrics_socket.as_ref().map(local_address).transpose()?;
        let sdk_tcp_address = sdk_socket.as_ref().map(local_address).transpose()?;
        let core = start_core(&config, parts, &directory).await?;
        let stop = CancellationToken::new();
        let server = Self {
            address,
            metrics_address,
            sdk_tcp_address,
            new_app,
            node: core.node.clone(),
            gateway: core.gateway.clone(),
            callbacks: core.callbacks.clone(),
            pushes: core.pushes.clone(),
            files: core.files.clone(),
            tls,
            directory,
            cut: CancellationToken::new(),
            connections: TaskTracker::new(),
            broken: CancellationToken::new(),
            stop,
            config,
        };
        server.serve(core, Sockets { main: socket, metrics: metrics_socket, sdk_tcp: sdk_socket })?;
        let certificate = server.tls.as_ref().map(|tls| tls.certificate());
        server.directory.write_secret(LOCAL, &Local::of(address, certificate, &server.config.apps).to_toml())?;
        Ok(server)
    }

    /// Starts the tasks: the node's own, and the listeners.
    fn serve(&self, core: Core, sockets: Sockets) -> Result<(), StartError> {
        let Core { node, chat, callbacks, pushes, files: _, gateway, observe, mut registry } = core;
        callbacks.iter().for_each(|callbacks| callbacks.outbox().start());
        pushes.iter().for_each(PushQueue::start);
        let gate = Arc::new(Gate::new(self.config.server.max_connections.get(), files::limit()));
        register_figures(&mut registry, &node, &gateway, &gate);
        let admin = Admin::new(node.clone(), Page::new(registry), observe.clone());
        let swept = chat.clone();
        let routes = self.routes(&node, chat, &gateway, &admin, &observe)?;

        let listener = |socket, tls: Option<Arc<Tls>>, served, gate| {
            let gateway = gateway.clone();
            Listener {
                socket,
                gate,
                upgraded: Arc::new(move || usize::try_from(gateway.counters().open).unwrap_or(usize::MAX)),
                tls,
                handshake_timeout: Duration::from_millis(self.config.tls.handshake_timeout_ms.get()),
                times: HttpTimes::from(&self.config.http),
                served,
                stop: self.stop.clone(),
                cut: self.cut.clone(),
                connections: self.connections.clone(),
            }
        };
        if let Some(socket) = sockets.metrics {
            let served = Served::Http { routes: self.cors().layer(admin.full()), full: admin.full() };
            self.keep_running(listener(socket, None, served, Arc::new(Gate::new(64, None))).run());
        }
        if let Some(socket) = sockets.sdk_tcp {
            let served = Served::Gateway(gateway.clone());
            self.keep_running(listener(socket, self.tls.clone(), served, gate.clone()).run());
        }
        let served = Served::Http { routes, full: admin.full() };
        self.keep_running(listener(sockets.main, self.tls.clone(), served, gate).run());
        self.keep_running(async move { node.run().await });
        self.keep_running(sweep_files(swept));
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
        chat: ChatState,
        gateway: &GatewayState,
        admin: &Admin,
        observe: &Observe,
    ) -> Result<WithCors<Router>, StartError> {
        let rtm = stentor_api_rtm::router(RtmState::new(RtmSetup {
            node: node.clone(),
            apps: self.config.apps.iter().map(compose::rtm_app).collect(),
            observe: observe.clone(),
            handle_key: HandleKey::new(random()?),
            body_timeout: Duration::from_millis(self.config.http.body_timeout_ms.get()),
        }));
        let request_id = |extensions: &Extensions| extensions.get().copied().map_or(0, |RequestId(id)| id);
        let clients = |protocol: Protocol, path: &str| {
            // Metrics name the route by what it is, wherever it is.
            stentor_gateway_ws::router(gateway.clone(), protocol, path, request_id)
                .layer(observe.route(protocol.path()))
        };
        let sdk = &self.config.gateway;
        let elsewhere = any(stentor_api_rtm::no_route).layer(observe.route("unmatched"));
        let mut router = Router::new()
            .merge(rtm)
            .merge(stentor_api_chat::router(chat))
            .merge(clients(Protocol::Rtm, Protocol::Rtm.path()))
            .merge(clients(Protocol::Chat, Protocol::Chat.path()))
            .merge(admin.health())
            .merge(docs(observe))
            .fallback_service(elsewhere);
        if sdk.sdk {
            let sockjs = stentor_gateway_ws::sockjs_router(gateway.clone(), sdk.sdk_sockjs_path.as_str(), request_id);
            router = router
                .merge(clients(Protocol::Msync(Carrier::WebSocket), sdk.sdk_path.as_str()))
                .merge(sockjs.layer(observe.route(Protocol::Msync(Carrier::SockJs).path())))
                .merge(Dns::new(&self.config).router(observe));
        }
        if self.metrics_address.is_none() {
            router = router.merge(admin.metrics());
        }
        // Around the router and not in it, where every route would pay for it.
        Ok(self.cors().layer(router))
    }

    fn cors(&self) -> Cors {
        let sockjs = self.config.gateway.sdk_sockjs_path.as_str();
        Cors::new(&self.config.server.cors_origins).with_credentials_at(&format!("{sockjs}/info"))
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

    /// Where it serves the SDKs that connect without HTTP, if it does.
    #[must_use]
    pub fn sdk_tcp_address(&self) -> Option<SocketAddr> {
        self.sdk_tcp_address
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

    /// The callbacks of its apps.
    #[must_use]
    pub fn callbacks(&self) -> &[Callbacks] {
        &self.callbacks
    }

    /// The push queues of its apps.
    #[must_use]
    pub fn pushes(&self) -> &[PushQueue] {
        &self.pushes
    }

    /// Its data directory.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.directory.path()
    }

    /// Reads certificate and key again. `false` without TLS: there is nothing to read.
    ///
    /// # Errors
    /// When they cannot be used; those from before stay.
    pub fn reload_tls(&self) -> Result<bool, TlsError> {
        self.tls.as_ref().map_or(Ok(false), |tls| tls.reload().map(|()| true))
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
            // What happens on the way down is in the queues, for the next start.
            for callbacks in &self.callbacks {
                callbacks.outbox().stop().await;
            }
            for push in &self.pushes {
                push.stop().await;
            }
        };
        self.callbacks.iter().for_each(|callbacks| callbacks.outbox().cancel());
        self.pushes.iter().for_each(PushQueue::cancel);
        if tokio::time::timeout(timeout, ended).await.is_err() {
            tracing::warn!(connections = self.connections.len(), "connections that did not end in time are cut");
        }
        let stopped = async { tokio::join!(self.node.stopped(), self.files.close()) };
        if tokio::time::timeout(NODE_STOP_TIMEOUT, stopped).await.is_err() {
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

/// Deletes what uploads left that were killed: at the start, and every day.
async fn sweep_files(chat: ChatState) {
    let clock = SystemClock::new();
    loop {
        match stentor_api_chat::sweep_orphans(&chat, clock.wall_ms()).await {
            Ok(0) => {}
            Ok(swept) => tracing::info!(swept, "deleted files that no record knows"),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "the sweep of the files failed"),
        }
        tokio::time::sleep(FILES_SWEEP_EVERY).await;
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

/// What is listened on.
struct Sockets {
    main: TcpListener,
    metrics: Option<TcpListener>,
    sdk_tcp: Option<TcpListener>,
}

/// Where SDKs connect without HTTP.
fn sdk_tcp(config: &Config) -> Option<SocketAddr> {
    config.gateway.sdk_tcp_listen.filter(|_| config.gateway.sdk).map(|address| address.0)
}

fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    bind(address).map_err(|source| StartError::Listen { address, source })
}

fn local_address(socket: &TcpListener) -> Result<SocketAddr, StartError> {
    socket.local_addr().map_err(|source| StartError::Listen { address: ([0, 0, 0, 0], 0).into(), source })
}
