//! A server process: started, asked where it listens, stopped by its pid and nothing else.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How long a server may take until it listens.
const START: Duration = Duration::from_secs(20);

/// How long a server may take to stop after SIGTERM: the 10 s it promises, and a little.
const STOP: Duration = Duration::from_secs(12);

const LISTENING: &str = "listening on http://";

/// A running server. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts `command` and waits until it says where it listens. What it prints goes to the file `log`.
    ///
    /// # Errors
    /// When it does not start or ends at once.
    pub fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let log_file = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log_file.try_clone()?);
        let mut child = command.spawn().with_context(|| format!("starting {:?}", command.get_program()))?;
        let Some(stdout) = child.stdout.take() else { bail!("no standard output") };
        let (found, listening) = mpsc::sync_channel(1);
        thread::spawn(move || watch(stdout, log_file, &found));
        // The child lives in `server` from here on, so that it is killed whatever comes.
        let mut server = Self { child, address: SocketAddr::from(([0, 0, 0, 0], 0)) };
        match listening.recv_timeout(START) {
            Ok(address) => server.address = address.parse().with_context(|| format!("it listens on {address:?}"))?,
            Err(_) => bail!("the server did not say where it listens; see {}", log.display()),
        }
        Ok(server)
    }

    /// Its process ID.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// When it was not there any more: nobody else may end it.
    pub fn kill(mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the server had ended by itself: {status}");
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to stop, and waits for that.
    ///
    /// # Errors
    /// When it takes longer than 12 s.
    pub fn stop(mut self) -> anyhow::Result<ExitStatus> {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).context("no process ID")?;
        kill_process(pid, Signal::TERM).context("SIGTERM")?;
        let deadline = Instant::now() + STOP;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(5));
        }
        bail!("the server did not stop within {STOP:?} after SIGTERM")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Copies the output to the log, and reports the address when it comes. Reads to the end, lest the pipe fill up.
fn watch(stdout: ChildStdout, mut log: File, found: &mpsc::SyncSender<String>) {
    for line in BufReader::new(stdout).lines() {
        let Ok(line) = line else { return };
        if let Some(at) = line.find(LISTENING) {
            // Only the first is waited for.
            let _ = found.try_send(line[at + LISTENING.len()..].trim().to_owned());
        }
        // A log that cannot be written must not stop the server.
        let _ = writeln!(log, "{line}");
    }
}
