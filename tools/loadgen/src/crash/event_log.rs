//! Reads the pulled events as a story: who comes must go, once, before coming again.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use crate::stentor::request::Events;

/// Who, and in which channel if it is about that.
pub(super) type Subject = (String, Option<String>);

#[derive(Debug)]
struct Story {
    /// Whether the last event said that the user is there. Unknown after events were lost.
    there: Option<bool>,
    last_ms: u64,
    /// Comings since the log was last settled: tried by a client, confirmed to it, and pulled.
    tried: u64,
    confirmed: u64,
    pulled: u64,
}

impl Default for Story {
    fn default() -> Self {
        Self { there: Some(false), last_ms: 0, tried: 0, confirmed: 0, pulled: 0 }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct EventLog {
    stories: BTreeMap<Subject, Story>,
    /// Queues with a pull whose answer was lost.
    torn: HashSet<Events>,
    /// Events that were pulled.
    pub(super) events: u64,
    /// Pulls whose answer was lost.
    pub(super) pulls_lost: u64,
    pub(super) violations: Vec<String>,
}

impl EventLog {
    /// A client is about to log in or join.
    pub(super) fn trying(&mut self, user: &str, channel: Option<&str>) {
        self.story(user, channel).tried += 1;
    }

    /// The client was told that it is in.
    pub(super) fn confirmed(&mut self, user: &str, channel: Option<&str>) {
        self.story(user, channel).confirmed += 1;
    }

    fn story(&mut self, user: &str, channel: Option<&str>) -> &mut Story {
        self.stories.entry((user.to_owned(), channel.map(str::to_owned))).or_default()
    }

    /// Takes the events of a pull, in their order. Returns how many there were.
    pub(super) fn pulled(&mut self, kind: Events, answer: &Value) -> usize {
        let Some(events) = answer["events"].as_array() else {
            self.violations.push(format!("a pull without events: {answer}"));
            return 0;
        };
        for event in events {
            self.event(kind, event);
        }
        self.events += events.len() as u64;
        events.len()
    }

    fn event(&mut self, kind: Events, event: &Value) {
        let (user, channel) = (event["user_id"].as_str(), event["channel_id"].as_str());
        let (Some(user), Some(ms), Some(what)) = (user, event["ms"].as_u64(), event["type"].as_str()) else {
            self.violations.push(format!("an event that does not make sense: {event}"));
            return;
        };
        let comes = match (kind, channel, what) {
            (Events::User, None, "Login") | (Events::Channel, Some(_), "Join") => true,
            (Events::User, None, "Logout") | (Events::Channel, Some(_), "Leave") => false,
            _ => {
                self.violations.push(format!("an event in the wrong queue: {event}"));
                return;
            }
        };
        let subject = (user.to_owned(), channel.map(str::to_owned));
        let Some(story) = self.stories.get_mut(&subject) else {
            self.violations.push(format!("an event of somebody who was never there: {event}"));
            return;
        };
        let (again, backwards) = (story.there == Some(comes), ms < story.last_ms);
        let last_ms = story.last_ms;
        story.there = Some(comes);
        story.last_ms = ms;
        story.pulled += u64::from(comes);
        if again {
            self.violations.push(format!("{what} follows {what}: {event}"));
        }
        if backwards {
            // Pulled twice, or out of order. A time alone does not tell one event from another: somebody who is
            // replaced by himself and logs out makes two Logouts in one millisecond.
            self.violations.push(format!("an event is older than the one before it, of {last_ms}: {event}"));
        }
    }

    /// The answer to a pull was lost, and with it perhaps events.
    pub(super) fn lost(&mut self, kind: Events) {
        self.pulls_lost += 1;
        self.torn.insert(kind);
        for ((_, channel), story) in &mut self.stories {
            if channel.is_some() == (kind == Events::Channel) {
                story.there = None;
            }
        }
    }

    /// Whether events were lost since the log was last settled.
    pub(super) fn is_torn(&self) -> bool {
        !self.torn.is_empty()
    }

    /// Who is there, as far as events tell.
    pub(super) fn present(&self) -> Vec<&Subject> {
        self.stories.iter().filter(|(_, story)| story.there == Some(true)).map(|(subject, _)| subject).collect()
    }

    /// The queues are empty and everybody should be gone: checks that, and begins anew.
    pub(super) fn settle(&mut self) {
        let present: Vec<String> = self.present().iter().map(|subject| format!("{subject:?}")).collect();
        for subject in present {
            self.violations.push(format!("{subject} came and never left"));
        }
        for ((user, channel), story) in &mut self.stories {
            let kind = if channel.is_some() { Events::Channel } else { Events::User };
            let least = if self.torn.contains(&kind) { 0 } else { story.confirmed };
            if !(least..=story.tried).contains(&story.pulled) {
                let (tried, pulled) = (story.tried, story.pulled);
                self.violations.push(format!(
                    "{user} came {least} times for certain and {tried} times at most (channel: {channel:?}), but \
                     {pulled} events say so"
                ));
            }
            *story = Story { last_ms: story.last_ms, ..Story::default() };
        }
        self.torn.clear();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pull(log: &mut EventLog, events: &[(&str, u64)]) {
        let events: Vec<_> =
            events.iter().map(|(what, ms)| json!({"user_id": "u", "type": what, "ms": ms, "ts": ms})).collect();
        log.pulled(Events::User, &json!({"events": events}));
    }

    fn log() -> EventLog {
        let mut log = EventLog::default();
        log.trying("u", None);
        log.confirmed("u", None);
        log
    }

    #[test]
    fn coming_and_going_is_fine() {
        let mut log = log();
        pull(&mut log, &[("Login", 1), ("Logout", 2)]);
        log.settle();
        assert!(log.violations.is_empty(), "{:?}", log.violations);
    }

    #[test]
    fn what_is_wrong_is_found() {
        for events in [
            &[("Login", 1)][..],
            &[],
            &[("Login", 1), ("Logout", 2), ("Logout", 3)],
            &[("Login", 1), ("Login", 2), ("Logout", 3)],
            &[("Login", 1), ("Logout", 2), ("Login", 3), ("Logout", 4)],
            &[("Login", 1), ("Login", 1), ("Logout", 2)],
            &[("Login", 1), ("Logout", 2), ("Login", 1), ("Logout", 2)],
            &[("Login", 3), ("Logout", 2)],
            &[("Join", 1), ("Leave", 2)],
        ] {
            let mut log = log();
            pull(&mut log, events);
            log.settle();
            assert!(!log.violations.is_empty(), "{events:?}");
        }
    }

    #[test]
    fn after_a_lost_answer_a_story_may_go_on_anywhere() {
        let mut log = log();
        log.lost(Events::User);
        pull(&mut log, &[("Logout", 2)]);
        log.settle();
        assert!(log.violations.is_empty(), "{:?}", log.violations);
    }
}
