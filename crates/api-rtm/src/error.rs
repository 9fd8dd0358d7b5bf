//! What goes wrong, and how this dialect says it.
//!
//! No document shows an error body of these endpoints, so ours is a superset of what the vendor's gateway and its
//! later documents show: `result`, `request_id`, `errorCode`, `reason` and `message`.

use std::borrow::Cow;
use std::error::Error;

use axum::http::header::{ALLOW, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;
use stentor_core::delivery::SendError;
use stentor_core::node::QueryError;
use stentor_core::store::StoreError;
use stentor_http_kit::json::json;
use stentor_http_kit::percent::PercentError;
use stentor_http_kit::{BodyError, RequestId};
use utoipa::ToSchema;

use crate::auth::AuthError;

/// A parameter or body that breaks its rule: what is wrong with it, for the caller to read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadRequest(pub Cow<'static, str>);

impl From<PercentError> for BadRequest {
    fn from(error: PercentError) -> Self {
        Self(error.to_string().into())
    }
}

/// A reply other than 200.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The App ID in the URL is malformed or not served here.
    BadAppId,
    /// A parameter breaks its rule.
    Bad(BadRequest),
    /// The caller is not who it says, or may not do this.
    Unauthorized(AuthError),
    /// The app has this feature switched off.
    NotEnabled(&'static str),
    /// No such URL.
    NoRoute,
    /// The URL takes another method: this one.
    Method(&'static str),
    /// The body did not arrive, or the message was not confirmed, in time.
    Timeout(&'static str),
    /// The handle of a history query is too old.
    Gone,
    /// The body has more than so many bytes.
    TooLarge(usize),
    /// The body is not JSON by its own account.
    NotJson,
    /// A rate is used up.
    TooMany,
    /// The store takes nothing now, and will later.
    Unavailable,
    /// There are too many connections.
    Crowded,
    /// Something of ours failed; the cause is for the log only.
    Internal(Box<dyn Error + Send + Sync>),
}

/// The body of every reply other than 200.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// `failed`.
    #[schema(example = "failed")]
    result: &'static str,
    /// The request's ID, also in the header `X-Request-ID`.
    #[schema(value_type = String, example = "10116762670167749259")]
    request_id: RequestId,
    /// The HTTP status again.
    #[serde(rename = "errorCode")]
    #[schema(example = 400)]
    error_code: u16,
    /// What is wrong with this request, in words.
    reason: Cow<'static, str>,
    /// The vendor gateway's text for this status, where it has one.
    message: Cow<'static, str>,
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::BadAppId | Self::Bad(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::NotEnabled(_) => StatusCode::FORBIDDEN,
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Gone => StatusCode::GONE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable | Self::Crowded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn reason(&self) -> Cow<'static, str> {
        match self {
            Self::BadAppId => "the App ID in the URL is malformed or not served here".into(),
            Self::Bad(BadRequest(reason)) => reason.clone(),
            Self::Unauthorized(error) => error.to_string().into(),
            Self::NotEnabled(feature) => format!("{feature} is not enabled for this App ID").into(),
            Self::NoRoute => "there is no such URL, which is case-sensitive".into(),
            Self::Method(allowed) => format!("this URL takes {allowed} only").into(),
            Self::Timeout(reason) => (*reason).into(),
            Self::Gone => "the handle has expired: send the query again".into(),
            Self::TooLarge(max_bytes) => format!("the body is larger than {max_bytes} bytes").into(),
            Self::NotJson => "the body must be application/json, not compressed".into(),
            Self::TooMany => "too many requests for this App ID: retry later".into(),
            Self::Unavailable => "the message store takes nothing at present: retry later".into(),
            Self::Crowded => "too many connections: try again later".into(),
            Self::Internal(_) => "internal server error".into(),
        }
    }

    /// The texts of the vendor's gateway, which clients may compare; elsewhere the reason once more.
    fn message(&self) -> Cow<'static, str> {
        match self {
            Self::BadAppId => "appid is invalid".into(),
            Self::Unauthorized(AuthError::Missing) => "Unauthorized".into(),
            Self::Unauthorized(_) => "Invalid authentication credentials".into(),
            Self::NoRoute => "no Route matched with those values".into(),
            Self::TooMany => "API rate limit exceeded".into(),
            _ => self.reason(),
        }
    }

    /// The reply. An error of ours is logged here, once, and not shown.
    pub(crate) fn into_response(self, request_id: RequestId) -> Response {
        if let Self::Internal(error) = &self {
            tracing::error!(%request_id, error = &**error as &dyn Error, "a request failed");
        }
        let (reason, message) = (self.reason(), self.message());
        let status = self.status();
        let body = ErrorBody { result: "failed", request_id, error_code: status.as_u16(), reason, message };
        let mut response = json(status, &body);
        match self {
            Self::Method(allowed) => {
                response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
            }
            Self::Unauthorized(_) => {
                // RFC 9110 demands a challenge, and some client libraries fail without one.
                let challenge = HeaderValue::from_static("Basic realm=\"stentor\", charset=\"UTF-8\"");
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            }
            _ => {}
        }
        response
    }
}

impl From<BadRequest> for ApiError {
    fn from(error: BadRequest) -> Self {
        Self::Bad(error)
    }
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        Self::Unauthorized(error)
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { max_bytes } => Self::TooLarge(max_bytes),
            BodyError::Timeout => Self::Timeout("the body did not arrive in time"),
            BodyError::Broken => Self::Bad(BadRequest("the body could not be read".into())),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full | StoreError::Busy => Self::Unavailable,
            StoreError::Failed(_) => Self::Internal(error.into()),
        }
    }
}

impl From<SendError> for ApiError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::PayloadEmpty => Self::Bad(BadRequest("payload must not be empty".into())),
            SendError::PayloadTooLarge { max } => {
                Self::Bad(BadRequest(format!("payload must not be larger than {max} bytes of UTF-8").into()))
            }
            SendError::Limited(_) => Self::TooMany,
            SendError::Store(error) => error.into(),
            // Only clients must be members; the backend need not. And it sends to one receiver at a time.
            SendError::NotInRoom | SendError::Forbidden(_) | SendError::TooMany { .. } | SendError::Denied(_) => {
                Self::Internal(error.into())
            }
        }
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Limited(_) => Self::TooMany,
            QueryError::NoHistory => Self::NotEnabled("history"),
            QueryError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use stentor_core::limits::{Limited, Rule};
    use stentor_token::Refusal;

    use super::*;

    async fn rendered(error: impl Into<ApiError>) -> (u16, String) {
        let response = error.into().into_response(RequestId(123));
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_gateways_texts_are_kept() {
        for (error, status, message) in [
            (ApiError::BadAppId, 400, "appid is invalid"),
            (AuthError::Missing.into(), 401, "Unauthorized"),
            (AuthError::Pair.into(), 401, "Invalid authentication credentials"),
            (AuthError::Token(Refusal::Expired).into(), 401, "Invalid authentication credentials"),
            (ApiError::NoRoute, 404, "no Route matched with those values"),
            (SendError::Limited(Limited { rule: Rule::PeerSends }).into(), 429, "API rate limit exceeded"),
        ] {
            let (got, body) = rendered(error).await;
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!((got, body["message"].as_str()), (status, Some(message)));
            assert_eq!(body["errorCode"], status);
            assert_eq!(body["result"], "failed");
            assert_eq!(body["request_id"], "123");
        }
    }

    #[tokio::test]
    async fn a_body_has_its_keys_in_order() {
        let (status, body) = rendered(BadRequest("payload is required".into())).await;
        assert_eq!(status, 400);
        let expected = r#"{"result":"failed","request_id":"123","errorCode":400,"reason":"payload is required","message":"payload is required"}"#;
        assert_eq!(body, expected);
    }

    #[tokio::test]
    async fn what_failed_inside_stays_inside() {
        let (status, body) = rendered(StoreError::Failed("a path and a password".into())).await;
        assert_eq!(status, 500);
        assert!(!body.contains("password"), "{body}");
        assert_eq!(rendered(StoreError::Full).await.0, 503);
        assert_eq!(rendered(StoreError::Busy).await.0, 503);
    }

    #[tokio::test]
    async fn a_refusal_names_the_way_in() {
        let response = ApiError::from(AuthError::Missing).into_response(RequestId(1));
        assert!(response.headers()[WWW_AUTHENTICATE].to_str().unwrap().starts_with("Basic "));
        let response = ApiError::Method("POST").into_response(RequestId(1));
        assert_eq!(response.headers()[ALLOW], "POST");
    }
}
