//! The API of LibreTranslate (<https://github.com/LibreTranslate/LibreTranslate>, `POST /translate`): `q`, `source` (or
//! `auto`), `target`, `format`, `api_key`; the answer has `translatedText`, a refusal `error` with 400, 403, 429 or 500.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::{Value, json};
use stentor_core::clock::Clock;
use stentor_push::{Admission, Answered, BadSetup, Breaker, BreakerSetup, Http, PushError, Secret, check_url};
use tokio::sync::Semaphore;

use super::Translator;
use super::cache::Cache;
use super::language::{less, usual};

/// Languages that the service does not know are remembered, so many. There are not many more codes.
const MAX_UNKNOWN: usize = 256;

/// The pause after an answer that says it was too much, or that we may not, and names no time.
const PAUSE: Duration = Duration::from_secs(60);

/// What [`LibreTranslate`] needs.
#[derive(Debug)]
pub struct LibreTranslateSetup {
    /// Where it is, without `/translate`.
    pub url: String,
    /// Its API key, if it wants one.
    pub api_key: Option<Secret>,
    /// How long a translation may wait for its turn, and how long the service may take for it then.
    pub timeout: Duration,
    /// Requests at once.
    pub concurrency: usize,
    /// Translations that are remembered.
    pub cached: usize,
    /// Characters of a text at most; a longer one is not translated.
    pub max_chars: usize,
}

/// Asks a LibreTranslate server. For all apps.
#[derive(Debug)]
pub struct LibreTranslate {
    http: Http,
    url: String,
    setup: LibreTranslateSetup,
    clock: Arc<dyn Clock>,
    permits: Semaphore,
    breaker: Mutex<Breaker>,
    cache: Mutex<Cache>,
    unknown: Mutex<HashSet<String>>,
}

impl LibreTranslate {
    /// A translator.
    ///
    /// # Errors
    /// When the URL is none.
    pub fn new(setup: LibreTranslateSetup, http: Http, clock: Arc<dyn Clock>) -> Result<Self, BadSetup> {
        check_url(&setup.url)?;
        Ok(Self {
            http,
            url: format!("{}/translate", setup.url.trim_end_matches('/')),
            permits: Semaphore::new(setup.concurrency.clamp(1, Semaphore::MAX_PERMITS)),
            breaker: Mutex::new(Breaker::new(BreakerSetup::default())),
            cache: Mutex::new(Cache::new(setup.cached)),
            unknown: Mutex::default(),
            setup,
            clock,
        })
    }

    fn now(&self) -> Duration {
        Duration::from_micros(self.clock.monotonic_us())
    }

    /// Asks for a language, and for one that says less about it if the service does not know it: `zh` for `zh-Hans`.
    async fn ask(&self, text: &str, source: &str, target: &str) -> Option<String> {
        let mut code = Some(target);
        while let Some(target) = code {
            if !self.unknown.lock().contains(target) {
                match self.ask_once(text, source, target).await {
                    Ok(translation) => return translation,
                    Err(UnknownLanguage) => {
                        let mut unknown = self.unknown.lock();
                        if unknown.len() < MAX_UNKNOWN {
                            unknown.insert(target.to_owned());
                        }
                    }
                }
            }
            code = less(target);
        }
        None
    }

    async fn ask_once(&self, text: &str, source: &str, target: &str) -> Result<Option<String>, UnknownLanguage> {
        let mut body = json!({ "q": text, "source": source, "target": target, "format": "text" });
        if let Some(key) = &self.setup.api_key {
            body["api_key"] = key.expose().into();
        }
        let Ok(admission) = self.breaker.lock().admit(self.now()) else { return Ok(None) };
        let mut watch = Watch { of: self, admission: Some(admission) };
        let answered = self.http.ask(&self.url, &body, self.clock.wall_ms()).await;
        watch.settle(&answered);
        match answered {
            Ok(Answered { status: 200, body, .. }) => Ok(body["translatedText"].as_str().map(str::to_owned)),
            Ok(Answered { status: 400, body, .. }) if is_unknown(&body, target) => Err(UnknownLanguage),
            Ok(Answered { status, .. }) => {
                tracing::debug!(status, target, "a text was not translated");
                Ok(None)
            }
            Err(error) => {
                tracing::debug!(%error, target, "a text was not translated");
                Ok(None)
            }
        }
    }
}

/// The service does not have this language.
struct UnknownLanguage;

/// It says the same of a source that it has found out by itself.
fn is_unknown(body: &Value, target: &str) -> bool {
    let error = body["error"].as_str().and_then(|error| error.strip_suffix(" is not supported"));
    error == Some(target)
}

/// Tells the breaker what became of a request, also of one that is given up.
struct Watch<'a> {
    of: &'a LibreTranslate,
    admission: Option<Admission>,
}

impl Watch<'_> {
    fn settle(&mut self, answered: &Result<Answered, PushError>) {
        let (Some(admission), now) = (self.admission.take(), self.of.now()) else { return };
        let mut breaker = self.of.breaker.lock();
        match answered {
            Ok(Answered { status: 403 | 429, retry_after, .. }) => {
                breaker.answered(admission);
                breaker.hold(now, retry_after.unwrap_or(PAUSE));
            }
            Ok(Answered { status: 500..=599, retry_after, .. }) => {
                breaker.failed(now, admission);
                if let Some(pause) = retry_after {
                    breaker.hold(now, *pause);
                }
            }
            Ok(_) => breaker.answered(admission),
            Err(_) => breaker.failed(now, admission),
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        // Given up because it took too long: that is a failure, too.
        if let Some(admission) = self.admission.take() {
            self.of.breaker.lock().failed(self.of.now(), admission);
        }
    }
}

#[async_trait]
impl Translator for LibreTranslate {
    async fn translate(&self, text: &str, source: Option<&str>, target: &str) -> Option<String> {
        let target = usual(target)?;
        let source = source.and_then(usual).unwrap_or_else(|| "auto".to_owned());
        if text.trim().is_empty() || text.chars().count() > self.setup.max_chars || source == target {
            return None;
        }
        if let Some(found) = self.cache.lock().get(text, &source, &target) {
            return Some(found);
        }
        // Its own turn to wait for is nothing that the service is to blame for.
        let turn = tokio::time::timeout(self.setup.timeout, self.permits.acquire());
        let Ok(Ok(_permit)) = turn.await else { return None };
        let asking = tokio::time::timeout(self.setup.timeout, self.ask(text, &source, &target));
        let translation = asking.await.ok().flatten().filter(|translation| !translation.trim().is_empty())?;
        self.cache.lock().put(text, &source, &target, &translation);
        Some(translation)
    }

    fn patience(&self) -> Duration {
        2 * self.setup.timeout
    }
}
