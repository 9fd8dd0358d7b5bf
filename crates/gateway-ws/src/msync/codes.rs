//! What refusals are on the wire: a number and a text, by which the SDKs tell what happened. The texts are what they look
//! for, letter for letter.

use stentor_msync::{ErrorCode, Status};

use crate::chat::codes;
use crate::codec::Refusal;

/// The bytes are no message of the protocol.
pub(super) const MALFORMED: &str = "malformed protobuf";

fn status(code: ErrorCode, reason: &str) -> Status {
    Status { error_code: Some(code as i32), reason: Some(reason.to_owned()), ..Status::default() }
}

/// Why a client is not let in.
pub(super) fn login(refusal: &Refusal) -> Status {
    match refusal.code {
        codes::TOKEN_EXPIRED => status(ErrorCode::Fail, "Sorry, token expired"),
        codes::WRONG_PASSWORD | codes::INVALID_TOKEN => {
            status(ErrorCode::Fail, "Sorry, token or password does not match login info")
        }
        codes::INVALID_USER => status(ErrorCode::Fail, "Sorry, user not found"),
        codes::LOGIN_FORBIDDEN => status(ErrorCode::ImForbidden, "Sorry, the user is deactivated"),
        codes::INVALID_ARGUMENT | codes::INVALID_APP => status(ErrorCode::WrongParameter, &refusal.reason),
        _ => status(ErrorCode::Fail, &refusal.reason),
    }
}

/// Why something that a client sent was not done. Of [`ErrorCode::PermissionDenied`], clients know four texts, and wait for
/// ever after any other.
pub(super) fn refused(refusal: &Refusal) -> Status {
    let (code, reason) = match refusal.code {
        codes::MUTED => (ErrorCode::UserMuted, "user is mute"),
        codes::MUTED_BY_APP => (ErrorCode::PermissionDenied, "user is mute"),
        codes::MESSAGE_TOO_OFTEN | codes::TOO_OFTEN => (ErrorCode::PermissionDenied, "traffic limit"),
        codes::MESSAGE_TOO_LARGE => (ErrorCode::PermissionDenied, "Sorry, data is too large"),
        codes::DENIED => (ErrorCode::PermissionDeniedExternal, refusal.reason.as_str()),
        codes::BLOCKED => (ErrorCode::Fail, "blocked"),
        codes::NOT_IN_GROUP | codes::NOT_IN_ROOM => (ErrorCode::Fail, "not in group or chatroom"),
        codes::NO_GROUP => (ErrorCode::Fail, "group not found"),
        codes::NO_ROOM => (ErrorCode::Fail, "grpID does not exist!"),
        codes::GROUP_DISABLED => (ErrorCode::Fail, "group is disabled"),
        codes::ROOM_FULL => (ErrorCode::Fail, "group member list is full!"),
        codes::ROOM_DENIED => (ErrorCode::Fail, "can not join this group, user is in the blacklist"),
        codes::INVALID_ROOM | codes::INVALID_GROUP => (ErrorCode::Fail, "group ID illegal, please check it"),
        codes::INVALID_USER => (ErrorCode::Fail, "username doesn't exist!"),
        codes::RECALL_TOO_LATE => (ErrorCode::Fail, "exceed recall time limit"),
        _ => (ErrorCode::Fail, refusal.reason.as_str()),
    };
    status(code, reason)
}

/// Why a recall was not done.
pub(super) fn not_recalled(refusal: &Refusal) -> Status {
    match refusal.code {
        codes::NOT_ENABLED => status(ErrorCode::Fail, "message recall disabled"),
        _ => refused(refusal),
    }
}

/// Why an edit was not done.
pub(super) fn not_edited(refusal: &Refusal) -> Status {
    match refusal.code {
        codes::NOT_ENABLED => status(ErrorCode::Fail, "Sorry, edit is not available"),
        codes::INVALID_MESSAGE => status(ErrorCode::Fail, "Sorry, message does not exist"),
        _ => refused(refusal),
    }
}

/// It is addressed to another app.
pub(super) fn other_app() -> Status {
    status(ErrorCode::WrongParameter, "invalid app key")
}

/// More users are named than a message may be for.
pub(super) fn too_many_directed() -> Status {
    status(ErrorCode::Fail, "limit directed users")
}

/// Calls need a service that is not here.
pub(super) fn no_calls() -> Status {
    status(ErrorCode::UnknownCommand, "calls are not supported")
}

/// What was sent is nothing that is known.
pub(super) fn unknown() -> Status {
    status(ErrorCode::UnknownCommand, "unknown operation")
}

/// What was sent cannot be read.
pub(super) fn malformed() -> Status {
    status(ErrorCode::PbParserError, MALFORMED)
}
