//! Chat clients.

mod devices;
mod login;
mod rooms;
mod send;

use bytes::Bytes;
use serde_json::Value;
use stentor_core::delivery::{Origin, SendOptions, SendPeer, SendRoom};
use stentor_core::directory::rooms::{NewRoom, RoomKind};
use stentor_core::directory::users::NewUser;
use stentor_core::id::{MessageId, RoomId, UserId};
use stentor_core::message::{Marks, Priority};
use stentor_gateway_ws::client::{
    ChatAppName, ChatClient, ChatCredential, ChatEvent, ChatLogin, ChatMessage, ClientError, ClientOptions,
};

use crate::harness::{Gateway, Setup, gateway_with, soon};

pub(crate) fn user(name: &str) -> UserId {
    UserId::from_trusted(name)
}

fn by_password(name: &str) -> ChatLogin {
    ChatLogin {
        app: ChatAppName::Names { org: "acme".to_owned(), app_name: "demo".to_owned() },
        user: name.to_owned(),
        credential: ChatCredential::Password("pw".to_owned()),
        ..ChatLogin::default()
    }
}

fn on_device(name: &str, device: &str) -> ChatLogin {
    ChatLogin { device: Some(device.to_owned()), ..by_password(name) }
}

/// Acks only when told to.
fn no_acks() -> ClientOptions {
    ClientOptions { auto_ack: false, ..ClientOptions::default() }
}

/// A gateway whose Chat app knows alice, bob, carol and dave.
pub(crate) async fn gateway() -> Gateway {
    chat_gateway(|_| {}).await
}

pub(crate) async fn chat_gateway(change: impl FnOnce(&mut Setup)) -> Gateway {
    let gateway = gateway_with(change).await;
    for name in ["alice", "bob", "carol", "dave"] {
        let new = NewUser { name: user(name), password_hash: None, nickname: None };
        gateway.node.register(&gateway.chat, new).await.expect("registered");
    }
    gateway
}

impl Gateway {
    pub(crate) async fn chat(&self, name: &str) -> ChatClient {
        self.try_chat(by_password(name)).await.expect("logged in")
    }

    async fn try_chat(&self, login: ChatLogin) -> Result<ChatClient, ClientError> {
        soon(ChatClient::connect(&self.url(), login)).await
    }

    async fn chat_with(&self, login: ChatLogin, options: ClientOptions) -> ChatClient {
        soon(ChatClient::connect_with(&self.url(), login, options)).await.expect("logged in")
    }

    /// A room or group of carol's with these members.
    pub(crate) async fn place(&self, kind: RoomKind, members: &[&str]) -> RoomId {
        let new = NewRoom {
            kind,
            name: "name".to_owned(),
            description: String::new(),
            owner: user("carol"),
            max_users: 10,
            members: members.iter().map(|name| user(name)).collect(),
            custom: String::new(),
            public: true,
            members_only: false,
            allow_invites: true,
            invite_need_confirm: false,
            avatar: String::new(),
        };
        self.node.create_room(&self.chat, new).await.expect("created").room_id()
    }

    /// The backend sends a text to a user, to be kept.
    pub(crate) async fn text_to(&self, to: &str, text: &str) -> MessageId {
        let send = SendPeer {
            from: user("backend"),
            to: user(to),
            payload: payload(text),
            wait_for_ack: false,
            options: SendOptions { keep: true, ..SendOptions::default() },
        };
        self.node.send_peer(&self.chat, Origin::Backend, send).await.expect("sent").id
    }

    /// The backend sends a text to a room.
    pub(crate) async fn text_to_room(&self, room: &RoomId, text: &str) -> MessageId {
        self.levelled_to_room(room, Priority::Normal, text).await
    }

    async fn levelled_to_room(&self, room: &RoomId, priority: Priority, text: &str) -> MessageId {
        let (from, payload) = (user("backend"), payload(text));
        let options = SendOptions { marks: Marks { priority, ..Marks::default() }, ..SendOptions::default() };
        let send = SendRoom { from, room: room.clone(), payload, only_for: Vec::new(), options };
        self.node.send_room(&self.chat, Origin::Backend, send).await.expect("sent").id
    }
}

fn payload(text: &str) -> Bytes {
    Bytes::from(format!(r#"{{"type":"txt","body":{{"msg":"{text}"}}}}"#))
}

/// The next event that is not about how many are in a room.
async fn event(client: &mut ChatClient) -> ChatEvent {
    loop {
        match soon(client.next()).await.expect("an event") {
            ChatEvent::MemberCount { .. } => {}
            other => return other,
        }
    }
}

/// The next message, whatever comes before it.
pub(crate) async fn message(client: &mut ChatClient) -> ChatMessage {
    loop {
        match soon(client.next()).await.expect("an event") {
            ChatEvent::Message(message) => return message,
            ChatEvent::Closed { code } => panic!("closed: {code:?}"),
            _ => {}
        }
    }
}

/// The next of the other notices.
async fn other(client: &mut ChatClient) -> Value {
    match event(client).await {
        ChatEvent::Other(value) => value,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn text(message: &ChatMessage) -> String {
    message.body.value()["msg"].as_str().expect("a text").to_owned()
}

async fn closed(client: &mut ChatClient) -> Option<u16> {
    loop {
        if let ChatEvent::Closed { code } = soon(client.next()).await.expect("the end") {
            return code;
        }
    }
}

#[track_caller]
fn code<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> u32 {
    match answer {
        Err(ClientError::Refused { code, .. } | ClientError::LoginRefused { code, .. }) => code,
        other => panic!("not refused: {other:?}"),
    }
}
