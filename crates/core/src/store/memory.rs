//! The executable specification of the store: what every engine must do, in the fewest words, and a store for
//! tests. Nothing survives the process. Every call does its whole work before it returns; futures are ready.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::{
    Amended, Arrival, Change, Changed, Commit, EventStore, HistoryFilter, HistoryPage, HistoryStore, InboxReader,
    InboxStore, Keep, KeepInInbox, OpenSession, RecordStore, Scan, Store, StoreError, StoreHealth,
};
use crate::events::{Event, EventKind, EventType, Transition};
use crate::id::{AppId, DeviceId, MessageId, SessionId, UserId};
use crate::message::{Marks, Message, Target};
use crate::records::RecordKind;

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What waits while a test holds the store.
    held: Option<VecDeque<Held>>,
    /// So many more writes are taken.
    writes_left: Option<u64>,
    closed: bool,
    writes: u64,
    newest: Option<MessageId>,
    inboxes: HashMap<(AppId, UserId), Inbox>,
    history: HashMap<AppId, BTreeMap<MessageId, Kept>>,
    sessions: BTreeMap<(AppId, SessionId), OpenSession>,
    events: HashMap<(AppId, EventKind), VecDeque<Event>>,
    records: BTreeMap<(AppId, RecordKind), BTreeMap<String, Bytes>>,
}

/// Something that is to be done.
struct Held(Box<dyn FnOnce(&mut State) + Send>);

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}

#[derive(Debug, Default)]
struct Inbox {
    /// The registered devices, and when they were seen.
    devices: BTreeMap<DeviceId, u64>,
    messages: BTreeMap<MessageId, Unacked>,
}

#[derive(Debug)]
struct Unacked {
    message: Arc<Message>,
    expires_at_ms: u64,
    acked_by: BTreeSet<DeviceId>,
}

#[derive(Debug)]
struct Kept {
    message: Arc<Message>,
    expires_at_ms: u64,
    hidden_from: BTreeSet<UserId>,
}

impl Inbox {
    fn open(&mut self, device: &DeviceId, at_ms: u64) {
        if *device == DeviceId::only() {
            return;
        }
        if !self.devices.contains_key(device) {
            for message in self.messages.values_mut().filter(|m| !m.acked_by.is_empty()) {
                message.acked_by.insert(device.clone());
            }
        }
        let seen = self.devices.entry(device.clone()).or_default();
        *seen = at_ms.max(*seen);
    }

    /// Forgets devices above the bound.
    fn bound(&mut self, device: &DeviceId, arrival: &Arrival) {
        let stays = |known: &&DeviceId| *known == device || arrival.present.contains(known);
        while self.devices.len() > arrival.max {
            let others = self.devices.iter().filter(|(known, _)| !stays(known));
            let Some((_, idle)) = others.map(|(known, seen)| (*seen, known.clone())).min() else { return };
            self.forget(&idle);
        }
    }

    fn forget(&mut self, device: &DeviceId) -> usize {
        if self.devices.remove(device).is_none() {
            return 0;
        }
        let before = self.messages.len();
        let devices = &self.devices;
        self.messages.retain(|_, message| message.is_wanted(devices));
        before - self.messages.len()
    }

    /// A device that has not opened the inbox sees what it would see if it opened it now.
    fn unread(&self, message: &Unacked, device: &DeviceId) -> bool {
        if self.devices.contains_key(device) { !message.acked_by.contains(device) } else { message.waits() }
    }
}

impl Unacked {
    /// Whether no device has it.
    fn waits(&self) -> bool {
        self.acked_by.is_empty()
    }

    /// Whether any device still has to ack it.
    fn is_wanted(&self, devices: &BTreeMap<DeviceId, u64>) -> bool {
        self.waits() || devices.keys().any(|device| !self.acked_by.contains(device))
    }
}

impl State {
    fn keep(&mut self, keep: Keep) {
        let Keep { app, message, inbox, history, changes } = keep;
        let inbox = inbox.filter(|inbox| !inbox.cancelled.is_cancelled());
        if inbox.is_some() || history.is_some() {
            self.newest = self.newest.max(Some(message.id));
        }
        self.apply_changes(&app, changes);
        // An ID always means the same message: as it is now, if it was amended.
        let message = self.places(&app, message.id).next().map_or(message, |kept| kept.clone());
        if let Some(inbox) = inbox {
            self.enter(&app, &message, &inbox);
        }
        if let Some(history) = history {
            let kept = self.history.entry(app).or_default();
            let expires_at_ms = history.expires_at_ms;
            let hidden_from = history.hidden_from.into_iter().collect();
            kept.entry(message.id).or_insert_with(|| Kept { message: message.clone(), expires_at_ms, hidden_from });
            while bytes_of(kept) > history.max_bytes {
                kept.pop_first();
            }
        }
    }

    fn enter(&mut self, app: &AppId, message: &Arc<Message>, how: &KeepInInbox) {
        for user in &how.users {
            let inbox = self.inboxes.entry((app.clone(), user.clone())).or_default();
            let had_by = how.had_by.as_ref().filter(|(of, _)| of == user).map(|(_, device)| device);
            if had_by.is_some_and(|device| inbox.devices.keys().all(|other| other == device)) {
                continue;
            }
            let (message, expires_at_ms) = (message.clone(), how.expires_at_ms);
            let (id, acked_by) = (message.id, had_by.cloned().into_iter().collect());
            inbox.messages.entry(id).or_insert_with(|| Unacked { message, expires_at_ms, acked_by });
            while inbox.messages.len() > how.cap {
                inbox.messages.pop_first();
            }
        }
    }

    fn ack(&mut self, reader: &InboxReader, ids: &[MessageId]) {
        let inbox = self.inboxes.entry((reader.app.clone(), reader.user.clone())).or_default();
        inbox.open(&reader.device, 0);
        for id in ids {
            let Some(message) = inbox.messages.get_mut(id) else { continue };
            message.acked_by.insert(reader.device.clone());
            if !message.is_wanted(&inbox.devices) {
                inbox.messages.remove(id);
            }
        }
    }

    fn page(&self, reader: &InboxReader, after: MessageId, up_to: MessageId, now_ms: u64) -> Vec<Arc<Message>> {
        let Some(inbox) = self.inboxes.get(&(reader.app.clone(), reader.user.clone())) else { return Vec::new() };
        let in_page = |(id, m): &(&MessageId, &Unacked)| {
            **id > after && **id <= up_to && m.expires_at_ms > now_ms && inbox.unread(m, &reader.device)
        };
        inbox.messages.iter().filter(in_page).map(|(_, m)| m.message.clone()).collect()
    }

    /// Whether the transition changed anything.
    fn apply(&mut self, app: &AppId, change: &Transition) -> bool {
        let key = (app.clone(), change.session);
        let owned = |open: &OpenSession| open.user == change.user && open.device == change.device;
        match (change.event_type, &change.room) {
            (EventType::Login, _) => {
                let vacant = !self.sessions.contains_key(&key);
                if vacant {
                    let (user, device) = (change.user.clone(), change.device.clone());
                    let open = OpenSession { app: app.clone(), user, device, session: change.session, rooms: vec![] };
                    self.sessions.insert(key, open);
                }
                vacant
            }
            (EventType::Logout, _) => {
                self.sessions.get(&key).is_some_and(owned) && self.sessions.remove(&key).is_some()
            }
            (EventType::Join, Some(room)) => match self.sessions.get_mut(&key).filter(|open| owned(open)) {
                Some(open) if !open.rooms.contains(room) => {
                    open.rooms.push(room.clone());
                    true
                }
                _ => false,
            },
            (EventType::Leave, Some(room)) => match self.sessions.get_mut(&key).filter(|open| owned(open)) {
                Some(open) => {
                    let before = open.rooms.len();
                    open.rooms.retain(|r| r != room);
                    open.rooms.len() < before
                }
                None => false,
            },
            (EventType::Join | EventType::Leave, None) => false,
        }
    }

    fn record(&mut self, app: &AppId, transitions: Vec<Transition>, cap: usize) {
        for change in transitions {
            if !self.apply(app, &change) {
                continue;
            }
            let Transition { event_type, user, room, at_ms, changes, .. } = change;
            self.apply_changes(app, changes);
            let (kind, room) = match event_type {
                EventType::Login | EventType::Logout => (EventKind::User, None),
                EventType::Join | EventType::Leave => (EventKind::Room, room),
            };
            let queue = self.events.entry((app.clone(), kind)).or_default();
            queue.push_back(Event { event_type, user, room, at_ms });
            while queue.len() > cap {
                queue.pop_front();
            }
        }
    }

    fn matches(&self, app: &AppId, filter: &HistoryFilter, now_ms: u64) -> Vec<Arc<Message>> {
        let wanted = |kept: &&Kept| kept.expires_at_ms > now_ms && kept.is_wanted(filter);
        self.history.get(app).into_iter().flat_map(BTreeMap::values).filter(wanted).map(|k| k.message.clone()).collect()
    }

    fn hide(&mut self, app: &AppId, filter: &HistoryFilter, from: &UserId, limit: usize) -> u64 {
        let filter = HistoryFilter { seen_by: Some(from.clone()), ..filter.clone() };
        let kept = self.history.get_mut(app).into_iter().flat_map(BTreeMap::values_mut);
        kept.filter(|kept| kept.is_wanted(&filter))
            .take(limit)
            .map(|kept| u64::from(kept.hidden_from.insert(from.clone())))
            .sum()
    }

    /// Every place in which a message is.
    fn places<'a>(&'a mut self, app: &'a AppId, id: MessageId) -> impl Iterator<Item = &'a mut Arc<Message>> {
        let inboxes = self.inboxes.iter_mut().filter(move |((of, _), _)| of == app);
        let unacked = inboxes.filter_map(move |(_, inbox)| inbox.messages.get_mut(&id)).map(|m| &mut m.message);
        let kept = self.history.get_mut(app).and_then(|kept| kept.get_mut(&id)).map(|k| &mut k.message);
        unacked.chain(kept)
    }

    fn withdraw(&mut self, app: &AppId, id: MessageId) -> bool {
        let mut was = self.history.get_mut(app).is_some_and(|kept| kept.remove(&id).is_some());
        for (_, inbox) in self.inboxes.iter_mut().filter(|((of, _), _)| of == app) {
            was |= inbox.messages.remove(&id).is_some();
        }
        was
    }

    fn amend(&mut self, app: &AppId, id: MessageId, payload: &Bytes, max: u8) -> Amended {
        let Some(message) = self.places(app, id).next().map(|message| message.clone()) else {
            return Amended::NotThere;
        };
        let edits = message.marks.edits;
        if edits >= max.min(Marks::EDITS_MAX) {
            return Amended::TooOften;
        }
        let marks = Marks { edits: edits + 1, ..message.marks };
        let amended = Arc::new(Message { payload: payload.clone(), marks, ..(*message).clone() });
        self.places(app, id).for_each(|message| *message = amended.clone());
        Amended::Done
    }

    fn forget(&mut self, app: &AppId, user: &UserId, device: Option<&DeviceId>) -> usize {
        let Some(inbox) = self.inboxes.get_mut(&(app.clone(), user.clone())) else { return 0 };
        let Some(device) = device else {
            let forgotten = inbox.messages.len();
            self.inboxes.remove(&(app.clone(), user.clone()));
            return forgotten;
        };
        inbox.forget(device)
    }

    fn apply_changes(&mut self, app: &AppId, changes: Vec<Change>) -> Changed {
        let as_expected = |change: &Change| match change {
            Change::Expect { kind, key, value } => {
                self.records.get(&(app.clone(), *kind)).and_then(|family| family.get(key)) == value.as_ref()
            }
            _ => true,
        };
        if !changes.iter().all(as_expected) {
            return Changed::Conflict;
        }
        for change in changes {
            match change {
                Change::Expect { .. } => {}
                Change::Put { kind, key, value } => {
                    self.records.entry((app.clone(), kind)).or_default().insert(key, value);
                }
                Change::Delete { kind, key } => {
                    self.records.entry((app.clone(), kind)).or_default().remove(&key);
                }
                Change::DeletePrefix { kind, prefix } => {
                    self.records.entry((app.clone(), kind)).or_default().retain(|key, _| !key.starts_with(&prefix));
                }
            }
        }
        Changed::Done
    }

    fn family(&self, app: &AppId, kind: RecordKind, prefix: &str) -> Vec<(&String, &Bytes)> {
        let family = self.records.get(&(app.clone(), kind)).into_iter().flatten();
        family.filter(|(key, _)| key.starts_with(prefix)).collect()
    }

    fn scan(&self, app: &AppId, scan: &Scan) -> Vec<(String, Bytes)> {
        let mut found = self.family(app, scan.kind, &scan.prefix);
        if scan.backwards {
            found.reverse();
        }
        let behind = |key: &String| {
            scan.after.as_ref().is_none_or(|after| if scan.backwards { key < after } else { key > after })
        };
        found.into_iter().filter(|(key, _)| behind(key)).take(scan.limit).map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    fn expire(&mut self, now_ms: u64) -> u64 {
        let mut removed = 0;
        for inbox in self.inboxes.values_mut() {
            let before = inbox.messages.len();
            inbox.messages.retain(|_, m| m.expires_at_ms > now_ms);
            removed += before - inbox.messages.len();
        }
        for kept in self.history.values_mut() {
            let before = kept.len();
            kept.retain(|_, m| m.expires_at_ms > now_ms);
            removed += before - kept.len();
        }
        removed as u64
    }
}

impl Kept {
    fn is_wanted(&self, filter: &HistoryFilter) -> bool {
        let m = &self.message;
        let from = |from: &UserId| m.from == *from;
        let to = |to: &String| m.to.name() == to;
        let target = match &filter.target {
            Some(target) => m.to == *target,
            None => filter.to.as_ref().is_none_or(to),
        };
        let straight = filter.from.as_ref().is_none_or(from) && target;
        let back = || {
            filter.from.as_ref().is_some_and(|from| m.to == Target::User(from.clone()))
                && filter.to.as_ref().is_some_and(|to| m.from.as_str() == to)
        };
        let between = if filter.both_ways { matches!(m.to, Target::User(_)) && (straight || back()) } else { straight };
        between
            && filter.after.is_none_or(|after| m.id > after)
            && filter.before.is_none_or(|before| m.id < before)
            && (filter.start_ms..=filter.end_ms).contains(&m.sent_at_ms)
            && filter.seen_by.as_ref().is_none_or(|user| !self.hidden_from.contains(user))
    }
}

fn bytes_of(kept: &BTreeMap<MessageId, Kept>) -> u64 {
    kept.values().map(|k| k.message.payload.len() as u64).sum()
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// For tests: from now on every write fails with [`StoreError::Full`], until it is called with `false`.
    pub fn refuse_writes(&self, refuse: bool) {
        self.state.lock().writes_left = refuse.then_some(0);
    }

    /// For tests: so many more writes are taken, then they fail with [`StoreError::Full`]; `None` takes all again.
    pub fn refuse_writes_after(&self, writes: Option<u64>) {
        self.state.lock().writes_left = writes;
    }

    /// For tests: from now on everything waits, until it is called with `false`: then all of it is done in its
    /// order.
    pub fn hold(&self, hold: bool) {
        let mut state = self.state.lock();
        if hold {
            state.held.get_or_insert_default();
            return;
        }
        for Held(work) in state.held.take().into_iter().flatten() {
            work(&mut state);
        }
    }

    /// For tests: how much waits while the store is held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.state.lock().held.as_ref().map_or(0, VecDeque::len)
    }

    fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut State) -> Result<T, StoreError> + Send + 'static,
    ) -> Commit<T> {
        let mut state = self.state.lock();
        let Some(held) = &mut state.held else {
            return Box::pin(std::future::ready(work(&mut state)));
        };
        let (answer, answered) = oneshot::channel();
        held.push_back(Held(Box::new(move |state| {
            // Whoever does not wait any more does not need to know.
            let _ = answer.send(work(state));
        })));
        Box::pin(async move { answered.await.unwrap_or_else(|gone| Err(StoreError::Failed(gone.into()))) })
    }

    fn write<T: Send + 'static>(&self, work: impl FnOnce(&mut State) -> T + Send + 'static) -> Commit<T> {
        self.work(|state| {
            if state.closed {
                Err(StoreError::Failed("the store is closed".into()))
            } else if state.writes_left == Some(0) {
                Err(StoreError::Full)
            } else {
                state.writes_left = state.writes_left.map(|left| left - 1);
                state.writes += 1;
                Ok(work(state))
            }
        })
    }

    fn read<T: Send + 'static>(&self, work: impl FnOnce(&State) -> T + Send + 'static) -> Commit<T> {
        self.work(|state| Ok(work(state)))
    }
}

impl InboxStore for MemoryStore {
    fn keep_all(&self, keeps: Vec<Keep>) -> Commit {
        self.write(|state| keeps.into_iter().for_each(|keep| state.keep(keep)))
    }

    fn inbox_open(&self, reader: &InboxReader, arrival: &Arrival) -> Commit {
        let (InboxReader { app, user, device }, arrival) = (reader.clone(), arrival.clone());
        self.write(move |state| {
            let inbox = state.inboxes.entry((app, user)).or_default();
            inbox.open(&device, arrival.at_ms);
            inbox.bound(&device, &arrival);
        })
    }

    fn inbox_seen(&self, reader: &InboxReader, at_ms: u64) -> Commit {
        let InboxReader { app, user, device } = reader.clone();
        self.write(move |state| {
            let inbox = state.inboxes.get_mut(&(app, user));
            if let Some(seen) = inbox.and_then(|inbox| inbox.devices.get_mut(&device)) {
                *seen = at_ms.max(*seen);
            }
        })
    }

    fn inbox_page(
        &self,
        reader: &InboxReader,
        after: MessageId,
        up_to: MessageId,
        limit: usize,
        now_ms: u64,
    ) -> Commit<Vec<Arc<Message>>> {
        let reader = reader.clone();
        self.read(move |state| {
            let mut page = state.page(&reader, after, up_to, now_ms);
            page.truncate(limit);
            page
        })
    }

    fn inbox_ack(&self, reader: &InboxReader, ids: &[MessageId]) -> Commit {
        let (reader, ids) = (reader.clone(), ids.to_vec());
        self.write(move |state| state.ack(&reader, &ids))
    }

    fn inbox_count(&self, app: &AppId, user: &UserId, now_ms: u64) -> Commit<usize> {
        let inbox = (app.clone(), user.clone());
        let waiting =
            move |inbox: &Inbox| inbox.messages.values().filter(|m| m.expires_at_ms > now_ms && m.waits()).count();
        self.read(move |state| state.inboxes.get(&inbox).map_or(0, waiting))
    }

    fn inbox_holds(&self, app: &AppId, user: &UserId, id: MessageId, now_ms: u64) -> Commit<bool> {
        let inbox = (app.clone(), user.clone());
        let waits = move |inbox: &Inbox| inbox.messages.get(&id).is_some_and(|m| m.expires_at_ms > now_ms && m.waits());
        self.read(move |state| state.inboxes.get(&inbox).is_some_and(waits))
    }

    fn inbox_forget(&self, app: &AppId, user: &UserId, device: Option<&DeviceId>) -> Commit<usize> {
        let (app, user, device) = (app.clone(), user.clone(), device.cloned());
        self.write(move |state| state.forget(&app, &user, device.as_ref()))
    }
}

impl EventStore for MemoryStore {
    fn record(&self, app: &AppId, transitions: Vec<Transition>, cap: usize) -> Commit {
        let app = app.clone();
        self.write(move |state| state.record(&app, transitions, cap))
    }

    fn pull_events(&self, app: &AppId, kind: EventKind, max: usize) -> Commit<Vec<Event>> {
        let queue = (app.clone(), kind);
        self.write(move |state| {
            let Some(queue) = state.events.get_mut(&queue) else { return Vec::new() };
            queue.drain(..max.min(queue.len())).collect()
        })
    }

    fn open_sessions(&self) -> Commit<Vec<OpenSession>> {
        self.read(|state| state.sessions.values().cloned().collect())
    }
}

impl HistoryStore for MemoryStore {
    fn history(
        &self,
        app: &AppId,
        filter: &HistoryFilter,
        page: HistoryPage,
        now_ms: u64,
    ) -> Commit<Vec<Arc<Message>>> {
        let (app, filter) = (app.clone(), filter.clone());
        self.read(move |state| {
            let mut matches = state.matches(&app, &filter, now_ms);
            if page.newest_first {
                matches.reverse();
            }
            let (offset, limit) = (page.offset.try_into(), page.limit.try_into());
            matches.into_iter().skip(offset.unwrap_or(usize::MAX)).take(limit.unwrap_or(usize::MAX)).collect()
        })
    }

    fn history_count(&self, app: &AppId, filter: &HistoryFilter, now_ms: u64) -> Commit<u64> {
        let (app, filter) = (app.clone(), filter.clone());
        self.read(move |state| state.matches(&app, &filter, now_ms).len() as u64)
    }

    fn message(&self, app: &AppId, id: MessageId) -> Commit<Option<Arc<Message>>> {
        let app = app.clone();
        self.work(move |state| Ok(state.places(&app, id).next().map(|message| message.clone())))
    }

    fn withdraw(&self, app: &AppId, id: MessageId, news: Vec<Keep>) -> Commit<bool> {
        let app = app.clone();
        self.write(move |state| {
            let was = state.withdraw(&app, id);
            news.into_iter().for_each(|keep| state.keep(keep));
            was
        })
    }

    fn amend(&self, app: &AppId, id: MessageId, payload: Bytes, max: u8, news: Vec<Keep>) -> Commit<Amended> {
        let app = app.clone();
        self.write(move |state| {
            let amended = state.amend(&app, id, &payload, max);
            if amended == Amended::Done {
                news.into_iter().for_each(|keep| state.keep(keep));
            }
            amended
        })
    }

    fn hide(&self, app: &AppId, filter: &HistoryFilter, from: &UserId, limit: usize) -> Commit<u64> {
        let (app, filter, from) = (app.clone(), filter.clone(), from.clone());
        self.write(move |state| state.hide(&app, &filter, &from, limit))
    }
}

impl RecordStore for MemoryStore {
    fn change(&self, app: &AppId, changes: Vec<Change>) -> Commit<Changed> {
        let app = app.clone();
        self.write(move |state| state.apply_changes(&app, changes))
    }

    fn read_record(&self, app: &AppId, kind: RecordKind, key: &str) -> Commit<Option<Bytes>> {
        let (family, key) = ((app.clone(), kind), key.to_owned());
        self.read(move |state| state.records.get(&family).and_then(|family| family.get(&key)).cloned())
    }

    fn read_records(&self, app: &AppId, kind: RecordKind, keys: Vec<String>) -> Commit<Vec<Option<Bytes>>> {
        let family = (app.clone(), kind);
        self.read(move |state| {
            let family = state.records.get(&family);
            keys.iter().map(|key| family.and_then(|family| family.get(key)).cloned()).collect()
        })
    }

    fn scan_records(&self, app: &AppId, scan: Scan) -> Commit<Vec<(String, Bytes)>> {
        let app = app.clone();
        self.read(move |state| state.scan(&app, &scan))
    }

    fn count_records(&self, app: &AppId, kind: RecordKind, prefix: &str) -> Commit<u64> {
        let (app, prefix) = (app.clone(), prefix.to_owned());
        self.read(move |state| state.family(&app, kind, &prefix).len() as u64)
    }
}

impl Store for MemoryStore {
    fn newest_message(&self) -> Commit<MessageId> {
        self.read(|state| state.newest.unwrap_or(MessageId::ZERO))
    }

    fn expire(&self, now_ms: u64) -> Commit<u64> {
        self.write(move |state| state.expire(now_ms))
    }

    fn health(&self) -> StoreHealth {
        let state = self.state.lock();
        match (state.closed, state.writes_left == Some(0)) {
            (true, _) => StoreHealth::Refusing("the store is closed".into()),
            (_, true) => StoreHealth::Refusing("no space left on the device".into()),
            _ => StoreHealth::Ready,
        }
    }

    fn close(&self) -> Commit {
        self.state.lock().closed = true;
        Box::pin(std::future::ready(Ok(())))
    }

    fn counters(&self) -> Vec<(&'static str, &'static str, u64)> {
        vec![("store_writes", "Writes that became durable", self.state.lock().writes)]
    }
}
