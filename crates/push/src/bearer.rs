//! A token that is good for a while: fetched once for all who need it, and kept until shortly before its end.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::error::PushError;
use crate::secret::Secret;

/// So long before its end a token is no longer used: a request takes time, and clocks differ.
const MARGIN_MS: u64 = 60_000;

/// After a fetch has failed, everybody is told so for this long.
const FAILURE_MS: u64 = 2_000;

/// A token as it was fetched.
#[derive(Debug, Clone)]
pub(crate) struct Fetched {
    pub(crate) token: Secret,
    /// Unix time in milliseconds.
    pub(crate) since_ms: u64,
    /// Unix time in milliseconds.
    pub(crate) expires_ms: u64,
}

impl Fetched {
    /// A token that is good for this long from now on.
    pub(crate) fn new(token: impl Into<Box<str>>, now_ms: u64, good_for: Duration) -> Self {
        let good_for_ms = u64::try_from(good_for.as_millis()).unwrap_or(u64::MAX);
        Self { token: Secret::new(token), since_ms: now_ms, expires_ms: now_ms.saturating_add(good_for_ms) }
    }
}

#[derive(Default)]
struct State {
    fetched: Option<Fetched>,
    /// What the last fetch failed with, and until when that is said.
    failure: Option<(PushError, u64)>,
}

/// The token of one set of credentials.
#[derive(Default)]
pub(crate) struct Bearer(Mutex<State>);

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(…)")
    }
}

impl Bearer {
    /// The token, fetched if there is none or it is about to end. Others wait meanwhile, and take what came.
    pub(crate) async fn get<F>(&self, now_ms: u64, fetch: impl FnOnce() -> F) -> Result<Secret, PushError>
    where
        F: Future<Output = Result<Fetched, PushError>>,
    {
        let mut state = self.0.lock().await;
        if let Some(fetched) = &state.fetched
            && now_ms.saturating_add(MARGIN_MS) < fetched.expires_ms
        {
            return Ok(fetched.token.clone());
        }
        if let Some((failure, until_ms)) = &state.failure
            && (until_ms.saturating_sub(FAILURE_MS)..*until_ms).contains(&now_ms)
        {
            return Err(failure.clone());
        }
        match fetch().await {
            Ok(fetched) => {
                let token = fetched.token.clone();
                *state = State { fetched: Some(fetched), failure: None };
                Ok(token)
            }
            Err(failure) => {
                *state = State { fetched: None, failure: Some((failure.clone(), now_ms + FAILURE_MS)) };
                Err(failure)
            }
        }
    }

    /// The provider does not take this token: the next one fetches another. Nothing happens if that was done already.
    pub(crate) async fn forget(&self, token: &Secret) {
        self.forget_older(token, u64::MAX).await;
    }

    /// The same for a token that may be to blame, if it was fetched by `by_ms` (Unix time in milliseconds).
    pub(crate) async fn forget_older(&self, token: &Secret, by_ms: u64) {
        let mut state = self.0.lock().await;
        if state.fetched.as_ref().is_some_and(|fetched| fetched.token == *token && fetched.since_ms <= by_ms) {
            state.fetched = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    async fn get(bearer: &Bearer, now_ms: u64, fetches: &AtomicU32) -> String {
        let fetch = async || {
            let count = fetches.fetch_add(1, Ordering::Relaxed);
            Ok(Fetched::new(count.to_string(), now_ms, Duration::from_secs(3_600)))
        };
        bearer.get(now_ms, fetch).await.expect("a token").expose().to_owned()
    }

    #[tokio::test]
    async fn it_is_fetched_once_until_shortly_before_its_end() {
        let (bearer, fetches) = (Bearer::default(), AtomicU32::new(0));
        let (first, second) = tokio::join!(get(&bearer, 0, &fetches), get(&bearer, 0, &fetches));
        assert_eq!((first.as_str(), second.as_str()), ("0", "0"));
        assert_eq!(get(&bearer, 3_539_999, &fetches).await, "0");
        assert_eq!(get(&bearer, 3_540_000, &fetches).await, "1");
    }

    #[tokio::test]
    async fn one_that_is_not_taken_is_forgotten_once() {
        let (bearer, fetches) = (Bearer::default(), AtomicU32::new(0));
        let first = Secret::new(get(&bearer, 0, &fetches).await);
        bearer.forget(&first).await;
        assert_eq!(get(&bearer, 0, &fetches).await, "1");
        bearer.forget(&first).await;
        assert_eq!(get(&bearer, 0, &fetches).await, "1");
    }

    #[tokio::test]
    async fn a_failure_is_told_to_everybody_for_a_moment() {
        let (bearer, fetches) = (Bearer::default(), AtomicU32::new(0));
        let failing = async || Err(PushError::failed("down"));
        assert!(bearer.get(1_000, failing).await.is_err());
        let not_asked = async || panic!("asked too soon");
        assert_eq!(bearer.get(2_999, not_asked).await, Err(PushError::failed("down")));
        assert_eq!(get(&bearer, 3_000, &fetches).await, "0");
    }
}
