//! What a component's statements leave behind on its connection.
//!
//! A connection goes back to the pool for somebody else's request, perhaps another person's. An open transaction or a
//! setting of the session must not go with it. Cleaning takes a round trip, so it is done only when a statement could
//! have left something: this is the judgement, and where it cannot tell it says yes.
//!
//! It also knows which statements of a transaction nobody has to wait for: its ends and, when it reads, settings that last as long as it. Each
//! statement is a round trip to the server: a transaction that says who it is for and then reads with one statement is one of them
//! here and four when every answer is waited for.

/// Statements that cannot fail on a clean connection. They go to the server together with the one that follows.
const BEGINS: [&str; 2] = ["begin", BEGIN_READ_ONLY];
const BEGIN_READ_ONLY: &str = "begin read only";

/// The state of a connection since it was taken from the pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Session {
    transaction: bool,
    settings: bool,
    /// The transaction cannot have changed anything.
    read_only: bool,
    /// What begins a transaction, not sent yet.
    begin: Option<&'static str>,
}

impl Session {
    /// Whether `sql` need not be sent: it begins a transaction, which waits for what it begins with, or ends one that
    /// has not been begun.
    pub fn postpone(&mut self, sql: &str) -> bool {
        let sql = plain(sql);
        if self.begin.is_some() && is_plain_end(&sql) {
            self.begin = None;
            return true;
        }
        if self.is_clean() && self.begin.is_none() {
            self.begin = BEGINS.into_iter().find(|begin| *begin == sql);
            return self.begin.is_some();
        }
        false
    }

    /// Whether `sql` only makes settings for the transaction that it is the first statement of, so that it can wait for the next one:
    /// its result is known, and a mistake in it fails the next one as well. In a transaction that reads, that is: where the beginning
    /// failed by itself, what was sent behind it would be done without one.
    pub fn waits_for_next(&self, sql: &str) -> bool {
        self.begin == Some(BEGIN_READ_ONLY) && sets_for_transaction(&plain(sql))
    }

    /// What has to be sent before the next statement, which is noted here.
    pub fn begin(&mut self) -> Option<&'static str> {
        self.begin.take().inspect(|begin| self.note(begin))
    }

    /// Whether `sql` is the end of a transaction that changed nothing, so that its failure means nothing either.
    pub fn ends_reading(&self, sql: &str) -> bool {
        self.transaction && self.read_only && is_plain_end(&plain(sql))
    }

    /// Takes note of a statement that is about to run.
    pub fn note(&mut self, sql: &str) {
        let sql = plain(sql);
        match first_word(&sql) {
            "begin" | "start" => {
                self.transaction = true;
                self.read_only = sql == BEGIN_READ_ONLY;
            }
            _ if is_plain_end(&sql) => self.transaction = false,
            // Savepoints live and die with their transaction.
            "savepoint" | "release" => {}
            "rollback" if self.transaction => {}
            "select" | "insert" | "update" | "delete" | "with" | "values" => {
                self.settings |= sets_for_session(&sql);
                self.read_only &= !sql.contains("transaction_read_only");
            }
            _ => {
                self.settings = true;
                self.read_only = false;
            }
        }
    }

    /// Takes note that `other` may be true as well.
    pub fn merge(&mut self, other: Self) {
        self.transaction |= other.transaction;
        self.settings |= other.settings;
    }

    /// Whether the connection can be used by somebody else as it is.
    pub fn is_clean(self) -> bool {
        !self.transaction && !self.settings
    }
}

/// A statement in one spelling.
fn plain(sql: &str) -> String {
    sql.trim().trim_end_matches(';').to_ascii_lowercase()
}

fn first_word(sql: &str) -> &str {
    sql.split(|character: char| !character.is_ascii_alphabetic()).next().unwrap_or_default()
}

/// `COMMIT`, not `COMMIT AND CHAIN`, `ROLLBACK TO …` or `COMMIT PREPARED …`.
fn is_plain_end(sql: &str) -> bool {
    let mut words = sql.split_whitespace();
    matches!(words.next(), Some("commit" | "end" | "rollback"))
        && matches!((words.next(), words.next()), (None | Some("work" | "transaction"), None))
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

/// `SELECT set_config(…, true)`, once or more, and nothing beside it. What this cannot read is not taken for one.
fn sets_for_transaction(sql: &str) -> bool {
    let Some(calls) = sql.strip_prefix("select ") else { return false };
    let mut rest = calls;
    loop {
        let arguments = rest.trim_start().strip_prefix("set_config(").and_then(|rest| rest.split_once(')'));
        let Some((arguments, after)) = arguments else { return false };
        let last = arguments.rsplit(',').next().unwrap_or_default().trim();
        if last != "true" || arguments.contains(['(', ';']) {
            return false;
        }
        match after.trim_start().strip_prefix(',') {
            Some(next) => rest = next,
            None => return after.trim().is_empty(),
        }
    }
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
    fn a_transaction_begins_with_its_first_statement() {
        let mut session = Session::default();
        assert!(session.postpone("BEGIN;"));
        assert!(session.is_clean(), "nothing was sent");
        assert!(!session.postpone("select 1"));
        assert_eq!(session.begin(), Some("begin"));
        assert!(!session.is_clean());
        assert_eq!(session.begin(), None);
    }

    #[test]
    fn a_transaction_without_statements_never_begins() {
        let mut session = Session::default();
        assert!(session.postpone("BEGIN") && session.postpone("ROLLBACK"));
        assert_eq!(session.begin(), None);
        assert!(!session.postpone("COMMIT"), "the server has a warning for that");
    }

    #[test]
    fn settings_of_a_transaction_wait_for_its_first_statement() {
        let bind = "SELECT set_config('app.user_id', $1, true), set_config('role', 'reader', true)";
        assert!(!Session::default().waits_for_next(bind), "there is no transaction");
        let mut session = Session::default();
        assert!(session.postpone("BEGIN READ ONLY"));
        assert!(session.waits_for_next(bind));
        for other in [
            "select set_config('app.user_id', $1, false)",
            "select set_config('a', $1, true), pg_advisory_lock(1)",
            "select set_config('a', pg_sleep(1)::text, true)",
            "select set_config('a)', $1, true)",
            "select set_config('a', $1, true) from tasks",
            "select 1",
        ] {
            assert!(!session.waits_for_next(other), "{other}");
        }
        session.begin();
        assert!(!session.waits_for_next(bind), "the transaction has begun");
        let mut writing = Session::default();
        assert!(
            writing.postpone("BEGIN") && !writing.waits_for_next(bind),
            "a change must not be made without a transaction"
        );
    }

    #[test]
    fn what_may_fail_or_comes_second_is_sent_at_once() {
        assert!(!Session::default().postpone("begin isolation level none"));
        let mut session = Session::default();
        session.note("start transaction");
        assert!(!session.postpone("begin"));
    }

    #[test]
    fn only_a_transaction_that_cannot_write_ends_without_an_answer() {
        let ends = |statements: &[&str]| {
            let mut session = Session::default();
            statements.iter().for_each(|statement| session.note(statement));
            session.ends_reading("COMMIT")
        };
        assert!(ends(&["BEGIN READ ONLY", "select set_config('app.user_id', $1, true)"]));
        assert!(!ends(&["BEGIN", "select 1"]));
        assert!(!ends(&["BEGIN READ ONLY", "set transaction read write"]));
        assert!(!ends(&["BEGIN READ ONLY", "select set_config('transaction_read_only', 'off', true)"]));
        assert!(!ends(&["BEGIN READ ONLY", "commit"]));
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
