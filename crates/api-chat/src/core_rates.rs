//! The rates of what the core does for this dialect: messages, which the documents count apart from calls, and what
//! clients do. The table is here once; the configuration and `docs/limits.md` are made from it.

use stentor_core::limits::{Rate, Rule};

/// What a rule of the core allows in this dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoreRate {
    /// The rule.
    pub rule: Rule,
    /// Its name in `[apps.chat_limits]`.
    pub name: &'static str,
    /// What it counts: begins with a space, as doc comments do.
    pub counts: &'static str,
    /// The default.
    pub rate: Rate,
    /// Where the number comes from.
    pub source: &'static str,
    /// What the caller gets when it is used up.
    pub refusal: &'static str,
}

const fn row(rule: Rule, name: &'static str, (count, window_ms): (u32, u32), texts: [&'static str; 3]) -> CoreRate {
    let [counts, source, refusal] = texts;
    CoreRate { rule, name, counts, rate: Rate { count, window_ms }, source, refusal }
}

const TOO_MANY_MESSAGES: &str = "403 `message send reach limit`";

/// Every rule of the core that limits something in this dialect. Targeted messages to groups are not among them: there
/// is one in each call, and calls are counted ([`ChatRule::GroupTargeted`](crate::rates::ChatRule::GroupTargeted)).
pub const CORE_RATES: [CoreRate; 6] = [
    row(
        Rule::PeerSends,
        "chat_messages_to_users_per_minute",
        (6000, 60_000),
        [" Messages to users over REST, one for each user.", "Chat limits", TOO_MANY_MESSAGES],
    ),
    row(
        Rule::GroupSends,
        "chat_messages_to_groups_per_second",
        (20, 1000),
        [" Messages to groups over REST, one for each group.", "Chat limits", TOO_MANY_MESSAGES],
    ),
    row(
        Rule::RoomSends,
        "chat_messages_to_rooms_per_second",
        (100, 1000),
        [" Messages to rooms over REST, one for each room.", "room message documents (S3)", TOO_MANY_MESSAGES],
    ),
    row(
        Rule::TargetedRoomSends,
        "chat_targeted_messages_to_rooms_per_second",
        (100, 1000),
        [" Messages to named members of a room over REST.", "room message documents (S3)", TOO_MANY_MESSAGES],
    ),
    row(
        Rule::Logins,
        "chat_client_logins_per_second",
        (10, 1000),
        [" Logins and token renewals of one user.", "our choice", "code 4"],
    ),
    row(
        Rule::ClientSends,
        "chat_client_messages_per_second",
        (100, 1000),
        [" Messages, recalls and edits of one client, one for each receiver.", "our choice", "code 502"],
    ),
];

/// What a rule of the core allows in this dialect; `None`: the endpoint's own rate is enough.
#[must_use]
pub fn default_rate(rule: Rule) -> Option<Rate> {
    CORE_RATES.iter().find(|row| row.rule == rule).map(|row| row.rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rates::ChatRule;

    #[test]
    fn names_say_their_window_and_differ() {
        let mut names: std::collections::BTreeSet<_> = ChatRule::ALL.map(ChatRule::name).into();
        for row in CORE_RATES {
            let ending = if row.rate.window_ms == 1000 { "per_second" } else { "per_minute" };
            assert!(row.name.ends_with(ending) && names.insert(row.name), "{}", row.name);
            assert_eq!(default_rate(row.rule), Some(row.rate), "{} stands there twice", row.name);
        }
    }
}
