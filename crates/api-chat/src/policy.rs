//! The numbers that this dialect gives the core for its apps.

use std::collections::BTreeSet;

use stentor_chat_content::{ContentType, ContentView};
use stentor_core::app::{
    AppPolicy, BroadcastPolicy, DevicePolicy, DirectoryPolicy, FilePolicy, HighContent, HistoryPolicy, InboxPolicy,
    OverloadPolicy, PresencePolicy, RegisteredRooms, RoomPolicy, SessionPolicy,
};
use stentor_core::attributes::AttributeLimits;
use stentor_core::id::AppId;
use stentor_core::limits::{Rate, Rule};

use crate::core_rates::default_rate;
use crate::names::{ROOM_NAMES, USER_NAMES};

const DAY_MS: u64 = 86_400_000;

/// What of the policy is configuration.
#[derive(Debug, Clone)]
pub struct ChatLimits {
    /// What is kept for users who are away: 500 messages, 7 days (product documents).
    pub inbox: InboxPolicy,
    /// What is kept for roaming, downloads and recalls: 7 days.
    pub history: Option<HistoryPolicy>,
    /// How many devices of a user may be logged in.
    pub devices: usize,
    /// The times and sizes of sessions. The grace is also how long a lost member keeps its place in a room: 2 minutes
    /// (product documents).
    pub sessions: SessionPolicy,
    /// How rooms behave.
    pub rooms: RoomPolicy,
    /// What is given up under overload: 20 messages a second into a room are the documents' number, the others are
    /// ours.
    pub overload: OverloadPolicy,
    /// Broadcasts: 1 a second, 10 a minute and 100 a day (Chat message documents); `None` switches them off.
    pub broadcasts: Option<BroadcastPolicy>,
    /// What is kept of users: 3000 contacts and 500 blocks (user relationship documents), 2 KB of attributes and 10 GB
    /// of them per app (user attribute documents), 1024 bytes of a status' text and 3000 subscriptions (presence
    /// documents), files of 10 MB for 7 days (file upload documents), and 10 GB of them per app (ours).
    pub directory: DirectoryPolicy,
    /// How long a client may take back what it sent: 2 minutes (message documents); `None`: not at all.
    pub recalls_within_ms: Option<u64>,
    /// How often a message may be edited: 10 times (message edit documents); `None`: not at all.
    pub edits: Option<u8>,
    /// Rates of core verbs that differ from [`default_rate`]; `None` lifts the rule.
    pub rates: Vec<(Rule, Option<Rate>)>,
}

impl Default for ChatLimits {
    fn default() -> Self {
        Self {
            inbox: InboxPolicy { cap: 500, retention_ms: 7 * DAY_MS },
            history: Some(HistoryPolicy { retention_ms: 7 * DAY_MS, max_bytes: 2 * 1024 * 1024 * 1024 }),
            devices: 8,
            sessions: SessionPolicy {
                grace_ms: 120_000,
                silence_ms: 120_000,
                unreachable_ms: 60_000,
                ack_timeout_ms: 8_000,
                mailbox_notices: 1024,
                mailbox_bytes: 4 * 1024 * 1024,
                credential_notice_ms: 30_000,
            },
            rooms: RoomPolicy {
                rooms_per_session: 1000,
                member_notices_up_to: 512,
                listed_members: 1000,
                counted_rooms: 100,
                count_notice_ms: 1000,
                count_notice_large_ms: 3000,
                replayed: 200,
                replayed_bytes: 512 * 1024,
                replayed_bytes_of_all: 64 * 1024 * 1024,
                replayed_unnoticed_ms: 120_000,
                echo_to_sender: false,
                attributes_stay_ms: 0,
                registered: Some(RegisteredRooms {
                    rooms_per_user: 1000,
                    groups_per_user: 1000,
                    rooms: 100_000,
                    groups: 100_000,
                }),
            },
            overload: OverloadPolicy {
                high_senders: BTreeSet::new(),
                high_content: None,
                lane_notices: 256,
                lane_bytes: 1024 * 1024,
                room_messages_per_second: 20,
                busy_after_ms: 50,
            },
            broadcasts: Some(BroadcastPolicy {
                per_second: 1,
                per_minute: 10,
                per_day: 100,
                waiting: 100,
                rooms_per_step: 64,
            }),
            directory: DirectoryPolicy {
                users: None,
                contacts: 3000,
                blocks: 500,
                profile_bytes: 2 * 1024,
                profiles_bytes: 10 * 1024 * 1024 * 1024,
                statuses: true,
                status_ext_bytes: 1024,
                status_watches: 3000,
                files: FilePolicy {
                    file_bytes: 10 * 1024 * 1024,
                    files_bytes: 10 * 1024 * 1024 * 1024,
                    retention_ms: 7 * DAY_MS,
                },
            },
            recalls_within_ms: Some(120_000),
            edits: Some(10),
            rates: Vec::new(),
        }
    }
}

/// The core's policy for one app of this dialect, known to the core as `key` (`org#app`).
#[must_use]
pub fn policy(key: &str, limits: &ChatLimits) -> AppPolicy {
    let changed = |rule: Rule| limits.rates.iter().rev().find(|(changed, _)| *changed == rule).map(|(_, rate)| *rate);
    let rates = Rule::ALL.iter().filter_map(|rule| {
        let rate = changed(*rule).unwrap_or(default_rate(*rule))?;
        Some((*rule, rate))
    });
    let nothing = AttributeLimits { key_bytes: 0, value_bytes: 0, entries: 0, total_bytes: 0 };
    AppPolicy {
        id: AppId::from_trusted(key),
        user_names: USER_NAMES,
        room_names: ROOM_NAMES,
        // The dialect has its own, smaller limit for what a user says; this is for what is around it.
        payload_bytes: 64 * 1024,
        devices: DevicePolicy::Many { max: limits.devices },
        sessions: limits.sessions,
        inbox: limits.inbox,
        history: limits.history,
        rooms: limits.rooms,
        overload: Some(limits.overload.clone()),
        broadcasts: limits.broadcasts,
        presence: PresencePolicy { queried: 100, watched: 1000 },
        directory: limits.directory,
        user_attributes: nothing,
        room_attributes: nothing,
        recalls_within_ms: limits.recalls_within_ms,
        edits: limits.edits,
        combined_sends: false,
        rates: rates.collect(),
    }
}

/// Content of these types is high in a room, whatever is asked for.
#[must_use]
pub fn high_types(types: Vec<ContentType>) -> Option<HighContent> {
    if types.is_empty() {
        return None;
    }
    let is_high =
        move |payload: &[u8]| ContentView::decode(payload).is_ok_and(|content| types.contains(&content.kind()));
    Some(HighContent::new(is_high))
}
