//! The start of every request: which app, who is calling, and the parts of the URL and the body.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use bytes::Bytes;
use stentor_core::id::{RoomId, UserId};
use stentor_core::node::App;
use stentor_http_kit::json::may_be_json;
use stentor_http_kit::percent::{decode_segment, query_value};
use stentor_http_kit::{RequestId, read_body};

use crate::app::{RtmApp, is_app_id};
use crate::auth::{AuthError, Principal, authenticate, is_genuine_pair};
use crate::error::{ApiError, BadRequest};
use crate::state::RtmState;

/// What every URL of this dialect starts with.
pub(crate) const BASE: &str = "/dev/v2/project/";

/// An authenticated request.
pub(crate) struct Call {
    /// The core's side of the app.
    pub(crate) app: Arc<App>,
    /// This dialect's side of it.
    pub(crate) rtm: Arc<RtmApp>,
    pub(crate) principal: Principal,
    parts: Parts,
}

/// The ID that the layer around the router gave this request.
pub(crate) fn request_id(request: &Request) -> RequestId {
    request.extensions().get().copied().unwrap_or(RequestId(0))
}

impl Call {
    /// Finds the app and checks the caller. The body is not touched before.
    pub(crate) fn begin(state: &RtmState, request: Request) -> Result<(Self, Body), ApiError> {
        let (parts, body) = request.into_parts();
        let (app_id, _) = split_path(parts.uri.path()).ok_or(ApiError::NoRoute)?;
        let app_id = decode_segment(app_id).map_err(|_| ApiError::BadAppId)?;
        if !is_app_id(&app_id) {
            return Err(ApiError::BadAppId);
        }
        let (Some(rtm), Some(app)) = (state.app(&app_id), state.node().app(&app_id)) else {
            return Err(unknown_app(state, &parts.headers));
        };
        let principal = authenticate(&parts.headers, rtm, state.now_s())?;
        Ok((Self { app, rtm: rtm.clone(), principal, parts }, body))
    }

    /// The sender in the URL: `…/rtm/users/<user_id>/…`, percent-decoded once.
    pub(crate) fn sender(&self) -> Result<UserId, ApiError> {
        let (_, rest) = split_path(self.parts.uri.path()).ok_or(ApiError::NoRoute)?;
        let raw = rest.strip_prefix("rtm/users/").and_then(|rest| rest.split('/').next()).ok_or(ApiError::NoRoute)?;
        let name = sender_name(raw)?;
        let user = self.user("user_id", &name)?;
        if self.principal.may_send_as(user.as_str()) { Ok(user) } else { Err(AuthError::OtherUser.into()) }
    }

    /// The last segment of the URL, percent-decoded once.
    pub(crate) fn last_segment(&self) -> Result<Cow<'_, str>, BadRequest> {
        let raw = self.parts.uri.path().rsplit('/').next().unwrap_or_default();
        Ok(decode_segment(raw)?)
    }

    /// A query parameter, percent-decoded once.
    pub(crate) fn query(&self, name: &str) -> Result<Option<Cow<'_, str>>, BadRequest> {
        Ok(query_value(self.parts.uri.query().unwrap_or_default(), name)?)
    }

    /// A user ID by the app's rule; `field` is where it stood.
    pub(crate) fn user(&self, field: &'static str, name: &str) -> Result<UserId, BadRequest> {
        UserId::parse(name, &self.app.policy().user_names)
            .map_err(|error| BadRequest(format!("{field} {error}").into()))
    }

    /// A channel name by the app's rule; `field` is where it stood.
    pub(crate) fn room(&self, field: &'static str, name: &str) -> Result<RoomId, BadRequest> {
        RoomId::parse(name, &self.app.policy().room_names)
            .map_err(|error| BadRequest(format!("{field} {error}").into()))
    }

    /// The whole body, if it may be JSON.
    pub(crate) async fn read(&self, state: &RtmState, body: Body) -> Result<Bytes, ApiError> {
        if !may_be_json(&self.parts.headers) {
            return Err(ApiError::NotJson);
        }
        Ok(read_body(&self.parts.headers, body, state.body_limits()).await?)
    }
}

/// A well-formed App ID that is not served here is told apart from wrong credentials only to a customer of this
/// server: to everybody else it is one that nobody owns.
fn unknown_app(state: &RtmState, headers: &HeaderMap) -> ApiError {
    let customers = state.every_app().flat_map(|app| &app.customers);
    if is_genuine_pair(headers, customers) {
        return ApiError::BadAppId;
    }
    let anything = headers.contains_key("authorization") || headers.contains_key("x-agora-token");
    ApiError::Unauthorized(if anything { AuthError::Pair } else { AuthError::Missing })
}

/// Splits `/dev/v2/project/<appid>/<rest>`. One more slash before the rest is taken: clients append `/rtm/…` to a
/// base URL that the documents print with a slash at its end.
pub(crate) fn split_path(path: &str) -> Option<(&str, &str)> {
    let (app_id, rest) = path.strip_prefix(BASE)?.split_once('/')?;
    Some((app_id, rest.strip_prefix('/').unwrap_or(rest)))
}

/// Decodes a sender from the URL, where alone a space at either end is forbidden (RTM messaging documents, seed).
///
/// # Errors
/// When it cannot be decoded, or starts or ends with a space.
pub fn sender_name(raw: &str) -> Result<Cow<'_, str>, BadRequest> {
    let name = decode_segment(raw)?;
    if name.starts_with(' ') || name.ends_with(' ') {
        return Err(BadRequest("user_id must not start or end with a space".into()));
    }
    Ok(name)
}

/// A boolean of the query string: `true` or `false` in any case; nothing is `false`.
///
/// # Errors
/// When it is anything else.
pub fn flag(name: &str, value: Option<&str>) -> Result<bool, BadRequest> {
    match value {
        None | Some("") => Ok(false),
        Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        Some(_) => Err(BadRequest(format!("{name} must be true or false").into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_split_behind_the_app_id() {
        for (path, split) in [
            ("/dev/v2/project/a/rtm/x", Some(("a", "rtm/x"))),
            ("/dev/v2/project/a//rtm/x", Some(("a", "rtm/x"))),
            ("/dev/v2/project/a///rtm/x", Some(("a", "/rtm/x"))),
            ("/dev/v2/project/a", None),
            ("/dev/v2/Project/a/rtm", None),
        ] {
            assert_eq!(split_path(path), split, "{path}");
        }
    }

    #[test]
    fn a_sender_has_no_space_at_its_ends() {
        assert_eq!(sender_name("a%20b").as_deref(), Ok("a b"));
        assert_eq!(sender_name("w7%25").as_deref(), Ok("w7%"));
        for raw in ["%20a", "a%20", "%20", "w7%", "%ff"] {
            assert!(sender_name(raw).is_err(), "{raw:?}");
        }
    }

    #[test]
    fn a_flag_is_true_or_false() {
        for (value, flag_is) in [
            (None, Ok(false)),
            (Some(""), Ok(false)),
            (Some("false"), Ok(false)),
            (Some("FALSE"), Ok(false)),
            (Some("true"), Ok(true)),
            (Some("True"), Ok(true)),
        ] {
            assert_eq!(flag("f", value), flag_is, "{value:?}");
        }
        for value in ["1", "0", "yes", " true", "true ", "tru", "null"] {
            assert!(flag("f", Some(value)).is_err(), "{value:?}");
        }
    }
}
