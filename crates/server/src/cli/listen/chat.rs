//! `stentor listen --chat`: as a Chat client.

use std::time::Duration;

use stentor_core::id::MessageId;
use stentor_gateway_ws::chat::codes;
use stentor_gateway_ws::client::{
    ChatClient, ChatCredential, ChatEvent, ChatLogin, ChatType, ClientError, ClientOptions, Resume,
};

use super::super::http::PATIENCE;
use super::super::print::Style;
use super::super::print::chat::ChatLine;
use super::super::remote::chat::{ChatRemote, user_id};
use super::super::token::DAY_S;
use super::{Arguments, Listener, Seen, Then, Unread, in_time, options, print};
use crate::exit::{Exit, Failed};

pub(super) struct ChatListener {
    style: Style,
    remote: ChatRemote,
    options: ClientOptions,
    user: String,
    device: String,
    /// What was given; tokens are made without it.
    credential: Option<ChatCredential>,
    rooms: Vec<String>,
    seen: Seen,
}

impl ChatListener {
    pub(super) fn new(arguments: Arguments) -> Result<Self, Failed> {
        let remote = arguments.remote.find_chat(&arguments.names)?;
        let token = arguments.remote.token().map(|token| ChatCredential::Token(token.to_owned()));
        let credential = arguments.password.clone().map(ChatCredential::Password).or(token);
        if credential.is_none() && !remote.makes_tokens() {
            return Err(Failed::new(Exit::Usage, "give the user's password with --password, or a token with --token"));
        }
        Ok(Self {
            style: arguments.style(),
            options: options(&remote.url, &remote.trust)?,
            remote,
            user: user_id(&arguments.user)?,
            device: arguments.device,
            credential,
            rooms: arguments.room,
            seen: Seen::default(),
        })
    }

    fn print(&self, line: &ChatLine<'_>) -> Result<(), Unread> {
        print(line.render(self.style))
    }

    async fn credential(&self) -> Result<ChatCredential, Failed> {
        match &self.credential {
            Some(given) => Ok(given.clone()),
            None => self.remote.token(Some(&self.user), DAY_S).await.map(ChatCredential::Token),
        }
    }

    /// Prints what is to be acked once, and acks it.
    async fn take_kept(&mut self, client: &ChatClient, id: MessageId, event: &ChatEvent) -> Result<(), Unread> {
        if self.seen.insert(id) {
            self.print(&ChatLine::Event(event))?;
        }
        // If the connection is lost meanwhile, the message comes again.
        let _ = in_time(PATIENCE, client.ack(&[id])).await;
        Ok(())
    }
}

impl Listener for ChatListener {
    type Client = ChatClient;
    type Event = ChatEvent;

    fn url(&self) -> &str {
        &self.remote.url
    }

    fn rooms(&self) -> &[String] {
        &self.rooms
    }

    async fn connect(&self, resume: Option<Resume>) -> Result<ChatClient, ClientError> {
        let credential = self.credential().await.map_err(|failed| ClientError::Connect(failed.message))?;
        let (app, user, device) = (self.remote.app.clone(), self.user.clone(), Some(self.device.clone()));
        let login = ChatLogin { app, user, credential, device, resume };
        in_time(PATIENCE, ChatClient::connect_with(&self.remote.url, login, self.options.clone())).await
    }

    async fn join(&self, client: &ChatClient, room: &str) -> Result<(), ClientError> {
        in_time(PATIENCE, client.join(room)).await.map(|_members| ())
    }

    fn is_resumed(client: &ChatClient) -> bool {
        client.welcome().resumed
    }

    fn resume_point(client: &ChatClient) -> Resume {
        client.resume_point()
    }

    async fn next(client: &mut ChatClient) -> ChatEvent {
        client.next().await.unwrap_or(ChatEvent::Closed { code: None })
    }

    async fn log_out(client: &ChatClient) -> Result<(), ClientError> {
        client.logout().await
    }

    fn is_passing(code: u32) -> bool {
        codes::is_passing(code)
    }

    fn print_connected(&self, client: &ChatClient) -> Result<(), Unread> {
        self.print(&ChatLine::Connected { welcome: client.welcome(), rooms: &self.rooms })
    }

    fn print_join_failed(&self, room: &str, reason: String) -> Result<(), Unread> {
        self.print(&ChatLine::JoinFailed { room, reason })
    }

    fn print_disconnected(&self, code: Option<u16>) -> Result<(), Unread> {
        self.print(&ChatLine::Disconnected { code })
    }

    async fn take(&mut self, client: &ChatClient, event: ChatEvent) -> Result<Then, Unread> {
        match &event {
            ChatEvent::Message(message) if message.chat_type != ChatType::ChatRoom => {
                self.take_kept(client, message.id, &event).await?;
            }
            ChatEvent::Closed { code } => return Ok(Then::Closed(*code)),
            ChatEvent::TokenWillExpire { .. } if self.credential.is_none() => {
                if let Ok(ChatCredential::Token(token)) = self.credential().await {
                    // If it fails, the session ends, and the next login brings another token.
                    let _ = in_time(PATIENCE, client.renew_token(&token)).await;
                }
            }
            ChatEvent::Reconnect { after_ms } => {
                self.print(&ChatLine::Event(&event))?;
                return Ok(Then::StayAway(Duration::from_millis(*after_ms)));
            }
            _ => match event.to_be_acked() {
                Some(id) => self.take_kept(client, id, &event).await?,
                None => self.print(&ChatLine::Event(&event))?,
            },
        }
        Ok(Then::GoOn)
    }
}
