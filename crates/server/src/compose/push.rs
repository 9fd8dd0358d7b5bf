//! Where the services of push are, as the crates take it.

use std::time::Duration;

use stentor_push::{BadSetup, LineSetup, Trust};
use stentor_push_queue::certificates::Services;

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
