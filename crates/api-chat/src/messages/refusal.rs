//! Why a message is not taken, in the words of the message documents.

use std::borrow::Cow;

use axum::http::StatusCode;
use stentor_chat_content::ContentError;
use stentor_core::delivery::{Forbidden, SendError};

use crate::error::{ChatError, exception};

/// The number that comes with "message is too large"; those of the other texts were never seen.
const TOO_LARGE: u32 = 14_007;

/// 400 `message_send_error`.
pub(super) fn bad_message(text: impl Into<Cow<'static, str>>) -> ChatError {
    ChatError::new(StatusCode::BAD_REQUEST, "message_send_error", text).with(exception::MESSAGE_SEND)
}

/// 403: more messages a second than the app may send.
pub(super) fn too_many_messages() -> ChatError {
    ChatError::new(StatusCode::FORBIDDEN, "message_send_error", "message send reach limit")
        .with(exception::MESSAGE_SEND)
}

/// 403: a feature that is not there.
pub(super) fn unopened(text: &'static str) -> ChatError {
    ChatError::new(StatusCode::FORBIDDEN, "forbidden_op", text).with(exception::EASEMOB_FORBIDDEN_OP)
}

/// 403: the sender is muted. The documents say that such a message fails, and not with which words: ours, those that
/// clients are told.
fn muted() -> ChatError {
    ChatError::new(StatusCode::FORBIDDEN, "message_send_error", "user is mute").with(exception::MESSAGE_SEND)
}

fn too_large() -> ChatError {
    ChatError { code: Some(TOO_LARGE), ..bad_message("message is too large") }
}

/// What is wrong with `type`, `body` or `ext`. An unknown type and a bad custom event have no text in any document: ours.
pub(crate) fn of_content(error: ContentError) -> ChatError {
    match error {
        ContentError::TypeMissing => bad_message("param type can't be empty"),
        ContentError::TypeUnknown => bad_message("param type is invalid"),
        ContentError::BodyMissing | ContentError::FieldMissing(_) => bad_message("param body can't be empty"),
        ContentError::CustomEvent => bad_message("param customEvent is invalid"),
        ContentError::TooManyExts => bad_message("params customExts's size can't exceed limit 16"),
        ContentError::ExtNotObject => bad_message("param ext must be JSONObject"),
        ContentError::TooLarge { .. } => too_large(),
        ContentError::BodyNotObject | ContentError::FieldWrong(_) | ContentError::KeyTwice | ContentError::TooDeep => {
            ChatError::invalid_request_body()
        }
    }
}

/// The same of a broadcast, whose documents have other words.
pub(super) fn of_flat_content(error: ContentError) -> ChatError {
    match error {
        ContentError::ExtNotObject => ChatError::illegal_argument("ext must be JSONObject"),
        ContentError::TooLarge { .. } => too_large(),
        _ => ChatError::invalid_request_body(),
    }
}

/// Why the core did not take it.
pub(super) fn not_sent(error: SendError) -> ChatError {
    match error {
        SendError::Limited(_) => too_many_messages(),
        SendError::PayloadTooLarge { .. } => too_large(),
        SendError::PayloadEmpty => bad_message("param body can't be empty"),
        SendError::Store(error) => error.into(),
        // Only clients are asked whether they are there; the dialect has counted before.
        SendError::Forbidden(Forbidden::Muted) => muted(),
        SendError::NotInRoom | SendError::Forbidden(_) | SendError::TooMany { .. } | SendError::Denied(_) => {
            ChatError::internal()
        }
    }
}
