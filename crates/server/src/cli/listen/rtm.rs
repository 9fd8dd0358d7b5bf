//! `stentor listen` as an RTM client.

use std::time::Duration;

use stentor_gateway_ws::client::{Client, ClientError, ClientEvent, ClientLogin, ClientOptions, Resume};
use stentor_gateway_ws::rtm::codes::login;

use super::super::http::PATIENCE;
use super::super::print::{Line, Style};
use super::super::remote::Remote;
use super::super::token::check_user;
use super::{Arguments, Listener, Seen, Then, Unread, in_time, options, print};
use crate::exit::Failed;

pub(super) struct RtmListener {
    style: Style,
    remote: Remote,
    options: ClientOptions,
    user: String,
    channels: Vec<String>,
    seen: Seen,
    /// For one answer of the server.
    patience: Duration,
}

impl RtmListener {
    pub(super) fn new(arguments: Arguments) -> Result<Self, Failed> {
        check_user(&arguments.user)?;
        let style = arguments.style();
        let remote = arguments.remote.find()?;
        Ok(Self {
            style,
            options: options(&remote.url, &remote.trust)?,
            remote,
            user: arguments.user,
            channels: arguments.channel,
            seen: Seen::default(),
            patience: PATIENCE,
        })
    }

    /// A listener to a server that asks for nothing.
    #[cfg(test)]
    pub(super) fn at(url: String, patience: Duration) -> Self {
        Self {
            style: Style::Json,
            remote: Remote::at(url),
            options: ClientOptions::default(),
            user: "bob".to_owned(),
            channels: Vec::new(),
            seen: Seen::default(),
            patience,
        }
    }

    fn print(&self, line: &Line<'_>) -> Result<(), Unread> {
        print(line.render(self.style))
    }
}

impl Listener for RtmListener {
    type Client = Client;
    type Event = ClientEvent;

    fn url(&self) -> &str {
        &self.remote.url
    }

    fn rooms(&self) -> &[String] {
        &self.channels
    }

    async fn connect(&self, resume: Option<Resume>) -> Result<Client, ClientError> {
        let token = self.remote.token(&self.user).map_err(|failed| ClientError::Connect(failed.message))?;
        let login = ClientLogin { app: self.remote.app_id.clone(), user: self.user.clone(), token, resume };
        in_time(self.patience, Client::connect_with(&self.remote.url, login, self.options.clone())).await
    }

    async fn join(&self, client: &Client, channel: &str) -> Result<(), ClientError> {
        in_time(self.patience, client.join(channel)).await.map(|_members| ())
    }

    fn is_resumed(client: &Client) -> bool {
        client.welcome().resumed
    }

    fn resume_point(client: &Client) -> Resume {
        client.resume_point()
    }

    async fn next(client: &mut Client) -> ClientEvent {
        client.next().await.unwrap_or(ClientEvent::Closed { code: None })
    }

    async fn log_out(client: &Client) -> Result<(), ClientError> {
        client.logout().await
    }

    fn is_passing(code: u32) -> bool {
        login::is_passing(code)
    }

    fn print_connected(&self, client: &Client) -> Result<(), Unread> {
        self.print(&Line::Connected { user: &self.user, welcome: client.welcome(), channels: &self.channels })
    }

    fn print_join_failed(&self, channel: &str, reason: String) -> Result<(), Unread> {
        self.print(&Line::JoinFailed { channel, reason })
    }

    fn print_disconnected(&self, code: Option<u16>) -> Result<(), Unread> {
        self.print(&Line::Disconnected { code })
    }

    async fn take(&mut self, client: &Client, event: ClientEvent) -> Result<Then, Unread> {
        match &event {
            ClientEvent::PeerMessage(message) => {
                if self.seen.insert(message.message_id) {
                    self.print(&Line::Event(&event))?;
                }
                // If the connection is lost meanwhile, the message comes again.
                let _ = in_time(self.patience, client.ack(&[message.message_id])).await;
            }
            ClientEvent::Closed { code } => return Ok(Then::Closed(*code)),
            ClientEvent::TokenWillExpire { .. } if self.remote.makes_tokens() => {
                if let Ok(Some(token)) = self.remote.token(&self.user) {
                    // If it fails, the session ends, and the next login brings another token.
                    let _ = in_time(self.patience, client.renew_token(&token)).await;
                }
            }
            ClientEvent::Reconnect { after_ms } => {
                self.print(&Line::Event(&event))?;
                return Ok(Then::StayAway(Duration::from_millis(*after_ms)));
            }
            _ => self.print(&Line::Event(&event))?,
        }
        Ok(Then::GoOn)
    }
}
