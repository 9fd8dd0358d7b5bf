//! The tables, as a list of migrations: the file's `user_version` says how many of them it has seen.

use rusqlite::Connection;

/// Marks the file as ours: "Sten".
pub(crate) const APPLICATION_ID: i32 = 0x5374_656e;

/// The version that this program writes.
pub(crate) const VERSION: u32 = MIGRATIONS.len() as u32;

/// Each runs once, in one transaction with the step of `user_version`. Released ones never change.
///
/// A message's body is stored once. `inbox` refers to it; it is in the history while `history_until_ms` is set.
/// When an inbox entry goes, for whatever reason, a trigger removes its acks, and the body if nothing else
/// refers to it. App names are interned because every key begins with one; other names are not, because a name
/// that is no longer used would have to be found and removed.
const MIGRATIONS: &[&str] = &[
    "
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    newest_message INTEGER NOT NULL,
    probe BLOB
) STRICT;
INSERT INTO meta (one, newest_message) VALUES (1, 0);

CREATE TABLE app (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    history_bytes INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    app INTEGER NOT NULL,
    sender TEXT NOT NULL,
    to_room INTEGER NOT NULL,
    target TEXT NOT NULL,
    sent_at_ms INTEGER NOT NULL,
    history_until_ms INTEGER,
    payload BLOB NOT NULL
) STRICT;
CREATE INDEX history_by_app ON message (app) WHERE history_until_ms IS NOT NULL;
CREATE INDEX history_by_age ON message (history_until_ms) WHERE history_until_ms IS NOT NULL;
CREATE INDEX history_by_target ON message (app, target, id, sender, sent_at_ms, history_until_ms)
    WHERE history_until_ms IS NOT NULL;
CREATE INDEX history_by_sender ON message (app, sender, id, sent_at_ms, history_until_ms)
    WHERE history_until_ms IS NOT NULL;

CREATE TABLE inbox (
    app INTEGER NOT NULL,
    user TEXT NOT NULL,
    id INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    PRIMARY KEY (app, user, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX inbox_by_message ON inbox (id);
CREATE INDEX inbox_by_age ON inbox (until_ms);

CREATE TABLE device (
    app INTEGER NOT NULL,
    user TEXT NOT NULL,
    device TEXT NOT NULL,
    PRIMARY KEY (app, user, device)
) STRICT, WITHOUT ROWID;

CREATE TABLE acked (
    app INTEGER NOT NULL,
    user TEXT NOT NULL,
    id INTEGER NOT NULL,
    device TEXT NOT NULL,
    PRIMARY KEY (app, user, id, device)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER inbox_entry_gone AFTER DELETE ON inbox BEGIN
    DELETE FROM acked WHERE app = OLD.app AND user = OLD.user AND id = OLD.id;
    DELETE FROM message WHERE id = OLD.id AND history_until_ms IS NULL
        AND NOT EXISTS (SELECT 1 FROM inbox WHERE id = OLD.id);
END;

CREATE TABLE session (
    app INTEGER NOT NULL,
    session INTEGER NOT NULL,
    user TEXT NOT NULL,
    device TEXT NOT NULL,
    PRIMARY KEY (app, session)
) STRICT, WITHOUT ROWID;

CREATE TABLE member (
    app INTEGER NOT NULL,
    session INTEGER NOT NULL,
    room TEXT NOT NULL,
    PRIMARY KEY (app, session, room)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER session_gone AFTER DELETE ON session BEGIN
    DELETE FROM member WHERE app = OLD.app AND session = OLD.session;
END;

CREATE TABLE event (
    app INTEGER NOT NULL,
    queue INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    type INTEGER NOT NULL,
    user TEXT NOT NULL,
    room TEXT,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (app, queue, seq)
) STRICT, WITHOUT ROWID;
",
    "
ALTER TABLE message ADD COLUMN marks INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device ADD COLUMN seen_ms INTEGER NOT NULL DEFAULT 0;

CREATE TABLE hidden (
    id INTEGER NOT NULL,
    user TEXT NOT NULL,
    PRIMARY KEY (id, user)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER message_gone AFTER DELETE ON message WHEN OLD.hidden BEGIN
    DELETE FROM hidden WHERE id = OLD.id;
END;

CREATE TABLE record (
    app INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (app, kind, key)
) STRICT, WITHOUT ROWID;
",
];

/// How many migrations the file has seen.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Runs the migrations that the file has not seen.
pub(crate) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let seen = version(connection)?;
    for (migration, version) in MIGRATIONS.iter().zip(1..).filter(|(_, version)| *version > seen) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}
