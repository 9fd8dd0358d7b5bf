//! Who is calling: `Authorization: Bearer`, with an access token of ours, an AccessToken2 (007, service 5), or a
//! dynamic user token.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use stentor_core::app::App;
use stentor_core::directory::users::User;
use stentor_core::id::UserId;
use stentor_core::store::StoreError;
use stentor_token::access::{self, AccessToken};
use stentor_token::{ChatHolder, ChatRefusal, Refusal, dynamic, v007};

use crate::app::ChatApp;
use crate::error::ChatError;
use crate::names::user_id;
use crate::state::ChatState;

/// Who is calling, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// The app's backend: may do everything.
    App,
    /// A user: may do what concerns that user.
    User(UserId),
}

impl Principal {
    /// The user, if it is one.
    #[must_use]
    pub fn user(&self) -> Option<&UserId> {
        match self {
            Self::App => None,
            Self::User(user) => Some(user),
        }
    }
}

/// What a token says before its user is looked up.
#[derive(Debug)]
struct Claim {
    holder: ChatHolder,
    /// How often the user's tokens had been revoked when this one was issued, as far as it knows.
    generation: Option<u64>,
    issued_at_s: u64,
    expires_at_ms: Option<u64>,
}

/// A good token.
#[derive(Debug, Clone)]
pub struct Granted {
    /// Whose it is.
    pub principal: Principal,
    /// The user's record, if it is a user's.
    pub user: Option<User>,
    /// When it ends: Unix time in milliseconds.
    pub expires_at_ms: Option<u64>,
}

/// The token of a request.
///
/// # Errors
/// When there is none.
pub fn bearer(headers: &HeaderMap) -> Result<&str, ChatError> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(ChatError::oauth)?;
    let (scheme, token) = value.trim().split_once(' ').ok_or_else(ChatError::oauth)?;
    let token = token.trim();
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() { Ok(token) } else { Err(ChatError::oauth()) }
}

/// Why a token is of no use.
#[derive(Debug, thiserror::Error)]
pub enum BadToken {
    /// Malformed, badly signed, or of another app.
    #[error("corrupt token")]
    Corrupt,
    /// Of the right form, but not issued here.
    #[error("foreign token")]
    Foreign,
    /// Good once.
    #[error("expired token")]
    Expired,
    /// Its user is not there, or has revoked it.
    #[error("revoked token")]
    Revoked,
    /// Its user is deactivated.
    #[error("the user is not active")]
    Inactive,
    /// Genuine, but not for Chat.
    #[error("not for Chat")]
    NotAuthorized,
    /// The user could not be looked up.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<BadToken> for ChatError {
    fn from(bad: BadToken) -> Self {
        match bad {
            BadToken::Corrupt => Self::corrupt_token(),
            BadToken::Foreign => Self::foreign_token(),
            BadToken::Expired => Self::expired_token(),
            BadToken::Revoked | BadToken::Inactive | BadToken::NotAuthorized => Self::oauth(),
            BadToken::Store(error) => error.into(),
        }
    }
}

/// Checks a token. A user's token is looked up: the user must be there and active, and the token not revoked.
///
/// # Errors
/// Why it is of no use; as a [`ChatError`] 401 with the text of the documents.
pub async fn authenticate(state: &ChatState, chat: &ChatApp, app: &App, token: &str) -> Result<Granted, BadToken> {
    let now_ms = state.node().clock().wall_ms();
    let claim = claim(state, chat, token, now_ms)?;
    let ChatHolder::User(name) = &claim.holder else {
        return Ok(Granted { principal: Principal::App, user: None, expires_at_ms: claim.expires_at_ms });
    };
    let user = find(state, app, name).await?.ok_or(BadToken::Revoked)?;
    let void = match claim.generation {
        Some(generation) => generation != user.token_generation & GENERATION_MASK,
        // It says its second and no more: one of the second of the revocation is void as well.
        None => user.tokens_valid_from_ms > 0 && claim.issued_at_s <= user.tokens_valid_from_ms / 1000,
    };
    if !user.active {
        return Err(BadToken::Inactive);
    }
    if void {
        return Err(BadToken::Revoked);
    }
    let id = UserId::from_trusted(&user.name);
    Ok(Granted { principal: Principal::User(id), user: Some(user), expires_at_ms: claim.expires_at_ms })
}

/// The user of this ID. Tokens made elsewhere may name a user by its UUID instead, as older documents have it; nobody can
/// register a name that is somebody's UUID.
async fn find(state: &ChatState, app: &App, name: &str) -> Result<Option<User>, StoreError> {
    let Ok(id) = user_id(name) else { return Ok(None) };
    match state.node().find_user(app, &id).await? {
        Some(user) => Ok(Some(user)),
        None => state.node().find_user_by_uuid(app, id.as_str()).await,
    }
}

fn claim(state: &ChatState, chat: &ChatApp, token: &str, now_ms: u64) -> Result<Claim, BadToken> {
    if token.starts_with(v007::PREFIX) {
        let certificate = chat.certificate.as_ref().ok_or(BadToken::Corrupt)?;
        let grant = v007::verify_chat(token, &chat.app_id, certificate.expose(), now_ms / 1000).map_err(refused_007)?;
        return Ok(Claim {
            holder: grant.holder,
            generation: None,
            issued_at_s: grant.issued_at_s,
            expires_at_ms: Some(grant.expires_at_s.saturating_mul(1000)),
        });
    }
    if token.starts_with(dynamic::PREFIX) {
        let (client_id, secret) = chat.client.as_ref().ok_or(BadToken::Corrupt)?;
        let key = chat.key();
        let issuer =
            dynamic::Issuer { app_key: &key, client_id, client_secret: secret.expose(), max_ttl_s: dynamic::MAX_TTL_S };
        let grant = dynamic::verify(token, &issuer, now_ms / 1000).map_err(refused)?;
        return Ok(Claim {
            holder: ChatHolder::User(grant.user),
            generation: None,
            issued_at_s: grant.issued_at_s,
            expires_at_ms: Some(grant.expires_at_s.saturating_mul(1000)),
        });
    }
    let found = access::verify(token, state.access_key(), &chat.key(), now_ms).map_err(refused)?;
    Ok(Claim {
        holder: found.holder,
        generation: Some(found.nonce >> GENERATION_SHIFT),
        issued_at_s: found.issued_at_ms / 1000,
        expires_at_ms: found.expires_at_ms,
    })
}

/// The upper half of a token's nonce says how often the user's tokens had been revoked; the lower half is random.
const GENERATION_SHIFT: u32 = 32;
const GENERATION_MASK: u64 = u32::MAX as u64;

/// Makes an access token: for the app, or for a user as it is now. `ttl_s` 0 means that it does not expire.
///
/// # Errors
/// When the system gives no random numbers.
pub fn issue(state: &ChatState, chat: &ChatApp, user: Option<&User>, ttl_s: u64) -> Result<String, ChatError> {
    let random = getrandom::u32().map_err(|_| ChatError::internal())?;
    let generation = user.map_or(0, |user| user.token_generation & GENERATION_MASK);
    let issued_at_ms = state.node().clock().wall_ms();
    let token = AccessToken {
        app_key: chat.key(),
        holder: user.map_or(ChatHolder::App, |user| ChatHolder::User(user.name.clone())),
        issued_at_ms,
        expires_at_ms: (ttl_s > 0).then(|| issued_at_ms.saturating_add(ttl_s.saturating_mul(1000))),
        nonce: generation << GENERATION_SHIFT | u64::from(random),
    };
    access::issue(&token, state.access_key()).map_err(|_| ChatError::internal())
}

fn refused(refusal: ChatRefusal) -> BadToken {
    match refusal {
        ChatRefusal::Malformed | ChatRefusal::OtherApp => BadToken::Corrupt,
        ChatRefusal::ForeignIssuer => BadToken::Foreign,
        ChatRefusal::Expired => BadToken::Expired,
    }
}

fn refused_007(refusal: Refusal) -> BadToken {
    match refusal {
        Refusal::AppId | Refusal::Invalid => BadToken::Corrupt,
        Refusal::Expired => BadToken::Expired,
        Refusal::NotAuthorized => BadToken::NotAuthorized,
    }
}
