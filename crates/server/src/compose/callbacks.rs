//! The callback rules of the configuration, as the crates take them.

use std::collections::HashSet;
use std::hash::Hash;
use std::time::Duration;

use stentor_api_chat::callbacks::{CallbackEvent, ChatKind, Filter, OnFailure, PreSend, Source};
use stentor_callbacks::{Bounds, Key, Rule, Schedule};
use stentor_chat_content::ContentType;

use crate::config::AppConfig;
use crate::config::callbacks::{
    CallbackKind, CallbackSection, ChatTypeWord, EventWord, MessageTypeWord, OnFailureWord, SourceWord,
};

/// How long dead letters are kept: three days (documented).
const KEPT_MS: u64 = 3 * 86_400_000;

/// How long a question may take (documented default).
const QUESTION_MS: u64 = 200;

/// How many questions are asked at once: each takes no longer than its budget.
const QUESTIONS: usize = 64;

/// The rules of an app.
pub(crate) struct CallbackRules {
    pub(crate) post_send: Vec<(Filter, Rule)>,
    pub(crate) pre_send: Vec<PreSend>,
    pub(crate) bounds: Bounds,
}

/// The rules of an app that are used.
pub(crate) fn callback_rules(app: &AppConfig) -> CallbackRules {
    let (mut post_send, mut pre_send) = (Vec::new(), Vec::new());
    for section in app.callbacks.iter().filter(|section| section.enabled) {
        // The configuration was checked: these are there.
        let Some(rule) = rule(section) else { continue };
        let filter = filter(section);
        match section.kind {
            CallbackKind::Post => post_send.push((filter, rule)),
            CallbackKind::Pre => {
                let on_failure = match section.on_failure {
                    OnFailureWord::Allow => OnFailure::Allow,
                    OnFailureWord::Deny => OnFailure::Deny,
                };
                pre_send.push(PreSend { filter, rule, on_failure });
            }
        }
    }
    let bounds = Bounds { dead_letters: app.chat.failed_callbacks.size(), kept_ms: KEPT_MS };
    CallbackRules { post_send, pre_send, bounds }
}

fn rule(section: &CallbackSection) -> Option<Rule> {
    let (name, url, secret) = (section.name.as_ref()?, section.url.as_ref()?, section.secret.as_ref()?);
    let documented = Rule::new(name.as_str(), url.endpoint().clone(), Key::new(secret.expose()));
    let (timeout, concurrency) = match section.kind {
        CallbackKind::Post => (documented.timeout, documented.concurrency),
        CallbackKind::Pre => (Duration::from_millis(QUESTION_MS), QUESTIONS),
    };
    Some(Rule {
        allow_private: section.allow_private,
        timeout: section.timeout_ms.map_or(timeout, |ms| Duration::from_millis(ms.get())),
        concurrency: section.concurrency.map_or(concurrency, |count| count.size()),
        schedule: Schedule {
            first_ms: section.retry_first_ms.get(),
            longest_ms: section.retry_longest_ms.get(),
            give_up_after_ms: section.retry_for_s.get() * 1000,
        },
        waiting: section.waiting.size(),
        ..documented
    })
}

fn filter(section: &CallbackSection) -> Filter {
    let names = |names: &[String]| names.iter().map(|name| name.to_ascii_lowercase()).collect::<HashSet<_>>();
    Filter {
        events: words(&section.events, |word| match word {
            EventWord::Chat => CallbackEvent::Chat,
            EventWord::ChatOffline => CallbackEvent::ChatOffline,
            EventWord::Recall => CallbackEvent::Recall,
            EventWord::Edit => CallbackEvent::Edit,
            EventWord::ReadAck => CallbackEvent::ReadAck,
            EventWord::Status => CallbackEvent::Status,
            EventWord::Push => CallbackEvent::Push,
            EventWord::Group => CallbackEvent::Group,
            EventWord::Room => CallbackEvent::Room,
        }),
        chat_types: words(&section.chat_types, |word| match word {
            ChatTypeWord::Chat => ChatKind::User,
            ChatTypeWord::Groupchat => ChatKind::Group,
            ChatTypeWord::Chatroom => ChatKind::Room,
        }),
        message_types: words(&section.message_types, content_type),
        sources: words(&section.sources, |word| match word {
            SourceWord::Client => Source::Client,
            SourceWord::Rest => Source::Rest,
        }),
        from: names(&section.from),
        to: names(&section.to),
        groups: section.groups.iter().cloned().collect(),
        ext_keys: section.ext_keys.iter().cloned().collect(),
        exclude_from: names(&section.exclude_from),
        exclude_groups: section.exclude_groups.iter().cloned().collect(),
    }
}

fn words<W, T: Eq + Hash>(words: &[W], meaning: impl Fn(&W) -> T) -> HashSet<T> {
    words.iter().map(meaning).collect()
}

/// A type by its word in the configuration.
pub(super) fn content_type(word: &MessageTypeWord) -> ContentType {
    match word {
        MessageTypeWord::Txt => ContentType::Text,
        MessageTypeWord::Img => ContentType::Image,
        MessageTypeWord::Audio => ContentType::Audio,
        MessageTypeWord::Video => ContentType::Video,
        MessageTypeWord::File => ContentType::File,
        MessageTypeWord::Loc => ContentType::Location,
        MessageTypeWord::Cmd => ContentType::Command,
        MessageTypeWord::Custom => ContentType::Custom,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn rules(text: &str) -> CallbackRules {
        let text = format!(
            "[[apps]]\napp_id = \"970CA35de60c44645bbae8a215061b33\"\norg_name = \"a\"\napp_name = \"b\"\n{text}"
        );
        callback_rules(&Config::parse("c.toml", &text).unwrap().apps[0])
    }

    const RULE: &str = "[[apps.callbacks]]\nname = \"a\"\nurl = \"https://a.example/\"\nsecret = \"s\"\n";

    #[test]
    fn the_defaults_are_those_of_the_documents() {
        let CallbackRules { post_send, pre_send, bounds } = rules(RULE);
        let (filter, rule) = &post_send[0];
        assert_eq!((bounds, pre_send.len()), (Bounds::default(), 0));
        assert_eq!(filter.events, [CallbackEvent::Chat].into());
        let documented = Rule::new("a", rule.endpoint.clone(), Key::new("s"));
        assert_eq!(format!("{rule:?}"), format!("{documented:?}"));

        let pre = rules(&format!("{RULE}kind = \"pre\"\n"));
        assert_eq!((pre.post_send.len(), pre.pre_send.len()), (0, 1));
        assert_eq!(
            (pre.pre_send[0].rule.timeout, pre.pre_send[0].on_failure),
            (Duration::from_millis(200), OnFailure::Allow)
        );
    }

    #[test]
    fn what_is_set_arrives() {
        let set = rules(&format!(
            "{RULE}events = [\"chat_offline\", \"room\"]\nfrom = [\"Alice\"]\nchat_types = [\"chatroom\"]\n\
             timeout_ms = 7\nwaiting = 9\nretry_for_s = 3\nallow_private = true\n"
        ));
        let (filter, rule) = &set.post_send[0];
        assert_eq!(filter.events, [CallbackEvent::ChatOffline, CallbackEvent::Room].into());
        assert!(filter.from.contains("alice"), "user IDs are lower case");
        assert_eq!((rule.timeout, rule.waiting, rule.allow_private), (Duration::from_millis(7), 9, true));
        assert_eq!(rule.schedule.give_up_after_ms, 3000);
        assert_eq!(rules(&format!("{RULE}enabled = false\n")).post_send.len(), 0);
    }
}
