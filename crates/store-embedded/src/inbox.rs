//! Keeping, paging and acking messages.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, Row, params};
use stentor_core::id::{AppId, DeviceId, MessageId, UserId};
use stentor_core::message::{Marks, Message, Target};
use stentor_core::store::{Arrival, InboxReader, Keep, KeepInInbox};

use crate::failure::{Failure, ForeignId};
use crate::tables::{Tables, integer};
use crate::{history, records};

/// Keeps messages, in their order.
pub(crate) fn keep_all(tables: &mut Tables, keeps: &[Keep]) -> Result<(), Failure> {
    keeps.iter().try_for_each(|one| keep(tables, one))
}

/// Keeps a message. The message is referred to from everywhere it is kept before anything is trimmed: what loses
/// its last reference goes with its body.
pub(crate) fn keep(tables: &mut Tables, keep: &Keep) -> Result<(), Failure> {
    let inbox = keep.inbox.as_ref().filter(|inbox| !inbox.cancelled.is_cancelled());
    if inbox.is_none() && keep.history.is_none() && keep.changes.is_empty() {
        return Ok(());
    }
    let app = tables.app(&keep.app)?;
    records::apply(tables, app, &keep.changes)?;
    if inbox.is_none() && keep.history.is_none() {
        return Ok(());
    }
    let new = store_body(tables, app, keep)?;
    tables.saw(keep.message.id);
    if let Some(history) = &keep.history {
        history::enter(tables, app, &keep.message, history, new)?;
    }
    if let Some(inbox) = inbox {
        let mut entered = Vec::with_capacity(inbox.users.len());
        for user in &inbox.users {
            if enter(tables, app, keep.message.id, user, inbox)? {
                entered.push(user);
            }
        }
        for user in entered {
            trim(tables, app, user, inbox.cap)?;
        }
        if keep.history.is_none() && (inbox.users.is_empty() || inbox.had_by.is_some()) {
            // Perhaps nobody needs it: there are no receivers, or only a device that has it.
            history::drop_unused(tables, integer(keep.message.id.0))?;
        }
    }
    if let Some(history) = &keep.history {
        history::trim(tables, app, history.max_bytes)?;
    }
    Ok(())
}

/// Stores the message itself. Returns whether it is new.
fn store_body(tables: &Tables, app: i64, keep: &Keep) -> Result<bool, Failure> {
    let Message { id, from, to, payload, sent_at_ms, marks } = &*keep.message;
    let inserted = tables.execute(
        "INSERT INTO message (id, app, sender, to_room, target, sent_at_ms, history_until_ms, payload, marks)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING",
        params![
            integer(id.0),
            app,
            from.as_str(),
            to.number(),
            to.name(),
            integer(*sent_at_ms),
            keep.history.as_ref().map(|history| integer(history.expires_at_ms)),
            &payload[..],
            marks.number(),
        ],
    )?;
    if inserted == 0 {
        let mut find = tables.connection.prepare_cached("SELECT app FROM message WHERE id = ?1")?;
        if find.query_row([integer(id.0)], |row| row.get::<_, i64>(0))? != app {
            return Err(ForeignId.into());
        }
    }
    Ok(inserted == 1)
}

/// Enters a message into an inbox. `false`: the user's only device has it.
fn enter(tables: &Tables, app: i64, id: MessageId, user: &UserId, inbox: &KeepInInbox) -> rusqlite::Result<bool> {
    let had_by = inbox.had_by.as_ref().filter(|(of, _)| of == user).map(|(_, device)| device.as_str());
    if let Some(device) = had_by
        && !has_others(tables, app, user.as_str(), device)?
    {
        return Ok(false);
    }
    let entered = tables.execute(
        "INSERT INTO inbox (app, user, id, until_ms) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        params![app, user.as_str(), integer(id.0), integer(inbox.expires_at_ms)],
    )?;
    if let Some(device) = had_by.filter(|_| entered == 1) {
        tables.execute(
            "INSERT INTO acked (app, user, id, device) VALUES (?1, ?2, ?3, ?4)",
            params![app, user.as_str(), integer(id.0), device],
        )?;
    }
    Ok(true)
}

/// Takes the oldest messages out of an inbox until there are no more than `cap`.
fn trim(tables: &Tables, app: i64, user: &UserId, cap: usize) -> rusqlite::Result<()> {
    // Counted from the newest, not from the arrival: acks out of order leave no gaps that count.
    tables.execute(
        "DELETE FROM inbox WHERE app = ?1 AND user = ?2 AND id <= (
             SELECT id FROM inbox WHERE app = ?1 AND user = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3)",
        params![app, user.as_str(), integer(cap)],
    )?;
    Ok(())
}

/// Whether the user has a device beside this one.
fn has_others(tables: &Tables, app: i64, user: &str, device: &str) -> rusqlite::Result<bool> {
    let mut others = tables
        .connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM device WHERE app = ?1 AND user = ?2 AND device <> ?3)")?;
    others.query_row(params![app, user, device], |row| row.get(0))
}

/// Registers a device, and forgets others above the bound.
pub(crate) fn arrive(tables: &mut Tables, reader: &InboxReader, arrival: &Arrival) -> Result<(), Failure> {
    open(tables, reader, arrival.at_ms)?;
    let app = tables.app(&reader.app)?;
    let user = reader.user.as_str();
    let sql = "SELECT device FROM device WHERE app = ?1 AND user = ?2 ORDER BY seen_ms, device";
    let mut select = tables.connection.prepare_cached(sql)?;
    let known = select.query_map(params![app, user], |row| row.get::<_, String>(0))?;
    let known = known.collect::<rusqlite::Result<Vec<_>>>()?;
    let stays = |device: &String| {
        reader.device.as_str() == device || arrival.present.iter().any(|present| present.as_str() == device)
    };
    let excess = known.len().saturating_sub(arrival.max);
    for device in known.iter().filter(|device| !stays(device)).take(excess) {
        forget_device(tables, app, user, device)?;
    }
    Ok(())
}

/// Registers a device.
fn open(tables: &mut Tables, reader: &InboxReader, seen_ms: u64) -> Result<(), Failure> {
    if reader.device == DeviceId::only() {
        return Ok(()); // users who have one device leave no trace
    }
    let app = tables.app(&reader.app)?;
    let (user, device) = (reader.user.as_str(), reader.device.as_str());
    let insert = "INSERT INTO device (app, user, device, seen_ms) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
    if tables.execute(insert, params![app, user, device, integer(seen_ms)])? == 0 {
        return Ok(seen(tables, app, reader, seen_ms)?);
    }
    // What any other device has acked is not unread for this one. Some of it may be its own, from before it was
    // forgotten.
    tables.execute(
        "INSERT INTO acked (app, user, id, device)
         SELECT DISTINCT app, user, id, ?3 FROM acked WHERE app = ?1 AND user = ?2 ON CONFLICT DO NOTHING",
        params![app, user, device],
    )?;
    Ok(())
}

fn seen(tables: &Tables, app: i64, reader: &InboxReader, at_ms: u64) -> rusqlite::Result<()> {
    tables.execute(
        "UPDATE device SET seen_ms = ?4 WHERE app = ?1 AND user = ?2 AND device = ?3 AND seen_ms < ?4",
        params![app, reader.user.as_str(), reader.device.as_str(), integer(at_ms)],
    )?;
    Ok(())
}

/// Notes until when a device was there.
pub(crate) fn seen_until(tables: &mut Tables, reader: &InboxReader, at_ms: u64) -> Result<(), Failure> {
    let app = tables.app(&reader.app)?;
    Ok(seen(tables, app, reader, at_ms)?)
}

/// Acks messages of one device.
pub(crate) fn ack(tables: &mut Tables, reader: &InboxReader, ids: &[MessageId]) -> Result<(), Failure> {
    open(tables, reader, 0)?;
    let app = tables.app(&reader.app)?;
    let (user, device) = (reader.user.as_str(), reader.device.as_str());
    let alone = !has_others(tables, app, user, device)?;
    for id in ids.iter().map(|id| integer(id.0)) {
        if alone {
            let entry = params![app, user, id];
            tables.execute("DELETE FROM inbox WHERE app = ?1 AND user = ?2 AND id = ?3", entry)?;
            continue;
        }
        tables.execute(
            "INSERT INTO acked (app, user, id, device)
             SELECT app, user, id, ?4 FROM inbox WHERE app = ?1 AND user = ?2 AND id = ?3
             ON CONFLICT DO NOTHING",
            params![app, user, id, device],
        )?;
        tables.execute(
            "DELETE FROM inbox WHERE app = ?1 AND user = ?2 AND id = ?3 AND NOT EXISTS (
                 SELECT 1 FROM device d WHERE d.app = ?1 AND d.user = ?2 AND NOT EXISTS (
                     SELECT 1 FROM acked a WHERE a.app = ?1 AND a.user = ?2 AND a.id = ?3 AND a.device = d.device))",
            params![app, user, id],
        )?;
    }
    Ok(())
}

/// Forgets a device, or every device and the whole inbox. Returns how many messages left.
pub(crate) fn forget(
    tables: &mut Tables,
    app: &AppId,
    user: &UserId,
    device: Option<&DeviceId>,
) -> Result<usize, Failure> {
    let app = tables.app(app)?;
    let user = user.as_str();
    let Some(device) = device else {
        let left = tables.execute("DELETE FROM inbox WHERE app = ?1 AND user = ?2", params![app, user])?;
        tables.execute("DELETE FROM device WHERE app = ?1 AND user = ?2", params![app, user])?;
        return Ok(left);
    };
    Ok(forget_device(tables, app, user, device.as_str())?)
}

/// Forgets a device. Its acks stay: what it had is acked, whoever comes later.
fn forget_device(tables: &Tables, app: i64, user: &str, device: &str) -> rusqlite::Result<usize> {
    let gone = params![app, user, device];
    if tables.execute("DELETE FROM device WHERE app = ?1 AND user = ?2 AND device = ?3", gone)? == 0 {
        return Ok(0);
    }
    tables.execute(
        "DELETE FROM inbox WHERE app = ?1 AND user = ?2
             AND EXISTS (SELECT 1 FROM acked a WHERE a.app = ?1 AND a.user = ?2 AND a.id = inbox.id)
             AND NOT EXISTS (SELECT 1 FROM device d WHERE d.app = ?1 AND d.user = ?2 AND NOT EXISTS (
                 SELECT 1 FROM acked a WHERE a.app = ?1 AND a.user = ?2 AND a.id = inbox.id AND a.device = d.device))",
        params![app, user],
    )
}

/// Whether a message waits for a user: no device has acked it.
pub(crate) fn holds(
    connection: &Connection,
    app: &AppId,
    user: &UserId,
    id: MessageId,
    now_ms: u64,
) -> rusqlite::Result<bool> {
    let mut holds = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM inbox
             WHERE app = (SELECT key FROM app WHERE name = ?1) AND user = ?2 AND id = ?3 AND until_ms > ?4
                 AND NOT EXISTS (SELECT 1 FROM acked a WHERE a.app = inbox.app AND a.user = ?2 AND a.id = ?3))",
    )?;
    holds.query_row(params![app.as_str(), user.as_str(), integer(id.0), integer(now_ms)], |row| row.get(0))
}

/// Removes at most `max` entries that are too old. Returns how many.
pub(crate) fn expire(tables: &Tables, now_ms: u64, max: usize) -> Result<usize, Failure> {
    let removed = tables.execute(
        "DELETE FROM inbox WHERE (app, user, id) IN (
             SELECT app, user, id FROM inbox INDEXED BY inbox_by_age WHERE until_ms <= ?1 LIMIT ?2)",
        params![integer(now_ms), integer(max)],
    )?;
    Ok(removed)
}

/// What a page asks for.
pub(crate) struct Page {
    pub(crate) reader: InboxReader,
    pub(crate) after: MessageId,
    pub(crate) up_to: MessageId,
    pub(crate) limit: usize,
    pub(crate) now_ms: u64,
}

/// The unacked messages of a page. A device that has not opened the inbox gets what nobody has acked.
pub(crate) fn page(connection: &Connection, page: &Page) -> rusqlite::Result<Vec<Arc<Message>>> {
    let Page { reader, after, up_to, limit, now_ms } = page;
    let mut select = connection.prepare_cached(
        "SELECT m.id, m.sender, m.to_room, m.target, m.sent_at_ms, m.payload, m.marks
         FROM inbox i CROSS JOIN message m ON m.id = i.id
         WHERE i.app = (SELECT key FROM app WHERE name = ?1) AND i.user = ?2
             AND i.id > ?4 AND i.id <= ?5 AND +i.until_ms > ?7
             AND NOT EXISTS (SELECT 1 FROM acked a WHERE a.app = i.app AND a.user = i.user AND a.id = i.id
                 AND (a.device = ?3 OR NOT EXISTS (
                     SELECT 1 FROM device d WHERE d.app = i.app AND d.user = i.user AND d.device = ?3)))
         ORDER BY i.id LIMIT ?6",
    )?;
    let rows = select.query_map(
        params![
            reader.app.as_str(),
            reader.user.as_str(),
            reader.device.as_str(),
            integer(after.0),
            integer(up_to.0),
            integer(*limit),
            integer(*now_ms),
        ],
        message,
    )?;
    rows.collect()
}

/// A message out of its columns: id, sender, to_room, target, sent_at_ms, payload, marks.
pub(crate) fn message(row: &Row<'_>) -> rusqlite::Result<Arc<Message>> {
    let text = |column| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
    let number = row.get(2)?;
    let to =
        Target::from_trusted(number, text(3)?).ok_or(rusqlite::Error::IntegralValueOutOfRange(2, i64::from(number)))?;
    Ok(Arc::new(Message {
        id: MessageId(row.get::<_, i64>(0)?.cast_unsigned()),
        from: UserId::from_trusted(text(1)?),
        to,
        payload: Bytes::copy_from_slice(row.get_ref(5)?.as_blob()?),
        sent_at_ms: row.get::<_, i64>(4)?.cast_unsigned(),
        marks: Marks::from_number(row.get(6)?),
    }))
}

/// How many messages wait for a user.
pub(crate) fn count(connection: &Connection, app: &AppId, user: &UserId, now_ms: u64) -> rusqlite::Result<usize> {
    let mut count = connection.prepare_cached(
        "SELECT count(*) FROM inbox
         WHERE app = (SELECT key FROM app WHERE name = ?1) AND user = ?2 AND +until_ms > ?3
             AND NOT EXISTS (SELECT 1 FROM acked a WHERE a.app = inbox.app AND a.user = ?2 AND a.id = inbox.id)",
    )?;
    let kept: i64 = count.query_row(params![app.as_str(), user.as_str(), integer(now_ms)], |row| row.get(0))?;
    Ok(kept.try_into().unwrap_or(usize::MAX))
}
