//! What is told of offline pushes (Easemob document `callback_offline_push`).

use serde::Serialize;
use serde_json::{Value, json};
use stentor_core::store::Change;
use stentor_push_queue::{PushEnd, PushResult};

use super::filter::{CallbackEvent, Filter};
use super::{Callbacks, Inner, Told};

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "callId")]
    call_id: &'a str,
    appkey: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'static str>,
    chat_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e_message: Option<&'a str>,
    from: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<&'a str>,
    msg_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    notifier_name: Option<&'a str>,
    status: &'static str,
    step: &'static str,
    target: &'a str,
    timestamp: u64,
}

/// `channel` by our names of the providers. The document's table has `XIAOMI` and the like, its examples `VIVOPUSH`,
/// as certificates have it.
fn channel(provider: &str) -> &'static str {
    match provider {
        "apns" => "APNS",
        "fcm" => "ANDROID",
        "huawei" => "HUAWEIPUSH",
        "xiaomi" => "XIAOMIPUSH",
        "oppo" => "OPPOPUSH",
        "vivo" => "VIVOPUSH",
        "meizu" => "MEIZUPUSH",
        "webpush" => "WEBPUSH",
        "webhook" => "WEBHOOK",
        _ => "OTHER",
    }
}

impl Callbacks {
    /// What is written so that the backend is told how a push ended.
    pub(crate) fn push_ended(&self, result: &PushResult<'_>) -> Vec<Change> {
        self.0.of_push(result)
    }
}

impl Inner {
    fn of_push(&self, result: &PushResult<'_>) -> Vec<Change> {
        let wanted = |filter: &Filter| {
            filter.wants(CallbackEvent::Push)
                && filter.allows_from(result.from)
                && filter.allows_group(result.group)
                && (filter.to.is_empty() || filter.to.contains(result.user))
        };
        self.queue(wanted, || self.pushed(result))
    }

    fn pushed(&self, result: &PushResult<'_>) -> Option<Told> {
        let (id, detail) = (result.message.to_string(), Some(result.detail));
        // The document's ID, app key and message, would be the same for each receiver and device.
        let call_id = self.fresh_id();
        let said = || Some(json!({ "desc": result.detail }));
        let (status, detail, data, e_message) = match result.end {
            PushEnd::Sent => ("success", None, Some(json!({ "id": result.detail })), None),
            PushEnd::HeldBack => ("fail", detail, None, None),
            PushEnd::Refused => ("fail", Some("push yet but fail"), said(), None),
            PushEnd::NotLetIn => ("fail", Some("get push token fail"), said(), None),
            PushEnd::GaveUp => ("error", Some("push yet but fail"), None, detail),
        };
        let device = result.device.as_ref();
        let body = Body {
            call_id: &call_id,
            appkey: &self.app_key,
            channel: device.and_then(|device| device.provider).map(channel),
            chat_type: if result.group.is_some() { "groupchat" } else { "chat" },
            data,
            detail,
            device_id: device.map(|device| device.device),
            device_token: device.map(|device| device.token),
            e_message,
            from: result.from,
            group_id: result.group,
            msg_id: &id,
            notifier_name: device.map(|device| device.notifier),
            status,
            step: "push",
            target: result.user,
            timestamp: result.at_ms,
        };
        Self::tell(&call_id, result.at_ms, &body)
    }
}
