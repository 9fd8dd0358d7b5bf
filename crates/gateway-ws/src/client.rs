//! Clients of the protocols in `docs/gateway.md` and `docs/gateway-chat.md`: for `stentor listen`, the tests and the
//! load generator.
//!
//! [`Client`] is one connection of an RTM client, [`ChatClient`] of a Chat client; [`ResilientClient`] comes back by
//! itself. The WebSocket underneath is not the server's own, so that the two check each other.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use stentor_core::id::MessageId;

mod actor;
mod attributes;
mod chat;
mod connect;
mod event;
mod link;
mod login;
mod memory;
mod replies;
mod resilient;

pub use chat::{
    ChatAppName, ChatClient, ChatCredential, ChatEvent, ChatLogin, ChatMembers, ChatMessage, ChatOutgoing, ChatType,
    ChatWelcome, Json,
};
pub use connect::ClientOptions;
pub use event::{Attribute, ChannelMessage, ClientEvent, PeerMessage, UserState, Welcome};
pub use login::ClientLogin;
pub use memory::Resume;
pub use replies::{Members, PeerResult, Sent, SentPeer};
pub use resilient::ResilientClient;

use link::Link;

/// Why something did not work.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The URL is none that a client can connect to.
    #[error("not a WebSocket URL: {0}")]
    Url(String),
    /// The server is not there, or does not speak the protocol.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The server refused the login.
    #[error("login refused: {reason} ({code})")]
    LoginRefused {
        /// The code, as in the table of logins.
        code: u32,
        /// For people.
        reason: String,
    },
    /// The server refused the request.
    #[error("{reason} ({code})")]
    Refused {
        /// The code, as in the table of requests.
        code: u32,
        /// For people.
        reason: String,
    },
    /// The connection ended.
    #[error("the connection ended")]
    Closed,
    /// The server answered something that is not in the protocol.
    #[error("unexpected answer: {0}")]
    Unexpected(String),
}

/// One connection that is logged in. Its requests may be made from several tasks at once.
///
/// A task of its own reads the socket, pings and acks. Events that are not taken with [`Client::next`] fill a
/// bounded queue; when it is full nothing more is read, replies included, until some are taken.
#[derive(Debug)]
pub struct Client {
    welcome: Welcome,
    link: Link<ClientEvent>,
}

impl Client {
    /// Connects and logs in, with the default options. `url` may be `ws://host:port`, with or without the path.
    ///
    /// # Errors
    /// When the server is not there or refuses the login.
    pub async fn connect(url: &str, login: ClientLogin) -> Result<Self, ClientError> {
        Self::connect_with(url, login, ClientOptions::default()).await
    }

    /// What the server said at the login.
    #[must_use]
    pub fn welcome(&self) -> &Welcome {
        &self.welcome
    }

    /// The session's number.
    #[must_use]
    pub fn session(&self) -> &str {
        &self.welcome.session
    }

    /// What a later login needs to go on with this session.
    #[must_use]
    pub fn resume_point(&self) -> Resume {
        self.link.resume_point()
    }

    /// The next event; `None` after [`ClientEvent::Closed`].
    pub async fn next(&mut self) -> Option<ClientEvent> {
        self.link.next().await
    }

    /// Brings a new token.
    ///
    /// # Errors
    /// When it is not good, or the connection ended.
    pub async fn renew_token(&self, token: &str) -> Result<(), ClientError> {
        self.done("renew_token", json!({ "token": token })).await
    }

    /// Sends to a user, and waits until the fate of the message is known.
    ///
    /// # Errors
    /// When the message was not taken, or the connection ended.
    pub async fn send_peer(&self, to: &str, payload: &str, keep: bool, history: bool) -> Result<SentPeer, ClientError> {
        let fields = json!({ "to": to, "payload": payload, "keep": keep, "history": history });
        self.request("send_peer", fields).await
    }

    /// Sends to the members of a channel.
    ///
    /// # Errors
    /// When the message was not taken, or the connection ended.
    pub async fn send_channel(&self, channel: &str, payload: &str, history: bool) -> Result<Sent, ClientError> {
        self.request("send_channel", json!({ "channel": channel, "payload": payload, "history": history })).await
    }

    /// Joins a channel. Returns how many members it has then.
    ///
    /// # Errors
    /// When the client may not join, or the connection ended.
    pub async fn join(&self, channel: &str) -> Result<usize, ClientError> {
        let joined: replies::Count = self.request("join", json!({ "channel": channel })).await?;
        self.link.joined(channel);
        Ok(joined.count)
    }

    /// Leaves a channel.
    ///
    /// # Errors
    /// When the client is not in it, or the connection ended.
    pub async fn leave(&self, channel: &str) -> Result<(), ClientError> {
        self.done("leave", json!({ "channel": channel })).await?;
        self.link.left(channel);
        Ok(())
    }

    /// The members of a channel that the client is in.
    ///
    /// # Errors
    /// When it is not in it, asks too often, or the connection ended.
    pub async fn members(&self, channel: &str) -> Result<Members, ClientError> {
        self.request("members", json!({ "channel": channel })).await
    }

    /// How many members channels have, in the order asked.
    ///
    /// # Errors
    /// When asked too often or for too many, or the connection ended.
    pub async fn member_counts(&self, channels: &[&str]) -> Result<Vec<usize>, ClientError> {
        let counts: replies::Counts = self.request("member_counts", json!({ "channels": channels })).await?;
        Ok(counts.counts)
    }

    /// Who is online, in the order asked.
    ///
    /// # Errors
    /// When asked too often or for too many, or the connection ended.
    pub async fn query_presence(&self, users: &[&str]) -> Result<Vec<bool>, ClientError> {
        let online: replies::Online = self.request("query_presence", json!({ "users": users })).await?;
        Ok(online.online)
    }

    /// Watches users. Returns their present states.
    ///
    /// # Errors
    /// When too many are watched, or the connection ended.
    pub async fn watch_presence(&self, users: &[&str]) -> Result<Vec<UserState>, ClientError> {
        let states: replies::States = self.request("watch_presence", json!({ "users": users })).await?;
        Ok(states.states)
    }

    /// Stops watching users.
    ///
    /// # Errors
    /// When asked too often, or the connection ended.
    pub async fn unwatch_presence(&self, users: &[&str]) -> Result<(), ClientError> {
        self.done("unwatch_presence", json!({ "users": users })).await
    }

    /// The users that are watched.
    ///
    /// # Errors
    /// When asked too often, or the connection ended.
    pub async fn watched_presence(&self) -> Result<Vec<String>, ClientError> {
        let users: replies::Users = self.request("watched_presence", json!({})).await?;
        Ok(users.users)
    }

    /// Logs out: the session ends, and the connection with it.
    ///
    /// # Errors
    /// When the connection ended before the answer.
    pub async fn logout(&self) -> Result<(), ClientError> {
        self.done("logout", json!({})).await
    }

    /// Acks peer messages; needed only if [`ClientOptions::auto_ack`] is off.
    ///
    /// # Errors
    /// When the connection ended.
    pub async fn ack(&self, ids: &[MessageId]) -> Result<(), ClientError> {
        self.link.ack(ids).await
    }

    /// Says that the client is there; happens by itself when nothing else is sent.
    ///
    /// # Errors
    /// When the connection ended.
    pub async fn ping(&self) -> Result<(), ClientError> {
        self.link.ping().await
    }

    /// Closes the connection without logging out: the session can be resumed.
    pub async fn close(self) {
        self.link.close().await;
    }

    /// Sends a text as it is, well-formed or not.
    ///
    /// # Errors
    /// When the connection ended.
    pub async fn send_text(&self, text: String) -> Result<(), ClientError> {
        self.link.send_text(text).await
    }

    async fn done(&self, kind: &'static str, fields: Value) -> Result<(), ClientError> {
        self.link.done(kind, fields).await
    }

    /// Makes a request of any type. `fields` is a JSON object without `type` and `id`.
    ///
    /// # Errors
    /// When it is refused, answered with something else, or the connection ended.
    pub async fn request<T: DeserializeOwned>(&self, kind: &str, fields: Value) -> Result<T, ClientError> {
        self.link.request(kind, fields).await
    }
}
