//! The published Chat SDKs, untouched, against the real binary: `compat/easemob`.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use stentor_testkit::{TestProcess, in_workspace};
use tokio::process::Command;

use crate::STENTOR;

/// One build takes some ten seconds; a machine that is busy may take longer.
const PATIENCE: Duration = Duration::from_secs(240);

/// Where the SDKs are, once `cargo xtask test` or `npm ci` has installed them.
fn installed() -> Option<PathBuf> {
    let place = in_workspace("compat/easemob");
    place.join("node_modules/jsdom").is_dir().then_some(place)
}

/// The builds that are walked through.
fn builds(place: &std::path::Path) -> Vec<String> {
    let text = std::fs::read_to_string(place.join("package.json")).unwrap();
    let package: serde_json::Value = serde_json::from_str(&text).unwrap();
    let names = package["dependencies"].as_object().unwrap().keys();
    names.filter(|name| *name != "jsdom").cloned().collect()
}

async fn is_node_there() -> bool {
    let version = Command::new("node").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    version.is_ok_and(|status| status.success())
}

#[tokio::test]
async fn published_sdks_walk_through_a_server() {
    let Some(place) = installed() else {
        println!("SKIPPED: compat/easemob is not installed (cargo xtask test does that, where npm is)");
        return;
    };
    if !is_node_there().await {
        println!("SKIPPED: there is no node");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let server = TestProcess::serve(STENTOR, directory.path(), &[], &[]).await;
    let text = std::fs::read_to_string(directory.path().join("stentor-data/credentials.toml")).unwrap();
    let config = stentor_server::config::Config::parse("credentials.toml", &text).unwrap();
    let app = &config.apps[0].app;
    let made = TestProcess::run(STENTOR, directory.path(), &["token", "chat-app"], &[]).await;
    let builds = builds(&place);
    assert!(builds.len() >= 4, "{builds:?}");
    for build in builds {
        let mut walk = Command::new("node");
        walk.arg("walk.mjs").arg(&build).current_dir(&place).kill_on_drop(true);
        walk.env("STENTOR_URL", server.url());
        walk.env("STENTOR_ORG", app.org_name.as_ref().unwrap().as_str());
        walk.env("STENTOR_APP", app.app_name.as_ref().unwrap().as_str());
        walk.env("STENTOR_TOKEN", &made.output[0]);
        let walked = tokio::time::timeout(PATIENCE, walk.output()).await.unwrap().unwrap();
        let told = String::from_utf8_lossy(&walked.stdout);
        let errors = String::from_utf8_lossy(&walked.stderr);
        assert!(walked.status.success(), "{build}:\n{told}{errors}{}", server.errors());
        println!("{told}");
    }
}

/// The status that an upgrade at a path is answered with.
async fn upgrade(server: &TestProcess, path: &str) -> u16 {
    server.http().get(path).await.code()
}

#[tokio::test]
async fn the_path_of_the_sdks_is_configured() {
    for (variables, found, missing) in [
        (&[][..], Some("/websocket"), "/chat/sdk"),
        (&[("STENTOR_GATEWAY_SDK_PATH", "/chat/sdk")][..], Some("/chat/sdk"), "/websocket"),
        (&[("STENTOR_GATEWAY_SDK", "false")][..], None, "/websocket"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let server = TestProcess::serve(STENTOR, directory.path(), &[], variables).await;
        if let Some(path) = found {
            assert_eq!(upgrade(&server, path).await, 426);
        }
        assert_eq!(upgrade(&server, missing).await, 404);
    }
    for path in ["websocket", "/", "/ws/rtm", "/metrics", "/a b", "/a/", "/{id}"] {
        let directory = tempfile::tempdir().unwrap();
        let variables = [("STENTOR_GATEWAY_SDK_PATH", path)];
        let arguments = ["serve", "--listen", "127.0.0.1:0"];
        let refused = TestProcess::run(STENTOR, directory.path(), &arguments, &variables).await;
        assert!(!refused.status.success(), "{path}");
        assert!(refused.errors.contains("STENTOR_GATEWAY_SDK_PATH"), "{path}: {}", refused.errors);
    }
}
