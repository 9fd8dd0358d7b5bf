//! The numbers of `docs/gateway-chat.md`: those of the Chat SDKs for the same thing, in one table for logins and
//! requests. Nowhere else is one written down.

use stentor_chat_content::ContentError;
use stentor_core::accounts::LoginRefused;
use stentor_core::delivery::recall::RecallError;
use stentor_core::delivery::{EditError, Forbidden, SendError};
use stentor_core::directory::rooms::RoomKind;
use stentor_core::directory::silenced::Silenced;
use stentor_core::node::RequestError;
use stentor_core::session::ConnectError;

use crate::codec::Refusal;
use crate::protocol::LoginError;

/// Anything not in this list; passes.
pub const FAILURE: u32 = 1;
/// Too often, or too many.
pub const TOO_OFTEN: u32 = 4;
/// The app is not served here.
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
/// The receiver does not want to hear from the client's user.
pub const BLOCKED: u32 = 210;
/// The user is muted in the room or group, or everybody is.
pub const MUTED: u32 = 215;
/// The app's backend has muted the user.
pub const MUTED_BY_APP: u32 = 219;
/// Nothing came in time; passes.
pub const TIMEOUT: u32 = 301;
/// The server is busy or goes down; passes.
pub const BUSY: u32 = 302;
/// The user may not log in.
pub const LOGIN_FORBIDDEN: u32 = 305;
/// The content is not allowed, there is no such message of the user's, or it was edited as often as it may be.
pub const INVALID_MESSAGE: u32 = 500;
/// Messages too often.
pub const MESSAGE_TOO_OFTEN: u32 = 502;
/// The message is too old to be taken back.
pub const RECALL_TOO_LATE: u32 = 504;
/// The app's backend did not let the message pass.
pub const DENIED: u32 = 507;
/// The server does not know it, or the app does not have it.
pub const NOT_ENABLED: u32 = 508;
/// The content is too large.
pub const MESSAGE_TOO_LARGE: u32 = 510;
/// A group's ID that is not allowed.
pub const INVALID_GROUP: u32 = 600;
/// Not in the group.
pub const NOT_IN_GROUP: u32 = 602;
/// The group is switched off.
pub const GROUP_DISABLED: u32 = 603;
/// There is no such group.
pub const NO_GROUP: u32 = 605;
/// A room's ID that is not allowed.
pub const INVALID_ROOM: u32 = 700;
/// In the room already.
pub const ALREADY_IN_ROOM: u32 = 701;
/// Not in the room.
pub const NOT_IN_ROOM: u32 = 702;
/// Kept out of the room; or its owner, who cannot leave.
pub const ROOM_DENIED: u32 = 703;
/// The room has no place left.
pub const ROOM_FULL: u32 = 704;
/// There is no such room.
pub const NO_ROOM: u32 = 705;

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

/// The core refused a request about a room or group.
pub(crate) fn refused(kind: RoomKind, error: &RequestError) -> Refusal {
    let code = match error {
        RequestError::Limited(_) | RequestError::TooMany { .. } | RequestError::AttributesTooLarge => TOO_OFTEN,
        RequestError::NotInRoom => outside(kind),
        RequestError::NoRoom => missing(kind),
        RequestError::KeptOut | RequestError::IsOwner => ROOM_DENIED,
        RequestError::RoomFull => ROOM_FULL,
        RequestError::AlreadyInRoom => ALREADY_IN_ROOM,
        RequestError::InvalidAttribute => INVALID_ARGUMENT,
        RequestError::Unavailable => BUSY,
        RequestError::UserNotFound | RequestError::SessionEnded => FAILURE,
    };
    Refusal::new(code, error)
}

/// The core did not take a message.
pub(crate) fn not_sent(kind: RoomKind, error: &SendError) -> Refusal {
    let code = match error {
        SendError::NotInRoom => outside(kind),
        SendError::Forbidden(Forbidden::Muted) => MUTED_BY_APP,
        SendError::Forbidden(Forbidden::Blocked) => BLOCKED,
        SendError::Forbidden(Forbidden::Silenced(silenced)) => match silenced {
            Silenced::NoRoom => missing(kind),
            Silenced::NotMember => outside(kind),
            Silenced::Muted | Silenced::AllMuted => MUTED,
            Silenced::Disabled => GROUP_DISABLED,
        },
        SendError::Limited(_) => MESSAGE_TOO_OFTEN,
        SendError::PayloadEmpty => INVALID_MESSAGE,
        SendError::PayloadTooLarge { .. } => MESSAGE_TOO_LARGE,
        SendError::Denied(_) => DENIED,
        SendError::TooMany { .. } | SendError::Store(_) => BUSY,
    };
    Refusal::new(code, error)
}

/// The core did not take a message back.
pub(crate) fn not_recalled(kind: RoomKind, error: &RecallError) -> Refusal {
    let code = match error {
        RecallError::NotFound | RecallError::OtherTarget | RecallError::NotSender => INVALID_MESSAGE,
        RecallError::TooOld { .. } => RECALL_TOO_LATE,
        RecallError::Send(error) => return not_sent(kind, error),
    };
    Refusal::new(code, error)
}

/// The core did not edit a message.
pub(crate) fn not_edited(kind: RoomKind, error: EditError<ContentError>) -> Refusal {
    let code = match error {
        EditError::NotFound | EditError::OtherTarget | EditError::NotSender | EditError::TooOften { .. } => {
            INVALID_MESSAGE
        }
        EditError::Refused(content) => return bad_content(content),
        EditError::Send(error) => return not_sent(kind, &error),
    };
    Refusal::new(code, error)
}

/// The content is none that may be sent.
pub(crate) fn bad_content(error: ContentError) -> Refusal {
    let code = if matches!(error, ContentError::TooLarge { .. }) { MESSAGE_TOO_LARGE } else { INVALID_MESSAGE };
    Refusal::new(code, error)
}

const fn outside(kind: RoomKind) -> u32 {
    match kind {
        RoomKind::Room => NOT_IN_ROOM,
        RoomKind::Group => NOT_IN_GROUP,
    }
}

const fn missing(kind: RoomKind) -> u32 {
    match kind {
        RoomKind::Room => NO_ROOM,
        RoomKind::Group => NO_GROUP,
    }
}
