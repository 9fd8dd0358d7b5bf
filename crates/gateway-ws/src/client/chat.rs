//! A Chat client.

use serde_json::{Value, json};
use stentor_core::id::MessageId;

use super::ClientError;
use super::connect::ClientOptions;
use super::link::Link;
use super::memory::Resume;
use super::replies::{self, Sent};

mod event;
mod login;
mod outgoing;

pub use event::{ChatEvent, ChatMessage, ChatType, ChatWelcome, Json};
pub use login::{ChatAppName, ChatCredential, ChatLogin};
pub use outgoing::{ChatMembers, ChatOutgoing};

/// One connection of a Chat client that is logged in. Otherwise as [`super::Client`].
#[derive(Debug)]
pub struct ChatClient {
    welcome: ChatWelcome,
    link: Link<ChatEvent>,
}

impl ChatClient {
    /// Connects and logs in, with the default options. `url` may be `ws://host:port`, with or without the path.
    ///
    /// # Errors
    /// When the server is not there or refuses the login.
    pub async fn connect(url: &str, login: ChatLogin) -> Result<Self, ClientError> {
        Self::connect_with(url, login, ClientOptions::default()).await
    }

    /// What the server said at the login.
    #[must_use]
    pub fn welcome(&self) -> &ChatWelcome {
        &self.welcome
    }

    /// What a later login needs to go on with this session.
    #[must_use]
    pub fn resume_point(&self) -> Resume {
        self.link.resume_point()
    }

    /// The next event; `None` after [`ChatEvent::Closed`].
    pub async fn next(&mut self) -> Option<ChatEvent> {
        self.link.next().await
    }

    /// Joins a room. Returns how many members it has then.
    ///
    /// # Errors
    /// When the client may not join, or the connection ended.
    pub async fn join(&self, room: &str) -> Result<usize, ClientError> {
        let joined: replies::Count = self.link.request("join", json!({ "room": room })).await?;
        self.link.joined(room);
        Ok(joined.count)
    }

    /// Leaves a room.
    ///
    /// # Errors
    /// When the client is not in it, or the connection ended.
    pub async fn leave(&self, room: &str) -> Result<(), ClientError> {
        self.link.done("leave", json!({ "room": room })).await?;
        self.link.left(room);
        Ok(())
    }

    /// Sends a message; answers when the server has it.
    ///
    /// # Errors
    /// When it was not taken, or the connection ended.
    pub async fn send(&self, message: &ChatOutgoing) -> Result<Sent, ClientError> {
        self.link.request("send", outgoing::fields(message)).await
    }

    /// Gives a message that this user sent another body, and another extension if there is one.
    ///
    /// # Errors
    /// When it was not edited, or the connection ended.
    pub async fn edit(
        &self,
        chat_type: ChatType,
        to: &str,
        id: MessageId,
        body: &serde_json::Value,
        ext: Option<&serde_json::Value>,
    ) -> Result<Sent, ClientError> {
        let mut fields = json!({ "chat_type": chat_type, "to": to, "message_id": id.to_string(), "body": body });
        if let Some(ext) = ext {
            fields["ext"] = ext.clone();
        }
        self.link.request("edit", fields).await
    }

    /// Takes back a message that this user sent, or somebody else in a group or room that this user owns or administers.
    ///
    /// # Errors
    /// When it was not taken back, or the connection ended.
    pub async fn recall(&self, chat_type: ChatType, to: &str, id: MessageId) -> Result<Sent, ClientError> {
        let fields = json!({ "chat_type": chat_type, "to": to, "message_id": id.to_string() });
        self.link.request("recall", fields).await
    }

    /// Tells a user that messages of the conversation were read.
    ///
    /// # Errors
    /// When it was not taken, or the connection ended.
    pub async fn read(&self, user: &str, ids: &[MessageId]) -> Result<Sent, ClientError> {
        let ids: Vec<_> = ids.iter().map(MessageId::to_string).collect();
        self.link.request("read", json!({ "chat_type": ChatType::Chat, "to": user, "ids": ids })).await
    }

    /// The members of a room that the user is in: the first page, or the one behind the user `after`.
    ///
    /// # Errors
    /// When it is not in it, or the connection ended.
    pub async fn members(&self, room: &str, after: Option<&str>) -> Result<ChatMembers, ClientError> {
        self.link.request("members", json!({ "room": room, "after": after })).await
    }

    /// The rooms that the client is in.
    ///
    /// # Errors
    /// When the connection ended.
    pub async fn rooms(&self) -> Result<Vec<String>, ClientError> {
        let rooms: replies::Rooms = self.link.request("rooms", json!({})).await?;
        Ok(rooms.rooms)
    }

    /// Brings a new token.
    ///
    /// # Errors
    /// When it is not good, or the connection ended.
    pub async fn renew_token(&self, token: &str) -> Result<(), ClientError> {
        self.link.done("renew_token", json!({ "token": token })).await
    }

    /// Logs out: the session ends, and the connection with it.
    ///
    /// # Errors
    /// When the connection ended before the answer.
    pub async fn logout(&self) -> Result<(), ClientError> {
        self.link.done("logout", json!({})).await
    }

    /// Acks messages; needed only if [`ClientOptions::auto_ack`] is off.
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

    /// Makes a request of any type. `fields` is a JSON object without `type` and `id`.
    ///
    /// # Errors
    /// When it is refused, or the connection ended.
    pub async fn request(&self, kind: &str, fields: Value) -> Result<Value, ClientError> {
        self.link.request(kind, fields).await
    }
}
