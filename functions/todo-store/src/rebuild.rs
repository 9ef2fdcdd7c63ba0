//! The tasks as the audit has them: rebuilt beside the live ones, and compared with them.
//!
//! Every event of a task shows the whole task, so the newest one by its number says what the task is, and a deletion that it is
//! not. That makes the order in which events were recorded irrelevant, and a [`Fold`] of pages the same as a fold of everything: a
//! person's history is read page by page into the table `rebuilt_tasks`, and both tables are read side by side. What is held in
//! memory is a page of each. The live table is never changed.

mod compare;
mod fold;

use jiff::Timestamp;
use serde::Serialize;

use crate::audit::{self, Report};
use crate::statements::{rows_of_parameters, statements};
use crate::{Database, Error, OperatorTransaction, RepairTransaction, Value};

#[cfg(feature = "testing")]
pub(crate) use compare::ALL as COMPARE_STATEMENTS;
pub use compare::{Difference, Kind};
pub use fold::{Fold, Folded};

/// Entries read at once: at most some megabytes.
const PAGE: usize = 200;

/// Differences that are told; more would not say more.
const DIFFERENCES_LIMIT: usize = 100;

statements! {
    FORGET = "DELETE FROM rebuilt_tasks WHERE user_id = $1";
    LAST_EVENT = "SELECT last_event FROM users WHERE user_id = $1";
    USERS = "SELECT user_id FROM users WHERE user_id > $1 ORDER BY user_id LIMIT $2";
    /// Whose row in `users` is gone still stands here.
    RECORDED = "SELECT user_id FROM audit_heads WHERE user_id > $1 ORDER BY user_id LIMIT $2";
}

/// What a rebuild found of one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rebuilt {
    /// Whose tasks.
    pub user_id: String,
    /// Entries of the audit that were read.
    pub entries: i64,
    /// Tasks that are the same here and there.
    pub same: i64,
    /// Live tasks that did not change since the entries about them were removed because of their age. Nothing can be said of them,
    /// but that no event since then is missing, which the chain tells.
    pub older: i64,
    /// How many tasks differ.
    pub differing: i64,
    /// The first 100 of them.
    pub differences: Vec<Difference>,
    /// Entries that cannot be read as the events they were; the first 100.
    pub unreadable: Vec<i64>,
    /// Events that were written after the last one in the audit: on their way, or lost. What they tell shows as a difference.
    pub unrecorded: i64,
    /// Whether the audit itself is whole.
    pub chain: Report,
}

impl Rebuilt {
    /// Whether nothing was lost, changed or made up, as far as the audit reaches.
    pub fn is_same(&self) -> bool {
        self.differing == 0 && self.unreadable.is_empty() && self.chain.is_whole()
    }
}

/// Folds a person's events up to and including `as_of` into `rebuilt_tasks`, and compares that with the live tasks.
pub async fn rebuild(database: &Database, user_id: &str, as_of: Timestamp) -> Result<Rebuilt, Error> {
    let chain = database.begin_operator().await?.verify_audit(user_id).await?;
    let mut rebuilt = Rebuilt::of(user_id, chain);
    let mut repair = database.begin_repair().await?;
    repair.work.execute(FORGET, vec![user_id.into()]).await?;
    repair.commit().await?;
    let mut last = 0;
    loop {
        // A transaction for each page: on SQLite, whoever writes keeps all others waiting.
        let mut repair = database.begin_repair().await?;
        let page = audit::entries_of(&mut repair.work, user_id, last, PAGE).await?;
        let Some(end) = page.last() else { break };
        last = end.entry;
        let mut fold = Fold::default();
        page.iter()
            .filter(|entry| entry.occurred_at <= as_of.as_millisecond())
            .for_each(|entry| fold.add(entry));
        repair.store(user_id, &fold).await?;
        repair.commit().await?;
        rebuilt.entries = rebuilt.entries.saturating_add(i64::try_from(page.len()).unwrap_or(i64::MAX));
        rebuilt.unreadable.extend(fold.unreadable());
    }
    rebuilt.unreadable.truncate(DIFFERENCES_LIMIT);
    let mut operator = database.begin_operator().await?;
    rebuilt.compare(&mut operator).await?;
    let last_event = operator.work.row(LAST_EVENT, vec![user_id.into()]).await?;
    let last_event = last_event.map(|mut row| row.integer()).transpose()?.unwrap_or_default();
    rebuilt.unrecorded = last_event.saturating_sub(rebuilt.chain.last_sequence).max(0);
    Ok(rebuilt)
}

impl Rebuilt {
    fn of(user_id: &str, chain: Report) -> Self {
        Self {
            user_id: user_id.to_owned(),
            entries: 0,
            same: 0,
            older: 0,
            differing: 0,
            differences: Vec::new(),
            unreadable: Vec::new(),
            unrecorded: 0,
            chain,
        }
    }
}

impl RepairTransaction {
    async fn store(&mut self, user_id: &str, fold: &Fold) -> Result<(), Error> {
        let mut parameters = Vec::<Value>::new();
        for (task_id, Folded { sequence, task }) in fold.tasks() {
            let json = task.as_ref().map(serde_json::to_string).transpose();
            let json = json.map_err(|_| Error::Corrupt("task"))?;
            parameters.extend([user_id.into(), task_id.into(), (*sequence).into(), json.into()]);
        }
        match parameters.len() / 4 {
            0 => Ok(()),
            rows => self.work.execute(store(rows), parameters).await,
        }
    }
}

/// An older event that was recorded later says nothing new.
fn store(rows: usize) -> String {
    let rows = rows_of_parameters(rows, 4);
    format!(
        "INSERT INTO rebuilt_tasks (user_id, task_id, sequence, task) VALUES {rows} \
         ON CONFLICT (user_id, task_id) DO UPDATE SET sequence = excluded.sequence, task = excluded.task \
         WHERE excluded.sequence >= rebuilt_tasks.sequence"
    )
}

impl OperatorTransaction {
    /// At most `limit` of the people who have tasks, conversations or an audit, whose id comes after `after`, in the order of ids.
    pub async fn people(&mut self, after: &str, limit: usize) -> Result<Vec<String>, Error> {
        let bound = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut people = Vec::new();
        for statement in [USERS, RECORDED] {
            for mut row in self.work.rows(statement, vec![after.into(), bound.into()]).await? {
                people.push(row.text()?);
            }
        }
        people.sort_unstable();
        people.dedup();
        people.truncate(limit);
        Ok(people)
    }
}

/// Every statement of this module, by name.
#[cfg(feature = "testing")]
pub(crate) fn all() -> Vec<(String, String)> {
    let listed = ALL.iter().chain(COMPARE_STATEMENTS).map(|(name, text)| (*name, (*text).to_owned()));
    let stores = [("STORE of 1", store(1)), ("STORE of 3", store(3))];
    listed.chain(stores).map(|(name, text)| (format!("rebuild {name}"), text)).collect()
}
