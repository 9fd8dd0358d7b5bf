//! Records: a value under a key, in families.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};
use stentor_core::id::AppId;
use stentor_core::records::RecordKind;
use stentor_core::store::{Change, Changed, Scan};

use crate::failure::Failure;
use crate::tables::{Tables, integer};

/// Applies changes, or none of them.
pub(crate) fn change(tables: &mut Tables, app: &AppId, changes: &[Change]) -> Result<Changed, Failure> {
    let app = tables.app(app)?;
    for change in changes {
        if let Change::Expect { kind, key, value } = change
            && !is_as_expected(tables, app, *kind, key, value.as_ref())?
        {
            return Ok(Changed::Conflict);
        }
    }
    apply(tables, app, changes)?;
    Ok(Changed::Done)
}

fn is_as_expected(
    tables: &Tables,
    app: i64,
    kind: RecordKind,
    key: &str,
    value: Option<&Bytes>,
) -> rusqlite::Result<bool> {
    let mut find =
        tables.connection.prepare_cached("SELECT value FROM record WHERE app = ?1 AND kind = ?2 AND key = ?3")?;
    let mut rows = find.query(params![app, kind as u8, key])?;
    Ok(match (rows.next()?, value) {
        (Some(row), Some(value)) => row.get_ref(0)?.as_blob()? == &value[..],
        (None, None) => true,
        _ => false,
    })
}

/// Applies changes; expectations were looked at before.
pub(crate) fn apply(tables: &Tables, app: i64, changes: &[Change]) -> rusqlite::Result<()> {
    for change in changes {
        match change {
            Change::Expect { .. } => {}
            Change::Put { kind, key, value } => {
                tables.execute(
                    "INSERT INTO record (app, kind, key, value) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET value = excluded.value",
                    params![app, *kind as u8, key, &value[..]],
                )?;
            }
            Change::Delete { kind, key } => {
                tables.execute(
                    "DELETE FROM record WHERE app = ?1 AND kind = ?2 AND key = ?3",
                    params![app, *kind as u8, key],
                )?;
            }
            Change::DeletePrefix { kind, prefix } => {
                tables.execute(
                    "DELETE FROM record WHERE app = ?1 AND kind = ?2 AND key >= ?3 AND (?4 IS NULL OR key < ?4)",
                    params![app, *kind as u8, prefix, end_of(prefix)],
                )?;
            }
        }
    }
    Ok(())
}

/// The first text behind all that begin with `prefix`; `None` if nothing is.
fn end_of(prefix: &str) -> Option<String> {
    let mut rest = prefix.chars();
    while let Some(last) = rest.next_back() {
        // Text is compared by its UTF-8, which orders as the characters do. Surrogates are no characters.
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            return Some(format!("{}{next}", rest.as_str()));
        }
    }
    None
}

fn value(row: &Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
    Ok(Bytes::copy_from_slice(row.get_ref(column)?.as_blob()?))
}

/// One record.
pub(crate) fn read(
    connection: &Connection,
    app: &AppId,
    kind: RecordKind,
    key: &str,
) -> rusqlite::Result<Option<Bytes>> {
    let mut find = connection.prepare_cached(
        "SELECT value FROM record WHERE app = (SELECT key FROM app WHERE name = ?1) AND kind = ?2 AND key = ?3",
    )?;
    find.query_row(params![app.as_str(), kind as u8, key], |row| value(row, 0)).optional()
}

/// Several records.
pub(crate) fn read_all(
    connection: &Connection,
    app: &AppId,
    kind: RecordKind,
    keys: &[String],
) -> rusqlite::Result<Vec<Option<Bytes>>> {
    keys.iter().map(|key| read(connection, app, kind, key)).collect()
}

/// A range of records.
pub(crate) fn scan(connection: &Connection, app: &AppId, scan: &Scan) -> rusqlite::Result<Vec<(String, Bytes)>> {
    let (bound, order) = if scan.backwards { ("key < ?5", "DESC") } else { ("key > ?5", "ASC") };
    let sql = format!(
        "SELECT key, value FROM record WHERE app = (SELECT key FROM app WHERE name = ?1) AND kind = ?2
         AND key >= ?3 AND (?4 IS NULL OR key < ?4) AND (?5 IS NULL OR {bound}) ORDER BY key {order} LIMIT ?6"
    );
    let mut select = connection.prepare_cached(&sql)?;
    let params =
        params![app.as_str(), scan.kind as u8, scan.prefix, end_of(&scan.prefix), scan.after, integer(scan.limit)];
    select.query_map(params, |row| Ok((row.get(0)?, value(row, 1)?)))?.collect()
}

/// How many records begin so.
pub(crate) fn count(connection: &Connection, app: &AppId, kind: RecordKind, prefix: &str) -> rusqlite::Result<u64> {
    let mut count = connection.prepare_cached(
        "SELECT count(*) FROM record WHERE app = (SELECT key FROM app WHERE name = ?1) AND kind = ?2
         AND key >= ?3 AND (?4 IS NULL OR key < ?4)",
    )?;
    let params = params![app.as_str(), kind as u8, prefix, end_of(prefix)];
    count.query_row(params, |row| row.get::<_, i64>(0)).map(i64::cast_unsigned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_behind_everything_that_begins_so() {
        assert_eq!(end_of("room/").as_deref(), Some("room0"));
        assert_eq!(end_of("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
        assert_eq!(end_of("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(end_of("\u{10ffff}"), None);
        assert_eq!(end_of(""), None);
    }
}
