//! The login of a Chat client.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use stentor_core::id::MessageId;

use super::super::ClientError;
use super::super::connect::{ClientOptions, connect};
use super::super::link::object;
use super::super::memory::Resume;
use super::ChatClient;
use crate::codec::VERSION;
use crate::protocol::Protocol;

/// What an app is called.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum ChatAppName {
    /// By its names in URLs.
    Names {
        /// The organisation.
        org: String,
        /// The app's name.
        app_name: String,
    },
    /// By its App ID.
    Id {
        /// The App ID.
        app_id: String,
    },
}

impl Default for ChatAppName {
    fn default() -> Self {
        Self::Id { app_id: String::new() }
    }
}

/// What a user shows.
#[derive(Clone, Default)]
pub enum ChatCredential {
    /// Nothing; no server lets that in.
    #[default]
    None,
    /// A token of the user's.
    Token(String),
    /// The password.
    Password(String),
}

impl fmt::Debug for ChatCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChatCredential(…)")
    }
}

/// Who logs in.
#[derive(Debug, Clone, Default)]
pub struct ChatLogin {
    /// The app.
    pub app: ChatAppName,
    /// The user.
    pub user: String,
    /// What the user shows.
    pub credential: ChatCredential,
    /// Which of the user's devices it is; the server's default without one.
    pub device: Option<String>,
    /// The session to go on with.
    pub resume: Option<Resume>,
}

#[derive(Serialize)]
struct LoginFrame<'a> {
    version: u64,
    #[serde(flatten)]
    app: &'a ChatAppName,
    user: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resume: Option<ResumeFrame<'a>>,
}

#[derive(Serialize)]
struct ResumeFrame<'a> {
    session: &'a str,
    /// The newest message of each level; of the room, if that is all that is known.
    rooms: BTreeMap<&'a str, Vec<String>>,
}

impl ChatClient {
    /// Connects and logs in. `url` may be `ws://host:port` or `wss://host:port`, with or without the path.
    ///
    /// # Errors
    /// When the server is not there or refuses the login.
    pub async fn connect_with(url: &str, login: ChatLogin, options: ClientOptions) -> Result<Self, ClientError> {
        let frame = login_frame(&login);
        let (welcome, link) = connect((url, Protocol::Chat.path()), frame, login.resume, options).await?;
        Ok(Self { welcome, link })
    }
}

fn newest(resume: &Resume, room: &str, of_all: MessageId) -> Vec<String> {
    let levels = resume.levels.get(room);
    levels.map_or_else(|| vec![of_all.to_string()], |levels| levels.values().map(ToString::to_string).collect())
}

fn login_frame(login: &ChatLogin) -> String {
    let resume = login.resume.as_ref().map(|resume| ResumeFrame {
        session: &resume.session,
        rooms: resume.channels.iter().map(|(room, id)| (room.as_str(), newest(resume, room, *id))).collect(),
    });
    let (token, password) = match &login.credential {
        ChatCredential::None => (None, None),
        ChatCredential::Token(token) => (Some(token.as_str()), None),
        ChatCredential::Password(password) => (None, Some(password.as_str())),
    };
    let (app, user, device) = (&login.app, login.user.as_str(), login.device.as_deref());
    object("login", None, &LoginFrame { version: VERSION, app, user, token, password, device, resume })
}
