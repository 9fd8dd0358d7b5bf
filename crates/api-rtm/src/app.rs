//! One app as this dialect knows it: who may call, and how replies are spelt.

use std::collections::HashMap;

use stentor_http_kit::Secret;
use subtle::ConstantTimeEq;

/// One app of the RTM dialect.
#[derive(Debug, Clone)]
pub struct RtmApp {
    /// The App ID: 32 hexadecimal characters, compared exactly.
    pub app_id: String,
    /// The App Certificate that tokens are signed with: 32 characters. Without one clients log in without a
    /// token, and REST calls need [`Self::customers`].
    pub certificate: Option<Secret>,
    /// Who may call with HTTP Basic, and then send as any user.
    pub customers: Vec<Customer>,
    /// How replies are spelt where the documents contradict each other.
    pub options: RtmOptions,
}

/// A Customer ID and its Customer Secret ("api_key:api_secret" in the RTM messaging documents).
#[derive(Debug, Clone)]
pub struct Customer {
    /// The Customer ID: no colon, not empty.
    pub id: String,
    /// The Customer Secret. An empty one lets nobody in.
    pub secret: Secret,
}

impl Customer {
    /// Whether `pair` is this customer's `id:secret`. Takes the same time for every wrong secret.
    #[must_use]
    pub fn matches(&self, pair: &[u8]) -> bool {
        let Some(colon) = pair.iter().position(|byte| *byte == b':') else {
            return false;
        };
        let (id, secret) = (&pair[..colon], &pair[colon + 1..]);
        let same = self.id.as_bytes().ct_eq(id) & self.secret.matches(secret);
        bool::from(same) && !self.secret.is_empty()
    }
}

/// Choices between spellings, each of which some document or client backs (see `docs/compatibility.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RtmOptions {
    /// Which names events use.
    pub event_fields: EventFields,
    /// Whether a reply with the code `message_offline` has a `result`, and which.
    pub offline_result: OfflineResult,
    /// What history calls a channel message.
    pub channel_message_type: ChannelMessageType,
}

/// Which names events use for the time and the channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EventFields {
    /// Those of both documents, side by side: no known client minds a further key.
    #[default]
    Both,
    /// `ts` and `channel_id` (RTM event documents, 2021).
    Seed,
    /// `ms` and `group_id` (documents since 2022, and what clients read).
    Current,
}

impl EventFields {
    /// Whether `ts` and `channel_id` are written.
    #[must_use]
    pub const fn seed(self) -> bool {
        matches!(self, Self::Both | Self::Seed)
    }

    /// Whether `ms` and `group_id` are written.
    #[must_use]
    pub const fn current(self) -> bool {
        matches!(self, Self::Both | Self::Current)
    }
}

/// The `result` beside the code `message_offline`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OfflineResult {
    /// None, as every document prints it.
    #[default]
    Omit,
    /// `"success"`: at least one public client insists on it.
    Success,
    /// `"failed"`.
    Failed,
}

impl OfflineResult {
    /// The text, if there is one.
    #[must_use]
    pub const fn text(self) -> Option<&'static str> {
        match self {
            Self::Omit => None,
            Self::Success => Some("success"),
            Self::Failed => Some("failed"),
        }
    }
}

/// The `message_type` of a channel message in history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChannelMessageType {
    /// `group_message`, what clients were sent.
    #[default]
    GroupMessage,
    /// `channel_message`, what the documents say.
    ChannelMessage,
}

impl ChannelMessageType {
    /// The text.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::GroupMessage => "group_message",
            Self::ChannelMessage => "channel_message",
        }
    }
}

/// Whether `text` looks like an App ID: 32 hexadecimal characters of either case.
#[must_use]
pub fn is_app_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Apps by their App ID.
pub(crate) fn by_id<T>(apps: impl IntoIterator<Item = RtmApp>, make: impl Fn(RtmApp) -> T) -> HashMap<String, T> {
    apps.into_iter().map(|app| (app.app_id.clone(), make(app))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_is_its_id_and_its_secret() {
        let customer = Customer { id: "cid".into(), secret: Secret::new("c:sec") };
        assert!(customer.matches(b"cid:c:sec"));
        for pair in ["", ":", "cid", "cid:", "cid:c", "cid:c:se", "cid:c:sec ", "CID:c:sec", ":c:sec", "cid:c:sec:"] {
            assert!(!customer.matches(pair.as_bytes()), "{pair:?}");
        }
    }

    #[test]
    fn an_empty_secret_lets_nobody_in() {
        let customer = Customer { id: "cid".into(), secret: Secret::new("") };
        assert!(!customer.matches(b"cid:"));
    }

    #[test]
    fn an_app_id_has_32_hexadecimal_characters() {
        assert!(is_app_id("970CA35de60c44645bbae8a215061b33"));
        for text in
            ["", "970CA35de60c44645bbae8a215061b3", "970CA35de60c44645bbae8a215061b33a", "9".repeat(31).as_str()]
        {
            assert!(!is_app_id(text), "{text:?}");
        }
        assert!(!is_app_id("970CA35de60c44645bbae8a215061b3g"));
        assert!(!is_app_id(&"é".repeat(16)));
    }
}
