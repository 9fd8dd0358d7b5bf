//! Knows which callbacks have to come, and sees which do.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

use serde_json::Value;

use crate::crash::counts::Callbacks;
use crate::crash::oracle::Number;

/// What a callback tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Event {
    /// A message was sent.
    Sent,
    /// Its receiver was away.
    Away,
}

/// Which callback: there is one for each event, message and receiver.
type Key = (Event, Number, String);

/// A callback that came.
#[derive(Debug)]
struct Came {
    message_id: u64,
    call_id: String,
    /// Of the whole body.
    hash: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct CallbackLog {
    /// Those that have to come, with the message ID that they must have.
    owed: HashMap<Key, u64>,
    /// Of these, those that did not come yet.
    missing: HashSet<Key>,
    came: HashMap<Key, Came>,
    /// When the last one came.
    pub(super) last: Option<Instant>,
    pub(super) counts: Callbacks,
    pub(super) violations: Vec<String>,
}

impl CallbackLog {
    /// A message is durable, and with it its callback.
    pub(super) fn owe(&mut self, event: Event, number: Number, to: &str, message_id: u64) {
        let key = (event, number, to.to_owned());
        if self.owed.insert(key.clone(), message_id).is_some() {
            return;
        }
        self.counts.owed += 1;
        match self.came.get(&key) {
            None => drop(self.missing.insert(key)),
            Some(came) if came.message_id == message_id => {}
            Some(came) => self.violations.push(format!("{key:?} was told with {came:?}, its ID is {message_id}")),
        }
    }

    /// A callback came and is answered with 200. Returns the number of the message that it tells of.
    pub(super) fn came(&mut self, body: &Value) -> Option<Number> {
        let Some((key, came)) = read(body) else {
            self.violations.push(format!("a callback that does not make sense: {body}"));
            return None;
        };
        let number = key.1;
        self.last = Some(Instant::now());
        self.counts.came += 1;
        self.missing.remove(&key);
        if let Some(message_id) = self.owed.get(&key).filter(|message_id| **message_id != came.message_id) {
            self.violations.push(format!("{key:?} is told with {came:?}, its ID is {message_id}"));
        }
        match self.came.get(&key) {
            None => drop(self.came.insert(key, came)),
            Some(before) if (&before.call_id, before.hash) == (&came.call_id, came.hash) => self.counts.repeated += 1,
            Some(before) => self.violations.push(format!("{key:?} came as {before:?}, and again as {came:?}")),
        }
        Some(number)
    }

    /// How many have to come still.
    pub(super) fn missing(&self) -> usize {
        self.missing.len()
    }

    /// What did not come by now is lost.
    pub(super) fn settle(&mut self) {
        for key in std::mem::take(&mut self.missing) {
            let id = self.owed.get(&key).copied().unwrap_or_default();
            self.violations.push(format!("the backend was never told of {key:?}, message ID {id}"));
        }
    }
}

fn read(body: &Value) -> Option<(Key, Came)> {
    let event = match body["eventType"].as_str()? {
        "chat" => Event::Sent,
        "chat_offline" => Event::Away,
        _ => return None,
    };
    let text = body["payload"]["bodies"][0]["msg"].as_str()?;
    let number = text.split(':').next()?.parse().ok()?;
    let mut hasher = DefaultHasher::new();
    body.to_string().hash(&mut hasher);
    let came = Came {
        message_id: body["msg_id"].as_str()?.parse().ok()?,
        call_id: body["callId"].as_str()?.to_owned(),
        hash: hasher.finish(),
    };
    Some(((event, number, body["to"].as_str()?.to_owned()), came))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(event: &str, number: Number, message_id: u64, call: &str) -> Value {
        json!({
            "eventType": event, "msg_id": message_id.to_string(), "callId": call, "to": "bob",
            "payload": {"bodies": [{"msg": format!("{number}:xx")}]},
        })
    }

    fn found(log: &mut CallbackLog) -> usize {
        log.settle();
        std::mem::take(&mut log.violations).len()
    }

    #[test]
    fn what_came_is_not_missing_whenever_it_came() {
        let mut log = CallbackLog::default();
        log.owe(Event::Sent, 1, "bob", 10);
        assert_eq!(log.came(&body("chat", 1, 10, "a")), Some(1));
        log.came(&body("chat", 2, 11, "b"));
        log.owe(Event::Sent, 2, "bob", 11);
        log.owe(Event::Sent, 2, "bob", 11);
        assert_eq!((found(&mut log), log.counts.owed), (0, 2));
    }

    #[test]
    fn what_did_not_come_is_found_once() {
        let mut log = CallbackLog::default();
        log.owe(Event::Sent, 1, "bob", 10);
        log.owe(Event::Away, 1, "bob", 10);
        log.came(&body("chat", 1, 10, "a"));
        assert_eq!((log.missing(), found(&mut log), found(&mut log)), (1, 1, 0));
    }

    #[test]
    fn what_comes_again_must_be_the_same() {
        let mut log = CallbackLog::default();
        log.came(&body("chat", 1, 10, "a"));
        log.came(&body("chat", 1, 10, "a"));
        assert_eq!((found(&mut log), log.counts.repeated), (0, 1));
        log.came(&body("chat", 1, 10, "b"));
        assert_eq!(found(&mut log), 1, "another callId");
        log.came(&body("chat", 1, 11, "a"));
        assert_eq!(found(&mut log), 1, "another message ID");
    }

    #[test]
    fn another_id_than_the_answer_had_is_found() {
        let mut log = CallbackLog::default();
        log.owe(Event::Sent, 1, "bob", 10);
        log.came(&body("chat", 1, 11, "a"));
        assert_eq!(found(&mut log), 1);
        log.came(&body("chat_offline", 2, 12, "b"));
        log.owe(Event::Away, 2, "bob", 13);
        assert_eq!(found(&mut log), 1);
        assert_eq!(log.came(&json!({"eventType": "chat"})), None);
        assert_eq!(found(&mut log), 1, "no sense");
    }
}
