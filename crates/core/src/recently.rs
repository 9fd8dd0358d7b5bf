//! A bounded map that forgets what was not used for longest, roughly: in two halves, of which the older one goes when the
//! newer one is full.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// Values that were used recently: at least `half` of them, and at most twice as many.
#[derive(Debug)]
pub(crate) struct Recently<K, V> {
    half: usize,
    newer: HashMap<K, V>,
    older: HashMap<K, V>,
}

impl<K: Eq + Hash, V> Recently<K, V> {
    pub(crate) fn new(half: usize) -> Self {
        Self { half: half.max(1), newer: HashMap::new(), older: HashMap::new() }
    }

    /// Whether a value is here; that is no use of it.
    pub(crate) fn contains<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.peek(key).is_some()
    }

    /// A value; that is no use of it.
    pub(crate) fn peek<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.newer.get(key).or_else(|| self.older.get(key))
    }

    /// Puts a value in, in the place of the one before.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.older.remove(&key);
        if self.newer.len() >= self.half && !self.newer.contains_key(&key) {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(key, value);
    }

    /// Takes a value out.
    pub(crate) fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.newer.remove(key).or_else(|| self.older.remove(key))
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.newer.len() + self.older.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten() {
        let mut recently = Recently::new(10);
        for number in 0..25u32 {
            recently.insert(number, number * 2);
            assert!(recently.len() <= 20);
            assert!((number.saturating_sub(9)..=number).all(|kept| recently.peek(&kept) == Some(&(kept * 2))));
        }
        assert!(!recently.contains(&0));
        recently.insert(24, 0);
        assert_eq!((recently.remove(&24), recently.remove(&24)), (Some(0), None));
    }

    #[test]
    fn what_is_put_in_again_is_there_once() {
        let mut recently = Recently::new(2);
        for key in [1, 2, 3, 1] {
            recently.insert(key, key);
        }
        assert_eq!(recently.len(), 3);
        recently.insert(4, 4);
        recently.insert(1, 9);
        assert_eq!(recently.peek(&1), Some(&9));
    }
}
