//! Schemathesis makes requests of all kinds out of the API's description, good ones and bad ones: whatever comes, the
//! answer is no 5xx.

use std::path::Path;
use std::process::Stdio;

use serde_json::json;
use stentor_api_chat::ChatRule;
use stentor_testkit::{TestApp, TestServer};

/// Requests per operation: few enough for every run of the suite. `STENTOR_EXPLORE` asks for more.
const EXAMPLES: &str = "12";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_of_any_kind_is_answered_with_a_server_error() {
    let st = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/schemathesis/bin/st");
    if !st.is_file() {
        eprintln!("SKIPPED: schemathesis is not installed; `cargo xtask test` does that");
        return;
    }
    let app = ChatRule::ALL.into_iter().fold(TestApp::new().chat(), |app, rule| app.chat_limit(rule.name(), 0));
    let server = TestServer::builder().app(app).start().await;
    server.register(&["user1", "user2"]).await;
    let directory = tempfile::tempdir().unwrap();
    let description = directory.path().join("chat.json");
    std::fs::write(&description, serde_json::to_vec(&described()).unwrap()).unwrap();

    let examples = std::env::var("STENTOR_EXPLORE").unwrap_or_else(|_| EXAMPLES.to_owned());
    let output = tokio::process::Command::new(&st)
        .current_dir(directory.path())
        .args(["run", "chat.json", "--checks", "not_a_server_error", "--seed", "1", "--workers", "2"])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", &examples])
        .args(["--suppress-health-check", "all", "--warnings", "off", "--no-color"])
        .args(["--url", &format!("http://{}", server.address())])
        .args(["--header", &format!("Authorization: Bearer {}", server.chat_app_token().await)])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    // The server is as well as before.
    let reply = server.chat().await.get(&server.chat_path("users/nobody")).await;
    assert_eq!(reply.code(), 404);
}

/// The description, with the app's names in the place of the parameters.
fn described() -> serde_json::Value {
    let text = stentor_api_chat::openapi().to_json().unwrap();
    let [org, app, ..] = stentor_testkit::CHAT;
    let text = text.replace("/{org_name}/{app_name}", &format!("/{org}/{app}"));
    let mut described: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(described["paths"].as_object().unwrap().len() > 8, "{}", described["paths"]);
    described["servers"] = json!([]);
    described
}
