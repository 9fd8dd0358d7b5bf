//! The push queues, and what the core tells of messages: callbacks and push.

use std::collections::HashMap;
use std::sync::Arc;

use prometheus_client::registry::Registry;
use stentor_api_chat::ChatWords;
use stentor_api_chat::app::app_key;
use stentor_api_chat::callbacks::Callbacks;
use stentor_core::node::Node;
use stentor_core::observer::Hooks;
use stentor_push::Schedule;
use stentor_push_queue::certificates::Certificates;
use stentor_push_queue::metrics::PushMetrics;
use stentor_push_queue::translate::Translator;
use stentor_push_queue::{PushQueue, PushSetup};

use super::error::StartError;
use crate::compose;
use crate::config::Config;

/// What push queues are connected with.
pub(super) struct Connected<'a> {
    /// By the app's key.
    pub(super) callbacks: &'a HashMap<String, Callbacks>,
    /// By the app's key.
    pub(super) certificates: &'a HashMap<String, Certificates>,
    /// For all apps.
    pub(super) translator: Option<Arc<dyn Translator>>,
}

/// The push queue of every app with a Chat side that has push, by its key.
pub(super) async fn push_queues(
    config: &Config,
    node: &Node,
    seed: u64,
    connected: Connected<'_>,
    registry: &mut Registry,
) -> Result<HashMap<String, PushQueue>, StartError> {
    let Connected { callbacks, certificates, translator } = connected;
    let metrics = PushMetrics::register(registry);
    let mut all = HashMap::new();
    for section in config.apps.iter().filter(|app| app.features.push) {
        let Some(key) = compose::chat_names(section).map(|(org, name)| app_key(org, name)) else { continue };
        let (Some(app), Some(certificates)) = (node.app(&key), certificates.get(&key)) else { continue };
        let words = ChatWords {
            zone: section.chat.push_time_zone.zone().clone(),
            language: compose::push_language(section),
            callbacks: callbacks.get(&key).cloned(),
        };
        let setup = PushSetup {
            node: node.clone(),
            app,
            words: Arc::new(words),
            routes: Arc::new(certificates.clone()),
            translator: translator.clone(),
            bounds: compose::push_bounds(section),
            schedule: Schedule::default(),
            seed,
            metrics: metrics.clone(),
        };
        all.insert(key, PushQueue::open(setup).await?);
    }
    Ok(all)
}

/// Has the core tell of what happens: before anybody connects, so that nothing happens unobserved.
pub(super) fn watch(
    node: &Node,
    callbacks: &HashMap<String, Callbacks>,
    pushes: &HashMap<String, PushQueue>,
) -> Result<(), StartError> {
    for (key, callbacks) in callbacks {
        let Some(app) = node.app(key) else { continue };
        let Hooks { mut observers, gate } = callbacks.hooks();
        observers.extend(pushes.get(key).map(|push| push.intake() as _));
        if !app.hook(Hooks { observers, gate }) {
            return Err(StartError::Interrupted);
        }
    }
    Ok(())
}
