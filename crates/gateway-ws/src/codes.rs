//! The close codes: the same in every protocol. Nowhere else is one written down.

use stentor_core::session::{Closing, LogoutReason};

/// The answer to a logout, or the client's own close.
pub const CLOSE_NORMAL: u16 = 1000;
/// A malformed WebSocket frame, or one that takes too long to arrive.
pub const CLOSE_PROTOCOL: u16 = 1002;
/// The server goes down.
pub const CLOSE_RESTART: u16 = 1012;
/// The login was refused.
pub const CLOSE_REFUSED: u16 = 4001;
/// The user logged in elsewhere.
pub const CLOSE_REPLACED: u16 = 4002;
/// The token expired.
pub const CLOSE_TOKEN_EXPIRED: u16 = 4003;
/// A malformed frame.
pub const CLOSE_MALFORMED: u16 = 4004;
/// No login in time.
pub const CLOSE_NO_LOGIN: u16 = 4005;
/// The client reads or acks too slowly.
pub const CLOSE_SLOW_CONSUMER: u16 = 4006;
/// Nothing was heard of the client for the whole grace.
pub const CLOSE_SILENT: u16 = 4007;
/// The session was resumed on another connection.
pub const CLOSE_SUPERSEDED: u16 = 4009;
/// The app's backend logged the user out.
pub const CLOSE_LOGGED_OUT: u16 = 4010;
/// The user has another password.
pub const CLOSE_PASSWORD_CHANGED: u16 = 4011;
/// The user was deactivated.
pub const CLOSE_DEACTIVATED: u16 = 4012;
/// The user was deleted.
pub const CLOSE_DELETED: u16 = 4013;

/// The close code and reason of a connection that the core closes.
#[must_use]
pub const fn closing(why: Closing) -> (u16, &'static str) {
    match why {
        Closing::Replaced => (CLOSE_REPLACED, "logged in elsewhere"),
        Closing::Superseded => (CLOSE_SUPERSEDED, "resumed on another connection"),
        Closing::SlowConsumer => (CLOSE_SLOW_CONSUMER, "slow consumer"),
        Closing::CredentialExpired => (CLOSE_TOKEN_EXPIRED, "token expired"),
        Closing::Silent => (CLOSE_SILENT, "silent for too long"),
        Closing::LoggedOut(LogoutReason::Forced) => (CLOSE_LOGGED_OUT, "logged out by the app"),
        Closing::LoggedOut(LogoutReason::PasswordChanged) => (CLOSE_PASSWORD_CHANGED, "password changed"),
        Closing::LoggedOut(LogoutReason::Deactivated) => (CLOSE_DEACTIVATED, "user deactivated"),
        Closing::LoggedOut(LogoutReason::Deleted) => (CLOSE_DELETED, "user deleted"),
        Closing::Draining { .. } => (CLOSE_RESTART, "going down"),
    }
}
