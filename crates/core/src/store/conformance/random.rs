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
use crate::store::memory::MemoryStore;
use crate::store::{
    Cancelled, Commit, HistoryFilter, HistoryPage, InboxReader, Keep, KeepInHistory, KeepInInbox, OpenSession, Store,
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
    // Everything that is left, whatever the operations asked for.
    for numbers in (0..=255).map(|n| [200, n, n / 16, 0, 0, 255, 0, 0]).chain([[250, 0, 0, 0, 0, 0, 0, 0]]) {
        waiting.push((operations.len(), numbers, perform(engine, numbers), perform(&specification, numbers)));
    }
    compare(&mut waiting).await
}

fn reads(choice: u8) -> bool {
    matches!(choice, 130..=149 | 180..=194 | 200..)
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
    let reader = InboxReader { app: app(a), user: user(b), device: DeviceId::from_trusted(["", "tv"][at(c, 2)]) };
    let now_ms = NOW + u64::from(d % 8);
    match choice {
        0..=99 => show("keep", store.keep(keep(numbers))),
        100..=109 => show("open", store.inbox_open(&reader)),
        110..=129 => show("ack", store.inbox_ack(&reader, &[d, d.wrapping_add(1), e].map(id))),
        130..=149 => {
            let page = store.inbox_page(&reader, id(e), MessageId(id(e).0 + u64::from(f)), usize::from(f % 8), now_ms);
            show("page", page)
        }
        150..=169 => show("record", store.record(&app(a), vec![transition(b, c, d), transition(e, f, d)], 5)),
        170..=179 => show("pull", store.pull_events(&app(a), kind(b), usize::from(c % 6))),
        180..=189 => show("history", store.history(&app(a), &filter(b, e), history_page(c, f), now_ms)),
        190..=194 => show("history count", store.history_count(&app(a), &filter(b, e), now_ms)),
        195..=199 => show("expire", store.expire(now_ms)),
        200..=219 => show("whole page", store.inbox_page(&reader, MessageId::ZERO, MessageId::MAX, 999, now_ms)),
        220..=229 => show("count", store.inbox_count(&app(a), &user(b), now_ms)),
        230..=239 => show("newest", store.newest_message()),
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

/// The message of an ID is always the same, its app too: IDs are unique across apps.
fn keep([_, a, b, c, d, e, f, _]: Numbers) -> Keep {
    let (number, id) = (a % 48, id(a));
    let name = ["ann", "bob", "lobby"][at(number / 2, 3)];
    let to = if number.is_multiple_of(5) {
        Target::Room(RoomId::from_trusted(name))
    } else {
        Target::User(UserId::from_trusted(name))
    };
    let payload = Bytes::from(vec![number; usize::from(number) * 3]);
    let sent_at_ms = NOW - u64::from(number % 7);
    let message = Arc::new(Message { id, from: user(number / 3), to, payload, sent_at_ms, marks: Marks::default() });
    let cancelled = Cancelled::default();
    if c.is_multiple_of(8) {
        cancelled.cancel();
    }
    let inbox = KeepInInbox {
        users: vec![user(b)],
        cap: usize::from(d % 8),
        expires_at_ms: NOW + u64::from(e % 16),
        cancelled,
        had_by: f.is_multiple_of(5).then(|| (user(b), DeviceId::from_trusted(["", "tv"][at(e, 2)]))),
    };
    let history =
        KeepInHistory { expires_at_ms: NOW + u64::from(f % 16), max_bytes: u64::from(d) * 4, hidden_from: Vec::new() };
    Keep {
        app: app(number),
        message,
        inbox: (!c.is_multiple_of(3)).then_some(inbox),
        history: (c % 5 > 1).then_some(history),
        changes: Vec::new(),
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
        changes: Vec::new(),
    }
}

fn filter(number: u8, times: u8) -> HistoryFilter {
    let to = ["ann", "bob", "lobby"][at(number / 4, 3)].to_owned();
    HistoryFilter {
        from: number.is_multiple_of(2).then(|| user(number)),
        to: (number / 2).is_multiple_of(2).then_some(to),
        start_ms: NOW - u64::from(times % 16),
        end_ms: NOW - u64::from(times / 16 % 4),
        ..HistoryFilter::ALL
    }
}

fn history_page(number: u8, limit: u8) -> HistoryPage {
    HistoryPage { offset: u64::from(number / 2 % 4), limit: u64::from(limit), newest_first: number.is_multiple_of(2) }
}
