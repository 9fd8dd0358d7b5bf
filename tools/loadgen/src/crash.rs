//! The crash test: `kill -9` at a random moment under load, start again on the same data, and hold the server to
//! everything it had acknowledged. Round after round on one data directory, with an app's RTM and Chat sides both under
//! load.
//!
//! What is promised, and so what is a violation (`chat` says what more is promised there):
//!
//! * a message that is to be kept and was answered with 200 stays in the inbox until the client acks it, or until
//!   200 newer ones replace it (oldest first);
//! * an ack is not acknowledged itself, so a message may come again; with the same message ID, so that the client
//!   sees it once. The same message under two IDs is a violation, and so is one that nobody sent;
//! * what a receiver sees for the first time from one sender comes in the order in which it was sent;
//! * `message_delivered` is answered only when a client has acked;
//! * every Login has its Logout, every Join its Leave, exactly once, and no event is pulled twice. Events of a pull
//!   whose answer was lost with the server may be lost with it: pulls are at most once, as documented;
//! * what was kept for history is counted.
//!
//! A request without an answer is in doubt: it may have happened or not.

mod chat;
mod client;
mod connection;
mod counts;
mod event_log;
mod load;
mod oracle;
mod restart;
mod roster;
mod verify;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::task::LocalSet;
use tokio::time::sleep;

use crate::wire::websocket::{Scratch, scratch};
use chat::Chat;
pub use counts::Counts;
use event_log::EventLog;
use oracle::Oracle;
use restart::Restarter;

/// The most that a load runs before the kill, mostly.
const LOAD_MS: u64 = 700;

/// How long it runs now and then: longer than the wait for acks.
const LONG_LOAD_MS: Range<u64> = 1000..1700;

/// What to do.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How often to kill the server.
    #[arg(long, default_value_t = 20)]
    pub rounds: u64,
    /// The first round's seed; each later round has the next. Random by default.
    #[arg(long)]
    pub seed: Option<u64>,
    /// The server's reconnect grace.
    #[arg(long, default_value_t = 300)]
    pub grace_ms: u64,
    /// The server's binary; by default `stentor` beside this one.
    #[arg(long)]
    pub stentor: Option<PathBuf>,
    /// Where data and log go. Emptied first; what is there after a violation is left for inspection.
    #[arg(long, default_value = "target/crash")]
    pub out: PathBuf,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Report {
    /// Rounds that were completed.
    pub rounds: u64,
    /// The seed of the last round.
    pub seed: u64,
    /// What happened in all rounds.
    pub counts: Counts,
    /// What should not have happened. The run ends with the first round that has any.
    pub violations: Vec<String>,
    /// Where data and log are.
    pub out: PathBuf,
}

impl Report {
    /// Prints a summary. `true` if nothing was violated.
    pub fn print(&self) -> bool {
        println!("{} rounds: {}", self.rounds, self.counts);
        for violation in &self.violations {
            println!("VIOLATION: {violation}");
        }
        if self.violations.is_empty() {
            println!("nothing was violated");
        } else {
            let (seed, out) = (self.seed, self.out.display());
            println!("in the round with --seed {seed}; data and log are in {out}");
        }
        self.violations.is_empty()
    }
}

/// What the tasks of a run share. One thread.
struct World {
    address: Cell<SocketAddr>,
    grace: Duration,
    scratch: Scratch,
    oracle: RefCell<Oracle>,
    events: RefCell<EventLog>,
    /// Sessions that were cut by the kill, to be resumed after the restart: by user, the field of the login.
    sessions: RefCell<HashMap<usize, Value>>,
    chat: Chat,
}

impl World {
    fn counts(&self) -> Counts {
        let rtm = self.oracle.borrow().counts.clone();
        let (events, pulls_lost) = (self.events.borrow().events, self.events.borrow().pulls_lost);
        let (chat, broadcasts, callbacks, pushes) = self.chat.counts();
        Counts { rtm, events, pulls_lost, chat, broadcasts, callbacks, pushes }
    }

    /// Everything that was found since it was last asked for.
    fn violations(&self) -> Vec<String> {
        let mut all = std::mem::take(&mut self.oracle.borrow_mut().violations);
        all.append(&mut self.events.borrow_mut().violations);
        all.append(&mut self.chat.violations());
        all
    }
}

/// Runs the rounds, on a runtime of its own.
///
/// # Errors
/// When the test cannot be done: no binary, no directory. A server that does not start again is a violation.
pub fn run(options: &Options) -> anyhow::Result<Report> {
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..1 << 48));
    let chat = Chat::new()?;
    let (restarter, first) = Restarter::prepare(options, chat.setup())?;
    let world = Rc::new(World {
        address: Cell::new(first.address),
        grace: Duration::from_millis(options.grace_ms),
        scratch: scratch(),
        oracle: RefCell::new(Oracle::new(roster::names())),
        events: RefCell::default(),
        sessions: RefCell::default(),
        chat,
    });
    let out = restarter.out.clone();
    let mut report = Report { rounds: 0, seed, counts: Counts::default(), violations: Vec::new(), out };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, chat::set_up(&world)).context("setting the Chat side up")?;
    let mut server = first;
    while report.rounds < options.rounds {
        report.seed = seed + report.rounds;
        // A set of its own, so that no task outlives its round.
        let outcome = LocalSet::new().block_on(&runtime, round(&world, &restarter, server, report.seed));
        report.rounds += 1;
        report.counts = world.counts();
        report.violations.append(&mut world.violations());
        show(options, &report, outcome.as_ref().ok());
        server = match outcome {
            Ok(ended) if report.violations.is_empty() => ended.server,
            Ok(_) => return Ok(report),
            Err(error) => {
                report.violations.push(format!("{error:#}"));
                return Ok(report);
            }
        };
    }
    match server.stop() {
        Ok(status) if status.success() => {}
        Ok(status) => report.violations.push(format!("after SIGTERM the server ended with {status}")),
        Err(error) => report.violations.push(format!("{error:#}")),
    }
    Ok(report)
}

/// How a round ended.
struct Ended {
    server: crate::server::Server,
    killed_after: Duration,
    restart: Duration,
}

/// Load on the running server, kill, restart, verify.
async fn round(
    world: &Rc<World>,
    restarter: &Restarter,
    server: crate::server::Server,
    seed: u64,
) -> anyhow::Result<Ended> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let start = Instant::now();
    let mut load = load::start(world, &mut rng)?;
    // One kill in eight comes before anything has settled, one when acks are missed.
    let lifetime = match rng.u8(..8) {
        0 => rng.u64(..30),
        1 => rng.u64(LONG_LOAD_MS),
        _ => rng.u64(30..LOAD_MS),
    };
    sleep(Duration::from_millis(lifetime)).await;
    load.check_alive();
    server.kill().context("during the load")?;
    let killed_after = start.elapsed();
    load.end().await;
    world.oracle.borrow_mut().killed();
    world.chat.killed();

    world.chat.starting().await;
    if rng.u8(..8) == 0 {
        restarter.start_in_vain(Duration::from_millis(rng.u64(..30)))?;
        world.chat.starting().await;
    }
    let start = Instant::now();
    let server = restarter.start().context("the server does not start after a kill")?;
    let restart = start.elapsed();
    world.address.set(server.address);
    let mut chat_rng = rng.fork();
    let rtm = async { verify::verify(world, &mut rng).await.context("after the restart") };
    let chat = async { chat::verify(world, &mut chat_rng).await.context("after the restart, Chat") };
    tokio::try_join!(rtm, chat)?;
    Ok(Ended { server, killed_after, restart })
}

/// One line for each round; on a terminal they replace each other.
fn show(options: &Options, report: &Report, ended: Option<&Ended>) {
    let times = ended.map_or_else(String::new, |ended| {
        format!(" killed after {} ms, back in {} ms;", ended.killed_after.as_millis(), ended.restart.as_millis())
    });
    let line = format!("round {}/{} seed {}:{times} {}", report.rounds, options.rounds, report.seed, report.counts);
    if std::io::stderr().is_terminal() && report.violations.is_empty() && report.rounds < options.rounds {
        eprint!("\r\x1b[K{line}");
    } else {
        eprintln!("{line}");
    }
}

/// A guard against a misspelt directory: only what this program made is emptied.
fn ensure_ours(out: &std::path::Path) -> anyhow::Result<()> {
    let foreign = out.exists() && !out.join(restart::CONFIG).exists() && out.read_dir()?.next().is_some();
    ensure!(!foreign, "{} holds something else than an earlier crash test", out.display());
    Ok(())
}
