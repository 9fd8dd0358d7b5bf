//! The command line of the load generator.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use loadgen::{bench, crash, push_client, reference};

#[derive(Debug, Parser)]
#[command(about = "Measures Stentor next to bare reference servers, and kills it to see what survives")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve as one of the reference servers.
    Reference {
        /// How it writes.
        mode: reference::Mode,
        /// Where it listens.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
    },
    /// Send one push request again and again: the reference of push.
    PushClient {
        /// What to send: a file that the benchmark writes.
        file: PathBuf,
    },
    /// Measure the server next to the references.
    Bench(bench::Options),
    /// Kill the server again and again under load and check what it promised.
    Crash(crash::Options),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Reference { mode, listen } => reference::serve(mode, listen).map(|()| true),
        Command::PushClient { file } => push_client::run(&file).map(|()| true),
        Command::Bench(options) => bench::run(&options),
        Command::Crash(options) => crash::run(&options).map(|report| report.print()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
