//! What an AccessToken2 permits: RTM login or Chat.

use super::{AccessToken2, Privileges, Service, ServiceKind, Services, parse};
use crate::{ChatHolder, Grant, Refusal};

/// Longest life of an RTM token in seconds (24 h, `token2_server_rtm.md`).
pub const MAX_RTM_TTL_S: u32 = 86_400;

/// Longest life of a Chat token in seconds (24 h, "Secure authentication with tokens" of the Chat documents).
pub const MAX_CHAT_TTL_S: u32 = 86_400;

/// How far ahead of the clock here an issueTs may be, in seconds, since clocks differ.
pub const MAX_SKEW_S: u64 = 300;

const RTM_LOGIN: u16 = 1;
const CHAT_USER: u16 = 1;
const CHAT_APP: u16 = 2;

/// Verifies an RTM token (service RTM or RTM2) at `now_s` (Unix seconds).
///
/// `user` is the account the request claims. With `None` it is taken from the token, which must
/// then name exactly one. The login lives for the smaller of the token's and the privilege's
/// seconds after issueTs, where 0 and more than 24 h both mean 24 h (`token2_server_rtm.md`).
/// The permissions of an RTM2 service are not looked at here.
///
/// # Errors
/// - [`Refusal::AppId`]: another App ID;
/// - [`Refusal::Invalid`]: malformed, another certificate, another user, issued more than
///   [`MAX_SKEW_S`] in the future, or an empty `user` or `certificate`. An empty user in the
///   token is no wildcard;
/// - [`Refusal::NotAuthorized`]: no RTM service, or none with the login privilege;
/// - [`Refusal::Expired`]: its time is over.
pub fn verify_rtm(
    token: &str,
    app_id: &str,
    certificate: &str,
    user: Option<&str>,
    now_s: u64,
) -> Result<Grant, Refusal> {
    let (token, services) = open(token, app_id, certificate)?;
    let rtm: Vec<(&str, &Privileges)> = services.known.iter().filter_map(rtm_user).collect();
    if rtm.is_empty() {
        return Err(Refusal::NotAuthorized);
    }
    let user = match user {
        Some("") => return Err(Refusal::Invalid),
        Some(user) => user,
        None => sole_user(rtm.iter().map(|(user, _)| *user))?,
    };
    let mut own = rtm.iter().filter(|(name, _)| *name == user).peekable();
    if own.peek().is_none() {
        return Err(Refusal::Invalid);
    }
    let login_s = own
        .filter_map(|(_, privileges)| privileges.get(&RTM_LOGIN))
        .map(|expire_s| rtm_ttl_s(*expire_s))
        .max()
        .ok_or(Refusal::NotAuthorized)?;
    let expires_at_s = token.live_until(login_s.min(rtm_ttl_s(token.expire_s)), now_s)?;
    Ok(Grant { user: user.to_owned(), expires_at_s })
}

/// What an accepted Chat token allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatGrant {
    /// Whom the token speaks for.
    pub holder: ChatHolder,
    /// When it was issued (Unix time in seconds): what was revoked since is void.
    pub issued_at_s: u64,
    /// The first second (Unix time) at which the token is no longer accepted.
    pub expires_at_s: u64,
}

/// Verifies a Chat token (service Chat) at `now_s` (Unix seconds).
///
/// An app token is a Chat service with an empty user and privilege 2, a user token one with a
/// user and privilege 1; if a token holds both, the app counts. The life is the smaller of the
/// token's and the privilege's seconds after issueTs, and [`MAX_CHAT_TTL_S`] at most: a token that
/// asks for more is good for that long. 0 is no life: that it means 24 h is documented for RTM only.
///
/// # Errors
/// As [`verify_rtm`]; [`Refusal::NotAuthorized`] if no Chat service fits the above, and
/// [`Refusal::Invalid`] if several users are named.
pub fn verify_chat(token: &str, app_id: &str, certificate: &str, now_s: u64) -> Result<ChatGrant, Refusal> {
    let (token, services) = open(token, app_id, certificate)?;
    let (mut app, mut users) = (Vec::new(), Vec::new());
    for service in &services.known {
        let ServiceKind::Chat { user } = &service.kind else {
            continue;
        };
        let (list, privilege) = if user.is_empty() { (&mut app, CHAT_APP) } else { (&mut users, CHAT_USER) };
        if let Some(expire_s) = service.privileges.get(&privilege) {
            list.push((user.as_str(), *expire_s));
        }
    }
    let (holder, found) = if !app.is_empty() {
        (ChatHolder::App, app)
    } else if !users.is_empty() {
        let user = sole_user(users.iter().map(|(user, _)| *user))?;
        (ChatHolder::User(user.to_owned()), users)
    } else {
        return Err(Refusal::NotAuthorized);
    };
    let longest_s = found.iter().map(|(_, expire_s)| *expire_s).max().unwrap_or(0);
    let expires_at_s = token.live_until(longest_s.min(token.expire_s).min(MAX_CHAT_TTL_S), now_s)?;
    Ok(ChatGrant { holder, issued_at_s: u64::from(token.issue_ts_s), expires_at_s })
}

impl AccessToken2 {
    /// The end of a life of `ttl_s` seconds after issueTs, if `now_s` is within it.
    fn live_until(&self, ttl_s: u32, now_s: u64) -> Result<u64, Refusal> {
        let issue_ts_s = u64::from(self.issue_ts_s);
        if issue_ts_s > now_s.saturating_add(MAX_SKEW_S) {
            return Err(Refusal::Invalid);
        }
        let end_s = issue_ts_s + u64::from(ttl_s);
        if now_s < end_s { Ok(end_s) } else { Err(Refusal::Expired) }
    }
}

fn open(token: &str, app_id: &str, certificate: &str) -> Result<(AccessToken2, Services), Refusal> {
    let token = parse(token)?;
    if token.app_id != app_id {
        return Err(Refusal::AppId);
    }
    token.verify_signature(certificate)?;
    let services = token.services()?;
    Ok((token, services))
}

fn rtm_user(service: &Service) -> Option<(&str, &Privileges)> {
    match &service.kind {
        ServiceKind::Rtm { user } | ServiceKind::Rtm2 { user, .. } => Some((user, &service.privileges)),
        _ => None,
    }
}

/// The one user all services name. A token for two is ambiguous, so it speaks for neither.
fn sole_user<'a>(mut users: impl Iterator<Item = &'a str>) -> Result<&'a str, Refusal> {
    let first = users.next().ok_or(Refusal::Invalid)?;
    if first.is_empty() || users.any(|user| user != first) {
        return Err(Refusal::Invalid);
    }
    Ok(first)
}

/// RTM counts a life of 0 and one of more than 24 h as 24 h.
fn rtm_ttl_s(written_s: u32) -> u32 {
    match written_s {
        1..=MAX_RTM_TTL_S => written_s,
        _ => MAX_RTM_TTL_S,
    }
}
