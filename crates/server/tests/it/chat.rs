//! The Chat API, as a backend sees it: one module per family of endpoints.

mod tokens;
mod users;

use serde_json::Value;
use stentor_testkit::{Reply, TestApp, TestServer};

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
