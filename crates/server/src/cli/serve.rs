//! `stentor serve`, which is also what plain `stentor` does.

use std::io::IsTerminal as _;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{ServeArguments, say};
use crate::config::{Config, Overrides, Sources};
use crate::exit::{Exit, Failed};
use crate::first_start::{introduction, program};
use crate::server::{Server, StartError};
use crate::{files, logging};

impl ServeArguments {
    /// The configuration that these arguments ask for.
    pub(super) fn load(&self) -> Result<Config, Failed> {
        let overrides = Overrides { listen: self.listen.clone(), data: self.data.clone() };
        let sources = Sources::of_process(self.config.clone(), overrides);
        Config::load(&sources).map_err(|error| Failed::new(Exit::Usage, format!("bad configuration:\n{error}")))
    }
}

impl From<StartError> for Failed {
    fn from(error: StartError) -> Self {
        let exit = match &error {
            StartError::DataDir(_) | StartError::Open(_) | StartError::Credentials(_) | StartError::Files(_) => {
                Exit::DataDirectory
            }
            StartError::Tls(_) | StartError::PushTrust(_) | StartError::Translator(_) => Exit::Usage,
            StartError::Listen { .. } => Exit::Address,
            StartError::Store(_)
            | StartError::Random(_)
            | StartError::CallbackTls(_)
            | StartError::Certificates(_)
            | StartError::Interrupted => Exit::Failure,
        };
        Self::new(exit, error)
    }
}

pub(super) fn run(arguments: &ServeArguments) -> Result<Exit, Failed> {
    let config = arguments.load()?;
    logging::start(&config.log);
    files::raise_limit();
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failed::new(Exit::Failure, error))?;
    let served = runtime.block_on(serve(config));
    // What is left are tasks that did not end in time.
    runtime.shutdown_background();
    served
}

async fn serve(config: Config) -> Result<Exit, Failed> {
    // From here on no signal is lost: one that comes while starting ends the server when it has started.
    let mut signals = Signals::new().map_err(|error| Failed::new(Exit::Failure, error))?;
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let server = Server::spawn(config).await?;
    say(format_args!("listening on {}", server.url()));
    tell_about(&server);
    loop {
        match signals.next(&server).await {
            Wanted::End(signal) => {
                tracing::info!(signal, "going down");
                break;
            }
            Wanted::Reload => match server.reload_tls() {
                Ok(true) => tracing::info!("certificate and key were read again"),
                Ok(false) => tracing::info!("without TLS, SIGHUP has nothing to read again"),
                Err(error) => tracing::error!(%error, "certificate and key stay as they were"),
            },
            Wanted::Broken => return Err(Failed::new(Exit::Failure, "a task of the server has failed")),
        }
    }
    tokio::select! {
        done = server.shutdown() => {
            done.map_err(|error| Failed::new(Exit::Failure, format!("the store was not closed: {error}")))?;
            tracing::info!("down");
            Ok(Exit::Ok)
        }
        signal = signals.end() => Err(Failed::new(Exit::Failure, format!("{signal} again: ended at once"))),
    }
}

/// Shows a new app on a terminal, and only there: a log must not hold credentials.
fn tell_about(server: &Server) {
    tracing::info!(url = server.url(), data_dir = %server.data_dir().display(), "serving");
    let Some(app) = server.new_app() else { return };
    if std::io::stdout().is_terminal() {
        say(introduction(app, &server.url(), &program(), server.data_dir()));
    } else {
        let file = server.data_dir().join(crate::first_start::CREDENTIALS);
        tracing::info!(file = %file.display(), "a first app was created; its credentials are in the file");
    }
}

/// What the process is asked to do.
enum Wanted {
    End(&'static str),
    Reload,
    Broken,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn end(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }

    async fn next(&mut self, server: &Server) -> Wanted {
        tokio::select! {
            _ = self.terminate.recv() => Wanted::End("SIGTERM"),
            _ = self.interrupt.recv() => Wanted::End("SIGINT"),
            _ = self.hang_up.recv() => Wanted::Reload,
            () = server.broken() => Wanted::Broken,
        }
    }
}
