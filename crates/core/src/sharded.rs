//! A map in parts, each behind its own lock, so that cores seldom wait for each other.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};

use parking_lot::{Mutex, MutexGuard};

const SHARDS: u64 = 32;

/// A map in parts. A key's part is locked for compound steps on that key.
#[derive(Debug)]
pub(crate) struct Sharded<K, V> {
    shards: Vec<Mutex<HashMap<K, V>>>,
    hasher: RandomState,
}

impl<K, V> Default for Sharded<K, V> {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::new(HashMap::new())).collect(), hasher: RandomState::new() }
    }
}

impl<K: Hash + Eq, V> Sharded<K, V> {
    /// Locks the part that a key is in.
    pub(crate) fn lock(&self, key: &K) -> MutexGuard<'_, HashMap<K, V>> {
        let shard = usize::try_from(self.hasher.hash_one(key) % SHARDS).unwrap_or(0);
        self.shards[shard].lock()
    }

    /// What `of` makes of every value, part by part: not one moment's picture.
    pub(crate) fn collect<T>(&self, mut of: impl FnMut(&K, &V) -> T) -> Vec<T> {
        let mut all = Vec::new();
        for shard in &self.shards {
            all.extend(shard.lock().iter().map(|(key, value)| of(key, value)));
        }
        all
    }

    /// How many keys there are.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }
}
