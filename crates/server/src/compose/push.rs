//! Where the services of push are, as the crates take it.

use std::sync::Arc;
use std::time::Duration;

use stentor_core::clock::Clock;
use stentor_push::{BadSetup, Http, HttpSetup, LineSetup, Secret, Trust};
use stentor_push_queue::certificates::Services;
use stentor_push_queue::translate::{LibreTranslate, LibreTranslateSetup, Translator};

use crate::config::push::PushSection;

/// The services of the configuration, trusting the system's authorities and those of this PEM file.
pub(crate) fn push_services(section: &PushSection, authorities: Option<&str>) -> Result<Services, BadSetup> {
    Ok(Services {
        apns_url: section.apns_url.as_str().to_owned(),
        apns_sandbox_url: section.apns_sandbox_url.as_str().to_owned(),
        fcm_url: section.fcm_url.as_str().to_owned(),
        huawei_url: section.huawei_url.as_str().to_owned(),
        huawei_token_url: section.huawei_token_url.as_str().to_owned(),
        xiaomi_url: section.xiaomi_url.as_str().to_owned(),
        oppo_url: section.oppo_url.as_str().to_owned(),
        vivo_url: section.vivo_url.as_str().to_owned(),
        meizu_url: section.meizu_url.as_str().to_owned(),
        trust: authorities.map_or_else(|| Ok(Trust::system()), Trust::system_and)?,
        allow_private: section.allow_private,
        timeout: Duration::from_millis(section.timeout_ms.get()),
        line: LineSetup { concurrency: section.concurrency.size(), ..LineSetup::default() },
    })
}

/// Characters of a text that is translated: no push shows more.
const TRANSLATED_CHARS: usize = 2_000;

/// What translates texts, if anything does. It is the operator's server: it may be on this machine.
pub(crate) fn translator(
    section: &PushSection,
    trust: &Trust,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Arc<dyn Translator>>, BadSetup> {
    let Some(url) = &section.translator_url else { return Ok(None) };
    let timeout = Duration::from_millis(section.translator_timeout_ms.get());
    let setup = LibreTranslateSetup {
        url: url.as_str().to_owned(),
        api_key: section.translator_key.as_ref().map(|key| Secret::new(key.expose())),
        timeout,
        concurrency: section.translator_concurrency.size(),
        cached: section.translator_cached.size(),
        max_chars: TRANSLATED_CHARS,
    };
    let http = Http::new(&HttpSetup { timeout, allow_private: true, ..HttpSetup::new(trust.clone()) })?;
    Ok(Some(Arc::new(LibreTranslate::new(setup, http, clock.clone())?)))
}
