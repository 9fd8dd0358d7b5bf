//! Messages kept for later queries.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, ToSql, params};
use stentor_core::id::{AppId, MessageId, UserId};
use stentor_core::message::Message;
use stentor_core::store::{HistoryFilter, HistoryPage, KeepInHistory};

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
    let until = integer(how.expires_at_ms);
    let late = "UPDATE message SET history_until_ms = ?2 WHERE id = ?1 AND history_until_ms IS NULL";
    if new || tables.execute(late, [id, until])? == 1 {
        add_bytes(tables, app, integer(message.payload.len()))?;
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

/// Hides what matches from a user. Returns how much was not hidden before.
pub(crate) fn hide(tables: &mut Tables, query: &Query, from: &UserId) -> Result<u64, Failure> {
    let sql = format!("SELECT id {} AND ?7 IS NULL AND ?8 IS NULL", query.matching());
    let mut select = tables.connection.prepare_cached(&sql)?;
    let found = query.bind(None, |params| {
        select.query_map(params, |row| row.get::<_, i64>(0))?.collect::<rusqlite::Result<Vec<_>>>()
    })?;
    let mut hidden = 0;
    for id in found {
        let before = tables.connection.total_changes();
        hide_one(tables, id, from)?;
        hidden += u64::from(tables.connection.total_changes() > before);
    }
    Ok(hidden)
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

/// Gives a message another payload.
pub(crate) fn amend(tables: &mut Tables, app: &AppId, id: MessageId, payload: &[u8]) -> Result<bool, Failure> {
    let app = tables.app(app)?;
    let id = integer(id.0);
    let grown =
        "UPDATE app SET history_bytes = history_bytes + ?3 - (SELECT length(payload) FROM message WHERE id = ?2)
         WHERE key = ?1 AND EXISTS (
             SELECT 1 FROM message WHERE id = ?2 AND app = ?1 AND history_until_ms IS NOT NULL)";
    tables.execute(grown, params![app, id, integer(payload.len())])?;
    let amended =
        tables.execute("UPDATE message SET payload = ?3 WHERE id = ?2 AND app = ?1", params![app, id, payload])?;
    Ok(amended == 1)
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
        tables.execute("UPDATE message SET history_until_ms = NULL WHERE id = ?1", [id])?;
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

impl Query {
    /// The index that serves the filter: named, so that the planner cannot choose by what it guesses of the data.
    fn matching(&self) -> String {
        let hidden = "AND (hidden = 0 OR ?9 IS NULL
             OR NOT EXISTS (SELECT 1 FROM hidden h WHERE h.id = message.id AND h.user = ?9))";
        if self.filter.both_ways {
            // Two ranges of one index.
            return format!(
                "FROM message INDEXED BY history_by_target WHERE app = (SELECT key FROM app WHERE name = ?1)
                 AND history_until_ms > ?2 AND sent_at_ms BETWEEN ?3 AND ?4 AND target IN (?5, ?6)
                 AND to_room = 0 AND (sender = ?5 AND target = ?6 OR sender = ?6 AND target = ?5) {hidden}"
            );
        }
        let (index, more) = match (&self.filter.from, &self.filter.to) {
            (None, None) => ("history_by_app", ""),
            (Some(_), None) => ("history_by_sender", "AND sender = ?5"),
            (None, Some(_)) => ("history_by_target", "AND target = ?6"),
            (Some(_), Some(_)) => ("history_by_target", "AND target = ?6 AND sender = ?5"),
        };
        format!(
            "FROM message INDEXED BY {index} WHERE app = (SELECT key FROM app WHERE name = ?1)
             AND history_until_ms > ?2 AND sent_at_ms BETWEEN ?3 AND ?4 {more} {hidden}"
        )
    }

    fn bind<T>(&self, page: Option<HistoryPage>, run: impl FnOnce(&[&dyn ToSql]) -> T) -> T {
        let HistoryFilter { from, to, start_ms, end_ms, both_ways: _, seen_by } = &self.filter;
        let from = from.as_ref().map(|user| user.as_str());
        let seen_by = seen_by.as_ref().map(|user| user.as_str());
        let params = params![
            self.app.as_str(),
            integer(self.now_ms),
            integer(*start_ms),
            integer(*end_ms),
            from,
            to,
            page.map(|page| integer(page.limit)),
            page.map(|page| integer(page.offset)),
            seen_by,
        ];
        run(params)
    }

    /// A page of the matches.
    pub(crate) fn page(&self, connection: &Connection, page: HistoryPage) -> rusqlite::Result<Vec<Arc<Message>>> {
        let order = if page.newest_first { "DESC" } else { "ASC" };
        let sql = format!(
            "SELECT id, sender, to_room, target, sent_at_ms, payload, marks {} ORDER BY id {order} LIMIT ?7 OFFSET ?8",
            self.matching()
        );
        let mut select = connection.prepare_cached(&sql)?;
        self.bind(Some(page), |params| select.query_map(params, message)?.collect())
    }

    /// The number of matches.
    pub(crate) fn count(&self, connection: &Connection) -> rusqlite::Result<u64> {
        // Compared with the unused parameters, so that both queries bind the same list.
        let sql = format!("SELECT count(*) {} AND ?7 IS NULL AND ?8 IS NULL", self.matching());
        let mut count = connection.prepare_cached(&sql)?;
        let matches: i64 = self.bind(None, |params| count.query_row(params, |row| row.get(0)))?;
        Ok(matches.cast_unsigned())
    }
}
