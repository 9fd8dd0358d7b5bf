//! Messages kept for later queries.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, ToSql, params};
use stentor_core::id::AppId;
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
    }
    Ok(())
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
        let (index, more) = match (&self.filter.from, &self.filter.to) {
            (None, None) => ("history_by_app", ""),
            (Some(_), None) => ("history_by_sender", "AND sender = ?5"),
            (None, Some(_)) => ("history_by_target", "AND target = ?6"),
            (Some(_), Some(_)) => ("history_by_target", "AND target = ?6 AND sender = ?5"),
        };
        format!(
            "FROM message INDEXED BY {index} WHERE app = (SELECT key FROM app WHERE name = ?1)
             AND history_until_ms > ?2 AND sent_at_ms BETWEEN ?3 AND ?4 {more}"
        )
    }

    fn bind<T>(&self, page: Option<HistoryPage>, run: impl FnOnce(&[&dyn ToSql]) -> T) -> T {
        let HistoryFilter { from, to, start_ms, end_ms } = &self.filter;
        let from = from.as_ref().map(|user| user.as_str());
        let params = params![
            self.app.as_str(),
            integer(self.now_ms),
            integer(*start_ms),
            integer(*end_ms),
            from,
            to,
            page.map(|page| integer(page.limit)),
            page.map(|page| integer(page.offset)),
        ];
        run(params)
    }

    /// A page of the matches.
    pub(crate) fn page(&self, connection: &Connection, page: HistoryPage) -> rusqlite::Result<Vec<Arc<Message>>> {
        let order = if page.newest_first { "DESC" } else { "ASC" };
        let sql = format!(
            "SELECT id, sender, to_room, target, sent_at_ms, payload {} ORDER BY id {order} LIMIT ?7 OFFSET ?8",
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
