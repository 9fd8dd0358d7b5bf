//! `stentor doctor`: looks at everything that tends to be wrong, and says so in one line each.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use stentor_core::clock::{Clock, SystemClock};

use super::http::NoReply;
use super::trust::Trust;
use super::{ServeArguments, http as client, say};
use crate::config::Config;
use crate::config::storage::Engine;
use crate::exit::{Exit, Failed};
use crate::files;
use crate::first_start::CREDENTIALS;
use crate::local::{LOCAL, Local, LocalError};

/// Fewer files than this, and a few hundred clients fill the server.
const FEW_FILES: u64 = 4096;

/// Less than this is soon full.
const LITTLE_SPACE_BYTES: u64 = 1 << 30;

/// 2020-01-01: a machine whose clock says less has lost it.
const PLAUSIBLE_MS: u64 = 1_577_836_800_000;

/// What was found, and how bad it is.
#[derive(Debug, Default)]
struct Findings {
    bad: bool,
}

impl Findings {
    fn ok(text: impl std::fmt::Display) {
        say(format_args!("ok    {text}"));
    }

    fn warn(text: impl std::fmt::Display) {
        say(format_args!("warn  {text}"));
    }

    fn bad(&mut self, text: impl std::fmt::Display) {
        self.bad = true;
        say(format_args!("bad   {text}"));
    }
}

pub(super) async fn run(arguments: ServeArguments) -> Result<Exit, Failed> {
    let mut findings = Findings::default();
    match arguments.load() {
        Ok(config) => {
            Findings::ok("the configuration is valid");
            for warning in config.warnings() {
                Findings::warn(warning);
            }
            machine(&mut findings, &config);
            directory(&mut findings, &config);
            server(&mut findings, &config).await;
        }
        Err(failed) => findings.bad(failed.message.replace('\n', "\n      ")),
    }
    Ok(if findings.bad { Exit::Failure } else { Exit::Ok })
}

fn machine(findings: &mut Findings, config: &Config) {
    match files::raise_limit() {
        Some(limit) if limit < FEW_FILES => {
            Findings::warn(format_args!("only {limit} files may be open: raise `ulimit -n`, each client needs one"));
        }
        Some(limit) => Findings::ok(format_args!("{limit} files may be open")),
        None => Findings::ok("any number of files may be open"),
    }
    if SystemClock::new().wall_ms() < PLAUSIBLE_MS {
        findings.bad("the clock is wrong: tokens cannot be checked");
    }
    if config.has_tls() {
        match crate::server::open_tls(config) {
            Ok(_) => Findings::ok("certificate and key can be used"),
            Err(error) => findings.bad(error),
        }
    }
}

fn directory(findings: &mut Findings, config: &Config) {
    let path = config.data_dir();
    let shown = path.display();
    let Ok(metadata) = fs::metadata(path) else {
        return Findings::ok(format_args!("the data directory {shown} is not there yet: the first start makes it"));
    };
    if !metadata.is_dir() {
        return findings.bad(format_args!("{shown} is not a directory"));
    }
    for name in [CREDENTIALS, LOCAL] {
        let file = path.join(name);
        if fs::metadata(&file).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0) {
            findings.bad(format_args!("{} holds secrets and is readable by others: chmod 600", file.display()));
        }
    }
    match writable(path) {
        Ok(()) => Findings::ok(format_args!("the data directory {shown} can be written")),
        Err(error) => findings.bad(format_args!("the data directory {shown} cannot be written: {error}")),
    }
    match rustix::fs::statvfs(path).map(|space| space.f_bavail.saturating_mul(space.f_frsize)) {
        Ok(free) if free < LITTLE_SPACE_BYTES && config.store.engine == Engine::Embedded => {
            Findings::warn(format_args!("only {} MiB are free on the disk of {shown}", free >> 20));
        }
        Ok(free) => Findings::ok(format_args!("{} MiB are free on the disk of {shown}", free >> 20)),
        Err(error) => Findings::warn(format_args!("free space of {shown} is unknown: {error}")),
    }
}

fn writable(path: &Path) -> std::io::Result<()> {
    let file = path.join(".doctor");
    fs::write(&file, b"")?;
    fs::remove_file(file)
}

async fn server(findings: &mut Findings, config: &Config) {
    let local = match Local::read(config.data_dir()) {
        Ok(local) => local,
        Err(LocalError::NoDirectory(_) | LocalError::NotRunning(_)) => {
            return Findings::ok("no server is running on the data directory");
        }
        Err(error) => return findings.bad(error),
    };
    match ask(&local, client::PATIENCE).await {
        Ok(text) => Findings::ok(text),
        Err(text) => findings.bad(text),
    }
}

/// Asks a server whether it is ready: what is good, or what is bad.
async fn ask(local: &Local, patience: Duration) -> Result<String, String> {
    let trust = local.trust.clone().map_or(Trust::System, Trust::Exactly);
    let request = Request::get(format!("{}/readyz", local.url)).body(Full::new(Bytes::new()));
    let reply = match request {
        Ok(request) => client::request(request, &trust, patience).await,
        Err(error) => Err(Failed::new(Exit::Failure, error).into()),
    };
    match reply {
        Ok(reply) if reply.status.is_success() => Ok(format!("the server at {} is ready", local.url)),
        Ok(reply) => Err(format!("the server at {} is not ready: {}", local.url, reply.body)),
        Err(NoReply::NotThere(failed)) => Err(format!("{}; it ended without cleaning up", failed.message)),
        Err(NoReply::Untrusted(failed)) => Err(format!(
            "{}; a server runs there with another certificate than the file's: was it replaced? SIGHUP reads it again",
            failed.message
        )),
        Err(NoReply::Silent(failed)) => Err(format!("{}; it is there, but stopped or stuck", failed.message)),
        Err(NoReply::Other(failed)) => Err(failed.message),
    }
}

#[cfg(test)]
mod tests {
    use super::super::http::tests::{IMPATIENCE, silent};
    use super::*;

    #[tokio::test]
    async fn a_server_that_does_not_answer_is_bad() {
        let (_listener, url) = silent().await;
        let local = Local { url, trust: None, pid: 1, apps: Vec::new() };
        let bad = ask(&local, IMPATIENCE).await.unwrap_err();
        assert!(bad.contains("no answer within 50ms; it is there, but stopped or stuck"), "{bad}");
    }
}
