//! What a component's statements leave behind on its connection.
//!
//! A connection goes back to the pool for somebody else's request, perhaps another person's. An open transaction or a
//! setting of the session must not go with it. Cleaning takes a round trip, so it is done only when a statement could
//! have left something: this is the judgement, and where it cannot tell it says yes.

/// The state of a connection since it was taken from the pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Session {
    transaction: bool,
    settings: bool,
}

impl Session {
    /// Takes note of a statement that is about to run.
    pub fn note(&mut self, sql: &str) {
        let sql = sql.trim().trim_end_matches(';').to_ascii_lowercase();
        match first_word(&sql) {
            "begin" | "start" => self.transaction = true,
            "commit" | "end" | "rollback" if is_plain_end(&sql) => self.transaction = false,
            // Savepoints live and die with their transaction.
            "savepoint" | "release" => {}
            "rollback" if self.transaction => {}
            "select" | "insert" | "update" | "delete" | "with" | "values" => {
                self.settings |= sets_for_session(&sql)
            }
            _ => self.settings = true,
        }
    }

    /// Takes note that `other` may be true as well.
    pub fn merge(&mut self, other: Self) {
        self.transaction |= other.transaction;
        self.settings |= other.settings;
    }

    /// Whether the connection can be used by somebody else as it is.
    pub fn is_clean(self) -> bool {
        self == Self::default()
    }
}

fn first_word(sql: &str) -> &str {
    sql.split(|character: char| !character.is_ascii_alphabetic()).next().unwrap_or_default()
}

/// `COMMIT`, not `COMMIT AND CHAIN`, `ROLLBACK TO …` or `COMMIT PREPARED …`.
fn is_plain_end(sql: &str) -> bool {
    let mut words = sql.split_whitespace().skip(1);
    matches!((words.next(), words.next()), (None | Some("work" | "transaction"), None))
}

/// Whether a query changes settings beyond its transaction: `set_config(…)` unless its last argument is a plain `true`.
/// Session-level advisory locks stay behind in the same way.
fn sets_for_session(sql: &str) -> bool {
    let local = |call: &str| {
        call.split_once(')').is_some_and(|(arguments, _)| arguments.trim_end().ends_with("true"))
    };
    sql.split("set_config").skip(1).any(|call| !local(call))
        || sql.contains("pg_advisory_lock")
        || sql.contains("pg_try_advisory_lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean_after(statements: &[&str]) -> bool {
        let mut session = Session::default();
        for statement in statements {
            session.note(statement);
        }
        session.is_clean()
    }

    #[test]
    fn queries_and_finished_transactions_leave_nothing() {
        assert!(clean_after(&[
            "SELECT 1",
            "insert into t values ($1)",
            "WITH a AS (SELECT 1) SELECT * FROM a"
        ]));
        assert!(clean_after(&[
            "BEGIN",
            "select set_config('app.user_id', $1, true)",
            "update t set a=1",
            "COMMIT;"
        ]));
        assert!(clean_after(&["start transaction", "savepoint a", "rollback to a", "rollback work"]));
    }

    #[test]
    fn an_open_transaction_is_left_behind() {
        assert!(!clean_after(&["BEGIN", "insert into t values (1)"]));
        assert!(!clean_after(&["begin", "commit and chain"]));
        assert!(!clean_after(&["begin", "rollback to a"]));
    }

    #[test]
    fn settings_of_the_session_are_left_behind() {
        assert!(!clean_after(&["SET search_path = other"]));
        assert!(!clean_after(&["select set_config('a.b', $1, false)"]));
        assert!(!clean_after(&["select set_config('a.b', $1, $2)"]));
        assert!(!clean_after(&["select pg_advisory_lock(1)"]));
        assert!(!clean_after(&["/* hidden */ begin"]));
        assert!(!clean_after(&["listen x"]));
    }
}
