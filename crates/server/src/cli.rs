//! The command line.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::exit::{Exit, Failed};

mod check_config;
mod doctor;
mod http;
mod listen;
mod print;
mod remote;
mod send;
mod serve;
mod token;
mod trust;

/// Stentor: a real-time messaging server that speaks the Agora RTM REST API.
///
/// Without a command it serves.
#[derive(Debug, Parser)]
#[command(name = "stentor", version, args_conflicts_with_subcommands = true, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM or SIGINT. SIGHUP reads the TLS certificate again.
    Serve(ServeArguments),
    /// Be a client: log in, join channels, and print what arrives until SIGTERM or SIGINT.
    Listen(listen::Arguments),
    /// Send one message over the REST API.
    Send(send::Arguments),
    /// Make a token.
    #[command(subcommand)]
    Token(token::Command),
    /// Read the configuration, and say what is wrong with it.
    CheckConfig(ServeArguments),
    /// Look at the machine, the data directory and the running server, and say what is wrong.
    Doctor(ServeArguments),
}

/// Where the configuration comes from.
#[derive(Debug, Clone, Args)]
struct ServeArguments {
    /// The configuration file
    #[arg(long, value_name = "FILE", env = "STENTOR_CONFIG")]
    config: Option<PathBuf>,
    /// Where to listen, IP and port [default: 127.0.0.1:8480]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// The data directory [default: ./stentor-data]
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command.unwrap_or(Command::Serve(arguments.serve)) {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Listen(arguments) => in_runtime(listen::run(arguments)),
        Command::Send(arguments) => in_runtime(send::run(arguments)),
        Command::Token(command) => in_runtime(token::run(command)),
        Command::CheckConfig(arguments) => check_config::run(&arguments),
        Command::Doctor(arguments) => in_runtime(doctor::run(arguments)),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(Failed { exit, message }) => {
            // Nobody is left to tell if stderr is gone.
            let _ = writeln!(io::stderr(), "stentor: {message}");
            exit.into()
        }
    }
}

/// Runs a client's command: one thread is enough.
fn in_runtime(command: impl Future<Output = Result<Exit, Failed>>) -> Result<Exit, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failed::new(Exit::Failure, error))?.block_on(command)
}

/// Prints a line to stdout. Whoever has closed it does not want to know.
fn say(line: impl std::fmt::Display) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
