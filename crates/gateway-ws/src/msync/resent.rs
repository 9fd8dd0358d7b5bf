//! What clients sent lately, and what they were answered: a client that lost its connection sends what was not answered again,
//! under the number that it had, and it must not become another message.
//!
//! An item is the same if it is of the same device of the same user and has the same number and content; the connection and the
//! session do not matter. What is older than [`KEPT_MS`] is taken for another one. Only what was done is remembered.
//!
//! Each app has a memory of its own, bounded twice. A device has as many items as it may send in [`AT_HAND_MS`]: whoever waits
//! longer for an answer has given up its connection, so a device that says much makes nobody else's be forgotten. And
//! the app has [`ITEMS`] unless configured otherwise; beyond that, the device that has said nothing for the longest time is forgotten. What is
//! forgotten before its time is counted.
//!
//! What became a message that is kept is written beside it, and read at the start: then it is known over a crash, too.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::Shared;
use parking_lot::Mutex;
use sha1::{Digest, Sha1};
use stentor_core::app::App;
pub use stentor_core::delivery::sent_items::KEPT_MS;
use stentor_core::delivery::sent_items::{BecameMessage, SentItem};
use stentor_core::id::{AppId, DeviceId, UserId};
use stentor_core::limits::{Rate, Rule};
use stentor_core::session::Session;

use crate::counters::{Counters, add};

/// So many items of an app are remembered: a thousand a second for [`KEPT_MS`]. About 64 bytes each.
pub const ITEMS: usize = 600_000;

/// A device's newest items: as many as it may send in so long, in milliseconds. The SDKs wait for an answer for 15 s, and then
/// for another connection.
pub const AT_HAND_MS: u64 = 20_000;

/// And at least so many, which may be sent at once.
const AT_HAND_LEAST: u64 = 256;

/// Of an app that does not limit how often a client sends.
const AT_HAND_UNLIMITED: u64 = 20_000;

/// The frame that answers an item.
pub(crate) type Reply = Shared<Pin<Box<dyn Future<Output = Bytes> + Send>>>;

type Place = (UserId, DeviceId);

/// Which item of whom.
#[derive(Debug, Clone)]
pub(crate) struct ItemKey {
    app: AppId,
    place: Place,
    number: u64,
    content: u64,
}

impl ItemKey {
    /// The same for the core, which remembers it over a restart.
    pub(crate) fn item(&self) -> SentItem {
        let (user, device) = self.place.clone();
        SentItem { user, device, number: self.number, content: self.content }
    }
}

/// What an item that was done was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Done {
    /// The number of the message that it became; 0 if it became none.
    pub(crate) server_id: u64,
    /// When: Unix time in milliseconds.
    pub(crate) at_ms: u64,
}

/// Whether an item came before.
pub(crate) enum Again {
    /// It did, and was done.
    Done(Done),
    /// It did, and is being done.
    Asked(Reply),
    /// It did not; nothing was done of it yet.
    New(Reply),
}

/// The items of all clients of a gateway.
pub(crate) struct Resent {
    apps: HashMap<AppId, Mutex<Items>>,
    counters: Arc<Counters>,
}

impl fmt::Debug for Resent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count: usize = self.apps.values().map(|items| items.lock().count).sum();
        f.debug_struct("Resent").field("items", &count).finish_non_exhaustive()
    }
}

impl Resent {
    /// For these apps, each of which has so many items remembered.
    pub(crate) fn new<'a>(apps: impl Iterator<Item = &'a Arc<App>>, items: usize, counters: &Arc<Counters>) -> Self {
        let of = |app: &'a Arc<App>| (app.id().clone(), Mutex::new(Items::new(items, at_hand(&app.policy().rates))));
        Self { apps: apps.map(of).collect(), counters: Arc::clone(counters) }
    }

    /// The key of an item; `parts` are what it is.
    pub(crate) fn key(session: &Session, number: u64, parts: &[&[u8]]) -> ItemKey {
        let place = (session.user().clone(), session.device().clone());
        ItemKey { app: session.app().id().clone(), place, number, content: digest(parts) }
    }

    /// The answer to an item: that of the first time, or what `begin` makes of it.
    pub(crate) fn reply<F>(&self, key: &ItemKey, now_ms: u64, begin: impl FnOnce() -> F) -> Again
    where
        F: Future<Output = Bytes> + Send + 'static,
    {
        let begin = || (Box::pin(begin()) as Pin<Box<dyn Future<Output = Bytes> + Send>>).shared();
        // Nobody is logged in to an app that is not there.
        let Some(items) = self.apps.get(&key.app) else { return Again::New(begin()) };
        let (again, forgotten) = {
            let mut items = items.lock();
            let again = match items.find(key) {
                Some(State::Done(done)) => Again::Done(*done),
                Some(State::Asked(reply)) => Again::Asked(reply.clone()),
                None => {
                    let reply = begin();
                    items.insert(key, State::Asked(reply.clone()), now_ms);
                    Again::New(reply)
                }
            };
            (again, std::mem::take(&mut items.forgotten))
        };
        add(&self.counters.resent_forgotten_of_device, forgotten.of_device);
        add(&self.counters.resent_forgotten_of_app, forgotten.of_app);
        again
    }

    /// It was done: who sends it again has this answer.
    pub(crate) fn done(&self, key: &ItemKey, done: Done) {
        if let Some(items) = self.apps.get(&key.app)
            && let Some(state) = items.lock().find(key)
        {
            *state = State::Done(done);
        }
    }

    /// Remembers what became messages before the process began, the newest first. `wall_ms` and `now_ms`
    /// are the same moment on either clock.
    pub(crate) fn remember(&self, app: &AppId, became: Vec<BecameMessage>, wall_ms: u64, now_ms: u64) {
        let Some(items) = self.apps.get(app) else { return };
        let mut items = items.lock();
        for BecameMessage { item, id, sent_at_ms } in became.into_iter().rev() {
            let SentItem { user, device, number, content } = item;
            let key = ItemKey { app: app.clone(), place: (user, device), number, content };
            let done = Done { server_id: id.0, at_ms: sent_at_ms };
            items.insert(&key, State::Done(done), now_ms.saturating_sub(wall_ms.saturating_sub(sent_at_ms)));
        }
    }

    /// It was not done: who sends it again asks anew.
    pub(crate) fn forget(&self, key: &ItemKey) {
        if let Some(items) = self.apps.get(&key.app) {
            items.lock().forget(key);
        }
    }

    /// Forgets everything: answers that are still waited for hold the gateway.
    pub(crate) fn clear(&self) {
        for items in self.apps.values() {
            let mut items = items.lock();
            let empty = Items::new(items.max, items.max_of_device);
            drop(std::mem::replace(&mut *items, empty));
        }
    }
}

/// How many of a device's items are remembered.
fn at_hand(rates: &[(Rule, Rate)]) -> usize {
    let rate = rates.iter().rev().find(|(rule, _)| *rule == Rule::ClientSends);
    let items = rate.map_or(AT_HAND_UNLIMITED, |(_, rate)| {
        (u64::from(rate.count) * AT_HAND_MS).div_ceil(u64::from(rate.window_ms.max(1)))
    });
    usize::try_from(items.clamp(AT_HAND_LEAST, AT_HAND_UNLIMITED)).unwrap_or(usize::MAX)
}

/// What an item is, in short. Whoever finds two that have the same harms nobody else.
fn digest(parts: &[&[u8]]) -> u64 {
    let mut sha1 = Sha1::new();
    for part in parts {
        sha1.update((part.len() as u64).to_be_bytes());
        sha1.update(part);
    }
    let [a, b, c, d, e, f, g, h, ..] = <[u8; 20]>::from(sha1.finalize());
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[derive(Debug, Default)]
struct Forgotten {
    of_device: usize,
    of_app: usize,
}

/// The items of an app.
struct Items {
    devices: HashMap<Place, Device>,
    /// Every device by its turn: who has said nothing for the longest time is first.
    order: BTreeMap<u64, Place>,
    next_turn: u64,
    /// Of all devices.
    count: usize,
    max: usize,
    max_of_device: usize,
    /// Before their time, since that was looked at last.
    forgotten: Forgotten,
}

#[derive(Default)]
struct Device {
    /// In the order in which they came.
    items: VecDeque<Item>,
    /// When it said something last, and its place in the order.
    last_ms: u64,
    turn: u64,
    /// The highest number so far: what has a higher one is new.
    newest: u64,
}

struct Item {
    number: u64,
    content: u64,
    at_ms: u64,
    state: State,
}

enum State {
    Asked(Reply),
    Done(Done),
}

impl Items {
    fn new(max: usize, max_of_device: usize) -> Self {
        let (devices, order) = (HashMap::new(), BTreeMap::new());
        Self { devices, order, next_turn: 0, count: 0, max, max_of_device, forgotten: Forgotten::default() }
    }

    fn find(&mut self, key: &ItemKey) -> Option<&mut State> {
        let device = self.devices.get_mut(&key.place)?;
        if key.number > device.newest {
            return None;
        }
        let at = device.items.iter().rposition(|item| item.is(key))?;
        Some(&mut device.items[at].state)
    }

    fn insert(&mut self, key: &ItemKey, state: State, now_ms: u64) {
        // Of those that have said nothing for long, two go for each that says something.
        for _ in 0..2 {
            if self.first().is_some_and(|device| device.last_ms + KEPT_MS <= now_ms) {
                self.forget_the_first(now_ms);
            }
        }
        let device = self.devices.entry(key.place.clone()).or_default();
        while device.items.front().is_some_and(|item| item.is_old(now_ms)) {
            device.items.pop_front();
            self.count -= 1;
        }
        if device.items.len() >= self.max_of_device {
            device.items.pop_front();
            self.count -= 1;
            self.forgotten.of_device += 1;
        }
        device.items.push_back(Item { number: key.number, content: key.content, at_ms: now_ms, state });
        self.count += 1;
        self.order.remove(&device.turn);
        self.next_turn += 1;
        (device.last_ms, device.newest, device.turn) = (now_ms, device.newest.max(key.number), self.next_turn);
        self.order.insert(self.next_turn, key.place.clone());
        // It stands last itself.
        while self.count > self.max && self.order.len() > 1 {
            self.forget_the_first(now_ms);
        }
    }

    /// The device that has said nothing for the longest time.
    fn first(&self) -> Option<&Device> {
        self.order.first_key_value().and_then(|(_, place)| self.devices.get(place))
    }

    fn forget_the_first(&mut self, now_ms: u64) {
        if let Some((_, place)) = self.order.pop_first()
            && let Some(device) = self.devices.remove(&place)
        {
            self.count -= device.items.len();
            self.forgotten.of_app += device.items.iter().filter(|item| !item.is_old(now_ms)).count();
        }
    }

    fn forget(&mut self, key: &ItemKey) {
        if let Some(device) = self.devices.get_mut(&key.place)
            && let Some(at) = device.items.iter().rposition(|item| item.is(key))
        {
            device.items.remove(at);
            self.count -= 1;
            // Whoever is always refused takes no place.
            if device.items.is_empty() {
                self.order.remove(&device.turn);
                self.devices.remove(&key.place);
            }
        }
    }
}

impl Item {
    fn is(&self, key: &ItemKey) -> bool {
        self.number == key.number && self.content == key.content
    }

    fn is_old(&self, now_ms: u64) -> bool {
        self.at_ms + KEPT_MS <= now_ms
    }
}

#[cfg(test)]
mod tests;
