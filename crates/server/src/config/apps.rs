//! `[[apps]]`: the tenants.

use super::callbacks::CallbackSection;
use super::chat::{ChatLimitsSection, ChatSection};
use super::limits::LimitsSection;
use super::names::{AppIdText, AppName, Certificate, Customer, OrgName, SecretText};
use super::section::section;
use super::value::{Bounded, words};

words! {
    /// Which spelling the fields of events have (the documents and the wire differ).
    pub enum EventFields {
        /// Both: `ts` and `ms`, `channel_id` and `group_id`.
        Both = "both",
        /// As in the documents of 2021: `ts`, `channel_id`.
        Seed = "seed",
        /// As in the documents since 2022: `ms`, `group_id`.
        Current = "current",
    }
}

words! {
    /// The `result` of a `message_offline` reply.
    pub enum OfflineResult {
        /// There is none, as in the documents.
        Omit = "omit",
        /// `"success"`.
        Success = "success",
        /// `"failed"`.
        Failed = "failed",
    }
}

words! {
    /// What a channel message is called in the history.
    pub enum HistoryChannelType {
        /// What clients of the vendor were seen to get.
        GroupMessage = "group_message",
        /// What the documents say.
        ChannelMessage = "channel_message",
    }
}

section! {
    /// One tenant. Repeat the section for more; they do not see each other. Without any, the server makes up one app
    /// with random credentials at its first start and keeps it in the data directory.
    pub struct AppSection {
        /// 32 hex characters, case kept. Required.
        app_id: Option<AppIdText> = None, example "\"970CA35de60c44645bbae8a215061b33\"";
        /// 32 hex characters. With it, clients and token callers need a token made with it; without it, clients need
        /// none.
        app_certificate: Option<Certificate> = None, example "\"5CFd2fd1755d40ecb72977518be15d3b\"";
        /// Pairs of HTTP Basic credentials that may use the REST API as any user.
        customers: Vec<Customer> = Vec::new(), example "[{ id = \"cid\", secret = \"csec\" }]";
        /// The organisation in the URLs of the Chat API. Not one of: app-id, dev, docs, easemob, healthz, metrics,
        /// readyz, try, websocket, ws.
        org_name: Option<OrgName> = None, example "\"acme\"";
        /// The app's name in the URLs of the Chat API.
        app_name: Option<AppName> = None, example "\"demo\"";
        /// The client ID of the Chat API.
        client_id: Option<String> = None, example "\"YXA6demo\"";
        /// The client secret of the Chat API.
        client_secret: Option<SecretText> = None, example "\"YXA6secret\"";
        /// The spelling of event fields: "both", "seed" (ts, channel_id) or "current" (ms, group_id).
        event_fields: EventFields = EventFields::Both;
        /// The result of a message_offline reply: "omit" (as documented), "success" or "failed".
        offline_result: OfflineResult = OfflineResult::Omit;
        /// The message_type of a channel message in the history: "group_message" or "channel_message".
        history_channel_type: HistoryChannelType = HistoryChannelType::GroupMessage;
        /// Whether peer and channel messages sent over REST share the one rate rtm_peer_messages_per_second, as the
        /// vendor's documents say since 2022.
        combined_send_limit: bool = false;
        /// Whether a channel message sent over REST also goes to the sender's own client.
        echo_channel_messages: bool = false;
        /// Messages kept per user who is away. The newest replaces the oldest.
        inbox_messages: Bounded<1, 100_000> = Bounded::clamped(200);
        /// How long they are kept: 7 days.
        inbox_retention_s: Bounded<1, 315_360_000> = Bounded::clamped(604_800);
        /// How long messages are kept for history queries: 7 days.
        history_retention_s: Bounded<1, 315_360_000> = Bounded::clamped(604_800);
        /// Bytes of payload kept for history queries. The newest replaces the oldest.
        history_bytes: Bounded<0, 1_125_899_906_842_624> = Bounded::clamped(2_147_483_648);
    }
}

section! {
    /// What this app has. Switched off, the API answers as the vendor's does for a feature that was not opened.
    pub struct FeaturesSection {
        /// Historical messages: kept when asked for, and queried.
        history: bool = true;
        /// Chat: broadcasts to every active room.
        broadcast: bool = true;
        /// Chat: taking messages back.
        recall: bool = true;
        /// Chat: changing messages that were sent.
        rewrite: bool = true;
        /// Chat: messages of the past for clients and downloads.
        roaming: bool = true;
        /// Chat: published status, and who is told of it.
        presence: bool = true;
        /// Chat: user attributes.
        metadata: bool = true;
        /// Chat: offline push, and direct push. Without it, messages for who is away are kept all the same.
        push: bool = true;
    }
}

/// One tenant with its limits and features.
#[derive(Debug, Clone, Default)]
pub struct AppConfig {
    /// Identity and behaviour.
    pub app: AppSection,
    /// Rate rules.
    pub limits: LimitsSection,
    /// What it has.
    pub features: FeaturesSection,
    /// Its Chat side.
    pub chat: ChatSection,
    /// Rates of its Chat endpoints.
    pub chat_limits: ChatLimitsSection,
    /// Its callback rules.
    pub callbacks: Vec<CallbackSection>,
}

impl AppConfig {
    /// The App ID; empty only before validation.
    #[must_use]
    pub fn app_id(&self) -> &str {
        self.app.app_id.as_ref().map_or("", AppIdText::as_str)
    }
}
