//! A push on its way to one device: decided, worded, and kept until a provider has taken it or never will.

use std::time::Duration;

use minicbor::{Decode, Encode};
use serde_json::{Map, Value, json};
use stentor_core::id::MessageId;
use stentor_core::push::PushBinding;
use stentor_core::push::decision::EXPIRES_AFTER_MS;
use stentor_core::records::{Record, RecordKind};
use stentor_push::{Custom, DeviceToken, Extensions, Push};

use crate::log::Entry;
use crate::words::{PushEnd, PushResult, ResultDevice};

/// A record of the queue.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Delivery {
    /// The receiver.
    #[n(0)]
    pub(crate) user: String,
    /// The device, by its own word.
    #[n(1)]
    pub(crate) device: String,
    /// The certificate.
    #[n(2)]
    pub(crate) notifier: String,
    /// What the provider knows the device by.
    #[n(3)]
    pub(crate) token: String,
    /// When the device was bound: Unix time in milliseconds.
    #[n(4)]
    pub(crate) bound_ms: u64,
    /// The message.
    #[n(5)]
    pub(crate) message: u64,
    /// Its sender; empty if nobody sent it.
    #[n(6)]
    pub(crate) from: String,
    /// Its group.
    #[n(7)]
    pub(crate) group: Option<String>,
    /// The rendered title.
    #[n(8)]
    pub(crate) title: String,
    /// The rendered content.
    #[n(9)]
    pub(crate) content: String,
    /// What the sender wants beside the text, as JSON.
    #[n(10)]
    pub(crate) extras: String,
    /// When the message was sent: after a day nobody is told of it. Unix time in milliseconds.
    #[n(11)]
    pub(crate) sent_at_ms: u64,
    /// When it was queued: Unix time in milliseconds.
    #[n(12)]
    pub(crate) queued_ms: u64,
    /// How often it was tried.
    #[n(13)]
    pub(crate) attempts: u32,
    /// Its place among the devices of the log's entry.
    #[n(14)]
    pub(crate) number: u32,
    /// It belongs to no message in an inbox: sent whether or not the user comes meanwhile.
    #[n(15)]
    pub(crate) direct: bool,
    /// The number at the app's icon.
    #[n(16)]
    pub(crate) badge: Option<u32>,
    /// Why the last try failed.
    #[n(17)]
    pub(crate) failure: Option<String>,
    /// How often the message had been edited when it was worded.
    #[n(18)]
    #[cbor(default)]
    pub(crate) edits: u8,
    /// How long it is put off at its key, in milliseconds; 0 before the first try.
    #[n(19)]
    #[cbor(default)]
    pub(crate) wait_ms: u64,
}

impl Record for Delivery {
    const KIND: RecordKind = RecordKind::PushDelivery;
}

/// What several deliveries of one message share.
#[derive(Debug, Clone)]
pub(crate) struct Told<'a> {
    pub(crate) user: &'a str,
    pub(crate) message: MessageId,
    pub(crate) from: &'a str,
    pub(crate) group: Option<&'a str>,
    pub(crate) title: &'a str,
    pub(crate) content: &'a str,
    pub(crate) extras: &'a str,
    pub(crate) sent_at_ms: u64,
    pub(crate) badge: Option<u32>,
    pub(crate) edits: u8,
    pub(crate) direct: bool,
}

impl<'a> Told<'a> {
    /// How it ended, for the dialect: on a device, or before any was reached for.
    pub(crate) fn result(
        &self,
        binding: Option<&'a PushBinding>,
        end: PushEnd,
        detail: &'a str,
        at_ms: u64,
    ) -> PushResult<'a> {
        let device = |binding: &'a PushBinding| {
            let PushBinding { device, token, notifier, .. } = binding;
            ResultDevice { device, token, notifier, provider: None }
        };
        let Self { user, message, from, group, .. } = *self;
        PushResult { user, message, from, group, device: binding.map(device), end, detail, at_ms }
    }
}

impl Delivery {
    pub(crate) fn new(told: &Told<'_>, binding: &PushBinding, number: usize, now_ms: u64) -> Self {
        Self {
            user: told.user.to_owned(),
            device: binding.device.clone(),
            notifier: binding.notifier.clone(),
            token: binding.token.clone(),
            bound_ms: binding.bound_ms,
            message: told.message.0,
            from: told.from.to_owned(),
            group: told.group.map(str::to_owned),
            title: told.title.to_owned(),
            content: told.content.to_owned(),
            extras: told.extras.to_owned(),
            sent_at_ms: told.sent_at_ms,
            queued_ms: now_ms,
            attempts: 0,
            number: u32::try_from(number).unwrap_or(u32::MAX),
            direct: told.direct,
            badge: told.badge,
            failure: None,
            edits: told.edits,
            wait_ms: 0,
        }
    }

    /// What the log says of the message, worded as it is now.
    pub(crate) fn entry(&self) -> Entry {
        Entry {
            from: self.from.clone(),
            group: self.group.clone(),
            at_ms: self.queued_ms,
            reason: None,
            detail: None,
            title: self.title.clone(),
            content: self.content.clone(),
        }
    }

    pub(crate) fn message(&self) -> MessageId {
        MessageId(self.message)
    }

    /// The same for every try, and for no other push.
    pub(crate) fn dedup_key(&self) -> String {
        format!("{}:{}:{}", self.message, self.user, self.device)
    }

    /// How much longer a device may be told of it.
    pub(crate) fn left_ms(&self, now_ms: u64) -> u64 {
        (self.sent_at_ms + EXPIRES_AFTER_MS).saturating_sub(now_ms)
    }

    /// As the provider takes it.
    pub(crate) fn push(&self, now_ms: u64) -> Push {
        let (extensions, ext) = read_extras(&self.extras);
        let token = DeviceToken::new(self.token.as_str());
        let collapse_id = extensions.apns.get("em_push_collapse_key").and_then(Value::as_str);
        Push {
            ttl: Duration::from_secs(self.left_ms(now_ms).div_ceil(1000).max(1)),
            custom: Custom {
                to: self.user.clone(),
                from: self.from.clone(),
                message: self.message.to_string(),
                group: self.group.clone(),
                ext,
            },
            badge: self.badge,
            collapse_id: collapse_id.filter(|id| !id.is_empty()).map(str::to_owned),
            extensions,
            ..Push::new(token, self.title.as_str(), self.content.as_str(), self.dedup_key())
        }
    }
}

/// What the sender wants beside the text, as it is kept.
pub(crate) fn write_extras(extensions: &Extensions, custom: Option<&Value>) -> String {
    let Extensions { apns, android, harmony } = extensions;
    let mut extras = Map::new();
    for (name, map) in [("apns", apns), ("android", android), ("harmony", harmony)] {
        if !map.is_empty() {
            extras.insert(name.to_owned(), json!(map));
        }
    }
    extras.extend(custom.map(|custom| ("e".to_owned(), custom.clone())));
    if extras.is_empty() { String::new() } else { Value::from(extras).to_string() }
}

fn read_extras(extras: &str) -> (Extensions, Option<Value>) {
    let mut read: Map<String, Value> = serde_json::from_str(extras).unwrap_or_default();
    let mut object = |name: &str| match read.remove(name) {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    let extensions = Extensions { apns: object("apns"), android: object("android"), harmony: object("harmony") };
    (extensions, read.remove("e"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extras_read_back() {
        let ext = json!({"em_apns_ext": {"em_push_badge": 1}, "em_android_push_ext": {"fcm_channel_id": "c"}});
        let extensions = Extensions::of(ext.as_object().expect("an object"));
        let custom = json!({"k": [1]});
        assert_eq!(read_extras(&write_extras(&extensions, Some(&custom))), (extensions, Some(custom)));
        assert_eq!(write_extras(&Extensions::default(), None), "");
        assert_eq!(read_extras(""), (Extensions::default(), None));
    }
}
