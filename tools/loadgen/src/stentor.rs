//! The server under test as its users see it: configuration, REST requests, the WebSocket protocols of
//! `docs/gateway.md`, `docs/gateway-chat.md` and `docs/gateway-msync.md`.

pub mod chat;
pub mod config;
pub mod login;
pub mod msync;
pub mod notice;
pub mod request;

use base64::prelude::{BASE64_STANDARD, Engine};
use stentor_token::v007::{Issue, Service, build};

/// The App ID: that of the public sample pair of Agora's token builders.
pub const APP_ID: &str = "970CA35de60c44645bbae8a215061b33";
/// The App certificate of the same pair, so that clients need tokens.
pub const CERTIFICATE: &str = "5CFd2fd1755d40ecb72977518be15d3b";

const CUSTOMER: &str = "cid";
const SECRET: &str = "csec";

/// How long a client's token lives: longer than any run.
const TOKEN_LIFE_S: u32 = 24 * 3600;

/// The value of the `Authorization` header of REST requests.
#[must_use]
pub fn authorization() -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{CUSTOMER}:{SECRET}")))
}

/// A fresh AccessToken2 with which `user` may log in.
///
/// # Errors
/// When the name is too long for a token.
pub fn token(user: &str) -> anyhow::Result<String> {
    let issue = Issue { issue_ts_s: unix_seconds(), expire_s: TOKEN_LIFE_S, salt: fastrand::u32(1..100_000_000) };
    Ok(build(APP_ID, CERTIFICATE, issue, &[Service::rtm(user, TOKEN_LIFE_S)])?)
}

/// The time.
#[expect(
    clippy::disallowed_methods,
    reason = "tokens and signatures name the real time; there is no node whose clock to ask"
)]
pub(crate) fn unix_seconds() -> u32 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since_epoch.map_or(0, |passed| u32::try_from(passed.as_secs()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_good() {
        let token = token("u1").unwrap();
        let now = u64::from(unix_seconds());
        assert_eq!(stentor_token::verify_login(&token, APP_ID, CERTIFICATE, "u1", now).unwrap().user, "u1");
    }
}
