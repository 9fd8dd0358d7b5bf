//! The numbers of `docs/gateway.md`: close codes, and per operation the RTM SDK's error codes. Nowhere else is one
//! written down.

use stentor_core::accounts::LoginRefused;
use stentor_core::delivery::SendError;
use stentor_core::limits::Rule;
use stentor_core::node::RequestError;
use stentor_core::session::{Closing, ConnectError, LogoutReason};

use crate::codec::reply::Refusal;

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

/// Peer message: the receiver's client acked it.
pub const PEER_DELIVERED: u32 = 0;
/// Peer message: the receiver is there and did not ack in time.
pub const PEER_TIMEOUT: u32 = 2;
/// Peer message: nobody is there.
pub const PEER_UNREACHABLE: u32 = 3;
/// Peer message: nobody acked, it is in the inbox.
pub const PEER_KEPT: u32 = 4;

/// A request of a type that the server does not know.
pub const UNKNOWN_TYPE: u32 = 2;

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

/// Why a login was refused (LOGIN_ERR_CODE).
pub mod login {
    use super::{ConnectError, LoginRefused};

    /// Anything not in this list.
    pub const UNKNOWN: u32 = 1;
    /// The version is not spoken.
    pub const REJECTED: u32 = 2;
    /// A name that is not allowed.
    pub const INVALID_ARGUMENT: u32 = 3;
    /// The app is not served here.
    pub const INVALID_APP: u32 = 4;
    /// Nothing came in time.
    pub const TIMEOUT: u32 = 9;
    const INVALID_TOKEN: u32 = 5;
    const TOKEN_EXPIRED: u32 = 6;
    const NOT_AUTHORIZED: u32 = 7;
    const TOO_OFTEN: u32 = 10;

    /// Whether the same login may be let in later.
    #[must_use]
    pub const fn is_passing(code: u32) -> bool {
        matches!(code, UNKNOWN | TIMEOUT | TOO_OFTEN)
    }

    /// The code of a refused credential.
    #[must_use]
    pub const fn refused(why: LoginRefused) -> u32 {
        match why {
            LoginRefused::InvalidApp => INVALID_APP,
            LoginRefused::InvalidToken => INVALID_TOKEN,
            LoginRefused::Expired => TOKEN_EXPIRED,
            LoginRefused::NotAuthorized => NOT_AUTHORIZED,
        }
    }

    /// The code of a node that did not let the client in.
    #[must_use]
    pub const fn not_connected(why: &ConnectError) -> u32 {
        match why {
            ConnectError::Limited(_) => TOO_OFTEN,
            ConnectError::Draining | ConnectError::Store(_) => UNKNOWN,
        }
    }
}

/// The error codes of one kind of request. An error that it does not know counts as a failure.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    failure: u32,
    invalid_argument: u32,
    too_often: u32,
    too_many: u32,
    not_in_channel: u32,
}

impl Operation {
    /// `leave` (LEAVE_CHANNEL_ERR). A channel whose name is not allowed is one that the client is not in.
    pub const LEAVE: Self = Self { failure: 1, invalid_argument: 3, too_often: 1, too_many: 1, not_in_channel: 3 };
    /// `join` (JOIN_CHANNEL_ERR).
    pub const JOIN: Self = Self { failure: 1, invalid_argument: 3, too_often: 7, too_many: 5, not_in_channel: 1 };
    /// `members` (GET_MEMBERS_ERR).
    pub const MEMBERS: Self = Self { failure: 1, invalid_argument: 5, too_often: 4, too_many: 1, not_in_channel: 5 };
    /// `member_counts` (GET_CHANNEL_MEMBER_COUNT_ERR_CODE).
    pub const MEMBER_COUNTS: Self =
        Self { failure: 1, invalid_argument: 2, too_often: 3, too_many: 5, not_in_channel: 1 };
    /// `query_presence` (QUERY_PEERS_ONLINE_STATUS_ERR).
    pub const QUERY_PRESENCE: Self =
        Self { failure: 1, invalid_argument: 2, too_often: 5, too_many: 2, not_in_channel: 1 };
    /// `watch_presence` and `unwatch_presence` (PEER_SUBSCRIPTION_STATUS_ERR).
    pub const WATCH_PRESENCE: Self =
        Self { failure: 1, invalid_argument: 2, too_often: 5, too_many: 6, not_in_channel: 1 };
    /// `watched_presence` (QUERY_PEERS_BY_SUBSCRIPTION_OPTION_ERR).
    pub const WATCHED_PRESENCE: Self =
        Self { failure: 1, invalid_argument: 1, too_often: 3, too_many: 1, not_in_channel: 1 };
    /// Every operation on attributes (ATTRIBUTE_OPERATION_ERR).
    pub const ATTRIBUTES: Self = Self { failure: 2, invalid_argument: 3, too_often: 5, too_many: 4, not_in_channel: 2 };
    /// `renew_token` (RENEW_TOKEN_ERR_CODE).
    pub const RENEW_TOKEN: Self =
        Self { failure: 1, invalid_argument: 2, too_often: 4, too_many: 1, not_in_channel: 1 };

    /// A name in the request is not allowed.
    #[must_use]
    pub fn invalid(self, reason: impl std::fmt::Display) -> Refusal {
        Refusal { code: self.invalid_argument, reason: reason.to_string() }
    }

    /// The core refused.
    #[must_use]
    pub fn refused(self, error: &RequestError) -> Refusal {
        const ALREADY_IN_CHANNEL: u32 = 6;
        const SAME_CHANNEL_TOO_OFTEN: u32 = 8;
        const USER_NOT_FOUND: u32 = 6;
        const SIZE_OVERFLOW: u32 = 4;
        let code = match error {
            RequestError::Limited(limited) if limited.rule == Rule::JoinsOfOneRoom => SAME_CHANNEL_TOO_OFTEN,
            RequestError::Limited(_) => self.too_often,
            RequestError::TooMany { .. } => self.too_many,
            RequestError::NotInRoom => self.not_in_channel,
            RequestError::AlreadyInRoom => ALREADY_IN_CHANNEL,
            RequestError::UserNotFound => USER_NOT_FOUND,
            RequestError::InvalidAttribute => self.invalid_argument,
            RequestError::AttributesTooLarge => SIZE_OVERFLOW,
            RequestError::SessionEnded
            | RequestError::NoRoom
            | RequestError::KeptOut
            | RequestError::RoomFull
            | RequestError::IsOwner
            | RequestError::Unavailable => self.failure,
        };
        Refusal { code, reason: error.to_string() }
    }
}

/// `renew_token`: the new token is not good.
#[must_use]
pub fn token_refused(why: LoginRefused) -> Refusal {
    let code = match why {
        LoginRefused::InvalidApp | LoginRefused::NotAuthorized => 3,
        LoginRefused::Expired => 5,
        LoginRefused::InvalidToken => 6,
    };
    Refusal { code, reason: why.to_string() }
}

/// `send_peer`: the receiver's name is not allowed (PEER_MESSAGE_ERR_CODE).
#[must_use]
pub fn peer_invalid(reason: impl std::fmt::Display) -> Refusal {
    Refusal { code: 6, reason: reason.to_string() }
}

/// `send_peer`: the message was not taken (PEER_MESSAGE_ERR_CODE).
#[must_use]
pub fn peer_not_sent(error: &SendError) -> Refusal {
    let code = match error {
        SendError::NotInRoom | SendError::TooMany { .. } | SendError::Store(_) => 1,
        SendError::Limited(_) => 5,
        SendError::PayloadEmpty | SendError::PayloadTooLarge { .. } => 7,
    };
    Refusal { code, reason: error.to_string() }
}

/// `send_channel`: the message was not taken (CHANNEL_MESSAGE_ERR_CODE).
#[must_use]
pub fn channel_not_sent(error: &SendError) -> Refusal {
    let code = match error {
        SendError::TooMany { .. } | SendError::Store(_) => 1,
        SendError::Limited(_) => 3,
        SendError::PayloadEmpty | SendError::PayloadTooLarge { .. } => 4,
        SendError::NotInRoom => NOT_IN_CHANNEL_TO_SEND,
    };
    Refusal { code, reason: error.to_string() }
}

/// `send_channel`: the client is not in the channel (CHANNEL_MESSAGE_ERR_CODE).
pub const NOT_IN_CHANNEL_TO_SEND: u32 = 5;
