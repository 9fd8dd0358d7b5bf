//! The Chat API, as a backend sees it: one module per family of endpoints.

mod callbacks;
mod day;
mod errors;
mod explore;
mod files;
mod gateway;
mod groups;
mod history;
mod import;
mod messages;
mod metadata;
mod mutes;
mod notifiers;
mod presence;
mod push;
mod push_direct;
mod push_services;
mod push_tasks;
mod pushes;
mod rates;
mod recall;
mod relations;
mod rewrite;
mod roaming;
mod rooms;
mod sdk_calls;
mod sending;
mod tenants;
mod tokens;
mod told;
mod users;

use std::sync::Arc;

use serde_json::Value;
use stentor_core::app::App;
use stentor_core::id::{DeviceId, UserId};
use stentor_core::notice::Notice;
use stentor_core::session::{Closing, Connected, Login, Outlet};
use stentor_testkit::{CHAT, Reply, TestApp, TestServer};

/// A server with one app that has a Chat side.
async fn server() -> TestServer {
    TestServer::builder().app(TestApp::new().chat()).manual_clock().start().await
}

/// Checks a refusal: status, key and text.
#[track_caller]
fn refused(reply: &Reply, status: u16, error: &str, description: &str) -> Value {
    let body = reply.json();
    assert_eq!(
        (reply.code(), body["error"].as_str(), body["error_description"].as_str()),
        (status, Some(error), Some(description)),
        "{body}"
    );
    assert!(body["timestamp"].is_u64() && body["duration"].is_u64(), "{body}");
    body
}

/// The core's side of the app.
fn app(server: &TestServer) -> Arc<App> {
    server.node().app(&format!("{}#{}", CHAT[0], CHAT[1])).expect("the app has a Chat side")
}

/// A connected client of the core, without a gateway.
struct Connection {
    connected: Connected,
    outlet: Arc<QuietOutlet>,
}

/// Takes note of why it was closed.
#[derive(Debug, Default)]
struct QuietOutlet(parking_lot::Mutex<Vec<Closing>>);

impl Outlet for QuietOutlet {
    fn ready(self: Arc<Self>) {}

    fn close(self: Arc<Self>, why: Closing) {
        self.0.lock().push(why);
    }
}

impl Connection {
    async fn open(server: &TestServer, user: &str, device: &str) -> Self {
        let outlet = Arc::new(QuietOutlet::default());
        let login = Login {
            user: UserId::from_trusted(user),
            device: DeviceId::from_trusted(device),
            expires_at_ms: None,
            resume: None,
            silence_ms: None,
            to_replaced: None,
        };
        let connected = server.node().connect(&app(server), login, outlet.clone()).await.expect("connects");
        Self { connected, outlet }
    }

    /// What waits for it.
    fn take(&self) -> Vec<Notice> {
        let mut taken = Vec::new();
        self.connected.session.take(self.connected.attachment, 100, 1 << 20, &mut taken);
        taken.iter().map(|envelope| envelope.notice.clone()).collect()
    }

    fn closed(&self) -> Vec<Closing> {
        self.outlet.0.lock().clone()
    }
}
