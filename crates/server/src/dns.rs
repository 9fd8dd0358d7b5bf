//! `GET /easemob/server.json`: where the vendor's SDKs find this server, if they are told to ask (`docs/clients.md`). They ask
//! hosts that are built into them unless their DNS is bent to here.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use http::uri::Authority;
use http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value, json};
use stentor_http_kit::Observe;
use stentor_http_kit::json::json as json_reply;

use crate::compose;
use crate::config::Config;

/// Where the SDKs ask.
pub(crate) const PATH: &str = "/easemob/server.json";

/// What is known about this server's addresses.
#[derive(Debug)]
pub(crate) struct Dns {
    public_url: Option<String>,
    tls: bool,
    /// App Keys by App ID: a client may know only that.
    apps: BTreeMap<String, String>,
}

impl Dns {
    pub(crate) fn new(config: &Config) -> Self {
        let key = |app| {
            let (org, name) = compose::chat_names(app)?;
            Some((app.app_id().to_owned(), stentor_api_chat::app::app_key(org, name)))
        };
        Self {
            public_url: config.server.public_url.clone(),
            tls: config.has_tls(),
            apps: config.apps.iter().filter_map(key).collect(),
        }
    }

    /// The route.
    pub(crate) fn router(self, observe: &Observe) -> Router {
        Router::new().route(PATH, get(answer)).with_state(Arc::new(self)).layer(observe.route(PATH))
    }

    /// The address that is configured, else the one that was asked.
    fn host(&self, headers: &HeaderMap) -> Option<Value> {
        if let Some(url) = &self.public_url {
            let url: Uri = url.parse().ok()?;
            return Some(host(url.scheme_str()?, url.authority()?));
        }
        let asked: Authority = headers.get(http::header::HOST)?.to_str().ok()?.parse().ok()?;
        Some(host(if self.tls { "https" } else { "http" }, &asked))
    }
}

/// One of the SDKs' hosts. They compare ports as texts; where there is an `ip`, they leave the name, and with it TLS, out.
fn host(scheme: &str, authority: &Authority) -> Value {
    let port = authority.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    json!({ "protocol": scheme, "domain": authority.host(), "ip": "", "port": port.to_string() })
}

async fn answer(
    State(dns): State<Arc<Dns>>,
    Query(asked): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let Some(host) = dns.host(&headers) else {
        return refused(StatusCode::BAD_REQUEST, "bad_request", "the Host header says no host");
    };
    let key = match asked.get("app_id") {
        None => None,
        Some(id) => match dns.apps.get(id) {
            Some(key) => Some(key),
            None => return refused(StatusCode::NOT_FOUND, "resource_not_found", "no such app"),
        },
    };
    let hosts = json!({ "hosts": [host] });
    let mut reply = json!({
        "rest": hosts,
        "msync-wx": hosts,
        "msync-ws": hosts,
        // Nobody here reads what they would report.
        "enableReportLogs": "false",
        "enableDataReport": "false",
        "uploadinparts_enable": "false",
    });
    if let Some(key) = key {
        reply["app_key"] = key.as_str().into();
    }
    json_reply(StatusCode::OK, &reply)
}

fn refused(status: StatusCode, error: &str, description: &str) -> Response {
    json_reply(status, &json!({ "error": error, "error_description": description }))
}
