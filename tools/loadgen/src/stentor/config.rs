//! The configuration file of a server under test.

use std::path::Path;

use super::chat::{CLIENT_ID, CLIENT_SECRET, NAME, ORG};
use super::{APP_ID, CERTIFICATE, CUSTOMER, SECRET};

/// Every rate rule that a run may meet. Not 0, which would switch the rule off and with it the work it makes.
const RULES: [&str; 8] = [
    "rtm_peer_messages_per_second",
    "rtm_channel_messages_per_second",
    "rtm_user_events_per_second",
    "rtm_channel_events_per_second",
    "rtm_history_per_second",
    "rtm_client_messages_per_3_seconds",
    "rtm_client_joins_per_3_seconds",
    "rtm_client_joins_of_one_channel_per_5_seconds",
];
/// The same of the Chat side, beside the number of messages to rooms.
const CHAT_RULES: [&str; 3] = ["chat_tokens_per_second", "chat_rooms_per_second", "chat_room_messages_per_second"];
const RULE_NUMBER: u32 = 1_000_000;

/// What differs between runs.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// Where the server keeps its data.
    pub data_dir: &'a Path,
    /// How long a lost client may take to come back.
    pub grace_ms: u64,
    /// How long a sender waits for the ack.
    pub ack_timeout_ms: u64,
    /// Logins of one user in a second; 2 in production.
    pub logins_per_second: u32,
}

impl Setup<'_> {
    /// The file.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let Self { data_dir, grace_ms, ack_timeout_ms, logins_per_second } = self;
        let chat_rules: String = CHAT_RULES.iter().map(|rule| format!("{rule} = {RULE_NUMBER}\n")).collect();
        let rules: String = RULES.iter().map(|rule| format!("{rule} = {RULE_NUMBER}\n")).collect();
        format!(
            r#"[server]
listen = "127.0.0.1:0"
data_dir = {data_dir:?}
reconnect_grace_ms = {grace_ms}
ack_timeout_ms = {ack_timeout_ms}
drain_spread_ms = 0
drain_timeout_ms = 1000

[[apps]]
app_id = "{APP_ID}"
app_certificate = "{CERTIFICATE}"
customers = [{{ id = "{CUSTOMER}", secret = "{SECRET}" }}]
org_name = "{ORG}"
app_name = "{NAME}"
client_id = "{CLIENT_ID}"
client_secret = "{CLIENT_SECRET}"

[apps.limits]
{rules}rtm_client_logins_per_second = {logins_per_second}

[apps.chat]
messages_to_rooms_per_second = {RULE_NUMBER}

[apps.chat_limits]
{chat_rules}"#
        )
    }
}
