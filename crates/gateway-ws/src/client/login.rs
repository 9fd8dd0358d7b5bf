//! The login of an RTM client.

use std::collections::BTreeMap;

use serde::Serialize;

use super::connect::{Greeting, connect};
use super::link::object;
use super::memory::Resume;
use super::{Client, ClientError, ClientOptions, Welcome};
use crate::codec::VERSION;
use crate::protocol::Protocol;

/// Who logs in.
#[derive(Debug, Clone, Default)]
pub struct ClientLogin {
    /// The App ID.
    pub app: String,
    /// The user.
    pub user: String,
    /// The token, where the app wants one.
    pub token: Option<String>,
    /// The session to go on with.
    pub resume: Option<Resume>,
}

#[derive(Serialize)]
struct LoginFrame<'a> {
    version: u64,
    app: &'a str,
    user: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resume: Option<ResumeFrame<'a>>,
}

#[derive(Serialize)]
struct ResumeFrame<'a> {
    session: &'a str,
    channels: BTreeMap<&'a str, String>,
}

impl Greeting for Welcome {
    fn session(&self) -> &str {
        &self.session
    }

    fn rooms(&self) -> &[String] {
        &self.channels
    }

    fn ping_interval_ms(&self) -> u64 {
        self.ping_interval_ms
    }
}

impl Client {
    /// Connects and logs in. `url` may be `ws://host:port` or `wss://host:port`, with or without the path.
    ///
    /// # Errors
    /// When the server is not there or refuses the login.
    pub async fn connect_with(url: &str, login: ClientLogin, options: ClientOptions) -> Result<Self, ClientError> {
        let frame = login_frame(&login);
        let (welcome, link) = connect((url, Protocol::Rtm.path()), frame, login.resume, options).await?;
        Ok(Self { welcome, link })
    }
}

fn login_frame(login: &ClientLogin) -> String {
    let resume = login.resume.as_ref().map(|resume| ResumeFrame {
        session: &resume.session,
        channels: resume.channels.iter().map(|(channel, id)| (channel.as_str(), id.to_string())).collect(),
    });
    let frame =
        LoginFrame { version: VERSION, app: &login.app, user: &login.user, token: login.token.as_deref(), resume };
    object("login", None, &frame)
}
