//! Random operations, given to an engine and to the executable specification: both must answer the same.
//!
//! Operations are read out of plain numbers, so that a property test can shrink them without knowing them.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use super::NOW;
use crate::events::{EventKind, EventType, Transition};
use crate::id::{AppId, DeviceId, MessageId, RoomId, SessionId, UserId};
use crate::message::{Marks, Message, Target};
use crate::records::RecordKind;
use crate::store::memory::MemoryStore;
use crate::store::{
    Arrival, Cancelled, Change, Commit, HistoryFilter, HistoryPage, InboxReader, Keep, KeepInHistory, KeepInInbox,
    OpenSession, Scan, Store,
};

/// One operation, as numbers: the first chooses it, the others are its arguments.
pub type Numbers = [u8; 8];

type Answer = Pin<Box<dyn Future<Output = String> + Send>>;

/// Gives the operations to `engine` and to a fresh [`MemoryStore`]. Some writes are waited for, others wait in
/// the queue together. Reads are waited for: they may see writes that were queued after them.
///
/// # Errors
/// The first operation that was answered differently, and both answers.
pub async fn same_answers(engine: &dyn Store, operations: &[Numbers]) -> Result<(), String> {
    let specification = MemoryStore::new();
    let mut waiting = Vec::new();
    for (step, numbers) in operations.iter().enumerate() {
        let pair = (step, *numbers, perform(engine, *numbers), perform(&specification, *numbers));
        waiting.push(pair);
        if numbers[7].is_multiple_of(4) || reads(numbers[0]) {
            compare(&mut waiting).await?;
        }
    }
    compare(&mut waiting).await?;
    for (got, expected) in everything(engine).into_iter().zip(everything(&specification)) {
        waiting.push((operations.len(), Numbers::default(), got, expected));
    }
    compare(&mut waiting).await
}

/// Everything that is left, whatever the operations asked for.
fn everything(store: &dyn Store) -> Vec<Answer> {
    let mut answers = vec![show_sessions(store.open_sessions()), show("newest", store.newest_message())];
    let first = HistoryPage { offset: 0, limit: u64::MAX, newest_first: false };
    for app in [0, 1].map(app) {
        answers.push(show("history", store.history(&app, &HistoryFilter::ALL, first, 0)));
        for user in [0, 1, 2].map(user) {
            let seen_by = HistoryFilter { seen_by: Some(user.clone()), ..HistoryFilter::ALL };
            answers.push(show("seen", store.history(&app, &seen_by, first, 0)));
            answers.push(show("count", store.inbox_count(&app, &user, NOW)));
            for device in [0, 1, 2, 3].map(device) {
                let reader = InboxReader { app: app.clone(), user: user.clone(), device };
                answers.push(show("page", store.inbox_page(&reader, MessageId::ZERO, MessageId::MAX, 999, NOW)));
            }
        }
        for kind in [0, 1].map(family) {
            answers.push(show("records", store.scan_records(&app, Scan::of(kind, "", 999))));
        }
    }
    answers
}

fn reads(choice: u8) -> bool {
    matches!(choice, 120..=134 | 155..=172 | 194..=219 | 233..)
}

async fn compare(waiting: &mut Vec<(usize, Numbers, Answer, Answer)>) -> Result<(), String> {
    for (step, numbers, got, expected) in waiting.drain(..) {
        let (got, expected) = (got.await, expected.await);
        if got != expected {
            return Err(format!("operation {step} {numbers:?}: {got}, expected {expected}"));
        }
    }
    Ok(())
}

fn perform(store: &dyn Store, numbers: Numbers) -> Answer {
    let [choice, a, b, c, d, e, f, _] = numbers;
    let reader = InboxReader { app: app(a), user: user(b), device: device(c) };
    let now_ms = NOW + u64::from(d % 8);
    match choice {
        0..=79 => show("keep", store.keep(keep(numbers))),
        80..=84 => show("keep several", store.keep_all(vec![keep(numbers), keep([choice, b, c, d, e, f, a, 0])])),
        85..=92 => show("open", store.inbox_open(&reader, &arrival(d, e))),
        93..=95 => show("seen", store.inbox_seen(&reader, u64::from(e))),
        96..=99 => show("forget", store.inbox_forget(&app(a), &user(b), (d % 4 > 0).then_some(&reader.device))),
        100..=119 => show("ack", store.inbox_ack(&reader, &[d, d.wrapping_add(1), e].map(id))),
        120..=134 => {
            let page = store.inbox_page(&reader, id(e), MessageId(id(e).0 + u64::from(f)), usize::from(f % 8), now_ms);
            show("page", page)
        }
        135..=149 => show("record", store.record(&app(a), vec![transition(b, c, d), transition(e, f, d)], 5)),
        150..=154 => show("pull", store.pull_events(&app(a), kind(b), usize::from(c % 6))),
        155..=166 => show("history", store.history(&app(a), &filter(numbers), history_page(c, f), now_ms)),
        167..=172 => show("history count", store.history_count(&app(a), &filter(numbers), now_ms)),
        173..=177 => show("expire", store.expire(now_ms)),
        178..=182 => show("withdraw", store.withdraw(&app(a), id(b), news(numbers))),
        183..=188 => show("amend", store.amend(&app(a), id(b), payload(c, 5), d % 4, news(numbers))),
        189..=193 => show("hide", store.hide(&app(a), &filter(numbers), &user(f), usize::from(f % 5))),
        194..=199 => show("find", store.message(&app(a), id(b))),
        200..=209 => show("holds", store.inbox_holds(&app(a), &user(b), id(e), now_ms)),
        210..=214 => show("count", store.inbox_count(&app(a), &user(b), now_ms)),
        215..=219 => show("newest", store.newest_message()),
        220..=232 => {
            show("change", store.change(&app(a), vec![change(b, c, true), change(d, e, true), change(f, c, false)]))
        }
        233..=236 => show("records", store.read_records(&app(a), family(b), vec![key(c), key(d), key(c)])),
        237..=243 => show("scan", store.scan_records(&app(a), scan(b, c, d))),
        244..=247 => show("count records", store.count_records(&app(a), family(b), &key(c))),
        _ => show_sessions(store.open_sessions()),
    }
}

fn show<T: Debug + 'static>(name: &'static str, commit: Commit<T>) -> Answer {
    Box::pin(async move { format!("{name} {:?}", commit.await) })
}

fn show_sessions(commit: Commit<Vec<OpenSession>>) -> Answer {
    Box::pin(async move {
        let sorted = commit.await.map(|mut open| {
            open.iter_mut().for_each(|s| s.rooms.sort());
            open.sort_by_key(|s| (s.app.clone(), s.session));
            open
        });
        format!("sessions {sorted:?}")
    })
}

fn at(number: u8, choices: u8) -> usize {
    usize::from(number % choices)
}

fn app(number: u8) -> AppId {
    AppId::from_trusted(["one", "two"][at(number, 2)])
}

fn user(number: u8) -> UserId {
    UserId::from_trusted(["ann", "bob", "cy"][at(number, 3)])
}

fn kind(number: u8) -> EventKind {
    [EventKind::User, EventKind::Room][at(number, 2)]
}

fn id(number: u8) -> MessageId {
    MessageId(u64::from(number % 48))
}

/// What tells of another message.
fn news([choice, a, b, c, d, e, f, g]: Numbers) -> Vec<Keep> {
    if g.is_multiple_of(3) { vec![keep([choice, c, b, a, d, e, f, g])] } else { Vec::new() }
}

fn device(number: u8) -> DeviceId {
    DeviceId::from_trusted(["", "tv", "pc", "watch"][at(number, 4)])
}

fn arrival(number: u8, present: u8) -> Arrival {
    let present = [device(present), device(present / 4)].into_iter().take(at(present / 16, 3)).collect();
    Arrival { at_ms: u64::from(number / 4), max: at(number, 4), present }
}

fn payload(number: u8, bytes: usize) -> Bytes {
    Bytes::from(vec![number; usize::from(number % 16) * bytes])
}

/// Names that begin with each other, or end a prefix.
fn key(number: u8) -> String {
    ["", "a", "a/", "a/b", "a0", "b", "\u{10ffff}", "a/\u{10ffff}"][at(number, 8)].to_owned()
}

fn family(number: u8) -> RecordKind {
    [RecordKind::Member, RecordKind::Callback][at(number, 2)]
}

fn change(number: u8, value: u8, may_expect: bool) -> Change {
    let (kind, key) = (family(number), key(number / 2));
    let value = Bytes::from(vec![value % 3; usize::from(value % 2)]);
    match number / 16 % 8 {
        0 if may_expect => Change::Expect { kind, key, value: (number > 128).then_some(value) },
        1 => Change::Delete { kind, key },
        2 => Change::DeletePrefix { kind, prefix: key },
        _ => Change::Put { kind, key, value },
    }
}

fn scan(number: u8, from: u8, limit: u8) -> Scan {
    Scan {
        kind: family(number),
        prefix: key(number / 2),
        after: (!from.is_multiple_of(3)).then(|| key(from / 3)),
        limit: usize::from(limit % 8),
        backwards: number > 128,
    }
}

/// The message of an ID is always the same, its app too: IDs are unique across apps.
fn keep([_, a, b, c, d, e, f, _]: Numbers) -> Keep {
    let (number, id) = (a % 48, id(a));
    let name = ["ann", "bob", "lobby"][at(number / 2, 3)];
    let to = Target::from_trusted([1, 0, 0, 2, 0][at(number, 5)], name).unwrap_or_else(|| Target::User(user(number)));
    let payload = Bytes::from(vec![number; usize::from(number) * 3]);
    let sent_at_ms = NOW - u64::from(number % 7);
    let marks = Marks { targeted: number.is_multiple_of(9), ..Marks::default() };
    let message = Arc::new(Message { id, from: user(number / 3), to, payload, sent_at_ms, marks });
    let cancelled = Cancelled::default();
    if c.is_multiple_of(8) {
        cancelled.cancel();
    }
    let inbox = KeepInInbox {
        users: [user(b), user(b / 3), user(b / 9)].into_iter().take(at(b / 27, 4)).collect(),
        cap: usize::from(d % 8),
        expires_at_ms: NOW + u64::from(e % 16),
        cancelled,
        had_by: f.is_multiple_of(3).then(|| (user(b), device(e))),
    };
    let history = KeepInHistory {
        expires_at_ms: NOW + u64::from(f % 16),
        max_bytes: u64::from(d) * 4,
        hidden_from: if e.is_multiple_of(4) { vec![user(e / 4)] } else { Vec::new() },
    };
    Keep {
        app: app(number),
        message,
        inbox: (!c.is_multiple_of(3)).then_some(inbox),
        history: (c % 5 > 1).then_some(history),
        changes: if c.is_multiple_of(7) { vec![change(d, e, false)] } else { Vec::new() },
    }
}

fn transition(number: u8, what: u8, at: u8) -> Transition {
    let event_type = [EventType::Login, EventType::Join, EventType::Leave, EventType::Logout][usize::from(what % 4)];
    Transition {
        event_type,
        user: user(number),
        device: DeviceId::only(),
        session: SessionId(u64::from(number % 3)),
        room: Some(RoomId::from_trusted(["lobby", "den"][usize::from(what / 4 % 2)])),
        at_ms: NOW + u64::from(at),
        forced: false,
        last: false,
        changes: Vec::new(),
    }
}

fn filter([_, _, b, c, d, e, f, g]: Numbers) -> HistoryFilter {
    let name = ["ann", "bob", "lobby"][at(b / 4, 3)];
    let (from, to) = (b.is_multiple_of(2).then(|| user(b)), (b / 2).is_multiple_of(2).then(|| name.to_owned()));
    let both_ways = from.is_some() && to.is_some() && b > 128;
    let target = Target::from_trusted(d % 8, name).filter(|_| !both_ways);
    HistoryFilter {
        from,
        to,
        target,
        after: c.is_multiple_of(3).then(|| id(f)),
        before: c.is_multiple_of(5).then(|| id(g)),
        start_ms: NOW - u64::from(e % 16),
        end_ms: NOW - u64::from(e / 16 % 4),
        both_ways,
        seen_by: f.is_multiple_of(3).then(|| user(f / 3)),
    }
}

fn history_page(number: u8, limit: u8) -> HistoryPage {
    HistoryPage { offset: u64::from(number / 2 % 4), limit: u64::from(limit), newest_first: number.is_multiple_of(2) }
}
