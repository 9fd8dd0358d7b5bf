//! The configuration file of a server under test.

use std::net::SocketAddr;
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
/// The same of the Chat side: calls, and messages.
const CHAT_RULES: [&str; 17] = [
    "chat_tokens_per_second",
    "chat_room_lists_per_second",
    "chat_rooms_per_second",
    "chat_groups_per_second",
    "chat_user_messages_per_second",
    "chat_group_messages_per_second",
    "chat_room_messages_per_second",
    "chat_roaming_reads_per_second",
    "chat_messages_to_users_per_minute",
    "chat_messages_to_groups_per_second",
    "chat_messages_to_rooms_per_second",
    "chat_room_creations_per_second",
    "chat_registrations_per_second",
    "chat_push_setting_changes_per_second",
    "chat_push_bindings_per_second",
    "chat_client_logins_per_second",
    "chat_client_messages_per_second",
];
const RULE_NUMBER: u32 = 1_000_000;

/// The most that the configuration takes.
const BROADCASTS_PER_MINUTE: u32 = 1000;
const BROADCASTS_PER_DAY: u32 = 100_000;

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
    /// The Chat side.
    pub chat: ChatSetup,
    /// Further lines of `[push]`; without, the app has no offline push.
    pub push: Option<&'a str>,
}

/// What differs on the Chat side. The default is that of the server.
#[derive(Debug, Clone, Copy)]
pub struct ChatSetup {
    /// How long a lost Chat client may take to come back.
    pub room_stay_ms: u64,
    /// Messages kept for one user.
    pub inbox_messages: usize,
    /// Devices of one user.
    pub devices: usize,
    /// Where callbacks about messages go, to be tried again soon and often.
    pub callbacks_to: Option<SocketAddr>,
    /// After how long without an ack a connected user is told by push.
    pub push_ack_wait_ms: u64,
}

impl Default for ChatSetup {
    fn default() -> Self {
        Self { room_stay_ms: 120_000, inbox_messages: 500, devices: 8, callbacks_to: None, push_ack_wait_ms: 10_000 }
    }
}

/// How long the server waits for the answer to a callback.
pub const CALLBACK_TIMEOUT_MS: u64 = 300;

impl ChatSetup {
    fn to_toml(self) -> String {
        let Self { room_stay_ms, inbox_messages, devices, callbacks_to, push_ack_wait_ms } = self;
        let rules: String = CHAT_RULES.iter().map(|rule| format!("{rule} = {RULE_NUMBER}\n")).collect();
        let callbacks = callbacks_to.map(|address| {
            format!(
                r#"
[[apps.callbacks]]
name = "audit"
url = "http://{address}/callbacks"
secret = "a secret of the crash test"
events = ["chat", "chat_offline"]
allow_private = true
timeout_ms = {CALLBACK_TIMEOUT_MS}
retry_first_ms = 20
retry_longest_ms = 200
"#
            )
        });
        format!(
            r#"[apps.chat]
room_stay_ms = {room_stay_ms}
inbox_messages = {inbox_messages}
devices = {devices}
push_ack_wait_ms = {push_ack_wait_ms}
broadcasts_roam = true
broadcasts_per_second = {BROADCASTS_PER_MINUTE}
broadcasts_per_minute = {BROADCASTS_PER_MINUTE}
broadcasts_per_day = {BROADCASTS_PER_DAY}

[apps.chat_limits]
{rules}{}"#,
            callbacks.unwrap_or_default()
        )
    }
}

impl Setup<'_> {
    /// The file.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let Self { data_dir, grace_ms, ack_timeout_ms, logins_per_second, chat, push } = self;
        let (services, offered) = (push.unwrap_or_default(), push.is_some());
        let rules: String = RULES.iter().map(|rule| format!("{rule} = {RULE_NUMBER}\n")).collect();
        format!(
            r#"[server]
listen = "127.0.0.1:0"
data_dir = {data_dir:?}
reconnect_grace_ms = {grace_ms}
ack_timeout_ms = {ack_timeout_ms}
drain_spread_ms = 0
drain_timeout_ms = 1000

[push]
allow_private = true
{services}
[[apps]]
app_id = "{APP_ID}"
app_certificate = "{CERTIFICATE}"
customers = [{{ id = "{CUSTOMER}", secret = "{SECRET}" }}]
org_name = "{ORG}"
app_name = "{NAME}"
client_id = "{CLIENT_ID}"
client_secret = "{CLIENT_SECRET}"

[apps.features]
push = {offered}

[apps.limits]
{rules}rtm_client_logins_per_second = {logins_per_second}

{}"#,
            chat.to_toml()
        )
    }
}
