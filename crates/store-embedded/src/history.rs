//! Messages kept for later queries.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use stentor_core::id::{AppId, MessageId, UserId};
use stentor_core::message::{Marks, Message, Target};
use stentor_core::store::{Amended, HistoryFilter, HistoryPage, KeepInHistory};

use crate::failure::Failure;
use crate::inbox::message;
use crate::tables::{Tables, integer};

/// Puts a stored message into the history. `new` says that it was stored just now, with its expiry.
pub(crate) fn enter(
    tables: &Tables,
    app: i64,
    message: &Message,
    how: &KeepInHistory,
    new: bool,
) -> rusqlite::Result<()> {
    let id = integer(message.id.0);
    let bytes = if new {
        Some(integer(message.payload.len()))
    } else {
        // It may have been amended: the bytes are those that are stored.
        let late = "UPDATE message SET history_until_ms = ?2 WHERE id = ?1 AND history_until_ms IS NULL
                    RETURNING length(payload)";
        let mut late = tables.connection.prepare_cached(late)?;
        late.query_row([id, integer(how.expires_at_ms)], |row| row.get(0)).optional()?
    };
    if let Some(bytes) = bytes {
        add_bytes(tables, app, bytes)?;
        for user in &how.hidden_from {
            hide_one(tables, id, user)?;
        }
    }
    Ok(())
}

fn hide_one(tables: &Tables, id: i64, from: &UserId) -> rusqlite::Result<()> {
    let hidden = params![id, from.as_str()];
    if tables.execute("INSERT INTO hidden (id, user) VALUES (?1, ?2) ON CONFLICT DO NOTHING", hidden)? == 1 {
        tables.execute("UPDATE message SET hidden = 1 WHERE id = ?1 AND hidden = 0", [id])?;
    }
    Ok(())
}

/// Hides the oldest matches from a user, at most `limit`. Returns how many there were.
pub(crate) fn hide(tables: &mut Tables, query: &Query, from: &UserId, limit: usize) -> Result<u64, Failure> {
    let page = HistoryPage { offset: 0, limit: limit as u64, newest_first: false };
    let found = query.ids(&tables.connection, page)?;
    for id in &found {
        hide_one(tables, *id, from)?;
    }
    Ok(found.len() as u64)
}

/// A message that is kept anywhere.
pub(crate) fn find(connection: &Connection, app: &AppId, id: MessageId) -> rusqlite::Result<Option<Arc<Message>>> {
    let mut find = connection.prepare_cached(
        "SELECT id, sender, to_room, target, sent_at_ms, payload, marks FROM message
         WHERE id = ?2 AND app = (SELECT key FROM app WHERE name = ?1)",
    )?;
    find.query_row(params![app.as_str(), integer(id.0)], message).optional()
}

/// Takes a message out of everything.
pub(crate) fn withdraw(tables: &mut Tables, app: &AppId, id: MessageId) -> Result<bool, Failure> {
    let app = tables.app(app)?;
    let id = integer(id.0);
    let mut find = tables.connection.prepare_cached(
        "SELECT history_until_ms IS NOT NULL, length(payload) FROM message WHERE id = ?1 AND app = ?2",
    )?;
    let found = find.query_row([id, app], |row| Ok((row.get::<_, bool>(0)?, row.get::<_, i64>(1)?))).optional()?;
    drop(find);
    let Some((in_history, bytes)) = found else { return Ok(false) };
    if in_history {
        add_bytes(tables, app, -bytes)?;
    }
    // In this order, so that the trigger of the last inbox entry finds nothing to do twice.
    tables.execute("UPDATE message SET history_until_ms = NULL WHERE id = ?1", [id])?;
    tables.execute("DELETE FROM inbox WHERE id = ?1", [id])?;
    tables.execute("DELETE FROM message WHERE id = ?1", [id])?;
    Ok(true)
}

/// Gives a message another payload, unless that was done `max` times.
pub(crate) fn amend(
    tables: &mut Tables,
    app: &AppId,
    id: MessageId,
    payload: &[u8],
    max: u8,
) -> Result<Amended, Failure> {
    let app = tables.app(app)?;
    let id = integer(id.0);
    let mut find = tables.connection.prepare_cached(
        "SELECT marks, history_until_ms IS NOT NULL, length(payload) FROM message WHERE id = ?1 AND app = ?2",
    )?;
    let found = find.query_row([id, app], |row| Ok((row.get(0)?, row.get::<_, bool>(1)?, row.get::<_, i64>(2)?)));
    let Some((marks, in_history, bytes)) = found.optional()? else { return Ok(Amended::NotThere) };
    drop(find);
    let marks = Marks::from_number(marks);
    if marks.edits >= max.min(Marks::EDITS_MAX) {
        return Ok(Amended::TooOften);
    }
    let marks = Marks { edits: marks.edits + 1, ..marks };
    tables
        .execute("UPDATE message SET payload = ?2, marks = ?3 WHERE id = ?1", params![id, payload, marks.number()])?;
    if in_history {
        add_bytes(tables, app, integer(payload.len()) - bytes)?;
    }
    Ok(Amended::Done)
}

/// Takes the oldest messages out of an app's history until it is no larger than `max_bytes`.
pub(crate) fn trim(tables: &Tables, app: i64, max_bytes: u64) -> rusqlite::Result<()> {
    let mut size = tables.connection.prepare_cached("SELECT history_bytes FROM app WHERE key = ?1")?;
    while size.query_row([app], |row| row.get::<_, i64>(0))? > integer(max_bytes) {
        let Some((oldest, bytes)) = oldest(tables, app)? else { break };
        forget(tables, oldest)?;
        add_bytes(tables, app, -bytes)?;
    }
    Ok(())
}

/// Changes the size of an app's history.
fn add_bytes(tables: &Tables, app: i64, more: i64) -> rusqlite::Result<()> {
    tables.execute("UPDATE app SET history_bytes = history_bytes + ?2 WHERE key = ?1", [app, more])?;
    Ok(())
}

fn oldest(tables: &Tables, app: i64) -> rusqlite::Result<Option<(i64, i64)>> {
    let sql = "SELECT id, length(payload) FROM message INDEXED BY history_by_app
               WHERE app = ?1 AND history_until_ms IS NOT NULL ORDER BY id LIMIT 1";
    tables.connection.prepare_cached(sql)?.query_row([app], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

/// Takes a message out of the history; its body goes too unless an inbox has it.
fn forget(tables: &Tables, id: i64) -> rusqlite::Result<()> {
    let unused = "DELETE FROM message WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM inbox WHERE id = ?1)";
    if tables.execute(unused, [id])? == 0 {
        tables.execute("UPDATE message SET history_until_ms = NULL, hidden = 0 WHERE id = ?1", [id])?;
        tables.execute("DELETE FROM hidden WHERE id = ?1", [id])?;
    }
    Ok(())
}

/// Removes a message that is kept nowhere.
pub(crate) fn drop_unused(tables: &Tables, id: i64) -> rusqlite::Result<()> {
    let unused = "DELETE FROM message WHERE id = ?1 AND history_until_ms IS NULL
        AND NOT EXISTS (SELECT 1 FROM inbox WHERE id = ?1)";
    tables.execute(unused, [id])?;
    Ok(())
}

/// Removes at most `max` messages that are too old. Returns how many.
pub(crate) fn expire(tables: &Tables, now_ms: u64, max: usize) -> Result<usize, Failure> {
    let mut select = tables.connection.prepare_cached(
        "SELECT id, app, length(payload) FROM message INDEXED BY history_by_age
         WHERE history_until_ms <= ?1 LIMIT ?2",
    )?;
    let rows = select.query_map(params![integer(now_ms), integer(max)], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
    })?;
    let expired = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    for (id, app, bytes) in &expired {
        forget(tables, *id)?;
        add_bytes(tables, *app, -bytes)?;
    }
    Ok(expired.len())
}

/// A query of the history.
pub(crate) struct Query {
    pub(crate) app: AppId,
    pub(crate) filter: HistoryFilter,
    pub(crate) now_ms: u64,
}

/// What a page consists of, in the order of [`message`].
const COLUMNS: &str = "id, sender, to_room, target, sent_at_ms, payload, marks";

/// What holds for every match. The last parameter is always there, whatever else a statement leaves out.
const IN_RANGE: &str = "app = (SELECT key FROM app WHERE name = ?1) AND history_until_ms > ?2
    AND sent_at_ms BETWEEN ?3 AND ?4 AND id > ?9 AND id <= ?10
    AND (hidden = 0 OR ?12 IS NULL OR NOT EXISTS (SELECT 1 FROM hidden h WHERE h.id = message.id AND h.user = ?12))";

impl Query {
    /// The parts of the matches, each with the index that serves it: named, so that the planner cannot choose by
    /// what it guesses of the data. No message is in two parts.
    fn parts(&self) -> Vec<String> {
        let part = |index: &str, more: &str| format!("FROM message INDEXED BY {index} WHERE {IN_RANGE} {more}");
        if self.filter.both_ways {
            return vec![
                part("history_by_target", "AND target = ?6 AND sender = ?5 AND to_room = 0"),
                part("history_by_target", "AND target = ?5 AND sender = ?6 AND to_room = 0 AND ?5 <> ?6"),
            ];
        }
        let to_one_kind = if self.filter.target.is_some() { "AND to_room = ?11" } else { "" };
        let (index, more) = match (&self.filter.from, self.to()) {
            (None, None) => ("history_by_app", ""),
            (Some(_), None) => ("history_by_sender", "AND sender = ?5"),
            (None, Some(_)) => ("history_by_target", "AND target = ?6"),
            (Some(_), Some(_)) => ("history_by_target", "AND target = ?6 AND sender = ?5"),
        };
        vec![part(index, &format!("{more} {to_one_kind}"))]
    }

    fn to(&self) -> Option<&str> {
        self.filter.target.as_ref().map(Target::name).or(self.filter.to.as_deref())
    }

    fn bind<T>(&self, page: HistoryPage, run: impl FnOnce(&[&dyn ToSql]) -> T) -> T {
        let filter = &self.filter;
        let from = filter.from.as_ref().map(|user| user.as_str());
        let seen_by = filter.seen_by.as_ref().map(|user| user.as_str());
        let up_to = filter.before.map_or(i64::MAX, |before| integer(before.0) - 1);
        let params = params![
            self.app.as_str(),
            integer(self.now_ms),
            integer(filter.start_ms),
            integer(filter.end_ms),
            from,
            self.to(),
            integer(page.limit),
            integer(page.offset),
            filter.after.map_or(-1, |after| integer(after.0)),
            up_to,
            filter.target.as_ref().map(Target::number),
            seen_by,
        ];
        run(params)
    }

    /// A page of the matches, of each part no more than the page may need.
    fn select<T>(
        &self,
        connection: &Connection,
        columns: &str,
        page: HistoryPage,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        let order = if page.newest_first { "DESC" } else { "ASC" };
        let parts = self.parts();
        if let [part] = &parts[..] {
            let sql = format!("SELECT {columns} {part} ORDER BY id {order} LIMIT ?7 OFFSET ?8");
            let mut select = connection.prepare_cached(&sql)?;
            return self.bind(page, |params| select.query_map(params, read)?.collect());
        }
        let part = |part| format!("SELECT * FROM (SELECT {columns} {part} ORDER BY id {order} LIMIT ?7)");
        let parts: Vec<_> = parts.iter().map(part).collect();
        let mut select =
            connection.prepare_cached(&format!("{} ORDER BY 1 {order} LIMIT ?7", parts.join(" UNION ALL ")))?;
        let upto = HistoryPage { limit: page.limit.saturating_add(page.offset), offset: 0, ..page };
        let mut rows: Vec<T> = self.bind(upto, |params| select.query_map(params, read)?.collect::<Result<_, _>>())?;
        rows.drain(..rows.len().min(page.offset.try_into().unwrap_or(usize::MAX)));
        Ok(rows)
    }

    /// A page of the matches.
    pub(crate) fn page(&self, connection: &Connection, page: HistoryPage) -> rusqlite::Result<Vec<Arc<Message>>> {
        self.select(connection, COLUMNS, page, message)
    }

    /// The IDs of a page of the matches.
    fn ids(&self, connection: &Connection, page: HistoryPage) -> rusqlite::Result<Vec<i64>> {
        self.select(connection, "id", page, |row| row.get(0))
    }

    /// The number of matches.
    pub(crate) fn count(&self, connection: &Connection) -> rusqlite::Result<u64> {
        let nothing = HistoryPage { offset: 0, limit: 0, newest_first: false };
        let mut matches = 0;
        for part in self.parts() {
            let mut count = connection.prepare_cached(&format!("SELECT count(*) {part}"))?;
            matches += self.bind(nothing, |params| count.query_row(params, |row| row.get::<_, i64>(0)))?;
        }
        Ok(matches.cast_unsigned())
    }
}
