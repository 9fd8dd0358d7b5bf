//! Starting the server on the same data again and again.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};

use super::{Options, ensure_ours};
use crate::machine;
use crate::server::Server;
use crate::stentor::config::Setup;

pub(super) const CONFIG: &str = "config.toml";

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
    pub(super) fn prepare(options: &Options) -> anyhow::Result<(Self, Server)> {
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
        };
        std::fs::write(out.join(CONFIG), setup.to_toml())?;
        machine::allow_open_files(OPEN_FILES)?;
        let mut restarter = Self { binary, out };
        let first = restarter.start().context("the first start")?;
        Ok((restarter, first))
    }

    pub(super) fn start(&mut self) -> anyhow::Result<Server> {
        let mut command = Command::new(&self.binary);
        command.arg("serve").arg("--config").arg(self.out.join(CONFIG)).current_dir(&self.out);
        Server::start(&mut command, &self.out.join("stentor.log"))
    }
}
