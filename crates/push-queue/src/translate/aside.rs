//! Messages that are being translated, beside the decider: it goes on with others, and comes back to them when the
//! translations are there.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parking_lot::Mutex;
use stentor_core::id::MessageId;
use stentor_core::push::Translation;

/// Messages that are translated at a time, or whose translations wait to be used. A message beyond it is pushed as its
/// sender wrote it. Ours.
const MAX_MESSAGES: usize = 256;

/// Due records that wait for one message: each is of up to 500 receivers, or of one whose inbox was looked into. Ours.
const MAX_WAITERS: usize = 64;

/// What became of a message's translations.
#[derive(Debug, Clone)]
enum State {
    /// The translator is asked. The due records that wait for it.
    Asked(Vec<String>),
    /// These are there.
    There(Arc<[Translation]>),
}

#[derive(Debug)]
struct One {
    /// When it is not waited for any more: Unix time in milliseconds.
    until_ms: u64,
    state: State,
}

/// The messages. What is forgotten here (a restart) is pushed as its sender wrote it.
#[derive(Debug, Default)]
pub(crate) struct Aside {
    messages: Mutex<HashMap<MessageId, One>>,
    ready: Mutex<HashSet<String>>,
}

/// Whether a message can wait for its translations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waits {
    /// Whoever asked first asks the translator.
    First,
    /// The translator is asked already.
    Too,
    /// There is no place.
    Not,
}

impl Aside {
    /// The due record `key` wants to wait for a message's translations, at most until `until_ms`.
    pub(crate) fn wait(&self, message: MessageId, key: &str, now_ms: u64, until_ms: u64) -> Waits {
        let mut messages = self.messages.lock();
        if let Some(One { state: State::Asked(keys), .. }) = messages.get_mut(&message) {
            if keys.len() >= MAX_WAITERS {
                return Waits::Not;
            }
            keys.push(key.to_owned());
            return Waits::Too;
        }
        messages.retain(|_, one| one.until_ms > now_ms);
        if messages.len() >= MAX_MESSAGES {
            return Waits::Not;
        }
        messages.insert(message, One { until_ms, state: State::Asked(vec![key.to_owned()]) });
        Waits::First
    }

    /// The translations of a message are there, as far as there are any: who waits for them is ready.
    pub(crate) fn settle(&self, message: MessageId, translations: Vec<Translation>) {
        let mut messages = self.messages.lock();
        let Some(one) = messages.get_mut(&message) else { return };
        if let State::Asked(keys) = std::mem::replace(&mut one.state, State::There(translations.into())) {
            self.ready.lock().extend(keys);
        }
    }

    /// The translations of a message, if they are there.
    pub(crate) fn of(&self, message: MessageId) -> Option<Arc<[Translation]>> {
        match &self.messages.lock().get(&message)?.state {
            State::There(translations) => Some(translations.clone()),
            State::Asked(_) => None,
        }
    }

    /// The due records that have what they waited for, at most `limit`.
    pub(crate) fn take_ready(&self, limit: usize) -> Vec<String> {
        let mut ready = self.ready.lock();
        let keys: Vec<_> = ready.iter().take(limit).cloned().collect();
        for key in &keys {
            ready.remove(key);
        }
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_is_ready_once_and_places_come_free_with_time() {
        let aside = Aside::default();
        let id = MessageId;
        assert_eq!(aside.wait(id(1), "a", 0, 10), Waits::First);
        assert_eq!(aside.wait(id(1), "b", 0, 10), Waits::Too);
        assert!(aside.of(id(1)).is_none() && aside.take_ready(9).is_empty());
        aside.settle(id(1), vec![Translation { language: "de".to_owned(), text: "x".to_owned() }]);
        assert_eq!(aside.of(id(1)).map(|found| found.len()), Some(1));
        assert_eq!(aside.take_ready(1).len() + aside.take_ready(9).len(), 2);
        assert!(aside.take_ready(9).is_empty());
        aside.settle(id(7), Vec::new());
        assert_eq!(aside.wait(id(0), "0", 0, 5), Waits::First);
        let waits: Vec<_> = (1..=MAX_WAITERS).map(|key| aside.wait(id(0), &key.to_string(), 0, 5)).collect();
        assert_eq!((waits[MAX_WAITERS - 2], waits[MAX_WAITERS - 1]), (Waits::Too, Waits::Not));
        for number in 2..MAX_MESSAGES as u64 {
            assert_eq!(aside.wait(id(number), "k", 0, 10), Waits::First);
        }
        assert_eq!(aside.wait(id(1000), "k", 4, 14), Waits::Not);
        assert_eq!(aside.wait(id(1000), "k", 5, 15), Waits::First);
    }
}
