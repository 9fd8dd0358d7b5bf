//! Tokens: parse, verify and build.
//!
//! | format | text starts with | module | made by |
//! |---|---|---|---|
//! | AccessToken | `006` | [`v006`] | an RTM backend |
//! | AccessToken2 | `007` | [`v007`] | an RTM or Chat backend |
//! | access token | `YWMt` | [`access`] | this server, for `POST token` of the Chat API |
//! | dynamic user token | `ZHQt` | [`dynamic`] | a Chat backend |
//!
//! Pure functions: no clock, no randomness, no I/O. The caller passes the time and the salt or
//! nonce. "006" and "007" follow Agora's public token builders (`AgoraIO/Tools`,
//! `DynamicKey/AgoraDynamicKey`) and the RTM documents `rtm_token.md` and
//! `token2_server_rtm.md`. The retired "005" and `1:` Signaling tokens are refused: RTM never
//! used the former, and the latter rests on MD5.
//!
//! An app certificate is always its 32 characters as ASCII bytes, never hex-decoded.
//!
//! # Limits
//! - token text: [`MAX_TOKEN_LEN`] bytes ([`access::MAX_LEN`] and [`dynamic::MAX_LEN`] for
//!   those), checked before anything is decoded;
//! - inflated AccessToken2: [`v007::MAX_BODY_LEN`] bytes, whatever the stream claims;
//! - nothing is allocated from a count or length the token merely declares, and the services of
//!   a "007" token are read only after its signature has been checked.

#![forbid(unsafe_code)]

pub mod access;
pub mod dynamic;
mod error;
mod mac;
pub mod v006;
pub mod v007;
mod wire;
mod zlib;

pub use error::{BuildError, ChatRefusal, Refusal};

/// Longest token text accepted or built, in bytes (8 KiB).
///
/// A login token is 115 bytes ("006") or about 200 ("007"); a token with many RTM2 permissions
/// still fits, and so does the usual limit of an HTTP header line. Longer input is
/// [`Refusal::Invalid`] without being decoded.
pub const MAX_TOKEN_LEN: usize = 8 * 1024;

/// What an accepted RTM token allows: `user` may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The RTM user account; never empty.
    pub user: String,
    /// The first second (Unix time) at which the token is no longer accepted.
    pub expires_at_s: u64,
}

/// Whom an accepted Chat token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatHolder {
    /// The application itself (an "app token").
    App,
    /// One user, by user ID; never empty. A "007" token made after older documents has the user's
    /// UUID in its place.
    User(String),
}

impl ChatHolder {
    /// The user, or `None` for an app token.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::App => None,
            Self::User(user) => Some(user),
        }
    }
}

/// Verifies the token of an RTM login, of either format.
///
/// `user` is the account that wants to log in; `now_s` is Unix time in seconds. Use
/// [`v007::verify_rtm`] where the request names no user, which only "007" can answer.
///
/// # Errors
/// A [`Refusal`], see [`v006::verify`] and [`v007::verify_rtm`]; any other prefix is
/// [`Refusal::Invalid`].
pub fn verify_login(token: &str, app_id: &str, certificate: &str, user: &str, now_s: u64) -> Result<Grant, Refusal> {
    if token.starts_with(v006::PREFIX) {
        v006::verify(token, app_id, certificate, user, now_s)
    } else if token.starts_with(v007::PREFIX) {
        v007::verify_rtm(token, app_id, certificate, Some(user), now_s)
    } else {
        Err(Refusal::Invalid)
    }
}
