//! Which events a rule wants (console documents, "callback rules"; the lists of those it does not want are ours).

use std::collections::HashSet;

use stentor_chat_content::ContentType;
use stentor_core::message::Target;

/// What a rule can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallbackEvent {
    /// `chat`: a message was sent, to whoever it may be.
    Chat,
    /// `chat_offline`: its receiver was away; one for each receiver.
    ChatOffline,
    /// A message was taken back.
    Recall,
    /// A message was changed.
    Edit,
    /// A message was read.
    ReadAck,
    /// A user logged in or out.
    Status,
    /// The offline push of a message ended, on a device or before any was reached for.
    Push,
    /// Something happened to a group.
    Group,
    /// Something happened to a room.
    Room,
}

/// Where a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChatKind {
    /// `chat`: to a user.
    User,
    /// `groupchat`: to a group.
    Group,
    /// `chatroom`: to a room.
    Room,
}

impl ChatKind {
    pub(super) fn of(target: &Target) -> Self {
        match target {
            Target::User(_) => Self::User,
            Target::Group(_) => Self::Group,
            Target::Room(_) => Self::Room,
        }
    }

    /// The word for it in a message's own data.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::User => "chat",
            Self::Group => "groupchat",
            Self::Room => "chatroom",
        }
    }

    /// The word for it in the kind of a content.
    pub(super) fn place(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Room => "room",
        }
    }
}

/// Who sent a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// A connected client.
    Client,
    /// The backend, over REST.
    Rest,
}

/// What a rule wants. An empty list does not restrict, apart from that of the events.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Which events.
    pub events: HashSet<CallbackEvent>,
    /// Which kinds of conversation.
    pub chat_types: HashSet<ChatKind>,
    /// Which types of content.
    pub message_types: HashSet<ContentType>,
    /// Which senders' side.
    pub sources: HashSet<Source>,
    /// Only from these users, or done by them.
    pub from: HashSet<String>,
    /// Only messages to these users: none to groups and rooms.
    pub to: HashSet<String>,
    /// Only in these groups and rooms: no messages to users.
    pub groups: HashSet<String>,
    /// Only messages whose extension has one of these keys.
    pub ext_keys: HashSet<String>,
    /// Not from these users, nor done by them.
    pub exclude_from: HashSet<String>,
    /// Not in these groups and rooms.
    pub exclude_groups: HashSet<String>,
}

fn allows<T: Eq + std::hash::Hash>(list: &HashSet<T>, item: &T) -> bool {
    list.is_empty() || list.contains(item)
}

impl Filter {
    pub(super) fn wants(&self, event: CallbackEvent) -> bool {
        self.events.contains(&event)
    }

    /// By whom.
    pub(super) fn allows_from(&self, from: &str) -> bool {
        (self.from.is_empty() || self.from.contains(from)) && !self.exclude_from.contains(from)
    }

    /// In which group or room; `None`: in none.
    pub(super) fn allows_group(&self, group: Option<&str>) -> bool {
        match group {
            Some(group) => {
                self.to.is_empty()
                    && (self.groups.is_empty() || self.groups.contains(group))
                    && !self.exclude_groups.contains(group)
            }
            None => self.groups.is_empty(),
        }
    }

    /// Where a message goes, and from which side.
    pub(super) fn allows_message(&self, from: &str, target: &Target, source: Source) -> bool {
        let group = match target {
            Target::User(_) => None,
            Target::Group(group) | Target::Room(group) => Some(group.as_str()),
        };
        allows(&self.sources, &source)
            && allows(&self.chat_types, &ChatKind::of(target))
            && self.allows_from(from)
            && self.allows_group(group)
            && (self.to.is_empty() || self.to.contains(target.name()))
    }

    /// What a message says.
    pub(super) fn allows_content(&self, kind: ContentType, mut ext_keys: impl Iterator<Item = String>) -> bool {
        allows(&self.message_types, &kind)
            && (self.ext_keys.is_empty() || ext_keys.any(|key| self.ext_keys.contains(&key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stentor_core::id::{RoomId, UserId};

    fn set(words: &[&str]) -> HashSet<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn user(name: &str) -> Target {
        Target::User(UserId::from_trusted(name))
    }

    fn group(name: &str) -> Target {
        Target::Group(RoomId::from_trusted(name))
    }

    #[test]
    fn without_lists_every_message_is_wanted() {
        let filter = Filter::default();
        assert!(filter.allows_message("a", &user("b"), Source::Rest));
        assert!(filter.allows_message("a", &group("1"), Source::Client));
        assert!(filter.allows_content(ContentType::Text, std::iter::empty()));
        assert!(!filter.wants(CallbackEvent::Chat));
    }

    #[test]
    fn lists_mean_what_the_console_says() {
        let from_and_to = Filter { from: set(&["a"]), to: set(&["b"]), ..Filter::default() };
        assert!(from_and_to.allows_message("a", &user("b"), Source::Rest));
        assert!(!from_and_to.allows_message("b", &user("a"), Source::Rest));
        assert!(!from_and_to.allows_message("a", &group("1"), Source::Rest), "only for messages to users");

        let in_group = Filter { groups: set(&["1"]), ..Filter::default() };
        assert!(in_group.allows_message("a", &group("1"), Source::Rest));
        assert!(!in_group.allows_message("a", &group("2"), Source::Rest));
        assert!(!in_group.allows_message("a", &user("1"), Source::Rest));

        let all = Filter { to: set(&["b"]), groups: set(&["1"]), ..Filter::default() };
        assert!(!all.allows_message("a", &user("b"), Source::Rest), "documented: both together match nothing");
        assert!(!all.allows_message("a", &group("1"), Source::Rest));
    }

    #[test]
    fn what_is_excluded_is_not_wanted() {
        let filter = Filter { exclude_from: set(&["bot"]), exclude_groups: set(&["9"]), ..Filter::default() };
        assert!(!filter.allows_message("bot", &user("b"), Source::Rest));
        assert!(!filter.allows_message("a", &group("9"), Source::Rest));
        assert!(filter.allows_message("a", &group("8"), Source::Rest));
        assert!(filter.allows_message("a", &user("9"), Source::Rest));
    }

    #[test]
    fn content_is_chosen_by_type_and_extension() {
        let filter = Filter {
            message_types: [ContentType::Image].into(),
            ext_keys: set(&["order"]),
            sources: [Source::Client].into(),
            chat_types: [ChatKind::Room].into(),
            ..Filter::default()
        };
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>().into_iter();
        assert!(filter.allows_content(ContentType::Image, keys(&["x", "order"])));
        assert!(!filter.allows_content(ContentType::Image, keys(&["x"])));
        assert!(!filter.allows_content(ContentType::Text, keys(&["order"])));
        assert!(!filter.allows_message("a", &user("b"), Source::Client));
        assert!(!filter.allows_message("a", &Target::Room(RoomId::from_trusted("1")), Source::Rest));
    }
}
