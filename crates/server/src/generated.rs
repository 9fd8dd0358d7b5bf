//! The files of the repository that are made from the code: `cargo xtask generate` writes them, and a test compares
//! them with what they should be.

use std::fmt::Write as _;

use stentor_api_chat::{ChatLimits, ChatRule};
use stentor_api_rtm::{MAX_BODY_BYTES, RtmLimits, policy};
use stentor_core::app::AppPolicy;
use stentor_core::directory::shared_files::MAX_SHARED_FILES;
use stentor_core::events::{EVENTS_KEPT, EVENTS_PER_PULL};

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
    chat_sizes(&mut text, &ChatLimits::default());
    text
}

fn chat_sizes(text: &mut String, limits: &ChatLimits) {
    text.push_str(
        "\n## Sizes and numbers of the Chat API\n\n| what | limit | beyond it | changed by |\n|---|---|---|---|\n",
    );
    let files = &limits.directory.files;
    for (what, limit, beyond, changed_by) in [
        ("Uploaded file", format!("{} bytes", files.file_bytes), "413", "`file_bytes`"),
        ("Files of an app", format!("{} bytes", files.files_bytes), "403", "`files_bytes`"),
        ("They are kept for", format!("{} days", files.retention_ms / 86_400_000), "404", "`file_retention_s`"),
        ("Shared files of a group", MAX_SHARED_FILES.to_string(), "403", ""),
        ("Registered users of an app", "as many as come".to_owned(), "429 `resource_limited`", "`users`"),
        ("Uploads at a time", "64".to_owned(), "503", "`files.uploads`"),
        ("Downloads of the history at a time", "8".to_owned(), "503", ""),
        ("Hours of it that can be downloaded", "those of 3 days".to_owned(), "400", "`history_download_s`"),
        ("Thumbnail", "1024 by 1024 pixels".to_owned(), "smaller", ""),
        ("Picture with a thumbnail", "25 million pixels, 20 MiB".to_owned(), "sent itself", ""),
    ] {
        row(text, &[what, &limit, beyond, changed_by]);
    }
}

fn chat_rates(text: &mut String) {
    text.push_str(
        "\n## Rates of the Chat API\n\nPer app, each under its name in `[apps.chat_limits]`; 0 switches it off. \
         Refused with 429 `reach_limit`.\n\n| name | default | counts | from |\n|---|---|---|---|\n",
    );
    for rule in ChatRule::ALL {
        let rate = rule.default_rate();
        let default = format!("{} in {} s", rate.count, rate.window_ms / 1000);
        let counts = rule.counts().trim().trim_end_matches('.');
        row(text, &[&format!("`{}`", rule.name()), &default, counts, rule.source()]);
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
