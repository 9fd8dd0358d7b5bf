//! The real binary, as a process of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::DEADLINE;
use crate::http::Http;

/// A running process of the `stentor` binary: a server, or one of its other commands.
#[derive(Debug)]
pub struct TestProcess {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    errors: Arc<Mutex<String>>,
    url: Option<String>,
}

impl TestProcess {
    /// Starts `binary` (pass `env!("CARGO_BIN_EXE_stentor")`) with these arguments, in `directory`, with no
    /// `STENTOR_…` variables but these.
    ///
    /// # Panics
    /// When there is no such binary.
    #[must_use]
    pub fn start(binary: &str, directory: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(binary);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("STENTOR_") {
                command.env_remove(name);
            }
        }
        command.args(arguments).envs(variables.iter().copied()).current_dir(directory).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => panic!("{binary}: {error}"),
        };
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            panic!("the process has no output");
        };
        let errors = Arc::new(Mutex::new(String::new()));
        tokio::spawn(collect(stderr, errors.clone()));
        Self { child, lines: BufReader::new(stdout).lines(), errors, url: None }
    }

    /// Starts a server, without `--listen` on a free port, and waits until it listens.
    ///
    /// # Panics
    /// When it does not.
    pub async fn serve(binary: &str, directory: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut all = vec!["serve"];
        if !arguments.contains(&"--listen") {
            all.extend(["--listen", "127.0.0.1:0"]);
        }
        all.extend(arguments);
        let mut process = Self::start(binary, directory, &all, variables);
        let line = process.line().await;
        let Some(url) = line.strip_prefix("listening on ") else {
            panic!("not the line that was expected: {line:?}; {}", process.errors());
        };
        process.url = Some(url.to_owned());
        process
    }

    /// The server's URL.
    ///
    /// # Panics
    /// When it is no server.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test that asks a client for its URL must fail")]
    pub fn url(&self) -> &str {
        self.url.as_deref().expect("started with serve")
    }

    /// The server's address.
    ///
    /// # Panics
    /// When it is no server.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        let url = self.url();
        let address = url.rsplit('/').next().unwrap_or_default();
        match address.parse() {
            Ok(address) => address,
            Err(error) => panic!("{url}: {error}"),
        }
    }

    /// A client of its REST API without credentials.
    #[must_use]
    pub fn http(&self) -> Http {
        Http::new(self.address())
    }

    /// The next line that it prints.
    ///
    /// # Panics
    /// When there is none in time.
    pub async fn line(&mut self) -> String {
        match tokio::time::timeout(DEADLINE, self.lines.next_line()).await {
            Ok(Ok(Some(line))) => line,
            Ok(Ok(None)) => panic!("it printed no more; {}", self.errors()),
            Ok(Err(error)) => panic!("{error}"),
            Err(_elapsed) => panic!("it printed nothing; {}", self.errors()),
        }
    }

    /// What it wrote to stderr so far.
    #[must_use]
    pub fn errors(&self) -> String {
        self.errors.lock().clone()
    }

    /// Sends it a signal: `"TERM"`, `"INT"`, `"HUP"`, `"STOP"`, `"CONT"`.
    ///
    /// # Panics
    /// When it has ended.
    pub async fn signal(&self, name: &str) {
        let Some(id) = self.child.id() else { panic!("it has ended") };
        // There is no way to do it in Rust without a further dependency.
        let sent = Command::new("kill").arg(format!("-{name}")).arg(id.to_string()).status().await;
        assert!(sent.is_ok_and(|status| status.success()), "kill -{name} {id}");
    }

    /// Kills it as a power failure would, and waits until it is gone.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub async fn kill(mut self) {
        if let Err(error) = self.child.kill().await {
            panic!("{error}");
        }
    }

    /// Waits until it ends: its exit code, and what it still printed.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn end(mut self) -> Ended {
        let mut output = Vec::new();
        let end = async {
            while let Ok(Some(line)) = self.lines.next_line().await {
                output.push(line);
            }
            self.child.wait().await
        };
        let status = match tokio::time::timeout(DEADLINE, end).await {
            Ok(Ok(status)) => status,
            Ok(Err(error)) => panic!("{error}"),
            Err(_elapsed) => panic!("it does not end; {}", self.errors()),
        };
        // The task that reads stderr sees its end soon after the process's.
        let errors = self.errors.clone();
        let all = crate::eventually("stderr is closed", || {
            let left = Arc::strong_count(&errors);
            async move { if left <= 2 { Ok(()) } else { Err(left) } }
        });
        all.await;
        Ended { status, output, errors: self.errors() }
    }

    /// Runs a command until it ends.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn run(binary: &str, directory: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
        Self::start(binary, directory, arguments, variables).end().await
    }
}

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    /// Its status.
    pub status: ExitStatus,
    /// The lines of stdout that nobody had taken.
    pub output: Vec<String>,
    /// All of stderr.
    pub errors: String,
}

impl Ended {
    /// Its exit code; `None` if a signal ended it.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }
}

async fn collect(stream: impl AsyncRead + Unpin, into: Arc<Mutex<String>>) {
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut into = into.lock();
        into.push_str(&line);
        into.push('\n');
    }
}

/// The path of a file beside the workspace's `Cargo.toml`.
#[must_use]
pub fn in_workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}
