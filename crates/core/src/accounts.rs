//! Who may log in: asked by gateways, answered by a dialect that knows the app's credentials.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::id::{AppId, UserId};

/// What a client shows at its login.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Credential<'a> {
    /// Nothing.
    None,
    /// A token.
    Token(&'a str),
    /// The user's password.
    Password(&'a str),
}

impl fmt::Debug for Credential<'_> {
    /// Names the kind only: a credential must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Token(_) => "Token(…)",
            Self::Password(_) => "Password(…)",
        })
    }
}

/// What a good credential allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// When the session ends unless the credential is renewed: Unix time in milliseconds. `None` if it may
    /// stay for as long as it is connected.
    pub expires_at_ms: Option<u64>,
    /// How often the user's tokens had been revoked when it was checked, in a dialect that counts:
    /// [`crate::node::Node::confirm`] wants it.
    pub generation: Option<u64>,
}

/// Why a login was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginRefused {
    /// The app is not served here, or the credential is of another app.
    #[error("invalid app id")]
    InvalidApp,
    /// Missing, malformed, badly signed, or of another user.
    #[error("invalid token")]
    InvalidToken,
    /// Not the user's password, or there is no such user.
    #[error("wrong user or password")]
    WrongPassword,
    /// Good once, not any more.
    #[error("token expired")]
    Expired,
    /// Genuine, but without the right to log in.
    #[error("not authorized")]
    NotAuthorized,
    /// It could not be checked now: too many wait, or the store failed. Passes.
    #[error("the login cannot be checked now")]
    Unavailable,
}

/// A check in progress.
pub type Checking<'a> = Pin<Box<dyn Future<Output = Result<Grant, LoginRefused>> + Send + 'a>>;

/// Checks credentials, at a login and when a client brings a new one.
pub trait LoginCheck: Send + Sync + fmt::Debug {
    /// The app that clients of the dialect call so. `None` if it is not served.
    fn app(&self, name: &str) -> Option<AppId>;

    /// Checks that `credential` lets `user` log in to `app` at `now_ms` (Unix time in milliseconds). May wait for a
    /// store or a hash; has no side effects; compares secrets in constant time.
    ///
    /// # Errors
    /// Why it does not.
    fn check<'a>(&'a self, app: &'a AppId, user: &'a UserId, credential: Credential<'a>, now_ms: u64) -> Checking<'a>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_not_shown() {
        for credential in [Credential::Token("secret"), Credential::Password("secret"), Credential::None] {
            assert!(!format!("{credential:?}").contains("secret"));
        }
    }
}
