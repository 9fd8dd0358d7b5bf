//! `[apps.limits]`: every rate rule once, with its name, its source and its refusal. The numbers are the dialect's.
//! The struct, the reader, the example file and the table of `docs/limits.md` come from here.

use stentor_api_rtm::policy::default_rate;
use stentor_core::limits::{Rate, Rule};

use super::section::{KeyDoc, Keys, Section};
use super::value::{Bounded, Invalid, Raw, Setting};

/// How many calls a rule accepts in its window; 0 switches the rule off.
pub type Count = Bounded<0, 1_000_000>;

/// One rule, for `docs/limits.md`.
#[derive(Debug)]
pub struct LimitDoc {
    /// Its name in `[apps.limits]`.
    pub name: &'static str,
    /// What it counts.
    pub counts: &'static str,
    /// The default number.
    pub default: u64,
    /// The window in milliseconds.
    pub window_ms: u32,
    /// Where the default comes from.
    pub source: &'static str,
    /// What the caller gets when it is exceeded.
    pub refusal: &'static str,
}

macro_rules! limits {
    ($($name:ident: $rule:ident, $counts:literal, $source:literal, $refusal:literal;)+) => {
        /// The rate rules of one app.
        #[derive(Debug, Clone)]
        pub struct LimitsSection {$(
            #[doc = $counts]
            pub $name: Count,
        )+}

        impl Default for LimitsSection {
            fn default() -> Self {
                Self {$($name: Count::clamped(u64::from(default_rate(Rule::$rule).count)),)+}
            }
        }

        impl Section for LimitsSection {
            const ABOUT: &'static [&'static str] = &[
                " Rate rules of this app. The window slides: in no span of its length are more than the number accepted, and",
                " a steady rate of exactly the number is never refused. 0 switches a rule off.",
            ];

            fn keys() -> Vec<KeyDoc> {
                let default = Self::default();
                vec![$(KeyDoc { name: stringify!($name), doc: vec![concat!(" ", $counts)], default: default.$name.to_toml(), example: None },)+]
            }
        }

        impl Keys for LimitsSection {
            fn names(&self) -> Vec<&'static str> {
                vec![$(stringify!($name)),+]
            }

            fn set(&mut self, key: &str, raw: Raw<'_>) -> Option<Result<(), Invalid>> {
                match key {
                    $(stringify!($name) => Some(raw.read().map(|value| self.$name = value)),)+
                    _ => None,
                }
            }
        }

        impl LimitsSection {
            /// Every rule, for `docs/limits.md`.
            #[must_use]
            pub fn docs() -> Vec<LimitDoc> {
                vec![$(LimitDoc {
                    name: stringify!($name),
                    counts: $counts,
                    default: u64::from(default_rate(Rule::$rule).count),
                    window_ms: default_rate(Rule::$rule).window_ms,
                    source: $source,
                    refusal: $refusal,
                },)+]
            }

            /// The rules as the core takes them; those switched off are missing.
            #[must_use]
            pub fn rates(&self) -> Vec<(Rule, Rate)> {
                [$((Rule::$rule, self.$name.get(), default_rate(Rule::$rule).window_ms),)+]
                    .into_iter()
                    .filter_map(|(rule, count, window_ms)| {
                        let count = u32::try_from(count).ok().filter(|count| *count > 0)?;
                        Some((rule, Rate { count, window_ms }))
                    })
                    .collect()
            }
        }
    };
}

limits! {
    rtm_peer_messages_per_second : PeerSends,
        "Peer messages sent over REST, per app.", "RTM messaging documents", "429";
    rtm_channel_messages_per_second : RoomSends,
        "Channel messages sent over REST, per app.", "RTM messaging documents", "429";
    rtm_user_events_per_second : UserEventPulls,
        "Pulls of user events, per app.", "RTM event documents, 2021-03-02", "429";
    rtm_channel_events_per_second : RoomEventPulls,
        "Pulls of channel events, per app.", "RTM event documents, 2021-03-02", "429";
    rtm_history_per_second : HistoryQueries,
        "History queries and counts, per app.", "RTM events and history, 2020-08-17", "429";
    rtm_client_logins_per_second : Logins,
        "Logins and token renewals of one user.", "RTM limitations, Web", "login refused with 10, renewal with 4";
    rtm_client_messages_per_3_seconds : ClientSends,
        "Peer and channel messages sent by one client.", "RTM limitations, Web", "`send_peer` 5, `send_channel` 3";
    rtm_client_joins_per_3_seconds : Joins,
        "Joins of one client.", "RTM limitations, Web", "`join` 7";
    rtm_client_joins_of_one_channel_per_5_seconds : JoinsOfOneRoom,
        "Joins of one client into the same channel.", "RTM limitations, Web", "`join` 8";
    rtm_client_member_lists_per_2_seconds : MemberLists,
        "Member lists asked for by one client.", "RTM limitations, Web", "`members` 4";
    rtm_client_member_counts_per_second : MemberCounts,
        "Member counts asked for by one client.", "RTM limitations, Web", "`member_counts` 3";
    rtm_client_presence_queries_per_5_seconds : PresenceQueries,
        "Presence queries of one client.", "RTM limitations, Web", "`query_presence` 5";
    rtm_client_presence_subscriptions_per_5_seconds : PresenceSubscriptions,
        "Presence subscriptions, their ends and lists, of one client.", "RTM limitations, Web",
        "`watch_presence` and `unwatch_presence` 5, `watched_presence` 3";
    rtm_client_user_attribute_writes_per_5_seconds : UserAttributeWrites,
        "Writes of user attributes by one client.", "RTM limitations, Web", "the operation's 5";
    rtm_client_user_attribute_reads_per_5_seconds : UserAttributeReads,
        "Reads of user attributes by one client.", "RTM limitations, Web", "`get_user_attributes` 5";
    rtm_client_channel_attribute_writes_per_5_seconds : RoomAttributeWrites,
        "Writes of channel attributes by one client.", "RTM limitations, Web", "the operation's 5";
    rtm_client_channel_attribute_reads_per_5_seconds : RoomAttributeReads,
        "Reads of channel attributes by one client.", "RTM limitations, Web", "`get_channel_attributes` 5";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_the_core_has_a_number() {
        let rates = LimitsSection::default().rates();
        for rule in stentor_api_rtm::policy::rules() {
            assert!(rates.iter().any(|(named, _)| *named == rule), "{rule:?} has no default");
        }
    }

    #[test]
    fn zero_switches_a_rule_off() {
        let limits = LimitsSection { rtm_peer_messages_per_second: Count::clamped(0), ..LimitsSection::default() };
        assert!(limits.rates().iter().all(|(rule, _)| *rule != Rule::PeerSends));
    }

    #[test]
    fn names_say_their_window() {
        for limit in LimitsSection::docs() {
            let ending = match limit.window_ms {
                1000 => "per_second".to_owned(),
                window_ms => format!("per_{}_seconds", window_ms / 1000),
            };
            assert!(limit.name.ends_with(&ending), "{}", limit.name);
        }
    }
}
