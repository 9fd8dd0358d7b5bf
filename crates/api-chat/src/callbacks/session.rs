//! What is told of logins and logouts (Easemob document `callback_login_logout`).

use serde::Serialize;
use stentor_core::events::{EventType, Transition};
use stentor_core::id::DeviceId;
use stentor_core::store::Change;

use super::filter::CallbackEvent;
use super::{Inner, Told};

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "callId")]
    call_id: &'a str,
    reason: &'static str,
    os: &'a str,
    /// Not known here: the documents have the address that the client came from.
    ip: &'static str,
    host: &'a str,
    appkey: &'a str,
    user: String,
    /// Of the vendor's SDK: not known here.
    version: &'static str,
    timestamp: u64,
    status: &'static str,
}

impl Inner {
    pub(super) fn of_session(&self, transition: &Transition) -> Vec<Change> {
        let wanted = |filter: &super::Filter| {
            filter.wants(CallbackEvent::Status)
                && filter.allows_from(transition.user.as_str())
                && filter.to.is_empty()
                && filter.allows_group(None)
        };
        self.queue(wanted, || self.status(transition))
    }

    fn status(&self, transition: &Transition) -> Option<Told> {
        let (reason, status) = match (transition.event_type, transition.forced) {
            (EventType::Login, _) => ("login", "online"),
            (_, true) => ("replaced", "offline"),
            (_, false) => ("logout", "offline"),
        };
        let call_id = self.fresh_id();
        let Transition { user, device, at_ms, .. } = transition;
        let body = Body {
            call_id: &call_id,
            reason,
            os: os_of(device),
            ip: "",
            host: &self.host,
            appkey: &self.app_key,
            user: format!("{}_{user}@easemob.com/{device}", self.app_key),
            version: "",
            timestamp: *at_ms,
            status,
        };
        Self::tell(&call_id, *at_ms, &body)
    }
}

/// Resources are named `{os}_{something}` (documented): what stands before the first `_`.
fn os_of(device: &DeviceId) -> &str {
    device.as_str().split('_').next().unwrap_or_default()
}
