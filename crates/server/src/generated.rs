//! The files of the repository that are made from the code: `cargo xtask generate` writes them, and a test compares
//! them with what they should be.

use std::fmt::Write as _;

use stentor_api_chat::{CORE_RATES, ChatRule, Size};
use stentor_api_rtm::{MAX_BODY_BYTES, RtmLimits, policy};
use stentor_core::app::AppPolicy;
use stentor_core::events::{EVENTS_KEPT, EVENTS_PER_PULL};
use stentor_core::limits::Rate;
use stentor_gateway_ws::{resent, sockjs};

use crate::config::Config;
use crate::config::chat::ChatSection;
use crate::config::example::example;
use crate::config::limits::LimitsSection;

/// A generated file.
#[derive(Debug)]
pub struct Generated {
    /// Its path in the repository.
    pub path: &'static str,
    /// What it should hold.
    pub text: String,
}

/// Every generated file.
///
/// # Errors
/// When the description of the API cannot be written.
pub fn files() -> Result<Vec<Generated>, serde_json::Error> {
    let mut rtm = stentor_api_rtm::openapi().to_pretty_json()?;
    rtm.push('\n');
    let mut chat = stentor_api_chat::openapi().to_pretty_json()?;
    chat.push('\n');
    Ok(vec![
        Generated { path: "config.example.toml", text: example() },
        Generated { path: "docs/limits.md", text: limits() },
        Generated { path: "docs/openapi/rtm.json", text: rtm },
        Generated { path: "docs/openapi/chat.json", text: chat },
    ])
}

const HEAD: &str = "\
# Limits

Generated from the code by `cargo xtask generate`; do not edit.

## Rates

Each can be changed per app under its name in `[apps.limits]`; 0 switches it off. A window slides: in no span of its
length are more calls accepted than the number, and a steady rate of exactly the number is never refused. A refused
call changes nothing and does not count. Refusals of REST calls are HTTP statuses, those of clients the codes of
[gateway.md](gateway.md).

| name | default | counts | from | refused with |
|---|---|---|---|---|
";

/// `docs/limits.md`.
fn limits() -> String {
    let mut text = HEAD.to_owned();
    for limit in LimitsSection::docs() {
        let window = match limit.window_ms {
            1000 => "1 s".to_owned(),
            window_ms => format!("{} s", window_ms / 1000),
        };
        let counts = limit.counts.trim_end_matches('.');
        row(
            &mut text,
            &[
                &format!("`{}`", limit.name),
                &format!("{} in {window}", limit.default),
                counts,
                limit.source,
                limit.refusal,
            ],
        );
    }
    text.push_str(
        "\nWith `combined_send_limit = true`, peer and channel messages sent over REST share \
         `rtm_peer_messages_per_second`\n(RTM documents since 2022).\n\n## Sizes and numbers\n\n\
         | what | limit | beyond it | changed by |\n|---|---|---|---|\n",
    );
    sizes(&mut text, &policy("", &RtmLimits::default()));
    chat_rates(&mut text);
    chat_sizes(&mut text, &Config::default());
    text
}

const CHAT_RATES: &str = "
## Rates of the Chat API

Calls of endpoints, per app, each under its name in `[apps.chat_limits]`; 0 switches it off. Refused with 429
`reach_limit`. A call that a rate refuses does not count; one that is refused for another reason does, unless its caller
may not make it (401) or it is a message to be sent whose body cannot be read.

| name | default | counts | from |
|---|---|---|---|
";

const CORE_RATES_HEAD: &str = "
Messages over REST, per app, and what one user or client does at `/ws/chat`. Under their names in `[apps.chat_limits]`,
too. They count what nothing else speaks against. A call to several receivers counts each, and is taken whole or not at
all. Where calls and messages are both too many, the answer is that of calls (429).

| name | default | counts | from | refused with |
|---|---|---|---|---|
";

const CHAT_SIZES: &str = "
## Sizes and numbers of the Chat API

Keys are those of `[apps.chat]`, unless they name another section. Clients' numbers are the codes of
[gateway-chat.md](gateway-chat.md), which also has the sizes of what clients send.

| what | limit | beyond it | changed by |
|---|---|---|---|
";

fn chat_rates(text: &mut String) {
    text.push_str(CHAT_RATES);
    for rule in ChatRule::ALL {
        let counts = rule.counts().trim().trim_end_matches('.');
        row(text, &[&format!("`{}`", rule.name()), &number(rule.default_rate()), counts, rule.source()]);
    }
    text.push_str(CORE_RATES_HEAD);
    for rate in CORE_RATES {
        let counts = rate.counts.trim().trim_end_matches('.');
        row(text, &[&format!("`{}`", rate.name), &number(rate.rate), counts, rate.source, rate.refusal]);
    }
}

fn number(rate: Rate) -> String {
    format!("{} in {} s", rate.count, rate.window_ms / 1000)
}

fn chat_sizes(text: &mut String, config: &Config) {
    text.push_str(CHAT_SIZES);
    let failed = Size {
        what: "Failed callbacks that are kept",
        limit: ChatSection::default().failed_callbacks.get().to_string(),
        beyond: "the newest replaces the oldest",
        keys: &["failed_callbacks"],
    };
    let uploads = Size {
        what: "Uploads at a time",
        limit: config.files.uploads.get().to_string(),
        beyond: "503",
        keys: &["files.uploads"],
    };
    let mailbox = Size {
        what: "What waits for a client, or for its ack",
        limit: format!("{} or {} bytes", config.gateway.mailbox_notices.get(), config.gateway.mailbox_bytes.get()),
        beyond: "slow consumer, close code 4006",
        keys: &["gateway.mailbox_notices", "gateway.mailbox_bytes"],
    };
    let again = Size {
        what: "Items of the SDKs that are known again, of an app",
        limit: format!("{} for {} s", config.gateway.sdk_resent_items.get(), resent::KEPT_MS / 1000),
        beyond: "those of the device that sent nothing for longest are forgotten",
        keys: &["gateway.sdk_resent_items"],
    };
    let of_device = Size {
        what: "Items of the SDKs that are known again, of a device",
        limit: format!("what `chat_client_messages_per_second` allows in {} s", resent::AT_HAND_MS / 1000),
        beyond: "the oldest is forgotten",
        keys: &[],
    };
    let sockjs = Size {
        what: "Messages in one text of SockJS",
        limit: sockjs::MAX_MESSAGES.to_string(),
        beyond: "close code 4004",
        keys: &[],
    };
    let silence = Size {
        what: "A client of the SDKs is not heard of, if it came by TCP, for",
        limit: format!("{} s", config.gateway.sdk_tcp_silence_s.get()),
        beyond: "its session ends",
        keys: &["gateway.sdk_tcp_silence_s"],
    };
    let others = [failed, uploads, mailbox, again, of_device, silence, sockjs];
    for Size { what, limit, beyond, keys } in stentor_api_chat::sizes().into_iter().chain(others) {
        let keys: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
        row(text, &[what, &limit, beyond, &keys.join(", ")]);
    }
}

fn row(text: &mut String, cells: &[&str]) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

fn sizes(text: &mut String, policy: &AppPolicy) {
    let days = |ms: u64| format!("{} days", ms / 86_400_000);
    let seconds = |ms: u64| format!("{} s", ms / 1000);
    let history = policy.history.as_ref();
    let attributes = |limits: &stentor_core::attributes::AttributeLimits| {
        format!(
            "{} entries, key {} bytes, value {} bytes, all {} bytes",
            limits.entries, limits.key_bytes, limits.value_bytes, limits.total_bytes
        )
    };
    let (rooms, sessions, presence) = (&policy.rooms, &policy.sessions, &policy.presence);
    let rows: [(&str, String, &str, &str); 24] = [
        ("Request body", format!("{MAX_BODY_BYTES} bytes"), "413", ""),
        ("Payload", format!("{} bytes of UTF-8", policy.payload_bytes), "400; clients 7 (peer), 4 (channel)", ""),
        ("User ID, channel name", "64 characters".to_owned(), "400; clients the operation's invalid argument", ""),
        (
            "Messages kept per absent user",
            policy.inbox.cap.to_string(),
            "the newest replaces the oldest",
            "`inbox_messages`",
        ),
        ("They are kept for", days(policy.inbox.retention_ms), "deleted", "`inbox_retention_s`"),
        (
            "History is kept for",
            history.map_or_else(String::new, |h| days(h.retention_ms)),
            "deleted",
            "`history_retention_s`",
        ),
        (
            "History per app",
            history.map_or_else(String::new, |h| format!("{} bytes of payload", h.max_bytes)),
            "the newest replaces the oldest",
            "`history_bytes`",
        ),
        ("Events kept per app and kind", EVENTS_KEPT.to_string(), "the newest replaces the oldest", ""),
        ("Events per pull", EVENTS_PER_PULL.to_string(), "the rest stays for the next pull", ""),
        (
            "Wait for an ack",
            seconds(sessions.ack_timeout_ms),
            "`message_offline` if kept, else 408",
            "`server.ack_timeout_ms`",
        ),
        ("Reconnect grace", seconds(sessions.grace_ms), "Leave and Logout", "`server.reconnect_grace_ms`"),
        ("Unreachable after", seconds(sessions.unreachable_ms), "told to those who watch", ""),
        (
            "Mailbox",
            format!("{} notices or {} bytes", sessions.mailbox_notices, sessions.mailbox_bytes),
            "slow consumer, close code 4006",
            "`gateway.mailbox_notices`, `gateway.mailbox_bytes`",
        ),
        ("Channels per client", rooms.rooms_per_session.to_string(), "`join` 5", ""),
        ("Members up to which joins and leaves are told", rooms.member_notices_up_to.to_string(), "not told", ""),
        ("Members in a list", rooms.listed_members.to_string(), "so many at random", ""),
        ("Channels per question for counts", rooms.counted_rooms.to_string(), "`member_counts` 5", ""),
        ("Channel messages replayed at a resume", rooms.replayed.to_string(), "`channel_messages_missed`", ""),
        ("Users per presence query", presence.queried.to_string(), "`query_presence` 2", ""),
        ("Users watched by a client", presence.watched.to_string(), "`watch_presence` 6", ""),
        ("Attributes of a user", attributes(&policy.user_attributes), "3 invalid, 4 too large", ""),
        ("Attributes of a channel", attributes(&policy.room_attributes), "3 invalid, 4 too large", ""),
        ("Attributes of an empty channel stay", seconds(rooms.attributes_stay_ms), "deleted", ""),
        ("Request head", "65536 bytes, 100 fields".to_owned(), "431", "`http.header_bytes`"),
    ];
    for (what, limit, beyond, key) in rows {
        row(text, &[what, &limit, beyond, key]);
    }
}

#[cfg(test)]
mod tests {
    use crate::config::chat::ChatSection;
    use crate::config::section::{Keys as _, Section as _};

    #[test]
    fn sizes_of_chat_name_keys_that_are_there_and_have_their_defaults() {
        let names = ChatSection::default().names();
        let documents: Vec<_> = ChatSection::keys();
        for size in stentor_api_chat::sizes() {
            for key in size.keys.iter().filter(|key| !key.contains('.')) {
                assert!(names.contains(key), "{key}");
                let default = documents.iter().find(|doc| doc.name == *key).and_then(|doc| doc.default.clone());
                let number = default.unwrap_or_default();
                if number != "0" && !key.ends_with("_s") && !key.ends_with("_ms") {
                    assert!(size.limit.split(' ').any(|word| word == number), "{key} = {number}, not {}", size.limit);
                }
            }
        }
    }
}
