//! One notification for one device.

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::PushError;

/// What a device is known by at its provider: a token, a registration ID, or a Web Push subscription. Whoever has it can
/// send to the device, so `Debug` shows only its end.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DeviceToken(Box<str>);

impl DeviceToken {
    /// A token as the device gave it.
    #[must_use]
    pub fn new(token: impl Into<Box<str>>) -> Self {
        Self(token.into())
    }

    /// The token itself. Never log it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DeviceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = if self.0.len() < 16 { "" } else { self.0.get(self.0.len() - 4..).unwrap_or("") };
        write!(f, "DeviceToken(…{shown})")
    }
}

/// The custom part of a notification that the device's app reads (push extension documents: "t, f, m, g, e").
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Custom {
    /// `t`: the receiver's user ID.
    pub to: String,
    /// `f`: the sender's user ID.
    pub from: String,
    /// `m`: the message's ID.
    pub message: String,
    /// `g`: the group's ID; none for a message between two.
    pub group: Option<String>,
    /// `e`: what the sender put into `em_push_ext.custom`.
    pub ext: Option<Value>,
}

impl Custom {
    /// As the fields that go beside a notification: `t`, `f`, `m`, and `g` and `e` if there are any.
    #[must_use]
    pub fn to_map(&self) -> Map<String, Value> {
        let texts =
            [("t", Some(&self.to)), ("f", Some(&self.from)), ("m", Some(&self.message)), ("g", self.group.as_ref())];
        let texts = texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), Value::from(text?.as_str()))));
        texts.chain(self.ext.clone().map(|ext| ("e".to_owned(), ext))).collect()
    }

    /// The same for services that take texts only: `e` is its JSON.
    #[must_use]
    pub fn to_texts(&self) -> Map<String, Value> {
        let mut map = self.to_map();
        if let Some(ext) = map.get_mut("e").filter(|ext| !ext.is_string()) {
            *ext = Value::from(ext.to_string());
        }
        map
    }
}

/// Renders a push; without its `e` if it is longer with it than the provider takes: rather that than nothing. What rendering
/// refuses is too long.
pub(crate) fn rendered<T>(push: &Push, render: impl Fn(&Push) -> Result<T, PushError>) -> Result<T, PushError> {
    match render(push) {
        Err(PushError::Refused { .. }) if push.custom.ext.is_some() => {
            let mut push = push.clone();
            push.custom.ext = None;
            render(&push)
        }
        result => result,
    }
}

/// The sender's wishes for particular providers, as objects of the message's `ext`. What is missing or has another type
/// than documented counts as not there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extensions {
    /// `em_apns_ext`.
    pub apns: Map<String, Value>,
    /// `em_android_push_ext`: keys begin with the name of a provider.
    pub android: Map<String, Value>,
    /// `em_harmony_push_ext`. No provider here speaks to HarmonyOS; the webhook hands it on.
    pub harmony: Map<String, Value>,
}

impl Extensions {
    /// Takes the objects out of a message's `ext`.
    #[must_use]
    pub fn of(ext: &Map<String, Value>) -> Self {
        let object = |name: &str| ext.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        let (apns, android) = (object("em_apns_ext"), object("em_android_push_ext"));
        Self { apns, android, harmony: object("em_harmony_push_ext") }
    }
}

/// A text of an extension; an empty one counts as not there.
pub(crate) fn text<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    map.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// A flag of an extension: `true`, or the number 1 as some documents have it.
pub(crate) fn flag(map: &Map<String, Value>, key: &str) -> bool {
    map.get(key).is_some_and(|value| value.as_bool() == Some(true) || value.as_u64() == Some(1))
}

/// One notification for one device: decided and rendered. Providers cut the texts at their own limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Push {
    /// Where it goes.
    pub token: DeviceToken,
    /// The title, in the receiver's language.
    pub title: String,
    /// The content, in the receiver's language.
    pub content: String,
    /// The number at the app's icon; none leaves it as it is.
    pub badge: Option<u32>,
    /// The name of a sound; none is the provider's own.
    pub sound: Option<String>,
    /// Of pushes with the same one only the last is shown, where the provider can.
    pub collapse_id: Option<String>,
    /// How long the provider keeps it for a device that is away.
    pub ttl: Duration,
    /// The same for every try of the same push, and for no other push. Goes to the provider where it has a place for it.
    pub dedup_key: String,
    /// What the device's app reads.
    pub custom: Custom,
    /// The sender's wishes.
    pub extensions: Extensions,
}

impl Push {
    /// A push with nothing but a text: kept for a day, without badge, sound or wishes.
    #[must_use]
    pub fn new(
        token: DeviceToken,
        title: impl Into<String>,
        content: impl Into<String>,
        dedup_key: impl Into<String>,
    ) -> Self {
        Self {
            token,
            title: title.into(),
            content: content.into(),
            badge: None,
            sound: None,
            collapse_id: None,
            ttl: Duration::from_secs(86_400),
            dedup_key: dedup_key.into(),
            custom: Custom::default(),
            extensions: Extensions::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_is_not_seen_in_logs() {
        assert_eq!(format!("{:?}", DeviceToken::new("0123456789abcdef0123")), "DeviceToken(…0123)");
        assert_eq!(format!("{:?}", DeviceToken::new("short")), "DeviceToken(…)");
    }

    #[test]
    fn custom_fields_are_there_or_not() {
        let mut custom = Custom { to: "b".into(), from: "a".into(), message: "1".into(), group: None, ext: None };
        assert_eq!(Value::from(custom.to_map()), json!({"t": "b", "f": "a", "m": "1"}));
        custom.group = Some("g1".into());
        custom.ext = Some(json!({"k": 1}));
        assert_eq!(Value::from(custom.to_map()), json!({"t": "b", "f": "a", "m": "1", "g": "g1", "e": {"k": 1}}));
        assert_eq!(custom.to_texts()["e"], json!("{\"k\":1}"));
        custom.ext = Some(json!("text"));
        assert_eq!(custom.to_texts()["e"], json!("text"));
    }

    #[test]
    fn extensions_of_another_type_are_not_there() {
        let ext = json!({"em_apns_ext": {"em_push_badge": 1}, "em_android_push_ext": "no"});
        let extensions = Extensions::of(ext.as_object().expect("an object"));
        assert_eq!(extensions.apns.len(), 1);
        assert!(extensions.android.is_empty() && extensions.harmony.is_empty());
    }
}
