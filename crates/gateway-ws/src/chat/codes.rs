//! The numbers of `docs/gateway-chat.md`: those of the Chat SDKs for the same thing, in one table for logins and
//! requests. Nowhere else is one written down.

use stentor_core::accounts::LoginRefused;
use stentor_core::delivery::SendError;
use stentor_core::limits::Rule;
use stentor_core::node::RequestError;
use stentor_core::session::ConnectError;

use crate::codec::Refusal;
use crate::protocol::LoginError;

/// Anything not in this list; passes.
pub const FAILURE: u32 = 1;
/// Too often, or too many.
pub const TOO_OFTEN: u32 = 4;
/// The app is not served here, or the token is of another one.
pub const INVALID_APP: u32 = 100;
/// A user's name that is not allowed.
pub const INVALID_USER: u32 = 101;
/// No token, a malformed one, or one of another user.
pub const INVALID_TOKEN: u32 = 104;
/// The token has expired.
pub const TOKEN_EXPIRED: u32 = 108;
/// Not the user's password, or no such user.
pub const WRONG_PASSWORD: u32 = 202;
/// A field's value is not allowed.
pub const INVALID_ARGUMENT: u32 = 205;
/// Nothing came in time; passes.
pub const TIMEOUT: u32 = 301;
/// The server is busy or goes down; passes.
pub const BUSY: u32 = 302;
/// The user may not log in.
pub const LOGIN_FORBIDDEN: u32 = 305;
/// The content is not allowed.
pub const INVALID_MESSAGE: u32 = 500;
/// Messages too often.
pub const MESSAGE_TOO_OFTEN: u32 = 502;
/// The server does not know it, or the app does not have it.
pub const NOT_ENABLED: u32 = 508;
/// The content is too large.
pub const MESSAGE_TOO_LARGE: u32 = 510;
/// Not in the group.
pub const NOT_IN_GROUP: u32 = 602;
/// A room's name that is not allowed.
pub const INVALID_ROOM: u32 = 700;
/// In the room already.
pub const ALREADY_IN_ROOM: u32 = 701;
/// Not in the room.
pub const NOT_IN_ROOM: u32 = 702;

/// The app did not let the message pass.
pub const DENIED: u32 = 509;
/// There is no such room.
pub const NO_ROOM: u32 = 705;
/// The room has no place left.
pub const ROOM_FULL: u32 = 704;
/// The user may not do that.
pub const NOT_ALLOWED: u32 = 703;

/// Whether the same login may be let in later.
#[must_use]
pub const fn is_passing(code: u32) -> bool {
    matches!(code, FAILURE | TOO_OFTEN | TIMEOUT | BUSY)
}

/// The code of a refused login.
pub(crate) const fn login(why: &LoginError) -> u32 {
    match why {
        LoginError::Version => NOT_ENABLED,
        LoginError::App => INVALID_APP,
        LoginError::User(_) => INVALID_USER,
        LoginError::Device(_) => INVALID_ARGUMENT,
        LoginError::Credential(why) => credential(*why),
        LoginError::Connect(ConnectError::Limited(_)) => TOO_OFTEN,
        LoginError::Connect(ConnectError::Draining | ConnectError::Store(_)) => BUSY,
        LoginError::Timeout => TIMEOUT,
    }
}

/// The code of a refused credential.
pub(crate) const fn credential(why: LoginRefused) -> u32 {
    match why {
        LoginRefused::InvalidApp => INVALID_APP,
        LoginRefused::InvalidToken => INVALID_TOKEN,
        LoginRefused::WrongPassword => WRONG_PASSWORD,
        LoginRefused::Expired => TOKEN_EXPIRED,
        LoginRefused::NotAuthorized => LOGIN_FORBIDDEN,
        LoginRefused::Unavailable => BUSY,
    }
}

/// The core refused a request.
pub(crate) fn refused(error: &RequestError) -> Refusal {
    let code = match error {
        RequestError::Limited(limited) if limited.rule == Rule::ClientSends => MESSAGE_TOO_OFTEN,
        RequestError::Limited(_) | RequestError::TooMany { .. } | RequestError::AttributesTooLarge => TOO_OFTEN,
        RequestError::NotInRoom => NOT_IN_ROOM,
        RequestError::NoRoom => NO_ROOM,
        RequestError::KeptOut | RequestError::IsOwner => NOT_ALLOWED,
        RequestError::RoomFull => ROOM_FULL,
        RequestError::Unavailable => BUSY,
        RequestError::AlreadyInRoom => ALREADY_IN_ROOM,
        RequestError::InvalidAttribute => INVALID_ARGUMENT,
        RequestError::UserNotFound | RequestError::SessionEnded => FAILURE,
    };
    Refusal::new(code, error)
}

/// The core did not take a message; `outside` is the code of one who is not in its room or group.
pub(crate) fn not_sent(error: &SendError, outside: u32) -> Refusal {
    let code = match error {
        SendError::NotInRoom => outside,
        SendError::Limited(_) => MESSAGE_TOO_OFTEN,
        SendError::PayloadEmpty => INVALID_MESSAGE,
        SendError::PayloadTooLarge { .. } => MESSAGE_TOO_LARGE,
        SendError::Denied(_) => DENIED,
        SendError::TooMany { .. } | SendError::Store(_) => BUSY,
    };
    Refusal::new(code, error)
}
