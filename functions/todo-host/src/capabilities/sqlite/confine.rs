//! Keeps a component inside its database file.
//!
//! SQL itself reaches further: `ATTACH` and `VACUUM INTO` open any file of the host, pragmas change the connection for
//! whoever gets it next, temporary tables stay behind on it. SQLite asks an authorizer about each of these when it
//! prepares a statement; this one refuses them.

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;

/// Pragmas that only read. FTS5 itself asks for `data_version`.
const READING_PRAGMAS: [&str; 9] = [
    "data_version",
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "table_info",
    "table_list",
    "table_xinfo",
    "user_version",
];

/// Limits `connection` to its own file. Pragmas for the connection itself come before.
pub fn confine(connection: &rusqlite::Connection) -> rusqlite::Result<()> {
    // The authorizer refuses attaching already; this also stands when a statement was prepared without it.
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.authorizer(Some(authorize))
}

fn authorize(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => Authorization::Deny,
        AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempView { .. } => Authorization::Deny,
        AuthAction::Pragma { pragma_name, pragma_value } => authorize_pragma(pragma_name, pragma_value),
        _ => Authorization::Allow,
    }
}

/// `user_version` is read without a value and set with one; the others take a table's or index's name.
fn authorize_pragma(name: &str, value: Option<&str>) -> Authorization {
    let reads = READING_PRAGMAS.contains(&name) && (name != "user_version" || value.is_none());
    if reads { Authorization::Allow } else { Authorization::Deny }
}
