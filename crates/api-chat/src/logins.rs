//! Who may log in: the answer that gateways get from this dialect.

use stentor_core::accounts::{Checking, Credential, Grant, LoginCheck, LoginRefused};
use stentor_core::app::App;
use stentor_core::id::{AppId, UserId};

use crate::app::ChatApp;
use crate::auth::{BadToken, Principal, authenticate};
use crate::state::ChatState;

/// Checks the tokens and passwords of Chat clients. A session lasts as long as its token; one that was opened with a
/// password lasts as long as its connection.
#[derive(Debug, Clone)]
pub struct ChatLogins(ChatState);

impl ChatLogins {
    /// Knows the apps and users of this dialect.
    #[must_use]
    pub fn new(state: ChatState) -> Self {
        Self(state)
    }

    async fn token(&self, chat: &ChatApp, app: &App, user: &UserId, token: &str) -> Result<Grant, LoginRefused> {
        let granted = authenticate(&self.0, chat, app, token).await.map_err(refused)?;
        match granted.principal {
            Principal::User(of) if of == *user => {
                let generation = granted.user.map(|user| user.token_generation);
                Ok(Grant { expires_at_ms: granted.expires_at_ms, generation })
            }
            // A backend does not log in: it is nobody.
            Principal::User(_) | Principal::App => Err(LoginRefused::InvalidToken),
        }
    }

    async fn password(&self, app: &App, name: &UserId, password: &str) -> Result<Grant, LoginRefused> {
        let user = self.0.node().find_user(app, name).await.map_err(|error| {
            tracing::error!(%error, "a login could not be checked");
            LoginRefused::Unavailable
        })?;
        let hash = user.as_ref().and_then(|user| user.password_hash.as_deref());
        let good = self.0.passwords().verify(password, hash).await.map_err(|_busy| LoginRefused::Unavailable)?;
        match user {
            Some(user) if good && user.active => {
                Ok(Grant { expires_at_ms: None, generation: Some(user.token_generation) })
            }
            Some(_) if good => Err(LoginRefused::NotAuthorized),
            _ => Err(LoginRefused::WrongPassword),
        }
    }
}

impl LoginCheck for ChatLogins {
    /// Apps are called by their App Key, `org#app`, or by their App ID.
    fn app(&self, name: &str) -> Option<AppId> {
        let chat = self.0.app_by_key(name).or_else(|| self.0.app_by_id(name))?;
        Some(AppId::from_trusted(&chat.key()))
    }

    fn check<'a>(&'a self, app: &'a AppId, user: &'a UserId, credential: Credential<'a>, _now_ms: u64) -> Checking<'a> {
        Box::pin(async move {
            let chat = self.0.app_by_key(app.as_str()).ok_or(LoginRefused::InvalidApp)?;
            let app = self.0.node().app(app.as_str()).ok_or(LoginRefused::InvalidApp)?;
            match credential {
                Credential::None => Err(LoginRefused::InvalidToken),
                Credential::Token(token) => self.token(chat, &app, user, token).await,
                Credential::Password(password) => self.password(&app, user, password).await,
            }
        })
    }
}

fn refused(bad: BadToken) -> LoginRefused {
    match bad {
        BadToken::Corrupt | BadToken::Foreign | BadToken::Revoked | BadToken::NotAuthorized => {
            LoginRefused::InvalidToken
        }
        BadToken::Expired => LoginRefused::Expired,
        BadToken::Inactive => LoginRefused::NotAuthorized,
        BadToken::Store(error) => {
            tracing::error!(%error, "a login could not be checked");
            LoginRefused::Unavailable
        }
    }
}
