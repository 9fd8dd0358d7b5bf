//! `stentor listen`: a client on the terminal.

use std::collections::{HashSet, VecDeque};
use std::fmt::Display;
use std::time::Duration;

use clap::Args;
use stentor_core::id::MessageId;
use stentor_gateway_ws::client::{ClientError, ClientOptions, Resume};
use stentor_gateway_ws::codes;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::print::Style;
use super::remote::RemoteArguments;
use super::remote::chat::ChatNames;
use super::trust::Trust;
use crate::exit::{Exit, Failed};

mod chat;
mod rtm;

/// A resume sends again at most what the mailbox holds.
const REMEMBERED: usize = 4096;

const LOGOUT_TIMEOUT: Duration = Duration::from_secs(3);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    remote: RemoteArguments,
    /// Who to be
    #[arg(long, value_name = "UID")]
    user: String,
    /// A channel to join; may be repeated
    #[arg(long, value_name = "NAME", conflicts_with = "chat")]
    channel: Vec<String>,
    /// Be a Chat client
    #[arg(long)]
    chat: bool,
    #[command(flatten)]
    names: ChatNames,
    /// Chat: the user's password [default: a token made with the data directory's credentials]
    #[arg(long, value_name = "P", requires = "chat", conflicts_with = "token")]
    password: Option<String>,
    /// Chat: which of the user's devices to be
    #[arg(long, value_name = "NAME", requires = "chat", default_value = "cli")]
    device: String,
    /// Chat: a room to join; may be repeated
    #[arg(long, value_name = "ID", requires = "chat")]
    room: Vec<String>,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

impl Arguments {
    fn style(&self) -> Style {
        if self.json { Style::Json } else { Style::Text }
    }
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failed> {
    if arguments.chat {
        listen(chat::ChatListener::new(arguments)?).await
    } else {
        listen(rtm::RtmListener::new(arguments)?).await
    }
}

/// Acks only what was printed.
fn options(url: &str, trust: &Trust) -> Result<ClientOptions, Failed> {
    let tls = if url.starts_with("https") { Some(trust.client()?) } else { None };
    Ok(ClientOptions { auto_ack: false, tls, ..ClientOptions::default() })
}

/// A client of one of the protocols, as this command needs it.
trait Listener {
    type Client;
    type Event;

    fn url(&self) -> &str;
    /// What to join.
    fn rooms(&self) -> &[String];
    async fn connect(&self, resume: Option<Resume>) -> Result<Self::Client, ClientError>;
    async fn join(&self, client: &Self::Client, room: &str) -> Result<(), ClientError>;
    fn is_resumed(client: &Self::Client) -> bool;
    fn resume_point(client: &Self::Client) -> Resume;
    async fn next(client: &mut Self::Client) -> Self::Event;
    async fn log_out(client: &Self::Client) -> Result<(), ClientError>;
    /// Whether a login that was refused with this code may be let in later.
    fn is_passing(code: u32) -> bool;
    fn print_connected(&self, client: &Self::Client) -> Result<(), Unread>;
    fn print_join_failed(&self, room: &str, reason: String) -> Result<(), Unread>;
    fn print_disconnected(&self, code: Option<u16>) -> Result<(), Unread>;
    /// Prints an event and does what it asks for. A message is acked when it is printed, not before.
    async fn take(&mut self, client: &Self::Client, event: Self::Event) -> Result<Then, Unread>;
}

/// SIGTERM or SIGINT.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn wanted(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The messages that were printed lately: a resume sends unacked ones again.
#[derive(Debug, Default)]
struct Seen {
    ids: HashSet<MessageId>,
    order: VecDeque<MessageId>,
}

impl Seen {
    /// Whether it is new.
    fn insert(&mut self, id: MessageId) -> bool {
        if !self.ids.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

/// What follows an event.
enum Then {
    GoOn,
    /// The server goes down: stay away for so long.
    StayAway(Duration),
    /// The connection ended.
    Closed(Option<u16>),
}

/// The reader of our output has gone.
struct Unread;

/// Prints a line, if there is one.
fn print(line: Option<impl Display>) -> Result<(), Unread> {
    use std::io::Write as _;
    let Some(text) = line else { return Ok(()) };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(|_| Unread)
}

/// A server that is not heard in time is not there.
async fn in_time<T>(
    patience: Duration,
    answer: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, ClientError> {
    match tokio::time::timeout(patience, answer).await {
        Ok(answer) => answer,
        Err(_elapsed) => Err(ClientError::Connect(format!("no answer within {patience:?}"))),
    }
}

async fn listen<L: Listener>(mut listener: L) -> Result<Exit, Failed> {
    let mut stop = Stop::new().map_err(|error| Failed::new(Exit::Failure, error))?;
    let mut client = tokio::select! {
        client = first(&listener) => client?,
        () = stop.wanted() => return Ok(Exit::Ok),
    };
    if listener.print_connected(&client).is_err() {
        return Ok(log_out::<L>(&client).await);
    }
    let mut after = None;
    loop {
        let event = tokio::select! {
            biased;
            () = stop.wanted() => return Ok(log_out::<L>(&client).await),
            event = L::next(&mut client) => event,
        };
        match listener.take(&client, event).await {
            Err(Unread) => return Ok(log_out::<L>(&client).await),
            Ok(Then::GoOn) => {}
            Ok(Then::StayAway(pause)) => after = Some(pause),
            Ok(Then::Closed(Some(code))) if is_final(code) => return Err(ended(code)),
            Ok(Then::Closed(code)) => {
                if listener.print_disconnected(code).is_err() {
                    return Ok(Exit::Ok);
                }
                client = tokio::select! {
                    back = come_back(&listener, &client, after.take()) => back?,
                    // The session ends by itself when the grace is over.
                    () = stop.wanted() => return Ok(Exit::Ok),
                };
                if listener.print_connected(&client).is_err() {
                    return Ok(log_out::<L>(&client).await);
                }
            }
        }
    }
}

/// The first login, and the joins: whatever fails ends the command.
async fn first<L: Listener>(listener: &L) -> Result<L::Client, Failed> {
    let client = listener.connect(None).await.map_err(|error| match error {
        ClientError::Connect(_) => {
            let host = listener.url();
            Failed::new(Exit::Unreachable, format!("the server at {host} cannot be reached: {error}"))
        }
        other => Failed::new(Exit::Failure, other),
    })?;
    for room in listener.rooms() {
        listener
            .join(&client, room)
            .await
            .map_err(|error| Failed::new(exit_of(&error), format!("cannot join {room}: {error}")))?;
    }
    Ok(client)
}

/// Tries until it works, or cannot.
async fn come_back<L: Listener>(
    listener: &L,
    lost: &L::Client,
    first_pause: Option<Duration>,
) -> Result<L::Client, Failed> {
    let point = L::resume_point(lost);
    let mut pause = FIRST_PAUSE;
    let mut next = first_pause;
    loop {
        let some_of = pause.mul_f64(0.5 + fastrand::f64() / 2.0);
        tokio::time::sleep(next.take().unwrap_or(some_of)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        match listener.connect(Some(point.clone())).await {
            Ok(client) => {
                if L::is_resumed(&client) || join_again(listener, &client).await {
                    return Ok(client);
                }
            }
            Err(ClientError::LoginRefused { code, reason }) if !L::is_passing(code) => {
                return Err(Failed::new(Exit::Failure, format!("login refused: {reason} ({code})")));
            }
            Err(_) => {}
        }
    }
}

/// Joins the rooms of a new session. `false` if the connection was lost again.
async fn join_again<L: Listener>(listener: &L, client: &L::Client) -> bool {
    for room in listener.rooms() {
        match listener.join(client, room).await {
            Ok(()) => {}
            Err(ClientError::Refused { reason, .. }) => {
                let _ = listener.print_join_failed(room, reason);
            }
            Err(_) => return false,
        }
    }
    true
}

fn exit_of(error: &ClientError) -> Exit {
    if matches!(error, ClientError::Connect(_)) { Exit::Unreachable } else { Exit::Failure }
}

async fn log_out<L: Listener>(client: &L::Client) -> Exit {
    // A server that does not answer will notice by itself.
    let _ = tokio::time::timeout(LOGOUT_TIMEOUT, L::log_out(client)).await;
    Exit::Ok
}

/// Whether a close code means not to come back.
fn is_final(code: u16) -> bool {
    !matches!(
        code,
        codes::CLOSE_RESTART | codes::CLOSE_SLOW_CONSUMER | codes::CLOSE_SILENT | codes::CLOSE_TOKEN_EXPIRED
    )
}

fn ended(code: u16) -> Failed {
    let why = match code {
        codes::CLOSE_REPLACED => "the user logged in elsewhere",
        codes::CLOSE_REFUSED => "the login was refused",
        codes::CLOSE_SUPERSEDED => "the session was resumed on another connection",
        codes::CLOSE_LOGGED_OUT => "the app logged the user out",
        codes::CLOSE_PASSWORD_CHANGED => "the user has another password",
        codes::CLOSE_DEACTIVATED => "the user was deactivated",
        codes::CLOSE_DELETED => "the user was deleted",
        _ => "the server closed the connection",
    };
    Failed::new(Exit::Failure, format!("{why} ({code})"))
}

#[cfg(test)]
mod tests {
    use super::super::http::tests::{IMPATIENCE, silent};
    use super::*;

    #[tokio::test]
    async fn a_server_that_does_not_answer_cannot_be_reached() {
        let (_listener, url) = silent().await;
        let listener = rtm::RtmListener::at(url, IMPATIENCE);
        let failed = first(&listener).await.map(|_client| ()).unwrap_err();
        assert_eq!(failed.exit, Exit::Unreachable);
        assert!(failed.message.contains("no answer within 50ms"), "{}", failed.message);
        let resume = Resume::default();
        assert!(matches!(listener.connect(Some(resume)).await, Err(ClientError::Connect(_))), "tried again later");
    }

    #[test]
    fn what_was_seen_is_known_for_a_while() {
        let mut seen = Seen::default();
        assert!(seen.insert(MessageId(0)));
        assert!(!seen.insert(MessageId(0)));
        for id in 1..=REMEMBERED as u64 {
            assert!(seen.insert(MessageId(id)));
        }
        assert_eq!(seen.ids.len(), REMEMBERED);
        assert!(seen.insert(MessageId(0)), "the oldest is forgotten");
    }
}
