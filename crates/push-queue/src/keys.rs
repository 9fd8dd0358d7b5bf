//! The keys of the queue's records: they order by time, and two runs of the process never make the same.

use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers the keys of one run.
#[derive(Debug)]
pub(crate) struct Numbers {
    /// Random.
    run: u64,
    next: AtomicU64,
}

impl Numbers {
    pub(crate) fn new(run: u64) -> Self {
        Self { run, next: AtomicU64::new(0) }
    }

    /// A key behind those of earlier times, and behind those of the same time that were made before.
    pub(crate) fn key(&self, due_ms: u64) -> String {
        format!("{due_ms:016x}{:016x}{:016x}", self.next.fetch_add(1, Ordering::Relaxed), self.run)
    }
}

/// How the keys of marks begin: behind those of messages that are due, whose first character is a digit or up to `f`.
pub(crate) const MARKS: &str = "look/";

/// Where the mark of a user stands: there is one at most.
pub(crate) fn mark_of(user: &str) -> String {
    format!("{MARKS}{user}")
}

/// When the record of this key is due: Unix time in milliseconds; at once if the key has another form.
pub(crate) fn due_ms(key: &str) -> u64 {
    key.get(..16).and_then(|due| u64::from_str_radix(due, 16).ok()).unwrap_or(0)
}

/// How the keys of a certificate's deliveries begin. Names may hold anything, a slash too.
pub(crate) fn queue_of(notifier: &str) -> String {
    let mut queue = String::with_capacity(notifier.len() + 1);
    for char in notifier.chars() {
        match char {
            '%' => queue.push_str("%25"),
            '/' => queue.push_str("%2f"),
            char => queue.push(char),
        }
    }
    queue.push('/');
    queue
}

/// The certificate, and the rest of the key of a delivery.
pub(crate) fn notifier_of(key: &str) -> Option<(String, &str)> {
    let (queue, rest) = key.split_once('/')?;
    Some((queue.replace("%2f", "/").replace("%25", "%"), rest))
}

/// A key behind every key of a certificate's deliveries: `0` is the character behind the slash.
pub(crate) fn behind(queue: &str) -> String {
    format!("{}0", queue.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_order_by_time_and_then_by_number() {
        let numbers = Numbers::new(u64::MAX);
        let keys: Vec<_> = [1, 1, 15, 16, 255, 256].map(|due| numbers.key(due)).into();
        assert!(keys.is_sorted());
        assert_eq!(keys.iter().map(|key| due_ms(key)).collect::<Vec<_>>(), [1, 1, 15, 16, 255, 256]);
        assert_eq!((due_ms("x"), due_ms("")), (0, 0));
    }

    #[test]
    fn any_name_has_a_queue_of_its_own() {
        let names = ["fcm", "fcm/2", "fcm%2f2", "50%", "50%25", "", "ä"];
        for name in names {
            let key = format!("{}0123", queue_of(name));
            assert_eq!(notifier_of(&key), Some((name.to_owned(), "0123")));
            assert!(key < behind(&queue_of(name)));
            assert_eq!(names.iter().filter(|other| key.starts_with(&queue_of(other))).count(), 1, "{name}");
        }
    }
}
