//! `POST token`: an app token for the backend, or a user's token for a password, for the backend's word, or for an
//! AccessToken2 (Easemob "app token" and "user token" documents, Agora "token authentication").
//!
//! The reply has no envelope.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use stentor_core::directory::DirectoryError;
use stentor_core::directory::users::{NewUser, User};
use stentor_core::id::{NameError, UserId};
use stentor_http_kit::json::json;
use subtle::ConstantTimeEq;
use utoipa::ToSchema;

use crate::auth::{Granted, Principal, authenticate, bearer, issue};
use crate::body::{Object, RawBody};
use crate::call::Visit;
use crate::error::{ChatError, exception};
use crate::names::user_id;
use crate::rates::ChatRule;
use crate::sizes::{Size, size, span};
use crate::users::view::user_view;

/// How long a token lives when nobody says so: 60 days (Easemob "user token" documents).
const DEFAULT_TTL_S: u64 = 60 * 86_400;

/// No token lives longer, apart from those that never expire (ttl 0).
const MAX_TTL_S: u64 = 10 * 365 * 86_400;

/// What is limited of tokens, for `docs/limits.md`.
pub(crate) fn sizes() -> Vec<Size> {
    let lives = format!("{}, {} if nothing is said", span(MAX_TTL_S * 1000), span(DEFAULT_TTL_S * 1000));
    vec![size("A token lives, unless `ttl` is 0", lives, "400")]
}

/// What `POST token` takes.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes the body for OpenAPI; it is read field by field for the documented refusals")]
pub(crate) struct TokenRequest {
    /// `client_credentials`, `password`, `inherit` or `agora`.
    #[schema(example = "client_credentials")]
    grant_type: String,
    /// With `client_credentials`.
    client_id: Option<String>,
    /// With `client_credentials`.
    client_secret: Option<String>,
    /// With `password` and `inherit`.
    username: Option<String>,
    /// With `password`.
    password: Option<String>,
    /// With `inherit`: register the user if there is none.
    #[schema(rename = "autoCreateUser")]
    auto_create_user: Option<bool>,
    /// Seconds; 0 for a token that does not expire.
    ttl: Option<u64>,
}

/// What `POST token` answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenReply {
    /// To be sent as `Authorization: Bearer`.
    access_token: String,
    /// Seconds; 0 for a token that does not expire. Not with `agora`.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    /// When it expires: Unix time in milliseconds. Only with `agora`.
    #[serde(skip_serializing_if = "Option::is_none")]
    expire_timestamp: Option<u64>,
    /// The app's UUID. Not with a user's token.
    #[serde(skip_serializing_if = "Option::is_none")]
    application: Option<String>,
    /// Whose token it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    user: Option<serde_json::Value>,
}

/// Get a token
#[utoipa::path(
    post,
    path = "/token",
    operation_id = "getToken",
    tag = "tokens",
    request_body = TokenRequest,
    responses((status = 200, description = "A token", body = TokenReply)),
    security(()),
)]
pub(crate) async fn handler(visit: Visit, headers: HeaderMap, body: RawBody) -> Result<Response, ChatError> {
    visit.limit(ChatRule::Tokens)?;
    let body = body.object()?;
    let reply = match body.text("grant_type")?.unwrap_or_default() {
        "client_credentials" => client_credentials(&visit, &body)?,
        "password" => password(&visit, &body).await?,
        "inherit" => inherit(&visit, &headers, &body).await?,
        "agora" => exchange(&visit, &headers).await?,
        _ => return Err(ChatError::illegal_argument("grant_type is illegal")),
    };
    Ok(json(StatusCode::OK, &reply))
}

fn invalid_grant(text: &'static str) -> ChatError {
    ChatError::new(StatusCode::BAD_REQUEST, "invalid_grant", text)
}

/// The `ttl` of a request, or the default.
fn ttl_s(body: &Object) -> Result<u64, ChatError> {
    match body.integer("ttl")? {
        None => Ok(DEFAULT_TTL_S),
        Some(ttl) => u64::try_from(ttl)
            .ok()
            .filter(|ttl| *ttl <= MAX_TTL_S)
            .ok_or_else(|| ChatError::illegal_argument("ttl is illegal")),
    }
}

fn client_credentials(visit: &Visit, body: &Object) -> Result<TokenReply, ChatError> {
    let given = |name, refusal: &'static str| {
        body.text(name)?.filter(|text| !text.is_empty()).ok_or_else(|| ChatError::illegal_argument(refusal))
    };
    let client_id = given("client_id", "client_id must be provided.")?;
    let client_secret = given("client_secret", "client_secret must be provided")?;
    let Some((id, secret)) = &visit.chat.client else {
        return Err(invalid_grant("client_id does not match"));
    };
    if !bool::from(id.as_bytes().ct_eq(client_id.as_bytes())) {
        return Err(invalid_grant("client_id does not match"));
    }
    if secret.is_empty() || !bool::from(secret.matches(client_secret.as_bytes())) {
        return Err(invalid_grant("client_secret does not match"));
    }
    let ttl_s = ttl_s(body)?;
    Ok(TokenReply {
        access_token: issue(&visit.state, &visit.chat, None, ttl_s)?,
        expires_in: Some(ttl_s),
        expire_timestamp: None,
        application: Some(visit.chat.uuid().to_owned()),
        user: None,
    })
}

async fn password(visit: &Visit, body: &Object) -> Result<TokenReply, ChatError> {
    let username = body.text("username")?.unwrap_or_default();
    let password = body.text("password")?.unwrap_or_default();
    let user = match user_id(username) {
        Ok(id) => visit.node().find_user(&visit.app, &id).await?,
        Err(_) => None,
    };
    let hash = user.as_ref().and_then(|user| user.password_hash.as_deref());
    let good = visit.state.passwords().verify(password, hash).await?;
    let Some(user) = user else {
        return Err(ChatError::new(StatusCode::NOT_FOUND, "invalid_grant", "user not found"));
    };
    if !good {
        return Err(invalid_grant("invalid password"));
    }
    if !user.active {
        return Err(invalid_grant("user not activated"));
    }
    of_user(visit, &user, ttl_s(body)?)
}

async fn inherit(visit: &Visit, headers: &HeaderMap, body: &Object) -> Result<TokenReply, ChatError> {
    let granted = authenticate(&visit.state, &visit.chat, &visit.app, bearer(headers)?).await?;
    if granted.principal != Principal::App {
        return Err(ChatError::corrupt_token());
    }
    let username = body.text("username")?.unwrap_or_default();
    let id = user_id(username).map_err(|error| illegal_username(username, error))?;
    let ttl_s = ttl_s(body)?;
    let user = match visit.node().find_user(&visit.app, &id).await? {
        Some(user) => user,
        None if body.flag("autoCreateUser")?.unwrap_or(false) => create(visit, id).await?,
        None => {
            return Err(ChatError::new(StatusCode::NOT_FOUND, "entity_not_found", "User null not found")
                .with(exception::ENTITY_NOT_FOUND));
        }
    };
    if !user.active {
        return Err(invalid_grant("user not activated"));
    }
    of_user(visit, &user, ttl_s)
}

async fn create(visit: &Visit, name: UserId) -> Result<User, ChatError> {
    let new = NewUser { name, password_hash: None, nickname: None };
    visit.node().register(&visit.app, new).await.map_err(|error| match error {
        DirectoryError::UserExists(_) => {
            ChatError::new(StatusCode::CONFLICT, "concurrent_operation_error", "concurrency create app user failed")
        }
        other => other.into(),
    })
}

/// The AccessToken2 of the header for a token of ours with the same rights and end.
async fn exchange(visit: &Visit, headers: &HeaderMap) -> Result<TokenReply, ChatError> {
    let granted: Granted = authenticate(&visit.state, &visit.chat, &visit.app, bearer(headers)?).await?;
    let now_ms = visit.now_ms();
    let end_ms = granted.expires_at_ms.unwrap_or(now_ms + DEFAULT_TTL_S * 1000);
    let ttl_s = end_ms.saturating_sub(now_ms).div_euclid(1000).max(1);
    Ok(TokenReply {
        access_token: issue(&visit.state, &visit.chat, granted.user.as_ref(), ttl_s)?,
        expires_in: None,
        expire_timestamp: Some(now_ms + ttl_s * 1000),
        application: None,
        user: None,
    })
}

fn of_user(visit: &Visit, user: &User, ttl_s: u64) -> Result<TokenReply, ChatError> {
    Ok(TokenReply {
        access_token: issue(&visit.state, &visit.chat, Some(user), ttl_s)?,
        expires_in: Some(ttl_s),
        expire_timestamp: None,
        application: None,
        user: Some(user_view(user)),
    })
}

/// 400: a name that no user can have.
pub(crate) fn illegal_username(name: &str, error: NameError) -> ChatError {
    match error {
        NameError::TooLong { .. } => ChatError::illegal_argument("USERNAME_TOO_LONG"),
        NameError::Empty | NameError::Character => {
            ChatError::illegal_argument(format!("username [{name}] is not legal"))
        }
    }
}
