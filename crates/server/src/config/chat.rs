//! `[apps.chat]` and `[apps.chat_limits]`: the Chat side of an app. The rates are the dialect's tables.

use stentor_api_chat::{CORE_RATES, ChatRule};
use stentor_core::limits::{Rate, Rule};

use super::callbacks::MessageTypeWord;
use super::limits::Count;
use super::names::ZoneName;
use super::section::{KeyDoc, Keys, Section, section};
use super::value::{Bounded, Invalid, Raw, Setting, words};

words! {
    /// A language that the server has words of its own in.
    pub enum LanguageWord {
        /// English.
        English = "en",
        /// Simplified Chinese.
        Chinese = "zh",
    }
}

section! {
    /// The Chat side of this app. It is served if org_name and app_name are set.
    pub struct ChatSection {
        /// Whether anybody may register a user without a token.
        open_registration: bool = false;
        /// Users that may be registered; 0: as many as come. One more is refused as the vendor refuses it when a plan is used up.
        users: Bounded<0, 1_000_000_000> = Bounded::clamped(0);
        /// Messages kept per user who is away. The newest replaces the oldest.
        inbox_messages: Bounded<1, 100_000> = Bounded::clamped(500);
        /// How long they are kept: 7 days.
        inbox_retention_s: Bounded<1, 315_360_000> = Bounded::clamped(604_800);
        /// How long messages are kept for roaming, downloads and recalls: 7 days.
        history_retention_s: Bounded<1, 315_360_000> = Bounded::clamped(604_800);
        /// For how long they can be downloaded by the hour: 3 days.
        history_download_s: Bounded<0, 315_360_000> = Bounded::clamped(259_200);
        /// Bytes of messages kept for that. The newest replaces the oldest.
        history_bytes: Bounded<0, 1_125_899_906_842_624> = Bounded::clamped(2_147_483_648);
        /// How long messages may be taken back, and no longer than they are kept: 2 minutes.
        recall_within_s: Bounded<1, 604_800> = Bounded::clamped(120);
        /// Whether broadcasts are part of the past of rooms that clients read.
        broadcasts_roam: bool = false;
        /// The time zone of the times of the day at which users want no pushes, by its IANA name.
        push_time_zone: ZoneName = ZoneName::default();
        /// The language of what pushes say beside the message, for users who have not set English or Chinese: "en", "zh".
        push_language: LanguageWord = LanguageWord::English;
        /// Whether a user who wants no pushes from 00:00 to 00:00 means never, and not always: the vendor's documents
        /// say both.
        push_midnight_clears: bool = false;
        /// After how long a client that is connected and does not ack counts as away: then its user is told by push.
        push_ack_wait_ms: Bounded<1_000, 600_000> = Bounded::clamped(10_000);
        /// Messages that wait to be decided on. Those beyond it are counted, and found in the inboxes of their receivers later.
        push_undecided: Bounded<1, 100_000_000> = Bounded::clamped(100_000);
        /// Pushes that wait to be sent. While there are so many, nothing more is decided, and direct pushes are refused.
        push_unsent: Bounded<1, 1_000_000_000> = Bounded::clamped(1_000_000);
        /// How long the log of pushes is kept: 3 days.
        push_log_s: Bounded<86_400, 31_536_000> = Bounded::clamped(259_200);
        /// Devices of a user that may be logged in at once. A login on one more ends the oldest session.
        devices: Bounded<1, 64> = Bounded::clamped(8);
        /// Contacts of one user.
        contacts: Bounded<0, 100_000> = Bounded::clamped(3000);
        /// Users whom one user may block.
        user_blocks: Bounded<0, 100_000> = Bounded::clamped(500);
        /// Bytes of one user's attributes, names and values.
        attribute_bytes: Bounded<0, 65_536> = Bounded::clamped(2048);
        /// Bytes of all users' attributes.
        attribute_bytes_total: Bounded<0, 1_125_899_906_842_624> = Bounded::clamped(10_737_418_240);
        /// Failed callbacks that are kept, for three days. The newest replaces the oldest.
        failed_callbacks: Bounded<1, 10_000_000> = Bounded::clamped(100_000);
        /// Rooms that the app may have.
        rooms: Bounded<0, 10_000_000> = Bounded::clamped(100_000);
        /// Groups that the app may have.
        groups: Bounded<0, 10_000_000> = Bounded::clamped(100_000);
        /// Rooms that one user may be in.
        rooms_per_user: Bounded<1, 10_000> = Bounded::clamped(1000);
        /// Groups that one user may be in.
        groups_per_user: Bounded<1, 10_000> = Bounded::clamped(1000);
        /// Members that a room may have.
        room_users: Bounded<1, 100_000> = Bounded::clamped(10_000);
        /// Members that a room may have if its creator does not say.
        room_users_default: Bounded<1, 100_000> = Bounded::clamped(1000);
        /// Members that a group may have.
        group_users: Bounded<1, 20_000> = Bounded::clamped(3000);
        /// Members that a group may have if its creator does not say.
        group_users_default: Bounded<1, 20_000> = Bounded::clamped(200);
        /// Bytes of one uploaded file: 10 MB.
        file_bytes: Bounded<1, 1_099_511_627_776> = Bounded::clamped(10_485_760);
        /// Bytes of all uploaded files together. One more upload is refused.
        files_bytes: Bounded<0, 1_125_899_906_842_624> = Bounded::clamped(10_737_418_240);
        /// How long uploaded files are kept: 7 days.
        file_retention_s: Bounded<1, 315_360_000> = Bounded::clamped(604_800);
        /// Messages into one room in a second, above which low ones are dropped, then normal ones, while the server is busy.
        room_budget_per_second: Bounded<1, 1_000_000> = Bounded::clamped(20);
        /// Senders whose messages to rooms are high, whatever they say.
        high_senders: Vec<String> = Vec::new();
        /// Types of messages that are high in rooms: "txt", "img", "audio", "video", "file", "loc", "cmd", "custom".
        high_types: Vec<MessageTypeWord> = Vec::new();
        /// Broadcasts to every active room in a second.
        broadcasts_per_second: Bounded<1, 1000> = Bounded::clamped(1);
        /// Broadcasts to every active room in a minute.
        broadcasts_per_minute: Bounded<1, 1000> = Bounded::clamped(10);
        /// Broadcasts to every active room in a day (UTC).
        broadcasts_per_day: Bounded<1, 100_000> = Bounded::clamped(100);
        /// A client whose connection is lost keeps its place in its rooms for so long; then it leaves them.
        room_stay_ms: Bounded<0, 3_600_000> = Bounded::clamped(120_000);
        /// Room messages that a client gets which comes back within that time, of all its rooms; and so many a room remembers, at
        /// most 512 KiB of them, and 64 MiB in all rooms (docs/delivery.md).
        room_replay: Bounded<0, 200> = Bounded::clamped(200);
    }
}

/// The rates of the Chat side of one app: those of its endpoints, and those of the core.
#[derive(Debug, Clone)]
pub struct ChatLimitsSection {
    calls: [Count; ChatRule::COUNT],
    core: [Count; CORE_RATES.len()],
}

impl Default for ChatLimitsSection {
    fn default() -> Self {
        let count = |rate: Rate| Count::clamped(u64::from(rate.count));
        Self {
            calls: ChatRule::ALL.map(|rule| count(rule.default_rate())),
            core: CORE_RATES.map(|row| count(row.rate)),
        }
    }
}

impl ChatLimitsSection {
    /// The rate of a rule; `None` if it is switched off.
    #[must_use]
    pub fn rate(&self, rule: ChatRule) -> Option<Rate> {
        rate(self.calls[rule as usize], rule.default_rate())
    }

    /// The core's rates; `None` for those that are switched off.
    #[must_use]
    pub fn core_rates(&self) -> Vec<(Rule, Option<Rate>)> {
        CORE_RATES.iter().zip(self.core).map(|(row, count)| (row.rule, rate(count, row.rate))).collect()
    }
}

fn rate(count: Count, default: Rate) -> Option<Rate> {
    (count.get() > 0).then(|| Rate { count: count.count(), window_ms: default.window_ms })
}

impl Section for ChatLimitsSection {
    const ABOUT: &'static [&'static str] =
        &[" Rates of the Chat side of this app, as in [apps.limits]. 0 switches a rule off."];

    fn keys() -> Vec<KeyDoc> {
        let key = |name, counts, rate: Rate| KeyDoc {
            name,
            doc: vec![counts],
            default: Count::clamped(u64::from(rate.count)).to_toml(),
            example: None,
        };
        let calls = ChatRule::ALL.map(|rule| key(rule.name(), rule.counts(), rule.default_rate()));
        let core = CORE_RATES.map(|row| key(row.name, row.counts, row.rate));
        calls.into_iter().chain(core).collect()
    }
}

impl Keys for ChatLimitsSection {
    fn names(&self) -> Vec<&'static str> {
        ChatRule::ALL.map(ChatRule::name).into_iter().chain(CORE_RATES.map(|row| row.name)).collect()
    }

    fn set(&mut self, key: &str, raw: Raw<'_>) -> Option<Result<(), Invalid>> {
        let at = self.names().into_iter().position(|name| name == key)?;
        let count = self.calls.iter_mut().chain(&mut self.core).nth(at)?;
        Some(raw.read().map(|read| *count = read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_switches_a_rule_off() {
        let mut limits = ChatLimitsSection::default();
        assert_eq!(limits.rate(ChatRule::Tokens), Some(Rate { count: 300, window_ms: 1000 }));
        assert!(matches!(limits.set("chat_tokens_per_second", Raw::Text("0")), Some(Ok(()))));
        assert_eq!(limits.rate(ChatRule::Tokens), None);
        assert!(limits.set("chat_nothing", Raw::Text("0")).is_none());
    }

    #[test]
    fn the_core_s_rates_are_set_by_name_too() {
        let mut limits = ChatLimitsSection::default();
        let documented: Vec<_> = CORE_RATES.iter().map(|row| (row.rule, Some(row.rate))).collect();
        assert_eq!(limits.core_rates(), documented);
        for (number, row) in (1..).zip(CORE_RATES) {
            assert!(matches!(limits.set(row.name, Raw::Text(&number.to_string())), Some(Ok(()))));
        }
        assert!(matches!(limits.set("chat_client_logins_per_second", Raw::Text("0")), Some(Ok(()))));
        let expected: Vec<_> = (1..)
            .zip(CORE_RATES)
            .map(|(count, row)| (row.rule, (row.rule != Rule::Logins).then_some(Rate { count, ..row.rate })))
            .collect();
        assert_eq!(limits.core_rates(), expected);
    }
}
