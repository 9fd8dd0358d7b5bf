//! What is there before anything is served: store, node and gateway.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;
use stentor_api_chat::app::app_key;
use stentor_api_chat::callbacks::{CallbackSetup, Callbacks};
use stentor_api_chat::{ChatApp, ChatLogins, ChatSetup, ChatState};
use stentor_api_rtm::RtmLogins;
use stentor_callbacks::metrics::Metrics;
use stentor_callbacks::{Client, SystemNames, no_trust, system_trust};
use stentor_core::bus::in_process::InProcessBus;
use stentor_core::clock::{Clock, SystemClock};
use stentor_core::id::NodeId;
use stentor_core::node::{Node, NodeConfig};
use stentor_core::store::Store;
use stentor_core::store::memory::MemoryStore;
use stentor_files::FileStore;
use stentor_gateway_ws::{GatewayConfig, GatewayState, Logins};
use stentor_http_kit::{Observe, RequestIds};
use stentor_push_queue::PushQueue;
use stentor_push_queue::certificates::{Certificates, CertificatesSetup, Services as PushServices};
use stentor_store_embedded::{EmbeddedStore, Options};
use stentor_token::access::AccessKey;

use super::error::StartError;
use super::pushes::{Connected, push_queues, watch};
use crate::compose::{self, CallbackRules};
use crate::config::Config;
use crate::config::storage::Engine;
use crate::data_dir::DataDir;
use crate::metrics::{HttpCounters, PREFIX};

/// What the tokens of the Chat API are signed with, in the data directory: they survive a restart.
const CHAT_KEY: &str = "chat-token.key";

/// What the secrets of push certificates are sealed with, in the data directory, unless the configuration has it.
const SEAL_KEY: &str = "push-seal.key";

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

/// What is there before anything is served.
pub(super) struct Core {
    pub(super) node: Node,
    pub(super) chat: ChatState,
    pub(super) callbacks: Vec<Callbacks>,
    pub(super) pushes: Vec<PushQueue>,
    pub(super) files: FileStore,
    pub(super) gateway: GatewayState,
    pub(super) observe: Observe,
    pub(super) registry: Registry,
}

/// What works for apps behind the Chat dialect, by their keys.
struct Services<'a> {
    callbacks: &'a HashMap<String, Callbacks>,
    certificates: &'a HashMap<String, Certificates>,
    pushes: &'a HashMap<String, PushQueue>,
}

/// Starts store, node, the Chat dialect and the gateway that asks it who may log in.
pub(super) async fn start_core(config: &Config, parts: Parts, directory: &DataDir) -> Result<Core, StartError> {
    let seed = parts.seed.map_or_else(|| random().map(u64::from_ne_bytes), Ok)?;
    let clock = parts.clock.unwrap_or_else(|| Arc::new(SystemClock::new()));
    let store = match parts.store {
        Some(store) => store,
        None => open_store(config, directory).await?,
    };
    let mut registry = Registry::with_prefix(PREFIX);
    let node = NodeConfig {
        node: NodeId::SINGLE,
        apps: config
            .apps
            .iter()
            .flat_map(|app| [Some(compose::app_policy(config, app)), compose::chat_policy(config, app)])
            .flatten()
            .collect(),
        seed,
    };
    let node = Node::start(node, store, Arc::new(InProcessBus::alone()), clock, &mut registry).await?;
    let callbacks = callbacks(config, &node, seed, &mut registry).await?;
    let push_services = push_services(config)?;
    let certificates = certificates(config, directory, &node, &push_services).await?;
    let translator = compose::translator(&config.push, &push_services.trust, node.clock())
        .map_err(|error| StartError::Translator(error.to_string()))?;
    let connected = Connected { callbacks: &callbacks, certificates: &certificates, translator };
    let pushes = push_queues(config, &node, seed, connected, &mut registry).await?;
    watch(&node, &callbacks, &pushes)?;
    let http = Arc::new(HttpCounters::register(&mut registry));
    let observe = Observe::new(Arc::new(RequestIds::new(seed)), http);
    let files = open_files(config).await?;
    let services = Services { callbacks: &callbacks, certificates: &certificates, pushes: &pushes };
    let chat = chat(config, directory, &node, &observe, &services, &files)?;
    let logins = Logins {
        rtm: Arc::new(RtmLogins::new(config.apps.iter().map(compose::rtm_app))),
        chat: Arc::new(ChatLogins::new(chat.clone())),
    };
    let gateway_config = GatewayConfig {
        sdk_compression: config.gateway.sdk_compression,
        sdk_tcp_silence: Duration::from_secs(config.gateway.sdk_tcp_silence_s.get()),
        sdk_resent_items: config.gateway.sdk_resent_items.size(),
        ..GatewayConfig::default()
    };
    let gateway = GatewayState::new(node.clone(), logins, gateway_config);
    gateway.remember_sent().await?;
    let (callbacks, pushes) = (callbacks.into_values().collect(), pushes.into_values().collect());
    Ok(Core { node, chat, callbacks, pushes, files, gateway, observe, registry })
}

/// The callbacks of every app with a Chat side, by its key.
async fn callbacks(
    config: &Config,
    node: &Node,
    seed: u64,
    registry: &mut Registry,
) -> Result<HashMap<String, Callbacks>, StartError> {
    let metrics = Metrics::register(registry);
    let trust = if config.apps.iter().any(|app| !app.callbacks.is_empty()) { system_trust() } else { no_trust() };
    let client = Client::new(Arc::new(SystemNames), trust.map_err(StartError::CallbackTls)?);
    let host = config.server.public_url.as_deref().and_then(|url| url.split("://").nth(1)).unwrap_or("stentor");
    let mut all = HashMap::new();
    for app in &config.apps {
        let Some((org, name)) = compose::chat_names(app) else { continue };
        let CallbackRules { post_send, pre_send, bounds } = compose::callback_rules(app);
        let setup = CallbackSetup {
            app_key: app_key(org, name),
            host: host.to_owned(),
            post_send,
            pre_send,
            bounds,
            client: client.clone(),
            clock: node.clock().clone(),
            seed,
            metrics: metrics.clone(),
        };
        all.insert(setup.app_key.clone(), Callbacks::open(setup, node.store().clone()).await?);
    }
    Ok(all)
}

/// Where the services of push are, and whom to trust for them: reads the file that says so.
pub(crate) fn push_services(config: &Config) -> Result<PushServices, StartError> {
    let section = &config.push;
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| StartError::PushTrust(error.to_string()));
    let authorities = section.ca_file.as_ref().map(|file| read(&file.0)).transpose()?;
    let services = compose::push_services(section, authorities.as_deref());
    services.map_err(|error| StartError::PushTrust(error.to_string()))
}

/// The push certificates of every app with a Chat side, by its key.
async fn certificates(
    config: &Config,
    directory: &DataDir,
    node: &Node,
    services: &PushServices,
) -> Result<HashMap<String, Certificates>, StartError> {
    let sealing_key = match &config.push.sealing_key {
        Some(key) => *key.expose(),
        None => directory.key(SEAL_KEY)?,
    };
    let mut all = HashMap::new();
    for (org, name) in config.apps.iter().filter_map(compose::chat_names) {
        let key = app_key(org, name);
        let Some(app) = node.app(&key) else { continue };
        let setup = CertificatesSetup { node: node.clone(), app, sealing_key, services: services.clone() };
        all.insert(key, Certificates::open(setup).await?);
    }
    Ok(all)
}

fn chat(
    config: &Config,
    directory: &DataDir,
    node: &Node,
    observe: &Observe,
    services: &Services<'_>,
    files: &FileStore,
) -> Result<ChatState, StartError> {
    let app = |app| {
        let mut chat: ChatApp = compose::chat_app(app)?;
        chat.callbacks = services.callbacks.get(&chat.key()).cloned();
        chat.certificates = services.certificates.get(&chat.key()).cloned();
        chat.push = services.pushes.get(&chat.key()).cloned();
        Some(chat)
    };
    Ok(ChatState::new(ChatSetup {
        node: node.clone(),
        apps: config.apps.iter().filter_map(app).collect(),
        observe: observe.clone(),
        access_key: AccessKey::new(directory.key(CHAT_KEY)?),
        body_timeout: Duration::from_millis(config.http.body_timeout_ms.get()),
        files: files.clone(),
        upload_idle_timeout: Duration::from_millis(config.files.upload_idle_timeout_ms.get()),
        public_url: config.server.public_url.clone(),
        tls: config.has_tls(),
    }))
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

async fn open_files(config: &Config) -> Result<FileStore, StartError> {
    let options = compose::file_store(config);
    // Opening a folder looks at every file in it.
    let open = tokio::task::spawn_blocking(move || FileStore::open(&options));
    Ok(open.await.map_err(|_panicked| StartError::Interrupted)??)
}

/// Random bytes of the operating system.
pub(super) fn random<const N: usize>() -> Result<[u8; N], StartError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(StartError::Random)?;
    Ok(bytes)
}
