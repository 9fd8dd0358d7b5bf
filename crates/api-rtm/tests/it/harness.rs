//! A node with one app, its router, and clients that ack when told to.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use serde_json::Value;
use stentor_api_rtm::{Customer, HandleKey, RtmApp, RtmLimits, RtmOptions, RtmSetup, RtmState, policy, router};
use stentor_core::bus::in_process::InProcessBus;
use stentor_core::clock::ManualClock;
use stentor_core::id::{DeviceId, NodeId, RoomId, UserId};
use stentor_core::message::Message;
use stentor_core::node::{App, Node, NodeConfig};
use stentor_core::notice::Notice;
use stentor_core::session::{Closing, Connected, Login, Outlet};
use stentor_core::store::memory::MemoryStore;
use stentor_http_kit::{NoMetrics, Observe, RequestIds, Secret};
use tower::ServiceExt;

pub(crate) const APP: &str = "970CA35de60c44645bbae8a215061b33";
pub(crate) const CERTIFICATE: &str = "5CFd2fd1755d40ecb72977518be15d3b";
/// Another app of the same server, with another customer.
pub(crate) const OTHER_APP: &str = "0123456789abcdef0123456789ABCDEF";
/// `cid:csec`, the customer of [`APP`].
pub(crate) const BASIC: &str = "Basic Y2lkOmNzZWM=";
/// `other:secret`, the customer of [`OTHER_APP`].
pub(crate) const OTHER_BASIC: &str = "Basic b3RoZXI6c2VjcmV0";
pub(crate) const NOW_MS: u64 = 1_700_000_000_000;

pub(crate) struct World {
    pub(crate) node: Node,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) app: Arc<App>,
    router: Router,
}

pub(crate) async fn world() -> World {
    world_with(RtmOptions::default(), RtmLimits::default()).await
}

pub(crate) async fn world_with(options: RtmOptions, limits: RtmLimits) -> World {
    let clock = Arc::new(ManualClock::new(NOW_MS));
    let apps = [(APP, "cid", "csec", Some(CERTIFICATE)), (OTHER_APP, "other", "secret", None)];
    let apps = apps.map(|(app_id, id, secret, certificate)| RtmApp {
        app_id: app_id.to_owned(),
        certificate: certificate.map(Secret::new),
        customers: vec![Customer { id: id.to_owned(), secret: Secret::new(secret) }],
        options,
    });
    let policies = apps.iter().map(|app| policy(&app.app_id, &limits)).collect();
    let config = NodeConfig { node: NodeId::SINGLE, apps: policies, seed: 7 };
    let store = Arc::new(MemoryStore::default());
    let bus = Arc::new(InProcessBus::alone());
    let node = Node::start(config, store, bus, clock.clone(), &mut Registry::default()).await.expect("starts");
    let state = RtmState::new(RtmSetup {
        node: node.clone(),
        apps: apps.to_vec(),
        observe: Observe::new(Arc::new(RequestIds::new(1)), Arc::new(NoMetrics)),
        handle_key: HandleKey::new([7; 32]),
        body_timeout: Duration::from_secs(10),
    });
    let app = node.app(APP).expect("the app is there");
    World { node, clock, app, router: router(state) }
}

/// A reply, its request ID masked.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body with `<id>` in the place of the request ID.
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Reply {
    /// The status and the body's `reason`.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status, self.json["reason"].as_str().unwrap_or_default())
    }

    /// The status and the body's `message`.
    pub(crate) fn message(&self) -> (u16, &str) {
        (self.status, self.json["message"].as_str().unwrap_or_default())
    }
}

/// The full URL path of a resource of [`APP`].
pub(crate) fn url(resource: &str) -> String {
    format!("/dev/v2/project/{APP}{resource}")
}

impl World {
    /// Sends a request and checks what every reply of the dialect has in common.
    pub(crate) async fn ask(&self, request: Request<Body>) -> Reply {
        let head = request.method() == "HEAD";
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("in memory").to_bytes();
        let id = parts.headers["x-request-id"].to_str().expect("digits").to_owned();
        assert!(id.parse::<u64>().is_ok(), "{id}");
        assert_eq!(parts.headers["content-type"], "application/json; charset=utf-8");
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        let json: Value = if head { Value::Null } else { serde_json::from_str(&text).expect("JSON") };
        if !head {
            assert_eq!(json["request_id"], id.as_str(), "{text}");
        }
        if !head && parts.status != 200 {
            assert_eq!((&json["result"], &json["errorCode"]), (&"failed".into(), &parts.status.as_u16().into()));
            assert!(json["reason"].is_string() && json["message"].is_string(), "{text}");
        }
        let text = text.replace(&format!("\"{id}\""), "\"<id>\"");
        Reply { status: parts.status.as_u16(), headers: parts.headers, text, json }
    }

    pub(crate) async fn get(&self, resource: &str) -> Reply {
        self.ask(Request::get(url(resource)).header("authorization", BASIC).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, resource: &str, body: impl Into<Body>) -> Reply {
        let request = Request::post(url(resource))
            .header("authorization", BASIC)
            .header("content-type", "application/json;charset=utf-8");
        self.ask(request.body(body.into()).unwrap()).await
    }

    /// A client of `user`, logged in.
    pub(crate) async fn login(&self, user: &str) -> Client {
        let outlet = Arc::new(Inbox::default());
        let user = UserId::from_trusted(user);
        let login = Login {
            user,
            device: DeviceId::only(),
            expires_at_ms: None,
            resume: None,
            silence_ms: None,
            to_replaced: None,
        };
        let connected = self.node.connect(&self.app, login, outlet.clone()).await.expect("connects");
        Client { node: self.node.clone(), connected }
    }

    /// Lets time pass and does what is due.
    pub(crate) async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.node.tick();
        settle().await;
    }
}

/// Lets everything that goes on by itself come to an end.
pub(crate) async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[derive(Debug, Default)]
struct Inbox(Mutex<Vec<Closing>>);

impl Outlet for Inbox {
    fn ready(self: Arc<Self>) {}

    fn close(self: Arc<Self>, why: Closing) {
        self.0.lock().push(why);
    }
}

/// A connected client.
pub(crate) struct Client {
    node: Node,
    connected: Connected,
}

impl Client {
    /// The messages that wait, peer and channel.
    pub(crate) fn take(&self) -> Vec<Arc<Message>> {
        let mut taken = Vec::new();
        self.connected.session.take(self.connected.attachment, usize::MAX, usize::MAX, &mut taken);
        let message = |notice: &Notice| match notice {
            Notice::PeerMessage { message, .. } | Notice::RoomMessage { message, .. } => Some(message.clone()),
            _ => None,
        };
        taken.iter().filter_map(|envelope| message(&envelope.notice)).collect()
    }

    /// Sender and payload of the messages that wait.
    pub(crate) fn texts(&self) -> Vec<(String, String)> {
        let text = |message: &Arc<Message>| {
            (message.from.to_string(), String::from_utf8(message.payload.to_vec()).expect("text"))
        };
        self.take().iter().map(text).collect()
    }

    /// Takes and acks what waits. Returns how much it was.
    pub(crate) fn ack_all(&self) -> usize {
        let ids: Vec<_> = self.take().iter().map(|message| message.id).collect();
        self.node.acked(&self.connected.session, &ids);
        ids.len()
    }

    pub(crate) async fn join(&self, room: &str) {
        self.node.join(&self.connected.session, &RoomId::from_trusted(room)).await.expect("joins");
    }

    pub(crate) async fn leave(&self, room: &str) {
        self.node.leave(&self.connected.session, &RoomId::from_trusted(room)).await.expect("leaves");
    }

    pub(crate) async fn logout(&self) {
        self.node.logout(&self.connected.session).await;
    }
}
