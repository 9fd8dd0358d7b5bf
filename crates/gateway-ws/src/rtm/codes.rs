//! The numbers of `docs/gateway.md`: per operation the RTM SDK's error codes. Nowhere else is one written down.

use stentor_core::accounts::LoginRefused;
use stentor_core::delivery::SendError;
use stentor_core::limits::Rule;
use stentor_core::node::RequestError;
use stentor_core::session::ConnectError;

use crate::codec::Refusal;
use crate::protocol::LoginError;

/// Peer message: the receiver's client acked it.
pub(crate) const PEER_DELIVERED: u32 = 0;
/// Peer message: the receiver is there and did not ack in time.
pub(crate) const PEER_TIMEOUT: u32 = 2;
/// Peer message: nobody is there.
pub(crate) const PEER_UNREACHABLE: u32 = 3;
/// Peer message: nobody acked, it is in the inbox.
pub(crate) const PEER_KEPT: u32 = 4;

/// A request of a type that the server does not know.
pub(crate) const UNKNOWN_TYPE: u32 = 2;

/// Why a login was refused (LOGIN_ERR_CODE).
pub mod login {
    use super::{ConnectError, LoginError, LoginRefused};

    /// Anything not in this list.
    const UNKNOWN: u32 = 1;
    /// The version is not spoken.
    const REJECTED: u32 = 2;
    /// A name that is not allowed.
    const INVALID_ARGUMENT: u32 = 3;
    /// The app is not served here.
    const INVALID_APP: u32 = 4;
    const INVALID_TOKEN: u32 = 5;
    const TOKEN_EXPIRED: u32 = 6;
    const NOT_AUTHORIZED: u32 = 7;
    /// Nothing came in time.
    const TIMEOUT: u32 = 9;
    const TOO_OFTEN: u32 = 10;

    /// Whether the same login may be let in later.
    #[must_use]
    pub const fn is_passing(code: u32) -> bool {
        matches!(code, UNKNOWN | TIMEOUT | TOO_OFTEN)
    }

    /// The code of a refused login.
    pub(crate) const fn code(why: &LoginError) -> u32 {
        match why {
            LoginError::Version => REJECTED,
            LoginError::App | LoginError::Credential(LoginRefused::InvalidApp) => INVALID_APP,
            LoginError::User(_) | LoginError::Device(_) => INVALID_ARGUMENT,
            LoginError::Credential(LoginRefused::InvalidToken | LoginRefused::WrongPassword) => INVALID_TOKEN,
            LoginError::Credential(LoginRefused::Expired) => TOKEN_EXPIRED,
            LoginError::Credential(LoginRefused::NotAuthorized) => NOT_AUTHORIZED,
            LoginError::Connect(ConnectError::Limited(_)) => TOO_OFTEN,
            LoginError::Connect(ConnectError::Draining | ConnectError::Store(_))
            | LoginError::Credential(LoginRefused::Unavailable) => UNKNOWN,
            LoginError::Timeout => TIMEOUT,
        }
    }
}

/// The error codes of one kind of request. An error that it does not know counts as a failure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    failure: u32,
    invalid_argument: u32,
    too_often: u32,
    too_many: u32,
    not_in_channel: u32,
}

impl Operation {
    /// `leave` (LEAVE_CHANNEL_ERR). A channel whose name is not allowed is one that the client is not in.
    pub(crate) const LEAVE: Self =
        Self { failure: 1, invalid_argument: 3, too_often: 1, too_many: 1, not_in_channel: 3 };
    /// `join` (JOIN_CHANNEL_ERR).
    pub(crate) const JOIN: Self =
        Self { failure: 1, invalid_argument: 3, too_often: 7, too_many: 5, not_in_channel: 1 };
    /// `members` (GET_MEMBERS_ERR).
    pub(crate) const MEMBERS: Self =
        Self { failure: 1, invalid_argument: 5, too_often: 4, too_many: 1, not_in_channel: 5 };
    /// `member_counts` (GET_CHANNEL_MEMBER_COUNT_ERR_CODE).
    pub(crate) const MEMBER_COUNTS: Self =
        Self { failure: 1, invalid_argument: 2, too_often: 3, too_many: 5, not_in_channel: 1 };
    /// `query_presence` (QUERY_PEERS_ONLINE_STATUS_ERR).
    pub(crate) const QUERY_PRESENCE: Self =
        Self { failure: 1, invalid_argument: 2, too_often: 5, too_many: 2, not_in_channel: 1 };
    /// `watch_presence` and `unwatch_presence` (PEER_SUBSCRIPTION_STATUS_ERR).
    pub(crate) const WATCH_PRESENCE: Self =
        Self { failure: 1, invalid_argument: 2, too_often: 5, too_many: 6, not_in_channel: 1 };
    /// `watched_presence` (QUERY_PEERS_BY_SUBSCRIPTION_OPTION_ERR).
    pub(crate) const WATCHED_PRESENCE: Self =
        Self { failure: 1, invalid_argument: 1, too_often: 3, too_many: 1, not_in_channel: 1 };
    /// Every operation on attributes (ATTRIBUTE_OPERATION_ERR).
    pub(crate) const ATTRIBUTES: Self =
        Self { failure: 2, invalid_argument: 3, too_often: 5, too_many: 4, not_in_channel: 2 };
    /// `renew_token` (RENEW_TOKEN_ERR_CODE).
    pub(crate) const RENEW_TOKEN: Self =
        Self { failure: 1, invalid_argument: 2, too_often: 4, too_many: 1, not_in_channel: 1 };

    /// A name in the request is not allowed.
    pub(crate) fn invalid(self, reason: impl std::fmt::Display) -> Refusal {
        Refusal { code: self.invalid_argument, reason: reason.to_string() }
    }

    /// The core refused.
    pub(crate) fn refused(self, error: &RequestError) -> Refusal {
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
            // Rooms of this protocol are not registered.
            RequestError::NoRoom
            | RequestError::KeptOut
            | RequestError::RoomFull
            | RequestError::IsOwner
            | RequestError::Unavailable
            | RequestError::SessionEnded => self.failure,
        };
        Refusal { code, reason: error.to_string() }
    }
}

/// `renew_token`: the new token is not good.
pub(crate) fn token_refused(why: LoginRefused) -> Refusal {
    let code = match why {
        LoginRefused::InvalidApp | LoginRefused::NotAuthorized => 3,
        LoginRefused::Expired => 5,
        LoginRefused::InvalidToken | LoginRefused::WrongPassword => 6,
        LoginRefused::Unavailable => 1,
    };
    Refusal { code, reason: why.to_string() }
}

/// `send_peer`: the receiver's name is not allowed (PEER_MESSAGE_ERR_CODE).
pub(crate) fn peer_invalid(reason: impl std::fmt::Display) -> Refusal {
    Refusal { code: 6, reason: reason.to_string() }
}

/// `send_peer`: the message was not taken (PEER_MESSAGE_ERR_CODE).
pub(crate) fn peer_not_sent(error: &SendError) -> Refusal {
    let code = match error {
        SendError::NotInRoom
        | SendError::TooMany { .. }
        | SendError::Denied(_)
        | SendError::Forbidden(_)
        | SendError::Store(_) => 1,
        SendError::Limited(_) => 5,
        SendError::PayloadEmpty | SendError::PayloadTooLarge { .. } => 7,
    };
    Refusal { code, reason: error.to_string() }
}

/// `send_channel`: the message was not taken (CHANNEL_MESSAGE_ERR_CODE).
pub(crate) fn channel_not_sent(error: &SendError) -> Refusal {
    let code = match error {
        SendError::TooMany { .. } | SendError::Denied(_) | SendError::Forbidden(_) | SendError::Store(_) => 1,
        SendError::Limited(_) => 3,
        SendError::PayloadEmpty | SendError::PayloadTooLarge { .. } => 4,
        SendError::NotInRoom => NOT_IN_CHANNEL_TO_SEND,
    };
    Refusal { code, reason: error.to_string() }
}

/// `send_channel`: the client is not in the channel (CHANNEL_MESSAGE_ERR_CODE).
pub(crate) const NOT_IN_CHANNEL_TO_SEND: u32 = 5;
