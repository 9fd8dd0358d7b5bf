//! Health, metrics, documentation, and URLs that are not there.

use std::collections::BTreeSet;

use http::Method;
use serde_json::json;
use stentor_core::store::Store;
use stentor_core::store::memory::MemoryStore;
use stentor_testkit::{TestServer, in_workspace};

#[tokio::test]
async fn the_server_is_alive_and_ready() {
    let server = TestServer::start().await;
    let reply = server.anonymous().get("/healthz").await;
    assert_eq!(reply.code(), 200);
    assert_eq!(reply.json()["status"], "ok");
    let reply = server.anonymous().get("/readyz").await;
    assert_eq!((reply.code(), reply.json()), (200, json!({ "status": "ready", "reasons": [] })));
}

#[tokio::test]
async fn a_store_that_refuses_shows_in_readyz() {
    let store = std::sync::Arc::new(MemoryStore::default());
    let server = TestServer::builder().store(store.clone()).start().await;
    store.close().await.unwrap();
    let reply = server.anonymous().get("/readyz").await;
    assert_eq!(reply.code(), 503);
    assert!(reply.json()["reasons"][0].as_str().unwrap().starts_with("store: "), "{}", reply.text());
    assert_eq!(server.anonymous().get("/healthz").await.code(), 200);
}

#[tokio::test]
async fn draining_shows_in_readyz() {
    let server = TestServer::start().await;
    server.node().drain(0);
    let reply = server.anonymous().get("/readyz").await;
    assert_eq!((reply.code(), &reply.json()["status"]), (503, &json!("not ready")));
}

/// Names of the page, without prefix of the line.
fn metrics_of(page: &str) -> BTreeSet<String> {
    page.lines()
        .filter_map(|line| line.strip_prefix("# HELP "))
        .map(|line| line.split(' ').next().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn every_metric_is_documented_and_every_documented_one_is_there() {
    let server = TestServer::builder().embedded().start().await;
    // Families show when they have counted something: an unreachable receiver is an outcome and a drop.
    let body = json!({ "destination": "nobody", "payload": "x" });
    let reply = server.http().post(&server.path("users/alice/peer_messages?wait_for_ack=true"), &body).await;
    assert_eq!(reply.json()["code"], "message_offline");

    let reply = server.anonymous().get("/metrics").await;
    assert_eq!(reply.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let page = reply.text();
    assert!(page.ends_with("# EOF\n"));
    assert!(page.contains("stentor_http_requests_total{route=\"/dev/v2/project/{appid}/rtm/users/{user_id}/peer_messages\",status=\"200\"} 1\n"), "{page}");
    let operations = std::fs::read_to_string(in_workspace("docs/operations.md")).unwrap();
    let documented: BTreeSet<String> = operations
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| `stentor_")?.split('`').next()?.to_owned()))
        .map(|name| format!("stentor_{name}"))
        .collect();
    // These show with the first room message that is dropped, with a callback rule, and with a push; their own tests look
    // at them.
    let callbacks = ["callbacks", "callbacks_waiting", "callback_questions"];
    let push = ["push_decisions", "push_sends", "push_waiting"];
    let later = [["room_drops"].as_slice(), &callbacks, &push].concat().into_iter();
    let later: BTreeSet<String> = later.map(|name| format!("stentor_{name}")).collect();
    let mut found = metrics_of(&page);
    assert!(found.is_subset(&documented), "docs/operations.md lacks {:?}", found.difference(&documented));
    found.extend(later);
    assert_eq!(found, documented, "docs/operations.md and the page differ");
}

#[tokio::test]
async fn metrics_can_have_an_address_of_their_own() {
    let server = TestServer::builder().config("[server]\nmetrics_listen = \"127.0.0.1:0\"").start().await;
    assert_eq!(server.anonymous().get("/metrics").await.code(), 404);
    let metrics = stentor_testkit::Http::new(server.server().metrics_address().unwrap());
    assert!(metrics.get("/metrics").await.text().contains("stentor_process_open_fds"));
    assert_eq!(metrics.get("/readyz").await.code(), 200);
    assert_eq!(metrics.get("/docs/").await.code(), 503);
}

#[tokio::test]
async fn the_documentation_loads_nothing_from_elsewhere() {
    let server = TestServer::start().await;
    let http = server.anonymous();
    assert_eq!(http.get("/").await.headers["location"], "/docs/");
    assert_eq!(http.get("/docs").await.headers["location"], "/docs/");
    let page = http.get("/docs/").await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'self';") && !policy.contains("http"), "{policy}");
    let html = page.text();
    let loaded: Vec<&str> =
        html.split(['"', '\'']).filter(|text| text.ends_with(".js") || text.ends_with(".css")).collect();
    assert!(loaded.len() >= 3, "{html}");
    for file in &loaded {
        assert!(!file.contains("//"), "{file} is elsewhere");
        let path = format!("/docs/{}", file.trim_start_matches("./"));
        assert_eq!(http.get(&path).await.code(), 200, "{path}");
    }
    assert!(!html.contains("http://") && !html.contains("https://"), "{html}");
    // Without this, the page asks a validator on the internet.
    let start = http.get("/docs/swagger-initializer.js").await.text();
    assert!(start.contains("\"validatorUrl\": \"none\""), "{start}");
    assert!(!start.contains("http://") && !start.contains("https://"), "{start}");
}

#[tokio::test]
async fn the_description_of_the_api_is_served() {
    let server = TestServer::start().await;
    let reply = server.anonymous().get("/docs/openapi/rtm.json").await;
    assert_eq!(reply.json()["openapi"].as_str().unwrap().split('.').next(), Some("3"));
    assert!(reply.json()["paths"].as_object().unwrap().len() >= 7);
}

#[tokio::test]
async fn what_is_not_there_is_404_in_json() {
    let server = TestServer::start().await;
    for (method, path) in [
        (Method::GET, "/nowhere"),
        (Method::DELETE, "/dev/v2/project/x/rtm/y"),
        (Method::GET, "/docs/nowhere"),
        (Method::GET, "/docs/%ff"),
        (Method::GET, "/docs/openapi/nowhere.json"),
    ] {
        let reply = server.anonymous().send(method.clone(), path, bytes::Bytes::new()).await;
        assert_eq!(reply.code(), 404, "{method} {path}");
        assert_eq!(reply.json()["request_id"].as_str().unwrap(), reply.headers["x-request-id"]);
        assert_eq!(reply.json()["message"], "no Route matched with those values");
    }
}

#[tokio::test]
async fn another_method_is_405_in_json() {
    let server = TestServer::start().await;
    for path in ["/", "/healthz", "/readyz", "/metrics", "/docs", "/docs/", "/docs/openapi/rtm.json", "/ws/rtm"] {
        for method in [Method::POST, Method::TRACE, Method::DELETE] {
            let reply = server.anonymous().send(method.clone(), path, bytes::Bytes::new()).await;
            assert_eq!((reply.code(), &reply.headers["allow"]), (405, &"GET".parse().unwrap()), "{method} {path}");
            assert_eq!(reply.json()["request_id"].as_str().unwrap(), reply.headers["x-request-id"], "{method} {path}");
        }
    }
}

#[tokio::test]
async fn browsers_may_call_from_the_configured_origins() {
    let server = TestServer::builder().config("[server]\ncors_origins = [\"https://a.example\"]").start().await;
    let path = server.path("vendor/user_events");
    let reply = server.http().header("origin", "https://a.example").get(&path).await;
    assert_eq!(reply.headers["access-control-allow-origin"], "https://a.example");
    let reply = server.http().header("origin", "https://b.example").get(&path).await;
    assert_eq!((reply.code(), reply.headers.get("access-control-allow-origin")), (200, None));
    let preflight = server
        .anonymous()
        .header("origin", "https://a.example")
        .header("access-control-request-method", "POST")
        .send(Method::OPTIONS, &path, bytes::Bytes::new())
        .await;
    assert_eq!(preflight.code(), 204);
}
