//! Sessions, memberships and the event queues.

use std::collections::HashMap;

use rusqlite::{Connection, Row, params};
use stentor_core::events::{Event, EventKind, EventType, Transition};
use stentor_core::id::{AppId, DeviceId, RoomId, SessionId, UserId};
use stentor_core::store::OpenSession;

use crate::failure::Failure;
use crate::records;
use crate::tables::{Tables, integer};

/// As stored: never renumber.
fn queue_number(kind: EventKind) -> i64 {
    match kind {
        EventKind::User => 1,
        EventKind::Room => 2,
    }
}

/// As stored: never renumber.
fn type_number(event_type: EventType) -> i64 {
    match event_type {
        EventType::Login => 1,
        EventType::Logout => 2,
        EventType::Join => 3,
        EventType::Leave => 4,
    }
}

fn event_type(number: i64) -> Option<EventType> {
    let all = [EventType::Login, EventType::Logout, EventType::Join, EventType::Leave];
    all.into_iter().find(|event_type| type_number(*event_type) == number)
}

/// Applies transitions and queues the events of those that changed something.
pub(crate) fn record(tables: &mut Tables, app: &AppId, transitions: &[Transition], cap: usize) -> Result<(), Failure> {
    let app = tables.app(app)?;
    for change in transitions {
        if apply(tables, app, change)? {
            push(tables, app, change)?;
            records::apply(tables, app, &change.changes)?;
        }
    }
    // Numbers in a queue have no gaps: events are taken only from its old end.
    for kind in [EventKind::User, EventKind::Room] {
        tables.execute(
            "DELETE FROM event WHERE app = ?1 AND queue = ?2 AND seq <= (
                 SELECT max(seq) FROM event WHERE app = ?1 AND queue = ?2) - ?3",
            params![app, queue_number(kind), integer(cap)],
        )?;
    }
    Ok(())
}

/// Whether the transition changed anything.
fn apply(tables: &Tables, app: i64, change: &Transition) -> rusqlite::Result<bool> {
    let session = change.session.0.cast_signed();
    let (user, device) = (change.user.as_str(), change.device.as_str());
    let room = change.room.as_ref().map(RoomId::as_str);
    let changed = match (change.event_type, room) {
        (EventType::Login, _) => tables.execute(
            "INSERT INTO session (app, session, user, device) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            params![app, session, user, device],
        )?,
        (EventType::Logout, _) => tables.execute(
            "DELETE FROM session WHERE app = ?1 AND session = ?2 AND user = ?3 AND device = ?4",
            params![app, session, user, device],
        )?,
        (EventType::Join, Some(room)) => tables.execute(
            "INSERT INTO member (app, session, room)
             SELECT app, session, ?5 FROM session WHERE app = ?1 AND session = ?2 AND user = ?3 AND device = ?4
             ON CONFLICT DO NOTHING",
            params![app, session, user, device, room],
        )?,
        (EventType::Leave, Some(room)) => tables.execute(
            "DELETE FROM member WHERE app = ?1 AND session = ?2 AND room = ?5 AND EXISTS (
                 SELECT 1 FROM session WHERE app = ?1 AND session = ?2 AND user = ?3 AND device = ?4)",
            params![app, session, user, device, room],
        )?,
        (EventType::Join | EventType::Leave, None) => 0,
    };
    Ok(changed == 1)
}

fn push(tables: &Tables, app: i64, change: &Transition) -> rusqlite::Result<()> {
    let (kind, room) = match change.event_type {
        EventType::Login | EventType::Logout => (EventKind::User, None),
        EventType::Join | EventType::Leave => (EventKind::Room, change.room.as_ref().map(RoomId::as_str)),
    };
    tables.execute(
        "INSERT INTO event (app, queue, seq, type, user, room, at_ms)
         SELECT ?1, ?2, coalesce(max(seq), 0) + 1, ?3, ?4, ?5, ?6 FROM event WHERE app = ?1 AND queue = ?2",
        params![
            app,
            queue_number(kind),
            type_number(change.event_type),
            change.user.as_str(),
            room,
            integer(change.at_ms),
        ],
    )?;
    Ok(())
}

/// Takes the oldest events off a queue.
pub(crate) fn pull(tables: &mut Tables, app: &AppId, kind: EventKind, max: usize) -> Result<Vec<Event>, Failure> {
    let app = tables.app(app)?;
    let mut delete = tables.connection.prepare_cached(
        "DELETE FROM event WHERE app = ?1 AND queue = ?2 AND seq < ?3 + (
             SELECT min(seq) FROM event WHERE app = ?1 AND queue = ?2)
         RETURNING seq, type, user, room, at_ms",
    )?;
    let rows = delete.query_map(params![app, queue_number(kind), integer(max)], event)?;
    let mut taken = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    // SQLite promises no order of what it returns.
    taken.sort_unstable_by_key(|(seq, _)| *seq);
    Ok(taken.into_iter().map(|(_, event)| event).collect())
}

fn event(row: &Row<'_>) -> rusqlite::Result<(i64, Event)> {
    let number = row.get(1)?;
    let event_type = event_type(number).ok_or(rusqlite::Error::IntegralValueOutOfRange(1, number))?;
    let user = UserId::from_trusted(row.get_ref(2)?.as_str()?);
    let room = row.get_ref(3)?.as_str_or_null()?.map(RoomId::from_trusted);
    let at_ms = row.get::<_, i64>(4)?.cast_unsigned();
    Ok((row.get(0)?, Event { event_type, user, room, at_ms }))
}

/// Every open session with its rooms.
pub(crate) fn open_sessions(connection: &Connection) -> rusqlite::Result<Vec<OpenSession>> {
    let mut rooms: HashMap<(i64, i64), Vec<RoomId>> = HashMap::new();
    // Both statements must see the same state: the transaction is only a snapshot.
    let snapshot = connection.unchecked_transaction()?;
    let mut members = snapshot.prepare_cached("SELECT app, session, room FROM member")?;
    let mut rows = members.query([])?;
    while let Some(row) = rows.next()? {
        let room = RoomId::from_trusted(row.get_ref(2)?.as_str()?);
        rooms.entry((row.get(0)?, row.get(1)?)).or_default().push(room);
    }
    let mut sessions = snapshot.prepare_cached(
        "SELECT s.app, s.session, a.name, s.user, s.device FROM session s JOIN app a ON a.key = s.app",
    )?;
    let open = sessions.query_map([], |row| {
        let session: i64 = row.get(1)?;
        Ok(OpenSession {
            app: AppId::from_trusted(row.get_ref(2)?.as_str()?),
            user: UserId::from_trusted(row.get_ref(3)?.as_str()?),
            device: DeviceId::from_trusted(row.get_ref(4)?.as_str()?),
            session: SessionId(session.cast_unsigned()),
            rooms: rooms.remove(&(row.get(0)?, session)).unwrap_or_default(),
        })
    })?;
    open.collect()
}
