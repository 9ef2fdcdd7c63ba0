//! The tables, and how the file is opened.

use std::path::Path;

use rusqlite::Connection;

use super::StoreError;
use crate::settings::Durability;

/// The schema's version, kept in `user_version`.
const VERSION: i64 = 1;

/// `AUTOINCREMENT` is load-bearing: were a number used again after retention deleted the last records, consumers that had passed
/// it would never see the new record.
const SCHEMA: &str = "
CREATE TABLE log (
  \"offset\"   INTEGER PRIMARY KEY AUTOINCREMENT,
  topic        TEXT NOT NULL,
  partition    INTEGER NOT NULL,
  key          TEXT,
  content_type TEXT,
  body         BLOB NOT NULL,
  published_at INTEGER NOT NULL -- microseconds since 1970
) STRICT;
CREATE INDEX log_by_partition ON log (topic, partition, \"offset\");

CREATE TABLE offsets (
  consumer    TEXT NOT NULL,
  topic       TEXT NOT NULL,
  partition   INTEGER NOT NULL,
  next_offset INTEGER NOT NULL,
  PRIMARY KEY (consumer, topic, partition)
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
  generation     INTEGER PRIMARY KEY AUTOINCREMENT, -- another one each time the job is set
  name           TEXT NOT NULL UNIQUE,
  schedule       TEXT,
  due_time       TEXT,
  repeats        INTEGER,
  ttl            TEXT,
  data           TEXT, -- JSON
  failure_policy TEXT NOT NULL, -- JSON
  expires_at     INTEGER, -- milliseconds since 1970, as are the following
  tick_at        INTEGER NOT NULL, -- the occurrence that is next
  next_at        INTEGER NOT NULL, -- when it is tried next: later than tick_at after a failure
  fired          INTEGER NOT NULL DEFAULT 0,
  attempts       INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE state (
  key        TEXT PRIMARY KEY,
  value      TEXT NOT NULL, -- JSON
  etag       TEXT NOT NULL,
  expires_at INTEGER -- milliseconds since 1970
) STRICT, WITHOUT ROWID;
CREATE INDEX state_by_expiry ON state (expires_at) WHERE expires_at IS NOT NULL;
";

pub(super) fn open(file: &Path, durability: Durability) -> Result<Connection, StoreError> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    todo_sqlite::prepare(&connection)?;
    // In WAL mode NORMAL loses nothing when the process dies: what was committed is in the operating system's hands.
    connection.pragma_update(
        None,
        "synchronous",
        match durability {
            Durability::Process => "NORMAL",
            Durability::Power => "FULL",
        },
    )?;
    migrate(&connection)?;
    Ok(connection)
}

fn migrate(connection: &Connection) -> Result<(), StoreError> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == 0 {
        connection
            .execute_batch(&format!("BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;"))?;
    }
    Ok(())
}
