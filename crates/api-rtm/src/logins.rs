//! Who may log in: the answer that gateways get from this dialect.

use std::collections::HashMap;

use stentor_core::accounts::{Checking, Credential, Grant, LoginCheck, LoginRefused};
use stentor_core::id::{AppId, UserId};
use stentor_http_kit::Secret;
use stentor_token::{Refusal, v007, verify_login};

use crate::app::{RtmApp, by_id};

/// Checks the tokens of RTM clients. An app without a certificate needs none (RTM token documents); once it has
/// one, a token is mandatory.
#[derive(Debug, Clone)]
pub struct RtmLogins {
    certificates: HashMap<String, Option<Secret>>,
}

impl RtmLogins {
    /// Knows these apps.
    #[must_use]
    pub fn new(apps: impl IntoIterator<Item = RtmApp>) -> Self {
        Self { certificates: by_id(apps, |app| app.certificate) }
    }
}

impl LoginCheck for RtmLogins {
    fn app(&self, name: &str) -> Option<AppId> {
        self.certificates.contains_key(name).then(|| AppId::from_trusted(name))
    }

    fn check<'a>(&'a self, app: &'a AppId, user: &'a UserId, credential: Credential<'a>, now_ms: u64) -> Checking<'a> {
        Box::pin(std::future::ready(self.verify(app, user, credential, now_ms)))
    }
}

impl RtmLogins {
    fn verify(
        &self,
        app: &AppId,
        user: &UserId,
        credential: Credential<'_>,
        now_ms: u64,
    ) -> Result<Grant, LoginRefused> {
        let certificate = self.certificates.get(app.as_str()).ok_or(LoginRefused::InvalidApp)?;
        let Some(certificate) = certificate else {
            return Ok(Grant { expires_at_ms: None, generation: None });
        };
        let Credential::Token(token) = credential else { return Err(LoginRefused::InvalidToken) };
        let grant =
            verify_login(token, app.as_str(), certificate.expose(), user.as_str(), now_ms / 1000).map_err(refused)?;
        // A 006 token only opens the door: whoever is connected stays, however long (RTM token documents).
        let ends = token.starts_with(v007::PREFIX);
        Ok(Grant { expires_at_ms: ends.then_some(grant.expires_at_s.saturating_mul(1000)), generation: None })
    }
}

fn refused(refusal: Refusal) -> LoginRefused {
    match refusal {
        Refusal::AppId => LoginRefused::InvalidApp,
        Refusal::Invalid => LoginRefused::InvalidToken,
        Refusal::Expired => LoginRefused::Expired,
        Refusal::NotAuthorized => LoginRefused::NotAuthorized,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{APP, TOKEN_006_B, TOKEN_007_B, TOKEN_007_E, app};

    const NOW_MS: u64 = 1_700_000_000_000;

    fn check(
        logins: &RtmLogins,
        app: &str,
        user: &str,
        token: Option<&str>,
        now_ms: u64,
    ) -> Result<Grant, LoginRefused> {
        let credential = token.map_or(Credential::None, Credential::Token);
        logins.verify(&AppId::from_trusted(app), &UserId::from_trusted(user), credential, now_ms)
    }

    #[test]
    fn an_app_without_certificate_needs_no_token() {
        let logins = RtmLogins::new([RtmApp { certificate: None, ..app() }]);
        for token in [None, Some(""), Some("nonsense")] {
            assert_eq!(
                check(&logins, APP, "userA", token, NOW_MS),
                Ok(Grant { expires_at_ms: None, generation: None })
            );
        }
        let other = "00000000000000000000000000000000";
        assert_eq!(check(&logins, other, "userA", None, NOW_MS), Err(LoginRefused::InvalidApp));
    }

    #[test]
    fn an_app_with_a_certificate_needs_a_good_token() {
        let logins = RtmLogins::new([app()]);
        for (user, token, now_ms, answer) in [
            ("userA", None, NOW_MS, Err(LoginRefused::InvalidToken)),
            ("userA", Some(""), NOW_MS, Err(LoginRefused::InvalidToken)),
            ("userB", Some(TOKEN_006_B), NOW_MS, Err(LoginRefused::InvalidToken)),
            ("userA", Some(TOKEN_006_B), 4_102_444_801_000, Err(LoginRefused::Expired)),
            ("userA", Some(TOKEN_007_E), 4_070_908_800_000, Err(LoginRefused::NotAuthorized)),
            ("userA", Some(TOKEN_006_B), NOW_MS, Ok(None)),
            ("userA", Some(TOKEN_007_B), NOW_MS, Ok(Some(1_700_086_400_000))),
            ("userA", Some(TOKEN_007_B), 1_700_086_400_000, Err(LoginRefused::Expired)),
        ] {
            let answer = answer.map(|expires_at_ms| Grant { expires_at_ms, generation: None });
            assert_eq!(check(&logins, APP, user, token, now_ms), answer, "{user} {token:?} {now_ms}");
        }
    }

    #[test]
    fn a_token_of_another_app_is_refused() {
        let other = "00000000000000000000000000000000";
        let logins = RtmLogins::new([RtmApp { app_id: other.to_owned(), ..app() }]);
        assert_eq!(check(&logins, other, "userA", Some(TOKEN_006_B), NOW_MS), Err(LoginRefused::InvalidApp));
    }
}
