//! Refusals of files (file documents, section "error codes"; their texts to the letter).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use stentor_files::range::no_range;

use crate::error::{ChatError, exception};

/// 400: no part of the form is the file.
pub(super) fn no_file() -> ChatError {
    ChatError::illegal_argument("file must be provided.")
}

/// 413: the file is larger than the app allows.
pub(super) fn too_large() -> ChatError {
    let text = "the file size exceeds the maximum limit.";
    ChatError::new(StatusCode::PAYLOAD_TOO_LARGE, "file exceeding maximum limit", text)
}

/// 403: all files of the app together. No document has a text; ours.
pub(super) fn quota_used_up() -> ChatError {
    ChatError::exceed_limit("the files of this app exceed the maximum limit.")
}

/// 404: there is no such file, or its bytes are gone.
pub(crate) fn not_there() -> ChatError {
    ChatError::new(StatusCode::NOT_FOUND, "entity_not_found", "file may not exists").with(exception::ENTITY_NOT_FOUND)
}

/// 404: it was there.
pub(super) fn expired(uuid: &str) -> ChatError {
    ChatError::new(StatusCode::NOT_FOUND, "file_expired", format!("file {uuid} is expired"))
}

/// 408: the upload does not arrive.
pub(super) fn too_slow() -> ChatError {
    ChatError::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", "Request Timeout")
}

/// 416: the range begins behind the file. No document has a body; ours.
pub(super) fn no_such_range(size: u64) -> Response {
    let text = "the range is not satisfiable";
    let mut response = ChatError::new(StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable", text).into_response();
    if let Ok(value) = HeaderValue::try_from(no_range(size)) {
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    response
}
