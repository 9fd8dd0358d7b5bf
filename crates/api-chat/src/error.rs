//! Refusals: status and the error envelope. The texts are those of the documents, to the letter: official clients
//! branch on them. Those that no document has are marked "ours".

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use stentor_core::directory::DirectoryError;
use stentor_core::store::StoreError;
use stentor_http_kit::BodyError;
use stentor_http_kit::json::json;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatError {
    /// The HTTP status.
    pub status: StatusCode,
    /// The machine key.
    pub error: Cow<'static, str>,
    /// The name of the vendor's exception, where one was seen.
    pub exception: Option<&'static str>,
    /// The text.
    pub description: Cow<'static, str>,
    /// The number of newer services, where one was seen.
    pub code: Option<u32>,
    /// Another field in which clients of one service look for the text.
    pub also: Option<&'static str>,
}

/// Exceptions of the vendor.
pub mod exception {
    /// Of bad parameters.
    pub const ILLEGAL_ARGUMENT: &str = "java.lang.IllegalArgumentException";
    /// Of credentials.
    pub const SECURITY: &str = "EasemobSecurityException";
    /// Of rights.
    pub const UNAUTHORIZED: &str = "org.apache.shiro.authz.UnauthorizedException";
    /// Of users that are not there.
    pub const USER_NOT_FOUND: &str = "UserNotFoundException";
    /// Of messages.
    pub const MESSAGE_SEND: &str = "MessageSendException";
    /// Of rooms and groups: parameters.
    pub const INVALID_PARAMETER: &str = "com.easemob.group.exception.InvalidParameterException";
    /// Of rooms and groups: not there.
    pub const RESOURCE_NOT_FOUND: &str = "com.easemob.group.exception.ResourceNotFoundException";
    /// Of rooms and groups: not allowed.
    pub const FORBIDDEN_OP: &str = "com.easemob.group.exception.ForbiddenOpException";
    /// Of messages: not allowed.
    pub const EASEMOB_FORBIDDEN_OP: &str = "EasemobForbiddenOpException";
    /// Of rooms and groups: no token.
    pub const GROUP_AUTHORIZATION: &str = "com.easemob.group.exception.GroupAuthorizationException";
    /// Of missing entities.
    pub const ENTITY_NOT_FOUND: &str = "EntityNotFoundException";
    /// Of missing properties.
    pub const REQUIRED_PROPERTY: &str = "RequiredPropertyNotFoundException";
    /// Of names that are taken.
    pub const DUPLICATE: &str = "DuplicateUniquePropertyExistsException";
}

/// The body of a refusal.
#[derive(Debug, Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<&'static str>,
    timestamp: u64,
    duration: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<u32>,
    error_description: &'a str,
    #[serde(flatten)]
    also: Option<BTreeMap<&'static str, &'a str>>,
}

impl ChatError {
    /// A refusal without exception and number.
    #[must_use]
    pub fn new(
        status: StatusCode,
        error: impl Into<Cow<'static, str>>,
        description: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, error: error.into(), exception: None, description: description.into(), code: None, also: None }
    }

    /// The same with an exception.
    #[must_use]
    pub fn with(self, exception: &'static str) -> Self {
        Self { exception: Some(exception), ..self }
    }

    /// The same with the text in another field as well.
    #[must_use]
    pub fn also_in(self, field: &'static str) -> Self {
        Self { also: Some(field), ..self }
    }

    /// 401: no token, or one that is of no use.
    #[must_use]
    pub fn oauth() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Unable to authenticate (OAuth)").with(exception::SECURITY)
    }

    /// 401: the token has expired.
    #[must_use]
    pub fn expired_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Unable to authenticate due to expired access token")
            .with(exception::SECURITY)
    }

    /// 401: the token is malformed, or of another app.
    #[must_use]
    pub fn corrupt_token() -> Self {
        let text = "Unable to authenticate due to corrupt access token";
        Self::new(StatusCode::UNAUTHORIZED, "auth_bad_access_token", text).with(exception::SECURITY)
    }

    /// 401: the token has the right form, but was not issued here.
    #[must_use]
    pub fn foreign_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "auth_bad_access_token", "Unable to authenticate").with(exception::SECURITY)
    }

    /// 401: a user's token, used on something that is not the user's. `verb` is the method in lower case.
    #[must_use]
    pub fn no_permission(verb: &str, app_uuid: &str, path: &str) -> Self {
        let text = format!("Subject does not have permission [applications:{verb}:{app_uuid}:{path}]");
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", text).with(exception::UNAUTHORIZED)
    }

    /// 404: no such app. `path` is what follows the app in the URL.
    #[must_use]
    pub fn no_app(org: &str, app: &str, path: &str) -> Self {
        let text = format!("Could not find application for {org}/{app} from URI: {org}/{app}{path}");
        Self::new(StatusCode::NOT_FOUND, "organization_application_not_found", text)
    }

    /// 404: no such URL. The key is ours; the text is the push service's.
    #[must_use]
    pub fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "web_application", "url is invalid")
    }

    /// 405: the URL has no such method. The documents give no body; key and text are ours.
    #[must_use]
    pub fn no_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method Not Allowed")
    }

    /// 400: a bad parameter.
    #[must_use]
    pub fn illegal_argument(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "illegal_argument", text).with(exception::ILLEGAL_ARGUMENT)
    }

    /// 400: users, rooms, groups: the body is not JSON.
    #[must_use]
    pub fn json_parse(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "json_parse", text)
    }

    /// 400: messages: the body is not JSON, or a field has another type.
    #[must_use]
    pub fn invalid_request_body() -> Self {
        let text = "Request body is invalid. Please check body is correct.";
        Self::new(StatusCode::BAD_REQUEST, "invalid_request_body", text)
    }

    /// 404: the user in the path is not there.
    #[must_use]
    pub fn user_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "service_resource_not_found", "Service resource not found")
            .with(exception::USER_NOT_FOUND)
    }

    /// 400: the user of a push setting or mute is not there.
    #[must_use]
    pub fn user_property() -> Self {
        let text = "Entity user requires a property named username";
        Self::new(StatusCode::BAD_REQUEST, "required_property_not_found", text).with(exception::REQUIRED_PROPERTY)
    }

    /// 403: a quota is used up.
    #[must_use]
    pub fn exceed_limit(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "exceed_limit", text)
    }

    /// 429: called too often.
    #[must_use]
    pub fn reach_limit() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "reach_limit", "This request has reached api limit")
    }

    /// 429: the app has as many users as it may have (Chat user and token documents).
    #[must_use]
    pub fn resource_limited() -> Self {
        let text = "You have exceeded the limit of the community edition,Please upgrade to the enterprise edition";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "resource_limited", text)
    }

    /// 413: the body is larger than the transport's limit.
    #[must_use]
    pub fn too_large() -> Self {
        let text = "Request Entity Too Large";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, text, text)
    }

    /// 415: a body that is not taken, such as a compressed one.
    #[must_use]
    pub fn unsupported_media_type() -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "web_application", "Unsupported Media Type")
    }

    /// 503: the store takes nothing now. Key and text are ours.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "service_unavailable", "The service is temporarily unavailable")
    }

    /// 500. What failed stays inside.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "internal error")
    }

    /// The response, written at `timestamp_ms` (Unix time) after `duration_ms`.
    #[must_use]
    pub fn into_response_at(self, timestamp_ms: u64, duration_ms: u64) -> Response {
        json(
            self.status,
            &ErrorBody {
                error: &self.error,
                exception: self.exception,
                timestamp: timestamp_ms,
                duration: duration_ms,
                error_code: self.code,
                error_description: &self.description,
                also: self.also.map(|field| [(field, &*self.description)].into()),
            },
        )
    }
}

/// A refusal on its way out of a handler: `crate::call` adds the time.
impl IntoResponse for ChatError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for ChatError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full | StoreError::Busy => Self::unavailable(),
            StoreError::Failed(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a request of the Chat API failed");
                Self::internal()
            }
        }
    }
}

impl From<BodyError> for ChatError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { .. } => Self::too_large(),
            BodyError::Timeout => Self::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", "Request Timeout"),
            BodyError::Broken => Self::illegal_argument("this is an invalid request."),
        }
    }
}

impl From<DirectoryError> for ChatError {
    /// What most endpoints say; those that say something else match before.
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::NoUser(_) => Self::user_not_found(),
            DirectoryError::UserExists(name) => {
                let text = format!(
                    "Application null Entity user requires that property named username be unique, value of {name} exists"
                );
                Self::new(StatusCode::BAD_REQUEST, "duplicate_unique_property_exists", text).with(exception::DUPLICATE)
            }
            DirectoryError::NoRoom(room) => {
                Self::new(StatusCode::NOT_FOUND, "service_resource_not_found", format!("do not find this group:{room}"))
            }
            DirectoryError::TooManyUsers { .. } => Self::resource_limited(),
            // The text is ours; families that have one of their own match before.
            DirectoryError::TooMany { max } => Self::exceed_limit(format!("at most {max} are allowed")),
            DirectoryError::Limited(_) => Self::reach_limit(),
            DirectoryError::Store(error) => error.into(),
        }
    }
}
