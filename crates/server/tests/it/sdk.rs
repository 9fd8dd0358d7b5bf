//! The published Chat SDKs, untouched, against the real binary: `compat/easemob`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use stentor_testkit::{TestProcess, in_workspace};
use tokio::process::Command;
use tokio::sync::Semaphore;

use crate::STENTOR;

/// One run takes some twenty seconds, one with a minute of silence somewhat more than that; a machine that is busy may
/// take much longer.
const PATIENCE: Duration = Duration::from_secs(480);
/// Runs at a time: they wait more than they work.
const AT_ONCE: usize = 4;
/// What a run ends with that has no browser.
const NO_BROWSER: i32 = 77;

/// Where the SDKs are, once `cargo xtask test` or `npm ci` has installed them.
fn installed() -> Option<PathBuf> {
    let place = in_workspace("compat/easemob");
    place.join("node_modules/jsdom").is_dir().then_some(place)
}

/// A script and the build that it is run with: `walk`, `chromium` or `calls`, and the build's name.
struct Run {
    script: String,
    build: String,
    /// A minute of it beside the rest.
    silence: bool,
    /// The server compresses.
    compressed: bool,
}

/// What is run, and the installed builds.
fn runs(place: &Path) -> (Vec<Run>, Vec<String>) {
    let text = std::fs::read_to_string(place.join("package.json")).unwrap();
    let package: serde_json::Value = serde_json::from_str(&text).unwrap();
    let builds = package["dependencies"].as_object().unwrap().keys().filter(|name| *name != "jsdom");
    let run = |run: &serde_json::Value| {
        let words: Vec<_> = run.as_str().unwrap().split(' ').collect();
        let (silence, compressed) = (words[2..].contains(&"silence"), words[2..].contains(&"compressed"));
        Run { script: words[0].to_owned(), build: words[1].to_owned(), silence, compressed }
    };
    (package["runs"].as_array().unwrap().iter().map(run).collect(), builds.cloned().collect())
}

/// Says that something was not run, past what is captured of a test: whoever runs the suite is to know.
fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "{}: {why}", module_path!());
}

async fn is_node_there() -> bool {
    let version = Command::new("node").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().await;
    version.is_ok_and(|status| status.success())
}

/// Runs a script with a build and a server of its own. Returns what it said, and whether all went well.
async fn walk(place: PathBuf, run: Run) -> (String, bool) {
    let directory = tempfile::tempdir().unwrap();
    let variables = [("STENTOR_GATEWAY_SDK_COMPRESSION", if run.compressed { "true" } else { "false" })];
    let server = TestProcess::serve(STENTOR, directory.path(), &[], &variables).await;
    let text = std::fs::read_to_string(directory.path().join("stentor-data/credentials.toml")).unwrap();
    let config = stentor_server::config::Config::parse("credentials.toml", &text).unwrap();
    let app = &config.apps[0].app;
    let backend = TestProcess::run(STENTOR, directory.path(), &["token", "chat-app"], &[]).await;
    let alice = TestProcess::run(STENTOR, directory.path(), &["token", "chat-user", "--user", "alice"], &[]).await;
    let mut node = Command::new("node");
    node.arg(format!("{}.mjs", run.script)).arg(&run.build).current_dir(&place).kill_on_drop(true);
    node.env("STENTOR_URL", server.url());
    node.env("STENTOR_ORG", app.org_name.as_ref().unwrap().as_str());
    node.env("STENTOR_APP", app.app_name.as_ref().unwrap().as_str());
    node.env("STENTOR_TOKEN", &backend.output[0]).env("STENTOR_TOKEN_007", &alice.output[0]);
    for (name, wanted) in [("STENTOR_SILENCE", run.silence), ("STENTOR_COMPRESSED", run.compressed)] {
        if wanted {
            node.env(name, "1");
        }
    }
    let ended = tokio::time::timeout(PATIENCE, node.output()).await;
    let Ok(ended) = ended else { return (format!("{} {} takes too long", run.script, run.build), false) };
    let ended = ended.unwrap();
    let no_browser = ended.status.code() == Some(NO_BROWSER);
    let well = ended.status.success() || no_browser;
    let mut told = String::from_utf8_lossy(&ended.stdout).into_owned();
    if no_browser {
        skipped(&format!("{}, {}", run.build, told.trim()));
    }
    if !well {
        told.push_str(&String::from_utf8_lossy(&ended.stderr));
        told.push_str(&server.errors());
    }
    (told, well)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn published_sdks_walk_through_a_server() {
    let Some(place) = installed() else {
        skipped("SKIPPED: compat/easemob is not installed (cargo xtask test does that, where npm is)");
        return;
    };
    if !is_node_there().await {
        skipped("SKIPPED: there is no node");
        return;
    }
    let (runs, builds) = runs(&place);
    for build in builds {
        assert!(runs.iter().any(|run| run.script == "walk" && run.build == build), "{build} is walked through");
    }
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut walks = tokio::task::JoinSet::new();
    for run in runs {
        let (place, places) = (place.clone(), places.clone());
        walks.spawn(async move {
            let _held = places.acquire_owned().await.unwrap();
            walk(place, run).await
        });
    }
    let mut failed = false;
    while let Some(walked) = walks.join_next().await {
        let (told, well) = walked.unwrap();
        println!("{told}");
        failed |= !well;
    }
    assert!(!failed, "see what is said above");
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
