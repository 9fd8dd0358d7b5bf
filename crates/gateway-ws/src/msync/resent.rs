//! What clients sent lately, and what they were answered: a client that lost its connection sends what was not answered again,
//! under the number that it had, and it must not become another message.
//!
//! An item is the same if it is of the same device and has the same number and content. Bounded by [`MAX`] items of all
//! clients together, and by [`KEPT_MS`]; what is older is taken for another one. Only what was done is remembered.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::Shared;
use parking_lot::Mutex;
use stentor_core::id::{AppId, DeviceId, UserId};
use stentor_core::session::Session;

/// So many items are remembered.
pub const MAX: usize = 32_768;

/// For so long, in milliseconds.
pub const KEPT_MS: u64 = 600_000;

/// The frame that answers an item.
pub(crate) type Reply = Shared<Pin<Box<dyn Future<Output = Bytes> + Send>>>;

/// Which item of whom.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ItemKey {
    app: AppId,
    user: UserId,
    device: DeviceId,
    number: u64,
    content: u64,
}

/// The items of all clients of a gateway.
#[derive(Default)]
pub(crate) struct Resent {
    seed: RandomState,
    items: Mutex<Items>,
}

impl fmt::Debug for Resent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resent").field("items", &self.items.lock().replies.len()).finish()
    }
}

#[derive(Default)]
struct Items {
    replies: HashMap<ItemKey, Reply>,
    /// The oldest first, and since when.
    order: VecDeque<(ItemKey, u64)>,
}

impl Items {
    fn forget_old(&mut self, now_ms: u64) {
        while let Some((key, since_ms)) = self.order.front()
            && (self.order.len() >= MAX || since_ms + KEPT_MS <= now_ms)
        {
            self.replies.remove(key);
            self.order.pop_front();
        }
    }
}

impl Resent {
    /// The key of an item; `parts` are what it is.
    pub(crate) fn key(&self, session: &Session, number: u64, parts: &[&[u8]]) -> ItemKey {
        ItemKey {
            app: session.app().id().clone(),
            user: session.user().clone(),
            device: session.device().clone(),
            number,
            content: self.seed.hash_one(parts),
        }
    }

    /// The answer to an item: that of the first time, or what `begin` makes of it.
    pub(crate) fn reply<F>(&self, key: &ItemKey, now_ms: u64, begin: impl FnOnce() -> F) -> Again
    where
        F: Future<Output = Bytes> + Send + 'static,
    {
        let mut items = self.items.lock();
        items.forget_old(now_ms);
        if let Some(reply) = items.replies.get(key) {
            return Again::Known(reply.clone());
        }
        let reply: Reply = (Box::pin(begin()) as Pin<Box<dyn Future<Output = Bytes> + Send>>).shared();
        items.order.push_back((key.clone(), now_ms));
        items.replies.insert(key.clone(), reply.clone());
        Again::New(reply)
    }

    /// It was not done: who sends it again asks anew.
    pub(crate) fn forget(&self, key: &ItemKey) {
        let mut items = self.items.lock();
        items.replies.remove(key);
        // It must not take the place of what was done; it is among the newest.
        if let Some(at) = items.order.iter().rposition(|(known, _)| known == key) {
            items.order.remove(at);
        }
    }

    /// Forgets everything: answers that are still waited for hold the gateway.
    pub(crate) fn clear(&self) {
        let items = std::mem::take(&mut *self.items.lock());
        drop(items);
    }
}

/// Whether an item came before.
pub(crate) enum Again {
    /// It did.
    Known(Reply),
    /// It did not; nothing was done of it yet.
    New(Reply),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> ItemKey {
        ItemKey {
            app: AppId::from_trusted("acme#demo"),
            user: UserId::from_trusted("bob"),
            device: DeviceId::from_trusted("web"),
            number,
            content: 7,
        }
    }

    fn is_new(resent: &Resent, number: u64, now_ms: u64) -> bool {
        let answer = Bytes::from(number.to_string());
        match resent.reply(&key(number), now_ms, || std::future::ready(answer.clone())) {
            Again::New(reply) => {
                assert_eq!(reply.now_or_never(), Some(answer));
                true
            }
            Again::Known(reply) => {
                assert_eq!(reply.now_or_never(), Some(answer));
                false
            }
        }
    }

    #[test]
    fn an_item_is_known_for_a_while() {
        let resent = Resent::default();
        assert!(is_new(&resent, 1, 0));
        assert!(is_new(&resent, 2, 0));
        assert!(!is_new(&resent, 1, KEPT_MS - 1));
        assert!(is_new(&resent, 1, KEPT_MS));
        resent.forget(&key(1));
        assert!(is_new(&resent, 1, KEPT_MS));
        resent.clear();
        assert!(is_new(&resent, 1, KEPT_MS));
    }

    #[test]
    fn what_was_not_done_takes_nobody_s_place() {
        let resent = Resent::default();
        assert!(is_new(&resent, 1, 0));
        for number in 2..3 * MAX as u64 {
            assert!(is_new(&resent, number, 0));
            resent.forget(&key(number));
        }
        assert!(!is_new(&resent, 1, 0));
    }

    #[test]
    fn the_oldest_give_way() {
        let resent = Resent::default();
        for number in 0..=MAX as u64 {
            assert!(is_new(&resent, number, 0));
        }
        assert_eq!(resent.items.lock().order.len(), MAX);
        assert!(!is_new(&resent, MAX as u64, 0));
        assert!(is_new(&resent, 0, 0));
        assert!(is_new(&resent, 1, 0), "it gave way to the one before");
    }
}
