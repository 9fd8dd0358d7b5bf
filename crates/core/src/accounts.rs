//! Who may log in: asked by gateways, answered by a dialect that knows the app's credentials.

use crate::id::{AppId, UserId};

/// What a good credential allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// When the session ends unless the credential is renewed: Unix time in milliseconds. `None` if it may
    /// stay for as long as it is connected.
    pub expires_at_ms: Option<u64>,
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
    /// Good once, not any more.
    #[error("token expired")]
    Expired,
    /// Genuine, but without the right to log in.
    #[error("not authorized")]
    NotAuthorized,
}

/// Checks credentials. Pure: no waiting, no side effects, in constant time where secrets are compared.
pub trait LoginCheck: Send + Sync + std::fmt::Debug {
    /// Checks that `token` lets `user` log in to `app` at `now_ms` (Unix time in milliseconds).
    ///
    /// # Errors
    /// Why it does not.
    fn check(&self, app: &AppId, user: &UserId, token: Option<&str>, now_ms: u64) -> Result<Grant, LoginRefused>;
}
