//! Starting the server on the same data again and again.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use super::{Options, ensure_ours};
use crate::machine;
use crate::server::Server;
use crate::stentor::config::{ChatSetup, Setup};

pub(super) const CONFIG: &str = "config.toml";
const LOG: &str = "stentor.log";

/// How long a sender waits for an ack: short, since some users never ack.
const ACK_TIMEOUT_MS: u64 = 150;

/// Logins come and go faster here than people do.
const LOGINS_PER_SECOND: u32 = 10_000;

const OPEN_FILES: u64 = 1024;

/// Starts the server.
pub(super) struct Restarter {
    binary: PathBuf,
    pub(super) out: PathBuf,
}

impl Restarter {
    /// Makes an empty directory with a configuration, and starts the server in it for the first time.
    pub(super) fn prepare(options: &Options, chat: ChatSetup) -> anyhow::Result<(Self, Server)> {
        let binary = match &options.stentor {
            Some(path) => path.clone(),
            None => std::env::current_exe()?.with_file_name("stentor"),
        };
        ensure!(binary.exists(), "{} is not there: build it first", binary.display());
        ensure_ours(&options.out)?;
        if options.out.exists() {
            std::fs::remove_dir_all(&options.out)?;
        }
        std::fs::create_dir_all(&options.out)?;
        let (binary, out) = (binary.canonicalize()?, options.out.canonicalize()?);
        let setup = Setup {
            data_dir: &out.join("data"),
            grace_ms: options.grace_ms,
            ack_timeout_ms: ACK_TIMEOUT_MS,
            logins_per_second: LOGINS_PER_SECOND,
            chat,
            push: Some(""),
        };
        std::fs::write(out.join(CONFIG), setup.to_toml())?;
        machine::allow_open_files(OPEN_FILES)?;
        let restarter = Self { binary, out };
        let first = restarter.start().context("the first start")?;
        Ok((restarter, first))
    }

    pub(super) fn start(&self) -> anyhow::Result<Server> {
        Server::start(&mut self.command(), &self.out.join(LOG))
    }

    /// Starts the server and kills it before it has got far: what it does to recover must bear that too.
    pub(super) fn start_in_vain(&self, lifetime: Duration) -> anyhow::Result<()> {
        let log = File::options().create(true).append(true).open(self.out.join(LOG))?;
        let mut command = self.command();
        let mut child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        std::thread::sleep(lifetime);
        let ended = child.try_wait()?;
        child.kill()?;
        child.wait()?;
        ended.map_or(Ok(()), |status| bail!("the server ended while starting: {status}"))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("serve").arg("--config").arg(self.out.join(CONFIG)).current_dir(&self.out);
        command
    }
}
