//! What every handler has at hand.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use stentor_core::node::Node;
use stentor_http_kit::{BodyLimits, Observe};

use crate::app::{RtmApp, by_id};
use crate::history::handle::HandleKey;

/// Bytes of a request body that are read; a larger one is refused with 413. A payload has its own, smaller limit.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// Bytes read beyond that and thrown away, so that a client that is still writing gets to read the refusal.
const DISCARDED_BYTES: usize = 1024 * 1024;

/// What the dialect is made of.
#[derive(Debug)]
pub struct RtmSetup {
    /// The core. Apps that it does not know are not served.
    pub node: Node,
    /// The apps of this dialect.
    pub apps: Vec<RtmApp>,
    /// Request IDs and metrics.
    pub observe: Observe,
    /// What history handles are signed with: the same on every node of a cluster, and after a restart if handles
    /// are to survive it.
    pub handle_key: HandleKey,
    /// How long a request body may take to arrive; then 408.
    pub body_timeout: Duration,
}

/// The state of the router. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RtmState(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    node: Node,
    apps: HashMap<String, Arc<RtmApp>>,
    observe: Observe,
    handle_key: HandleKey,
    body_limits: BodyLimits,
}

impl RtmState {
    /// Puts the dialect together.
    #[must_use]
    pub fn new(setup: RtmSetup) -> Self {
        let limits =
            BodyLimits { max_bytes: MAX_BODY_BYTES, discard_bytes: DISCARDED_BYTES, timeout: setup.body_timeout };
        Self(Arc::new(Inner {
            node: setup.node,
            apps: by_id(setup.apps, Arc::new),
            observe: setup.observe,
            handle_key: setup.handle_key,
            body_limits: limits,
        }))
    }

    pub(crate) fn node(&self) -> &Node {
        &self.0.node
    }

    pub(crate) fn observe(&self) -> &Observe {
        &self.0.observe
    }

    pub(crate) fn handle_key(&self) -> &HandleKey {
        &self.0.handle_key
    }

    pub(crate) fn body_limits(&self) -> BodyLimits {
        self.0.body_limits
    }

    pub(crate) fn app(&self, app_id: &str) -> Option<&Arc<RtmApp>> {
        self.0.apps.get(app_id)
    }

    pub(crate) fn every_app(&self) -> impl Iterator<Item = &RtmApp> {
        self.0.apps.values().map(|app| &**app)
    }

    /// Unix time in seconds.
    pub(crate) fn now_s(&self) -> u64 {
        self.0.node.clock().wall_ms() / 1000
    }
}
