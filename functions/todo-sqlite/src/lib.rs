//! SQLite's write-ahead log, and the thread that brings it back into the file.
//!
//! A commit in WAL mode only appends to the log. Once the log has grown, somebody has to copy it into the file and have the disk
//! confirm both, which takes milliseconds that no other statement takes. By SQLite's own way that is whoever makes the commit that is
//! too many, and everybody who stands in line behind it. A [`Checkpointer`] does it beside them: SQLite lets others read and append to
//! the log meanwhile. A connection [`prepare`]d for it does so only when the log has grown far beyond that, as the last resort.

mod checkpointer;

pub use checkpointer::{Checkpointer, EVERY};

use rusqlite::Connection;

/// Pages of a log that has grown because nobody checkpoints it: 64 MiB. Whoever commits then does it, as in SQLite's own way. For the pragma
/// `wal_autocheckpoint` of every connection to a file that has a [`Checkpointer`].
pub const LAST_RESORT: u32 = 16_384;

/// Has `connection` keep a write-ahead log that a [`Checkpointer`] takes care of.
///
/// # Errors
///
/// When the file cannot be read or written, or is not a database.
pub fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "wal_autocheckpoint", LAST_RESORT)
}
