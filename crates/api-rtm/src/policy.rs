//! The rules of RTM for the core: names, sizes, times and rates, with the documents they come from.
//!
//! The numbers stand here once; `docs/limits.md` is generated from the configuration that defaults to them.

use stentor_core::app::{
    AppPolicy, DevicePolicy, DirectoryPolicy, HistoryPolicy, InboxPolicy, PresencePolicy, RoomPolicy, SessionPolicy,
};
use stentor_core::attributes::AttributeLimits;
use stentor_core::id::{AppId, NameRule};
use stentor_core::limits::{Rate, Rule};

/// User IDs and channel names: 1 to 64 of these 90 characters (RTM messaging documents, seed).
///
/// Clients narrow it further: the SDKs refuse `null`, most of them `'`, and 2.x also `.` and a leading `_`.
pub const NAMES: NameRule = NameRule::ascii(
    64,
    "abcdefghijklmnopqrstuvwxyz\
     ABCDEFGHIJKLMNOPQRSTUVWXYZ\
     0123456789\
     \x20\
     !#$%&()+-:;<=.>?@[]^_{}|~,'",
);

/// Bytes of a payload: "32 KB", which the SDKs check as 32 768 bytes of UTF-8.
pub const PAYLOAD_BYTES: usize = 32 * 1024;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The numbers of one app. [`Default`] has those of the documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtmLimits {
    /// Bytes of one payload, UTF-8.
    pub payload_bytes: usize,
    /// Messages kept for a user who is away.
    pub inbox: InboxPolicy,
    /// Messages kept for history queries; `None` switches history off.
    pub history: Option<HistoryPolicy>,
    /// Channels.
    pub rooms: RoomPolicy,
    /// Presence queries and subscriptions.
    pub presence: PresencePolicy,
    /// A user's attributes.
    pub user_attributes: AttributeLimits,
    /// A channel's attributes.
    pub room_attributes: AttributeLimits,
    /// Times and sizes of sessions.
    pub sessions: SessionPolicy,
    /// Peer and channel messages share the rate of the peer messages (documents since 2022), instead of one each
    /// (RTM messaging documents, seed).
    pub combined_sends: bool,
    /// Rates that differ from [`default_rate`]; `None` lifts the rule.
    pub rates: Vec<(Rule, Option<Rate>)>,
}

impl Default for RtmLimits {
    fn default() -> Self {
        Self {
            payload_bytes: PAYLOAD_BYTES,
            // 200 messages for seven days, the newest replacing the oldest (RTM messaging documents, seed).
            inbox: InboxPolicy { cap: 200, retention_ms: 7 * DAY_MS },
            // Seven days and 2 GB per App ID (RTM history documents, 2020).
            history: Some(HistoryPolicy { retention_ms: 7 * DAY_MS, max_bytes: 2 * 1024 * 1024 * 1024 }),
            rooms: rooms(),
            // RTM 1.x limitations: 256 users in a query, 512 subscriptions.
            presence: PresencePolicy { queried: 256, watched: 512 },
            user_attributes: attributes(16 * 1024),
            room_attributes: attributes(32 * 1024),
            sessions: sessions(),
            combined_sends: false,
            rates: Vec::new(),
        }
    }
}

/// RTM 1.x limitations and the comments of its client header.
fn rooms() -> RoomPolicy {
    RoomPolicy {
        rooms_per_session: 20,
        member_notices_up_to: 512,
        listed_members: 512,
        counted_rooms: 32,
        count_notice_ms: 1000,
        count_notice_large_ms: 3000,
        replayed: 32,
        // Payloads of 32 KB, and something for each: the number is what counts.
        replayed_bytes: 2 * 1024 * 1024,
        replayed_bytes_of_all: 64 * 1024 * 1024,
        // Its clients say what they have, and are told what they missed.
        replayed_unnoticed_ms: 0,
        echo_to_sender: false,
        // "A couple of minutes" after the channel is empty.
        attributes_stay_ms: 120_000,
        registered: None,
    }
}

/// A key of 32 bytes, a value of 8 KB, 32 entries (RTM 1.x limitations).
fn attributes(total_bytes: usize) -> AttributeLimits {
    AttributeLimits { key_bytes: 32, value_bytes: 8 * 1024, entries: 32, total_bytes }
}

/// 30 s until a lost client is offline, 6 s until it is unreachable, a credential announced 30 s before its end
/// (RTM 1.x header and token documents). The ack timeout is ours: shorter than the 10 s that clients give up at.
fn sessions() -> SessionPolicy {
    SessionPolicy {
        grace_ms: 30_000,
        silence_ms: 30_000,
        unreachable_ms: 6_000,
        ack_timeout_ms: 8_000,
        mailbox_notices: 1024,
        mailbox_bytes: 4 * 1024 * 1024,
        credential_notice_ms: 30_000,
    }
}

/// What a rule allows by the documents: for backends those of the RTM messaging, event and history documents, for
/// clients the Web column of the RTM 1.x limitations.
#[must_use]
pub const fn default_rate(rule: Rule) -> Rate {
    let (count, seconds) = match rule {
        Rule::PeerSends | Rule::RoomSends | Rule::GroupSends | Rule::TargetedRoomSends | Rule::TargetedGroupSends => {
            (500, 1)
        }
        Rule::UserEventPulls | Rule::RoomEventPulls => (10, 1),
        Rule::HistoryQueries => (100, 1),
        Rule::Logins => (2, 1),
        Rule::ClientSends => (180, 3),
        Rule::Joins => (50, 3),
        Rule::JoinsOfOneRoom => (2, 5),
        Rule::MemberLists => (5, 2),
        Rule::MemberCounts => (1, 1),
        Rule::PresenceQueries | Rule::PresenceSubscriptions => (10, 5),
        Rule::UserAttributeReads => (40, 5),
        Rule::UserAttributeWrites | Rule::RoomAttributeWrites | Rule::RoomAttributeReads => (10, 5),
    };
    Rate { count, window_ms: seconds * 1000 }
}

/// The rules that RTM documents: it has no groups, and no messages for some of the members.
pub fn rules() -> impl Iterator<Item = Rule> {
    let others = [Rule::GroupSends, Rule::TargetedRoomSends, Rule::TargetedGroupSends];
    Rule::ALL.into_iter().filter(move |rule| !others.contains(rule))
}

/// The core's policy for one RTM app.
#[must_use]
pub fn policy(app_id: &str, limits: &RtmLimits) -> AppPolicy {
    let changed = |rule: Rule| limits.rates.iter().rev().find(|(changed, _)| *changed == rule).map(|(_, rate)| *rate);
    let rates = rules().filter_map(|rule| {
        let rate = changed(rule).unwrap_or(Some(default_rate(rule)))?;
        Some((rule, rate))
    });
    AppPolicy {
        id: AppId::from_trusted(app_id),
        user_names: NAMES,
        room_names: NAMES,
        payload_bytes: limits.payload_bytes,
        // A login elsewhere ends the one before (RTM 1.x header).
        devices: DevicePolicy::One,
        sessions: limits.sessions,
        inbox: limits.inbox,
        history: limits.history,
        rooms: limits.rooms,
        // Channel messages have one level, and there is no broadcast.
        overload: None,
        broadcasts: None,
        presence: limits.presence,
        directory: DirectoryPolicy::NONE,
        user_attributes: limits.user_attributes,
        room_attributes: limits.room_attributes,
        recalls_within_ms: None,
        edits: None,
        combined_sends: limits.combined_sends,
        rates: rates.collect(),
    }
}

#[cfg(test)]
mod tests {
    use stentor_core::id::NameError;

    use super::*;

    #[test]
    fn exactly_90_characters_may_be_in_a_name() {
        let documented = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !#$%&()+-:;<=.>?@[]^_{}|~,'";
        assert_eq!(documented.len(), 90);
        for byte in 0..=127u8 {
            let name = char::from(byte).to_string();
            let allowed = documented.contains(&name);
            assert_eq!(NAMES.check(&name).is_ok(), allowed, "{name:?}");
        }
        for name in ["\"", "*", "/", "\\", "`", "\0", "\n", "\x7f", "é", "你", "a\u{0}"] {
            assert_eq!(NAMES.check(name), Err(NameError::Character), "{name:?}");
        }
    }

    #[test]
    fn a_name_has_1_to_64_characters() {
        assert_eq!(NAMES.check(""), Err(NameError::Empty));
        assert_eq!(NAMES.check("x"), Ok(()));
        assert_eq!(NAMES.check(&"x".repeat(64)), Ok(()));
        assert_eq!(NAMES.check(&"x".repeat(65)), Err(NameError::TooLong { max: 64 }));
    }

    #[test]
    fn a_policy_has_every_rate_unless_it_was_changed() {
        let plain = policy("a", &RtmLimits::default());
        assert_eq!(plain.rates.len(), rules().count());
        assert!(plain.rates.contains(&(Rule::PeerSends, Rate { count: 500, window_ms: 1000 })));

        let slow = Rate { count: 3, window_ms: 1000 };
        let rates = vec![(Rule::PeerSends, None), (Rule::PeerSends, Some(slow)), (Rule::RoomSends, None)];
        let changed = policy("a", &RtmLimits { rates, ..RtmLimits::default() });
        assert!(changed.rates.contains(&(Rule::PeerSends, slow)));
        assert!(!changed.rates.iter().any(|(rule, _)| *rule == Rule::RoomSends));
    }
}
