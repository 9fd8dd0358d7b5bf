//! `stentor listen`: a client on the terminal.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use clap::Args;
use stentor_core::id::MessageId;
use stentor_gateway_ws::client::{Client, ClientError, ClientEvent, ClientLogin, ClientOptions, Resume};
use stentor_gateway_ws::{codes, rtm};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::http::PATIENCE;
use super::print::{Line, Style};
use super::remote::{Remote, RemoteArguments};
use super::token::check_user;
use crate::exit::{Exit, Failed};

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
    #[arg(long, value_name = "NAME")]
    channel: Vec<String>,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failed> {
    check_user(&arguments.user)?;
    let remote = arguments.remote.find()?;
    let tls = if remote.url.starts_with("https") { Some(remote.trust.client()?) } else { None };
    let options = ClientOptions { auto_ack: false, tls, ..ClientOptions::default() };
    let mut stop = Stop::new().map_err(|error| Failed::new(Exit::Failure, error))?;
    let mut listener = Listener {
        style: if arguments.json { Style::Json } else { Style::Text },
        remote,
        options,
        user: arguments.user,
        channels: arguments.channel,
        seen: Seen::default(),
        patience: PATIENCE,
    };
    let client = tokio::select! {
        client = listener.first() => client?,
        () = stop.wanted() => return Ok(Exit::Ok),
    };
    listener.listen(client, &mut stop).await
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

struct Listener {
    style: Style,
    remote: Remote,
    options: ClientOptions,
    user: String,
    channels: Vec<String>,
    seen: Seen,
    /// For one answer of the server.
    patience: Duration,
}

/// What follows an event.
enum Then {
    GoOn,
    ComeBack { after: Option<Duration> },
    End(u16),
}

/// The reader of our output has gone.
struct Unread;

impl Listener {
    /// Prints a line.
    fn print(&self, line: &Line<'_>) -> Result<(), Unread> {
        use std::io::Write as _;
        let Some(text) = line.render(self.style) else { return Ok(()) };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).map_err(|_| Unread)
    }

    async fn connect(&self, resume: Option<Resume>) -> Result<Client, ClientError> {
        let token = self.remote.token(&self.user).map_err(|failed| ClientError::Connect(failed.message))?;
        let login = ClientLogin { app: self.remote.app_id.clone(), user: self.user.clone(), token, resume };
        let connect = Client::connect_with(&self.remote.url, login, self.options.clone());
        self.in_time(connect).await
    }

    async fn join(&self, client: &Client, channel: &str) -> Result<(), ClientError> {
        self.in_time(client.join(channel)).await.map(|_members| ())
    }

    /// A server that is not heard in time is not there.
    async fn in_time<T>(&self, answer: impl Future<Output = Result<T, ClientError>>) -> Result<T, ClientError> {
        let patience = self.patience;
        match tokio::time::timeout(patience, answer).await {
            Ok(answer) => answer,
            Err(_elapsed) => Err(ClientError::Connect(format!("no answer within {patience:?}"))),
        }
    }

    /// The first login, and the joins: whatever fails ends the command.
    async fn first(&mut self) -> Result<Client, Failed> {
        let client = self.connect(None).await.map_err(|error| match error {
            ClientError::Connect(_) => {
                let host = self.remote.url.as_str();
                Failed::new(Exit::Unreachable, format!("the server at {host} cannot be reached: {error}"))
            }
            other => Failed::new(Exit::Failure, other),
        })?;
        for channel in &self.channels {
            self.join(&client, channel)
                .await
                .map_err(|error| Failed::new(exit_of(&error), format!("cannot join {channel}: {error}")))?;
        }
        Ok(client)
    }

    fn connected(&self, client: &Client) -> Result<(), Unread> {
        self.print(&Line::Connected { user: &self.user, welcome: client.welcome(), channels: &self.channels })
    }

    async fn listen(&mut self, mut client: Client, stop: &mut Stop) -> Result<Exit, Failed> {
        if self.connected(&client).is_err() {
            return Ok(log_out(&client).await);
        }
        let mut after = None;
        loop {
            let event = tokio::select! {
                biased;
                () = stop.wanted() => return Ok(log_out(&client).await),
                event = client.next() => event.unwrap_or(ClientEvent::Closed { code: None }),
            };
            if let ClientEvent::Reconnect { after_ms } = event {
                after = Some(Duration::from_millis(after_ms));
            }
            match self.take(&client, &event, after).await {
                Err(Unread) => return Ok(log_out(&client).await),
                Ok(Then::GoOn) => {}
                Ok(Then::End(code)) => return Err(ended(code)),
                Ok(Then::ComeBack { after: pause }) => {
                    after = None;
                    client = tokio::select! {
                        back = self.come_back(&client, pause) => back?,
                        // The session ends by itself when the grace is over.
                        () = stop.wanted() => return Ok(Exit::Ok),
                    };
                    if self.connected(&client).is_err() {
                        return Ok(log_out(&client).await);
                    }
                }
            }
        }
    }

    /// Prints an event and does what it asks for. A message is acked when it is printed, not before.
    async fn take(&mut self, client: &Client, event: &ClientEvent, after: Option<Duration>) -> Result<Then, Unread> {
        match event {
            ClientEvent::PeerMessage(message) => {
                if self.seen.insert(message.message_id) {
                    self.print(&Line::Event(event))?;
                }
                // If the connection is lost meanwhile, the message comes again.
                let _ = self.in_time(client.ack(&[message.message_id])).await;
            }
            ClientEvent::Closed { code: Some(code) } if is_final(*code) => return Ok(Then::End(*code)),
            ClientEvent::Closed { code } => {
                self.print(&Line::Disconnected { code: *code })?;
                return Ok(Then::ComeBack { after });
            }
            ClientEvent::TokenWillExpire { .. } if self.remote.makes_tokens() => {
                if let Ok(Some(token)) = self.remote.token(&self.user) {
                    // If it fails, the session ends, and the next login brings another token.
                    let _ = self.in_time(client.renew_token(&token)).await;
                }
            }
            event => self.print(&Line::Event(event))?,
        }
        Ok(Then::GoOn)
    }

    /// Tries until it works, or cannot.
    async fn come_back(&self, lost: &Client, first_pause: Option<Duration>) -> Result<Client, Failed> {
        let point = lost.resume_point();
        let mut pause = FIRST_PAUSE;
        let mut next = first_pause;
        loop {
            let some_of = pause.mul_f64(0.5 + fastrand::f64() / 2.0);
            tokio::time::sleep(next.take().unwrap_or(some_of)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            match self.connect(Some(point.clone())).await {
                Ok(client) => {
                    if client.welcome().resumed || self.join_again(&client).await {
                        return Ok(client);
                    }
                }
                Err(ClientError::LoginRefused { code, reason }) if !rtm::codes::login::is_passing(code) => {
                    return Err(Failed::new(Exit::Failure, format!("login refused: {reason} ({code})")));
                }
                Err(_) => {}
            }
        }
    }

    /// Joins the channels of a new session. `false` if the connection was lost again.
    async fn join_again(&self, client: &Client) -> bool {
        for channel in &self.channels {
            match self.join(client, channel).await {
                Ok(()) => {}
                Err(ClientError::Refused { reason, .. }) => {
                    let _ = self.print(&Line::JoinFailed { channel, reason });
                }
                Err(_) => return false,
            }
        }
        true
    }
}

fn exit_of(error: &ClientError) -> Exit {
    if matches!(error, ClientError::Connect(_)) { Exit::Unreachable } else { Exit::Failure }
}

async fn log_out(client: &Client) -> Exit {
    // A server that does not answer will notice by itself.
    let _ = tokio::time::timeout(LOGOUT_TIMEOUT, client.logout()).await;
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
        let mut listener = Listener {
            style: Style::Json,
            remote: Remote::at(url),
            options: ClientOptions::default(),
            user: "bob".to_owned(),
            channels: Vec::new(),
            seen: Seen::default(),
            patience: IMPATIENCE,
        };
        let failed = listener.first().await.unwrap_err();
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
