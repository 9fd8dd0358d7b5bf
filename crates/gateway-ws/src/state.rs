//! What the gateway is made of, and its settings.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use stentor_core::accounts::LoginCheck;
use stentor_core::id::AppId;
use stentor_core::lag::Lag;
use stentor_core::node::Node;
use stentor_core::store::StoreError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::carrier::Carrier;
use crate::counters::{Counters, CountersNow};
use crate::flusher::Flusher;
use crate::msync::resent::{ITEMS, Resent};
use crate::protocol::Protocol;
use crate::serve;
use crate::stream::Stream;
use crate::teller::{Numbers, Teller};

/// The gateway's settings. Times that belong to an app are in its policy instead.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// How long a client may take to log in.
    pub login_timeout: Duration,
    /// The largest message a client may send.
    pub max_frame_bytes: usize,
    /// How long a message may take from its first byte to its last.
    pub frame_timeout: Duration,
    /// How long a socket may take nothing while something is to be written.
    pub write_timeout: Duration,
    /// How long the last frames of a connection, and the client's answer to them, are waited for.
    pub close_timeout: Duration,
    /// Whether the vendor's Chat SDKs may compress. It takes memory for each connection and work for each delivery.
    pub sdk_compression: bool,
    /// After how long without a word a client that connected without HTTP counts as gone.
    pub sdk_tcp_silence: Duration,
    /// How long a client that compresses may take to say something after its login, before it is told anything.
    pub hold_timeout: Duration,
    /// Items of the SDKs that are known again, of each app: `msync::resent`. Some 64 bytes each.
    pub sdk_resent_items: usize,
    /// How often SockJS clients get a sign of life.
    pub sockjs_heartbeat: Duration,
    /// Tasks that write out mailboxes.
    pub flushers: NonZeroUsize,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            login_timeout: Duration::from_secs(6),
            max_frame_bytes: 64 * 1024,
            frame_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(1),
            sdk_compression: false,
            // Two of the SDKs' signs of life, one of which may be lost, and some time for the second.
            sdk_tcp_silence: Duration::from_secs(330),
            hold_timeout: Duration::from_secs(2),
            sdk_resent_items: ITEMS,
            sockjs_heartbeat: Duration::from_secs(25),
            flushers: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        }
    }
}

/// Who may log in, by protocol.
#[derive(Debug, Clone)]
pub struct Logins {
    /// Checks RTM clients.
    pub rtm: Arc<dyn LoginCheck>,
    /// Checks Chat clients.
    pub chat: Arc<dyn LoginCheck>,
}

/// The gateway: its router's state, and the handle that ends it. Cheap to clone.
#[derive(Clone)]
pub struct GatewayState(Arc<Inner>);

struct Inner {
    node: Node,
    logins: Logins,
    config: GatewayConfig,
    counters: Arc<Counters>,
    numbers: Arc<Numbers>,
    resent: Resent,
    flushers: Vec<Arc<Flusher>>,
    next_flusher: AtomicUsize,
    connections: TaskTracker,
    closing: CancellationToken,
}

impl std::fmt::Debug for GatewayState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GatewayState").field("config", &self.0.config).field("counters", &self.counters()).finish()
    }
}

impl GatewayState {
    /// A gateway to `node`, whose flushers run on the current tokio runtime.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn new(node: Node, logins: Logins, config: GatewayConfig) -> Self {
        let flusher = || Arc::new(Flusher::new(Arc::clone(node.clock())));
        let flushers: Vec<_> = (0..config.flushers.get()).map(|_| flusher()).collect();
        for flusher in &flushers {
            let lag: Arc<dyn Lag> = flusher.clone();
            node.watch_lag(Arc::downgrade(&lag));
            // Not tracked: it ends when the state is dropped, after the last connection.
            tokio::spawn(Arc::clone(flusher).run());
        }
        let counters = Arc::default();
        let resent = Resent::new(node.apps(), config.sdk_resent_items, &counters);
        let numbers = Arc::new(Numbers::new(Arc::clone(node.clock()), node.random()));
        Self(Arc::new(Inner {
            numbers,
            resent,
            node,
            logins,
            config,
            counters,
            flushers,
            next_flusher: AtomicUsize::new(0),
            connections: TaskTracker::new(),
            closing: CancellationToken::new(),
        }))
    }

    /// Reads what clients sent before the process began, so that it is known if they send it again. To be called before
    /// they connect.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remember_sent(&self) -> Result<(), StoreError> {
        let (node, clock) = (self.node(), self.node().clock());
        for app in node.apps() {
            let became = node.sent_items(app, self.config().sdk_resent_items).await?;
            self.0.resent.remember(app.id(), became, clock.wall_ms(), clock.monotonic_ms());
        }
        Ok(())
    }

    /// Takes no more connections and closes those that are not logged in. The others are closed by
    /// [`Node::drain`], which is to be called first.
    pub fn close(&self) {
        self.0.closing.cancel();
        self.0.resent.clear();
        self.0.connections.close();
    }

    /// Waits until [`GatewayState::close`] was called and every connection has ended.
    pub async fn closed(&self) {
        self.0.connections.wait().await;
    }

    /// The counters now.
    #[must_use]
    pub fn counters(&self) -> CountersNow {
        self.0.counters.now()
    }

    /// Serves a client of the vendor's SDKs for phones and desktops, which speak without HTTP.
    pub fn serve_tcp(&self, stream: Stream) {
        if !self.closing().is_cancelled() {
            let task = serve::run(self.clone(), Protocol::Msync(Carrier::Tcp), stream, Bytes::new());
            drop(self.connections().spawn(task));
        }
    }

    pub(crate) fn node(&self) -> &Node {
        &self.0.node
    }

    pub(crate) fn logins(&self, protocol: Protocol) -> &dyn LoginCheck {
        match protocol {
            Protocol::Rtm => &*self.0.logins.rtm,
            Protocol::Chat | Protocol::Msync(_) => &*self.0.logins.chat,
        }
    }

    /// The app that the vendor's Chat SDKs call so.
    pub(crate) fn sdk_app(&self, name: &str) -> Option<AppId> {
        self.0.logins.chat.app(name)
    }

    /// Numbers for what has none of its own.
    pub(crate) fn numbers(&self) -> &Numbers {
        &self.0.numbers
    }

    /// How the clients of a protocol are told.
    pub(crate) fn teller(&self, protocol: Protocol) -> Teller {
        Teller { protocol, numbers: Arc::clone(&self.0.numbers) }
    }

    /// What clients sent lately, for those that send it again.
    pub(crate) fn resent(&self) -> &Resent {
        &self.0.resent
    }

    pub(crate) fn config(&self) -> &GatewayConfig {
        &self.0.config
    }

    pub(crate) fn count(&self) -> &Arc<Counters> {
        &self.0.counters
    }

    pub(crate) fn connections(&self) -> &TaskTracker {
        &self.0.connections
    }

    pub(crate) fn closing(&self) -> &CancellationToken {
        &self.0.closing
    }

    /// The flusher of the next connection.
    pub(crate) fn flusher(&self) -> Arc<Flusher> {
        let next = self.0.next_flusher.fetch_add(1, Ordering::Relaxed);
        Arc::clone(&self.0.flushers[next % self.0.flushers.len()])
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.flushers.iter().for_each(|flusher| flusher.stop());
    }
}
