//! The few places where Postgres and SQLite need different text.

/// Which database a statement is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL 15 or later.
    Postgres,
    /// SQLite 3.43 or later, with FTS5.
    Sqlite,
}

/// Binds a Postgres transaction to a tenant and takes the rights of anybody else from it: from here on row-level security
/// holds, whatever the statements say, and whoever the connection logged in as.
pub(crate) const BIND_TENANT: &str =
    "SELECT set_config('app.user_id', $1, true), set_config('role', 'todo_app', true)";

/// Makes a Postgres transaction the relay's, whose role sees everybody's events and nobody's tasks.
pub(crate) const BIND_RELAY: &str = "SELECT set_config('role', 'todo_relay', true)";

impl Dialect {
    /// How a transaction begins. SQLite takes the write lock at once: a transaction that reads first and writes later
    /// would fail, not wait, when another one wrote in between.
    pub(crate) fn begin(self, access: Access) -> &'static str {
        match (self, access) {
            (Self::Postgres, Access::ReadWrite) => "BEGIN",
            (Self::Postgres, Access::ReadOnly) => "BEGIN READ ONLY",
            (Self::Sqlite, Access::ReadWrite) => "BEGIN IMMEDIATE",
            (Self::Sqlite, Access::ReadOnly) => "BEGIN DEFERRED",
        }
    }

    /// Ends a SELECT of a row that the same transaction is going to change. In SQLite the transaction is the only writer.
    pub(crate) fn lock_row(self) -> &'static str {
        match self {
            Self::Postgres => " FOR UPDATE",
            Self::Sqlite => "",
        }
    }

    /// The condition that a task has the words of parameter `$n`, which [`Dialect::words_query`] wrote.
    pub(crate) fn has_words(self, n: usize) -> String {
        match self {
            Self::Postgres => format!("task_id IN (SELECT task_search(${n}))"),
            Self::Sqlite => {
                format!("search_id IN (SELECT rowid FROM task_words WHERE task_words MATCH ${n})")
            }
        }
    }

    /// A query for tasks of this tenant that have all these words, each as the beginning of a word. The words are letters and
    /// digits only (see [`crate::search`]), so none of them can be query syntax.
    pub(crate) fn words_query(self, user_id: &str, words: &[String]) -> String {
        match self {
            Self::Postgres => joined(words, " & ", |word| format!("'{word}':*")),
            // One index holds all tenants' words: naming the owner keeps a search from reading the others'.
            Self::Sqlite => {
                let owner: String = user_id.bytes().map(|byte| format!("{byte:02X}")).collect();
                let words = joined(words, " AND ", |word| format!("\"{word}\" *"));
                format!("owner : \"{owner}\" AND words : ({words})")
            }
        }
    }
}

fn joined(words: &[String], separator: &str, quote: impl Fn(&String) -> String) -> String {
    words.iter().map(quote).collect::<Vec<_>>().join(separator)
}

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading and writing.
    ReadWrite,
    /// Reading only: the database refuses a write, and on SQLite it waits for nobody.
    ReadOnly,
}
