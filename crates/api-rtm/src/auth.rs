//! Who is calling: HTTP Basic, or an RTM token in either of its two places.
//!
//! The order is fixed, since a request may carry several credentials at once (real clients do):
//!
//! 1. `Authorization: Basic …` counts alone, whatever else there is;
//! 2. `Authorization: agora token=…`: the user is in the token, or in `x-agora-uid` for a 006 token;
//! 3. `x-agora-token` with `x-agora-uid`;
//! 4. nothing of these: unauthorized.
//!
//! If 2 and 3 come together they must carry the same token, and the token must be that of `x-agora-uid`.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use stentor_token::{Grant, Refusal, v006, v007, verify_login};

use crate::app::{Customer, RtmApp};

/// The header with a token.
const X_AGORA_TOKEN: &str = "x-agora-token";
/// The header with the user that the token was made for.
const X_AGORA_UID: &str = "x-agora-uid";

/// Padding is optional: some clients leave it out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Bytes of a decoded Basic pair: the vendor's have 65, so this is plenty, and it fits on the stack.
const PAIR_BYTES: usize = 512;

/// Who is calling, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// The app's backend, by HTTP Basic: may send as any user.
    Backend,
    /// The holder of a token: may send as this user.
    User(String),
}

impl Principal {
    /// Whether this caller may send as `user`.
    #[must_use]
    pub fn may_send_as(&self, user: &str) -> bool {
        match self {
            Self::Backend => true,
            Self::User(own) => own == user,
        }
    }
}

/// Why a caller is not who it says, or does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// No credential that is known here.
    #[error("no credentials: send HTTP Basic or an RTM token")]
    Missing,
    /// The Basic pair is malformed, or none of the App ID's.
    #[error("the Customer ID and Customer Secret are not valid for this App ID")]
    Pair,
    /// The two token headers carry different tokens.
    #[error("Authorization and x-agora-token carry different tokens")]
    TokensDiffer,
    /// A token that names no user came without `x-agora-uid`.
    #[error("x-agora-uid is missing")]
    UserMissing,
    /// The app has no certificate that a token could be checked with.
    #[error("tokens are not enabled for this App ID")]
    NoCertificate,
    /// The token was refused.
    #[error("{0}")]
    Token(Refusal),
    /// The token is good, and another user's than the one in the URL.
    #[error("the token was not made for this user_id")]
    OtherUser,
}

/// A request's credential, as presented.
#[derive(Debug)]
enum Credential<'a> {
    Basic(&'a [u8]),
    Token { token: &'a str, user: Option<&'a str> },
}

/// Checks who is calling `app` at `now_s` (Unix seconds).
///
/// # Errors
/// Why the caller is not let in; every reason is a 401.
pub fn authenticate(headers: &HeaderMap, app: &RtmApp, now_s: u64) -> Result<Principal, AuthError> {
    match credential(headers)? {
        Credential::Basic(encoded) if is_customer(encoded, &app.customers) => Ok(Principal::Backend),
        Credential::Basic(_) => Err(AuthError::Pair),
        Credential::Token { token, user } => {
            let certificate = app.certificate.as_ref().ok_or(AuthError::NoCertificate)?.expose();
            let grant = check_token(token, &app.app_id, certificate, user, now_s)?;
            Ok(Principal::User(grant.user))
        }
    }
}

/// Whether the request has the Basic pair of any of these customers.
#[must_use]
pub fn is_genuine_pair<'a>(headers: &HeaderMap, customers: impl IntoIterator<Item = &'a Customer>) -> bool {
    matches!(credential(headers), Ok(Credential::Basic(encoded)) if is_customer(encoded, customers))
}

fn credential(headers: &HeaderMap) -> Result<Credential<'_>, AuthError> {
    let authorization = headers.get(AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes).trim_ascii();
    let (scheme, rest) = match authorization.iter().position(u8::is_ascii_whitespace) {
        Some(space) => (&authorization[..space], authorization[space..].trim_ascii()),
        None => (authorization, &b""[..]),
    };
    if scheme.eq_ignore_ascii_case(b"basic") {
        return Ok(Credential::Basic(rest));
    }
    let inline = if scheme.eq_ignore_ascii_case(b"agora") { rest.strip_prefix(b"token=") } else { None };
    let separate = headers.get(X_AGORA_TOKEN).map(HeaderValue::as_bytes);
    let user = headers.get(X_AGORA_UID).map(|value| value.to_str().map_err(|_| AuthError::Token(Refusal::Invalid)));
    match (inline, separate) {
        (None, None) => Err(AuthError::Missing),
        (Some(inline), Some(separate)) if inline != separate => Err(AuthError::TokensDiffer),
        (Some(inline), None) => {
            let token = text(inline)?;
            // Only a 007 token says whose it is; beside one, the header alone means nothing.
            let user = if token.starts_with(v006::PREFIX) { Some(user.ok_or(AuthError::UserMissing)??) } else { None };
            Ok(Credential::Token { token, user })
        }
        (_, Some(separate)) => {
            let user = user.ok_or(AuthError::UserMissing)??;
            Ok(Credential::Token { token: text(separate)?, user: Some(user) })
        }
    }
}

fn text(bytes: &[u8]) -> Result<&str, AuthError> {
    str::from_utf8(bytes).map_err(|_| AuthError::Token(Refusal::Invalid))
}

fn check_token(
    token: &str,
    app_id: &str,
    certificate: &str,
    user: Option<&str>,
    now_s: u64,
) -> Result<Grant, AuthError> {
    match user {
        Some(user) => verify_login(token, app_id, certificate, user, now_s),
        None => v007::verify_rtm(token, app_id, certificate, None, now_s),
    }
    .map_err(AuthError::Token)
}

/// Decodes once, into the stack, and looks at every customer, so that the time does not say which one it was.
fn is_customer<'a>(encoded: &[u8], customers: impl IntoIterator<Item = &'a Customer>) -> bool {
    let mut buffer = [0; PAIR_BYTES];
    let Ok(length) = BASE64.decode_slice(encoded, &mut buffer) else {
        return false;
    };
    let pair = &buffer[..length];
    customers.into_iter().fold(false, |found, customer| found | customer.matches(pair))
}

#[cfg(test)]
mod tests {
    use stentor_http_kit::Secret;

    use super::*;
    use crate::app::RtmApp;
    use crate::testing::{TOKEN_006_B, TOKEN_007_B, TOKEN_007_E, app};

    const NOW_S: u64 = 1_700_000_000;
    const PAIR: &str = "Basic Y2lkOmNzZWM="; // cid:csec

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let value = |text: &str| HeaderValue::from_bytes(text.as_bytes()).unwrap();
        pairs.iter().map(|(name, text)| (axum::http::HeaderName::from_static(name), value(text))).collect()
    }

    fn check(pairs: &[(&'static str, &str)]) -> Result<Principal, AuthError> {
        authenticate(&headers(pairs), &app(), NOW_S)
    }

    fn user_a() -> Result<Principal, AuthError> {
        Ok(Principal::User("userA".to_owned()))
    }

    const INVALID: Result<Principal, AuthError> = Err(AuthError::Token(Refusal::Invalid));

    #[test]
    fn basic_is_checked_alone() {
        for good in [PAIR, "basic Y2lkOmNzZWM=", "BASIC  Y2lkOmNzZWM=", " Basic Y2lkOmNzZWM= ", "Basic Y2lkOmNzZWM"] {
            assert_eq!(check(&[("authorization", good)]), Ok(Principal::Backend), "{good:?}");
        }
        for bad in
            ["Basic", "Basic ", "Basic !", "Basic Y2lkOg==", "Basic Y2lk", "Basic Y2lkOmNzZWN=", "Basic Y2lkOmNzZWNi"]
        {
            assert_eq!(check(&[("authorization", bad)]), Err(AuthError::Pair), "{bad:?}");
        }
        let long = format!("Basic {}", "YWFh".repeat(1000));
        assert_eq!(check(&[("authorization", &long)]), Err(AuthError::Pair));
        // A good token does not help a bad pair, nor a bad token harm a good one.
        let (token, uid) = (("x-agora-token", TOKEN_006_B), ("x-agora-uid", "userA"));
        assert_eq!(check(&[("authorization", "Basic eDp5"), token, uid]), Err(AuthError::Pair));
        assert_eq!(check(&[("authorization", PAIR), ("x-agora-token", "bad"), uid]), Ok(Principal::Backend));
    }

    #[test]
    fn a_token_in_two_headers_needs_its_user() {
        let token = ("x-agora-token", TOKEN_006_B);
        assert_eq!(check(&[token, ("x-agora-uid", "userA")]), user_a());
        assert_eq!(check(&[("x-agora-token", TOKEN_007_B), ("x-agora-uid", "userA")]), user_a());
        assert_eq!(check(&[token]), Err(AuthError::UserMissing));
        assert_eq!(check(&[("x-agora-token", TOKEN_007_B)]), Err(AuthError::UserMissing));
        for uid in ["userB", "", "usera", "userA,userA", "é"] {
            assert_eq!(check(&[token, ("x-agora-uid", uid)]), INVALID, "{uid:?}");
        }
        assert_eq!(check(&[("x-agora-token", ""), ("x-agora-uid", "userA")]), INVALID);
        assert_eq!(check(&[("x-agora-token", "\u{fc}"), ("x-agora-uid", "userA")]), INVALID);
    }

    #[test]
    fn a_token_in_authorization_brings_its_user() {
        let inline_007 = format!("agora token={TOKEN_007_B}");
        let inline_006 = format!("Agora  token={TOKEN_006_B}");
        assert_eq!(check(&[("authorization", &inline_007)]), user_a());
        assert_eq!(check(&[("authorization", &inline_007), ("x-agora-uid", "someone else")]), user_a());
        assert_eq!(check(&[("authorization", &inline_006), ("x-agora-uid", "userA")]), user_a());
        assert_eq!(check(&[("authorization", &inline_006)]), Err(AuthError::UserMissing));
        assert_eq!(check(&[("authorization", "agora token=")]), INVALID);
        let chat = format!("agora token={TOKEN_007_E}");
        let late = authenticate(&headers(&[("authorization", &chat)]), &app(), 4_070_908_800);
        assert_eq!(late, Err(AuthError::Token(Refusal::NotAuthorized)));
    }

    #[test]
    fn both_token_forms_must_agree() {
        let inline = format!("agora token={TOKEN_007_B}");
        let both = |token, uid| check(&[("authorization", &inline), ("x-agora-token", token), ("x-agora-uid", uid)]);
        assert_eq!(both(TOKEN_007_B, "userA"), user_a());
        assert_eq!(both(TOKEN_007_B, "userB"), INVALID);
        assert_eq!(both(TOKEN_006_B, "userA"), Err(AuthError::TokensDiffer));
        let pairs = [("authorization", inline.as_str()), ("x-agora-token", TOKEN_007_B)];
        assert_eq!(check(&pairs), Err(AuthError::UserMissing));
    }

    #[test]
    fn nothing_known_is_unauthorized() {
        for pairs in [&[][..], &[("authorization", "")], &[("authorization", "Bearer x")], &[("x-agora-uid", "userA")]]
        {
            assert_eq!(check(pairs), Err(AuthError::Missing), "{pairs:?}");
        }
        assert_eq!(check(&[("authorization", "agora")]), Err(AuthError::Missing));
        assert_eq!(check(&[("authorization", "agora t=1")]), Err(AuthError::Missing));
        // A scheme of somebody else, a proxy perhaps, does not hide the token.
        let token = [("authorization", "Bearer x"), ("x-agora-token", TOKEN_006_B), ("x-agora-uid", "userA")];
        assert_eq!(check(&token), user_a());
    }

    #[test]
    fn a_token_is_of_one_app_and_one_time() {
        let pairs = headers(&[("x-agora-token", TOKEN_006_B), ("x-agora-uid", "userA")]);
        let expired = authenticate(&pairs, &app(), 4_102_444_801);
        assert_eq!(expired, Err(AuthError::Token(Refusal::Expired)));
        let other = RtmApp { app_id: "0".repeat(32), ..app() };
        assert_eq!(authenticate(&pairs, &other, NOW_S), Err(AuthError::Token(Refusal::AppId)));
        let other = RtmApp { certificate: Some(Secret::new("0".repeat(32))), ..app() };
        assert_eq!(authenticate(&pairs, &other, NOW_S), INVALID);
        let none = RtmApp { certificate: None, ..app() };
        assert_eq!(authenticate(&pairs, &none, NOW_S), Err(AuthError::NoCertificate));
    }

    #[test]
    fn a_customer_of_another_app_is_recognised_but_not_let_in() {
        let pair = headers(&[("authorization", PAIR)]);
        assert!(is_genuine_pair(&pair, &app().customers));
        assert!(!is_genuine_pair(&pair, &[]));
        let other = RtmApp { customers: Vec::new(), ..app() };
        assert_eq!(authenticate(&pair, &other, NOW_S), Err(AuthError::Pair));
    }

    #[test]
    fn a_token_speaks_for_its_user_only() {
        assert!(Principal::Backend.may_send_as("anyone"));
        assert!(Principal::User("userA".into()).may_send_as("userA"));
        assert!(!Principal::User("userA".into()).may_send_as("userB"));
    }
}
