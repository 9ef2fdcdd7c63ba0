//! What the commands of an operator share: the database, and how its failures are told.

use jiff::Timestamp;
use todo_store::{Database, Error};

use crate::config::Config;
use crate::failure::{Failure, Outcome};

/// People read at once.
const PAGE: usize = 100;

/// The database of the configuration, which must be there.
pub async fn open(config: &Config) -> Outcome<Database> {
    Database::open(&config.database_url()).await.map_err(|error| {
        Failure::unavailable(format!("{error}; check DATABASE_URL or --data, and that the server runs"))
    })
}

/// A failure of the database as a sentence.
pub fn failed(error: Error) -> Failure {
    match error {
        Error::Refused(_) => Failure::unavailable(format!(
            "{error}; if the database is older than this program, `todo migrate` mends it"
        )),
        error => Failure::unavailable(error),
    }
}

/// The person who is meant or, without one, everybody, a page after the other.
pub struct People {
    next: Vec<String>,
    after: Option<String>,
}

impl People {
    /// Only this person, or everybody.
    pub fn meant(user: Option<&str>) -> Self {
        match user {
            Some(user) => Self { next: vec![user.to_owned()], after: None },
            None => Self { next: Vec::new(), after: Some(String::new()) },
        }
    }

    /// The next one.
    pub async fn next(&mut self, database: &Database) -> Outcome<Option<String>> {
        if self.next.is_empty()
            && let Some(after) = self.after.take()
        {
            let mut operator = database.begin_operator().await.map_err(failed)?;
            self.next = operator.people(&after, PAGE).await.map_err(failed)?;
            self.after = self.next.last().cloned();
            self.next.reverse();
        }
        Ok(self.next.pop())
    }
}

/// An instant of the database's, for a person to read.
pub fn time(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds).map(|at| at.to_string()).unwrap_or_default()
}
