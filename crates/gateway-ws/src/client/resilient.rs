//! A client that comes back when its connection is lost.

use std::time::Duration;

use super::{Client, ClientError, ClientEvent, ClientLogin, ClientOptions};
use crate::{codes, rtm};

const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// A client that resumes its session when the connection is lost, and logs in anew and joins its channels again
/// when the session is gone. It stays away when it was told to, or when coming back cannot help.
#[derive(Debug)]
pub struct ResilientClient {
    url: String,
    login: ClientLogin,
    options: ClientOptions,
    client: Client,
    /// How long the server asked to stay away.
    after: Option<Duration>,
    ended: bool,
}

impl ResilientClient {
    /// Connects and logs in; the first time must succeed.
    ///
    /// # Errors
    /// When the server is not there or refuses the login.
    pub async fn connect(url: &str, login: ClientLogin, options: ClientOptions) -> Result<Self, ClientError> {
        let client = Client::connect_with(url, login.clone(), options.clone()).await?;
        Ok(Self { url: url.to_owned(), login, options, client, after: None, ended: false })
    }

    /// The connection of the moment, for requests.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The next event. A loss of the connection shows as [`ClientEvent::Reconnected`] when the client is back;
    /// [`ClientEvent::Closed`] means that it does not come back, and `None` follows.
    pub async fn next(&mut self) -> Option<ClientEvent> {
        if self.ended {
            return None;
        }
        match self.client.next().await {
            Some(ClientEvent::Closed { code }) if !is_final(code) => Some(self.reconnect().await),
            Some(ClientEvent::Reconnect { after_ms }) => {
                self.after = Some(Duration::from_millis(after_ms));
                Some(ClientEvent::Reconnect { after_ms })
            }
            Some(ClientEvent::Closed { code }) => Some(self.end(code)),
            Some(event) => Some(event),
            None => Some(self.end(None)),
        }
    }

    fn end(&mut self, code: Option<u16>) -> ClientEvent {
        self.ended = true;
        ClientEvent::Closed { code }
    }

    async fn reconnect(&mut self) -> ClientEvent {
        let mut delay = FIRST_DELAY;
        loop {
            tokio::time::sleep(self.after.take().unwrap_or_else(|| some_of(delay))).await;
            delay = (delay * 2).min(LONGEST_DELAY);
            match self.come_back().await {
                Ok(resumed) => return ClientEvent::Reconnected { resumed },
                Err(ClientError::LoginRefused { code, .. }) if !rtm::codes::login::is_passing(code) => {
                    return self.end(Some(codes::CLOSE_REFUSED));
                }
                Err(_) => {}
            }
        }
    }

    async fn come_back(&mut self) -> Result<bool, ClientError> {
        let point = self.client.resume_point();
        let joined = point.joined.clone();
        let login = ClientLogin { resume: Some(point), ..self.login.clone() };
        let client = Client::connect_with(&self.url, login, self.options.clone()).await?;
        let resumed = client.welcome().resumed;
        if !resumed {
            for channel in joined {
                match client.join(&channel).await {
                    // Refused for a reason of its own, which its user would have been told as well.
                    Ok(_) | Err(ClientError::Refused { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        self.client = client;
        Ok(resumed)
    }
}

/// Between half of it and all of it, so that clients that were lost together do not come back together.
fn some_of(delay: Duration) -> Duration {
    delay.mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// Whether coming back by itself cannot help, or was forbidden.
fn is_final(code: Option<u16>) -> bool {
    !matches!(code, None | Some(codes::CLOSE_RESTART | codes::CLOSE_SLOW_CONSUMER | codes::CLOSE_SILENT))
}
