//! What every handler has at hand.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use stentor_core::app::App;
use stentor_core::node::Node;
use stentor_files::FileStore;
use stentor_http_kit::{BodyLimits, Observe};
use stentor_token::access::AccessKey;

use crate::app::ChatApp;
use crate::files::Files;
use crate::history::Downloads;
use crate::password::Passwords;

/// Bytes of a JSON request body that are read; a larger one is refused with 413. Messages have their own, smaller
/// limit.
pub const MAX_BODY_BYTES: usize = 512 * 1024;

/// Bytes read beyond that and thrown away, so that a client that is still writing gets to read the refusal.
const DISCARDED_BYTES: usize = 1024 * 1024;

/// What the dialect is made of.
#[derive(Debug)]
pub struct ChatSetup {
    /// The core. Apps that it does not know are not served.
    pub node: Node,
    /// The apps of this dialect.
    pub apps: Vec<ChatApp>,
    /// Request IDs and metrics.
    pub observe: Observe,
    /// What access tokens are signed with: the same after a restart and on every node.
    pub access_key: AccessKey,
    /// How long a request body may take to arrive; then 408.
    pub body_timeout: Duration,
    /// Where uploaded files are.
    pub files: FileStore,
    /// An upload that brings nothing for so long is given up; then 408.
    pub upload_idle_timeout: Duration,
    /// Under which URL clients reach the server (`https://chat.example.com`); without one, that of the `Host` header.
    pub public_url: Option<String>,
    /// Whether the server speaks TLS itself.
    pub tls: bool,
}

/// The state of the router. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ChatState(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    node: Node,
    by_name: HashMap<String, Arc<ChatApp>>,
    by_id: HashMap<String, Arc<ChatApp>>,
    observe: Observe,
    access_key: AccessKey,
    passwords: Passwords,
    body_limits: BodyLimits,
    files: Files,
    downloads: Downloads,
    public_url: Option<String>,
    tls: bool,
}

impl ChatState {
    /// Puts the dialect together.
    #[must_use]
    pub fn new(setup: ChatSetup) -> Self {
        let apps: Vec<_> = setup.apps.into_iter().map(Arc::new).collect();
        let limits =
            BodyLimits { max_bytes: MAX_BODY_BYTES, discard_bytes: DISCARDED_BYTES, timeout: setup.body_timeout };
        let files = Files::new(setup.files, setup.upload_idle_timeout);
        for chat in &apps {
            if let Some(app) = setup.node.app(&chat.key()) {
                files.keep(&setup.node, &app, chat);
            }
        }
        Self(Arc::new(Inner {
            node: setup.node,
            by_name: apps.iter().map(|app| (app.key().to_ascii_lowercase(), app.clone())).collect(),
            by_id: apps.iter().map(|app| (app.app_id.clone(), app.clone())).collect(),
            observe: setup.observe,
            access_key: setup.access_key,
            passwords: Passwords::default(),
            body_limits: limits,
            files,
            downloads: Downloads::default(),
            public_url: setup.public_url,
            tls: setup.tls,
        }))
    }

    /// The core.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.0.node
    }

    /// The app of this App Key (`org#app`, in any case).
    #[must_use]
    pub fn app_by_key(&self, key: &str) -> Option<&Arc<ChatApp>> {
        self.0.by_name.get(&key.to_ascii_lowercase())
    }

    /// The app of this App ID.
    #[must_use]
    pub fn app_by_id(&self, app_id: &str) -> Option<&Arc<ChatApp>> {
        self.0.by_id.get(app_id)
    }

    /// What checks and makes password hashes.
    #[must_use]
    pub fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    /// What access tokens are signed with.
    #[must_use]
    pub fn access_key(&self) -> &AccessKey {
        &self.0.access_key
    }

    pub(crate) fn observe(&self) -> &Observe {
        &self.0.observe
    }

    pub(crate) fn files(&self) -> &Files {
        &self.0.files
    }

    /// The places of downloads of the history.
    pub(crate) fn downloads(&self) -> &Downloads {
        &self.0.downloads
    }

    /// The apps that are served, with the core's side of each.
    pub(crate) fn apps(&self) -> impl Iterator<Item = (&Arc<ChatApp>, Arc<App>)> {
        self.0.by_id.values().filter_map(|chat| Some((chat, self.0.node.app(&chat.key())?)))
    }

    pub(crate) fn body_limits(&self) -> BodyLimits {
        self.0.body_limits
    }

    /// Where a client that sent this `Host` header reaches the server, without a slash at the end.
    pub(crate) fn base_url(&self, host: Option<&str>) -> String {
        if let Some(url) = &self.0.public_url {
            return url.trim_end_matches('/').to_owned();
        }
        let scheme = if self.0.tls { "https" } else { "http" };
        format!("{scheme}://{}", host.unwrap_or("localhost"))
    }
}
