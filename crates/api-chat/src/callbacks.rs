//! Callbacks: what the app's backend is told, and asked, over HTTP (Easemob callback documents; `docs/compatibility.md`
//! says where they disagree). This is the dialect's part: which events a rule wants and what the bodies say. Delivery,
//! retries and dead letters are those of `stentor-callbacks`.

pub(crate) mod content;
mod filter;
mod gate;
mod message;
mod news;
mod push;
mod room;
mod seal;
mod session;
mod storage;

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use stentor_callbacks::asker::Asker;
use stentor_callbacks::metrics::Metrics;
use stentor_callbacks::{Bounds, Client, Outbox, OutboxSetup, Rule, Unsealed};
use stentor_core::clock::Clock;
use stentor_core::events::{EventType, Transition};
use stentor_core::id::{AppId, uuid};
use stentor_core::observer::{Accepted, Hooks, Observer, RoomObserved};
use stentor_core::store::{Change, Store, StoreError};
use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

pub use filter::{CallbackEvent, ChatKind, Filter, Source};
pub use gate::{OnFailure, PreSend};

use crate::sizes::{Size, size};
use crate::state::ChatState;
use seal::Md5Seal;

/// What is limited of callbacks, for `docs/limits.md`.
pub(crate) fn sizes() -> Vec<Size> {
    vec![size("Callback rules", MAX_RULES, "the server does not start").by(&["apps.callbacks"])]
}

/// The endpoints of this family.
pub(crate) fn endpoints() -> Vec<UtoipaMethodRouter<ChatState>> {
    vec![routes!(storage::info), routes!(storage::retry)]
}

/// The most rules that an app may have, of both kinds together (console documents).
pub const MAX_RULES: usize = 4;

/// What an app's callbacks are made of.
#[derive(Debug)]
pub struct CallbackSetup {
    /// The App Key, `org#app`.
    pub app_key: String,
    /// What bodies call this server.
    pub host: String,
    /// The rules that are told what happened, each with what it wants.
    pub post_send: Vec<(Filter, Rule)>,
    /// The rules that are asked before a client's message is taken.
    pub pre_send: Vec<PreSend>,
    /// How much is kept of what could not be delivered.
    pub bounds: Bounds,
    /// What requests are made with.
    pub client: Client,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where random choices start.
    pub seed: u64,
    /// What is counted.
    pub metrics: Metrics,
}

/// The callbacks of an app. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Callbacks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    app_key: String,
    host: String,
    filters: Vec<Filter>,
    outbox: Outbox,
    gates: Vec<gate::Asked>,
    random: Mutex<fastrand::Rng>,
}

impl Callbacks {
    /// Opens the outbox of an app. An app without rules has one too: there may be something in it from before.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open(setup: CallbackSetup, store: Arc<dyn Store>) -> Result<Self, StoreError> {
        let (filters, rules) = setup.post_send.into_iter().unzip();
        let gate = |pre: PreSend| {
            let metrics = setup.metrics.rule(&setup.app_key, &pre.rule.name);
            let asker = Asker::new(pre.rule, setup.client.clone(), setup.clock.clone(), metrics);
            gate::Asked { filter: pre.filter, asker, on_failure: pre.on_failure }
        };
        let gates = setup.pre_send.into_iter().map(gate).collect();
        let outbox = OutboxSetup {
            app: AppId::from_trusted(&setup.app_key),
            rules,
            bounds: setup.bounds,
            seal: Arc::new(Md5Seal),
            client: setup.client,
            clock: setup.clock,
            seed: setup.seed,
            metrics: setup.metrics,
        };
        Ok(Self(Arc::new(Inner {
            app_key: setup.app_key,
            host: setup.host,
            filters,
            outbox: Outbox::open(outbox, store).await?,
            gates,
            random: Mutex::new(fastrand::Rng::with_seed(setup.seed)),
        })))
    }

    /// What the core is to tell and to ask. Nothing, if there is no rule for it.
    #[must_use]
    pub fn hooks(&self) -> Hooks {
        Hooks {
            observers: if self.0.filters.is_empty() { Vec::new() } else { vec![self.0.clone()] },
            gate: (!self.0.gates.is_empty()).then(|| self.0.clone() as _),
        }
    }

    /// What waits, and what could not be delivered.
    #[must_use]
    pub fn outbox(&self) -> &Outbox {
        &self.0.outbox
    }
}

/// A callback before it is known which rules want it.
struct Told {
    call_id: String,
    timestamp_ms: u64,
    body: Bytes,
}

impl Inner {
    /// `{appkey}_{uuid}`: unique for each callback.
    fn fresh_id(&self) -> String {
        format!("{}_{}", self.app_key, uuid(self.random.lock().u128(..)))
    }

    /// Writes a body as JSON.
    fn tell(call_id: &str, timestamp_ms: u64, body: &impl Serialize) -> Option<Told> {
        match serde_json::to_vec(body) {
            Ok(body) => Some(Told { call_id: call_id.to_owned(), timestamp_ms, body: body.into() }),
            Err(error) => {
                tracing::error!(%error, "a callback could not be written");
                None
            }
        }
    }

    /// Queues a callback for every rule that wants it. It is written only if there is one.
    fn queue(&self, wanted: impl Fn(&Filter) -> bool, told: impl Fn() -> Option<Told>) -> Vec<Change> {
        let wanting: Vec<_> =
            self.filters.iter().enumerate().filter(|(_, filter)| wanted(filter)).map(|(rule, _)| rule).collect();
        if wanting.is_empty() {
            return Vec::new();
        }
        let Some(Told { call_id, timestamp_ms, body }) = told() else { return Vec::new() };
        let what = Unsealed { call_id, timestamp_ms, body };
        wanting.into_iter().filter_map(|rule| self.outbox.queue(rule, &what)).collect()
    }
}

impl Observer for Inner {
    fn message(&self, accepted: &Accepted<'_>) -> Vec<Change> {
        self.of_message(accepted)
    }

    fn transition(&self, transition: &Transition) -> Vec<Change> {
        match transition.event_type {
            EventType::Login | EventType::Logout => self.of_session(transition),
            // Told with the room.
            EventType::Join | EventType::Leave => Vec::new(),
        }
    }

    fn room(&self, observed: &RoomObserved<'_>) -> Vec<Change> {
        self.of_room(observed)
    }
}
