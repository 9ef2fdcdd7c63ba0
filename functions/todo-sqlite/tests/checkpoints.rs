//! What is in the file itself, beside its log.
#![allow(clippy::unwrap_used, reason = "a test may end here")]

use std::path::PathBuf;

use rusqlite::Connection;
use todo_sqlite::{Checkpointer, EVERY};

#[test]
fn what_was_committed_is_brought_into_the_file_by_nobody_who_commits() {
    let database = Database::new();
    let checkpointer = Checkpointer::new(&database.file);
    for _ in 1..EVERY {
        database.commit(1);
        checkpointer.committed();
    }
    drop(checkpointer);
    assert_eq!(database.rows_in_the_file(), None, "the table itself is in the log");

    database.commit_and_checkpoint();
    assert_eq!(database.rows_in_the_file(), Some(2 * EVERY - 1));
}

#[test]
fn a_checkpoint_waits_for_no_reader_and_the_next_one_brings_what_it_had_to_leave() {
    let database = Database::new();
    database.commit(1);
    let reader = Connection::open(&database.file).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM rows").unwrap();
    database.commit_and_checkpoint();
    assert_eq!(count(&reader).unwrap(), 1, "the reader sees what it saw");
    assert_ne!(database.rows_in_the_file(), Some(EVERY + 1));

    drop(reader);
    database.commit_and_checkpoint();
    assert_eq!(database.rows_in_the_file(), Some(2 * EVERY + 1));
}

#[test]
fn a_file_that_is_not_a_database_is_no_reason_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("not-a-database");
    std::fs::write(&file, vec![b'x'; 8192]).unwrap();
    let checkpointer = Checkpointer::new(&file);
    for _ in 0..2 * EVERY {
        checkpointer.committed();
    }
    drop(checkpointer);
    assert_eq!(std::fs::read(&file).unwrap(), vec![b'x'; 8192]);
}

#[test]
fn a_log_that_nobody_takes_care_of_is_brought_into_the_file_by_who_makes_it_too_long() {
    let database = Database::new();
    database.commit(1);
    assert_eq!(database.rows_in_the_file(), None);
    for _ in 0..65 {
        database.commit(1 << 20);
    }
    assert!(database.rows_in_the_file().is_some_and(|rows| rows > 60));
}

/// A database with one table, its connection that writes, and its folder.
struct Database {
    writer: Connection,
    file: PathBuf,
    folder: tempfile::TempDir,
}

impl Database {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rows.db");
        let writer = Connection::open(&file).unwrap();
        todo_sqlite::prepare(&writer).unwrap();
        // Nothing here is to survive the test.
        writer.pragma_update(None, "synchronous", "off").unwrap();
        writer.execute_batch("CREATE TABLE rows (bytes BLOB NOT NULL) STRICT").unwrap();
        Self { writer, file, folder }
    }

    fn commit(&self, bytes: u32) {
        self.writer.execute("INSERT INTO rows VALUES (zeroblob(?))", [bytes]).unwrap();
    }

    /// As many commits as lead to a checkpoint, and that one to its end.
    fn commit_and_checkpoint(&self) {
        let checkpointer = Checkpointer::new(&self.file);
        for _ in 0..EVERY {
            self.commit(1);
            checkpointer.committed();
        }
    }

    /// How many rows the file holds without its log; `None`: not even the table.
    fn rows_in_the_file(&self) -> Option<u32> {
        let alone = self.folder.path().join("alone.db");
        std::fs::copy(&self.file, &alone).unwrap();
        count(&Connection::open(&alone).unwrap()).ok()
    }
}

fn count(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("SELECT count(*) FROM rows", [], |row| row.get(0))
}
