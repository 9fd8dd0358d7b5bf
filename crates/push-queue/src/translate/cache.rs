//! The latest translations, so that a text to a group is not translated for each step of its receivers, nor one that is
//! said again.

use std::collections::{HashMap, VecDeque};

use aws_lc_rs::digest::{SHA256, digest};

/// A text and a language, as a key of a fixed size.
type Key = [u8; 32];

/// So many translations; the oldest makes room.
#[derive(Debug)]
pub(super) struct Cache {
    entries: usize,
    found: HashMap<Key, String>,
    order: VecDeque<Key>,
}

fn key(text: &str, source: &str, target: &str) -> Key {
    // No code has a line break.
    let mut key = [0; 32];
    key.copy_from_slice(digest(&SHA256, format!("{source}\n{target}\n{text}").as_bytes()).as_ref());
    key
}

impl Cache {
    pub(super) fn new(entries: usize) -> Self {
        Self { entries, found: HashMap::new(), order: VecDeque::new() }
    }

    pub(super) fn get(&self, text: &str, source: &str, target: &str) -> Option<String> {
        self.found.get(&key(text, source, target)).cloned()
    }

    pub(super) fn put(&mut self, text: &str, source: &str, target: &str, translation: &str) {
        let key = key(text, source, target);
        if self.entries == 0 || self.found.insert(key, translation.to_owned()).is_some() {
            return;
        }
        self.order.push_back(key);
        while self.order.len() > self.entries {
            if let Some(oldest) = self.order.pop_front() {
                self.found.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room() {
        let mut cache = Cache::new(2);
        cache.put("hi", "auto", "de", "hallo");
        cache.put("hi", "auto", "fr", "salut");
        cache.put("hi", "auto", "fr", "bonjour");
        assert_eq!(cache.get("hi", "auto", "de").as_deref(), Some("hallo"));
        assert_eq!(cache.get("hi", "auto", "fr").as_deref(), Some("bonjour"));
        cache.put("hi", "en", "de", "hej");
        assert_eq!((cache.get("hi", "auto", "de"), cache.found.len(), cache.order.len()), (None, 2, 2));
        let mut none = Cache::new(0);
        none.put("hi", "auto", "de", "hallo");
        assert_eq!((none.get("hi", "auto", "de"), none.found.len()), (None, 0));
    }
}
