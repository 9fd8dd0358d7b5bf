//! What the writes of a batch share: the writing connection and what it remembers between statements.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Params};
use stentor_core::id::{AppId, MessageId};

/// The writer's side of the database.
pub(crate) struct Tables {
    /// The only connection that writes.
    pub(crate) connection: Connection,
    apps: HashMap<AppId, i64>,
    newest: MessageId,
    newest_written: MessageId,
}

impl Tables {
    /// Reads what has to be remembered.
    pub(crate) fn new(connection: Connection) -> rusqlite::Result<Self> {
        let newest = newest_message(&connection)?;
        Ok(Self { connection, apps: HashMap::new(), newest, newest_written: newest })
    }

    /// Executes a cached statement. Returns the number of rows changed, without those of triggers.
    pub(crate) fn execute(&self, sql: &str, params: impl Params) -> rusqlite::Result<usize> {
        self.connection.prepare_cached(sql)?.execute(params)
    }

    /// The key of an app, which is made if it is new.
    pub(crate) fn app(&mut self, app: &AppId) -> rusqlite::Result<i64> {
        if let Some(key) = self.apps.get(app) {
            return Ok(*key);
        }
        let mut find = self.connection.prepare_cached("SELECT key FROM app WHERE name = ?1")?;
        let key = match find.query_row([app.as_str()], |row| row.get(0)).optional()? {
            Some(key) => key,
            None => {
                self.execute("INSERT INTO app (name) VALUES (?1)", [app.as_str()])?;
                self.connection.last_insert_rowid()
            }
        };
        drop(find);
        self.apps.insert(app.clone(), key);
        Ok(key)
    }

    /// A message was kept.
    pub(crate) fn saw(&mut self, id: MessageId) {
        self.newest = self.newest.max(id);
    }

    /// The newest ID, to come back to when an operation is rolled back.
    pub(crate) fn newest(&self) -> MessageId {
        self.newest
    }

    /// One operation was rolled back, which had found `newest` when it began.
    pub(crate) fn operation_undone(&mut self, newest: MessageId) {
        self.apps.clear();
        self.newest = newest;
    }

    /// The batch was rolled back.
    pub(crate) fn batch_undone(&mut self) {
        self.operation_undone(self.newest_written);
    }

    /// Writes what the batch has changed and is written once for all of it. Its commit must follow.
    pub(crate) fn before_commit(&mut self) -> rusqlite::Result<()> {
        if self.newest > self.newest_written {
            self.execute("UPDATE meta SET newest_message = ?1", [integer(self.newest.0)])?;
        }
        Ok(())
    }

    /// The batch is durable.
    pub(crate) fn batch_committed(&mut self) {
        self.newest_written = self.newest;
    }
}

/// The newest message ever kept.
pub(crate) fn newest_message(connection: &Connection) -> rusqlite::Result<MessageId> {
    let newest: i64 = connection.query_row("SELECT newest_message FROM meta", [], |row| row.get(0))?;
    Ok(MessageId(newest.cast_unsigned()))
}

/// A time, size or message ID as SQLite knows it. What does not fit is farther away than anything stored.
pub(crate) fn integer(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}
