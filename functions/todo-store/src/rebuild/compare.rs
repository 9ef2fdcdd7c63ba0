//! The rebuilt tasks and the live ones, side by side.

use std::collections::{BTreeSet, VecDeque};

use serde::Serialize;
use serde_json::{Map, Value as Json};
use todo_domain::TaskView;

use super::{DIFFERENCES_LIMIT, PAGE, Rebuilt};
use crate::statements::statements;
use crate::tasks::stored;
use crate::{Error, OperatorTransaction, Row};

statements! {
    LIVE = concat!(
        "SELECT ", stored::columns!(), " FROM tasks WHERE user_id = $1 AND task_id > $2 ORDER BY task_id LIMIT $3"
    );
    REBUILT = "SELECT task_id, task FROM rebuilt_tasks WHERE user_id = $1 AND task_id > $2 ORDER BY task_id LIMIT $3";
}

/// Derived from the rule by the version of the day, so it is no fact of the task's own.
const DERIVED: &str = "repeat_text";

/// A task that is not the same in both tables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The task's number.
    pub task_id: i64,
    /// In which way.
    pub kind: Kind,
    /// The names of the fields that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}

/// How a task is not the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The audit has it, the live table does not.
    Missing,
    /// The live table has it; the audit has never heard of it, or that it was deleted.
    Extra,
    /// Both have it, differently.
    Differs,
}

type Task = Map<String, Json>;
/// A task's number and the task; `None` when it was deleted.
type Numbered = (i64, Option<Task>);

impl Rebuilt {
    /// Reads both tables in the order of the tasks' numbers.
    pub(super) async fn compare(&mut self, tx: &mut OperatorTransaction) -> Result<(), Error> {
        let mut live = Pages::of(LIVE, live);
        let mut rebuilt = Pages::of(REBUILT, rebuilt);
        loop {
            let heads = (live.head(tx, &self.user_id).await?, rebuilt.head(tx, &self.user_id).await?);
            let task_id = match heads {
                (None, None) => return Ok(()),
                (Some(id), None) | (None, Some(id)) => id,
                (Some(one), Some(other)) => one.min(other),
            };
            self.compare_one(task_id, live.take(task_id).flatten(), rebuilt.take(task_id));
        }
    }

    /// `rebuilt` is `None` when the audit says nothing, `Some(None)` when it says that the task was deleted.
    fn compare_one(&mut self, task_id: i64, live: Option<Task>, rebuilt: Option<Option<Task>>) {
        let mut differs = |kind, fields| {
            self.differing = self.differing.saturating_add(1);
            if self.differences.len() < DIFFERENCES_LIMIT {
                self.differences.push(Difference { task_id, kind, fields });
            }
        };
        match (live, rebuilt) {
            (Some(live), Some(Some(rebuilt))) => match differing_fields(&live, &rebuilt) {
                fields if fields.is_empty() => self.same = self.same.saturating_add(1),
                fields => differs(Kind::Differs, fields),
            },
            (Some(_), None) if self.chain.cut_entry > 0 => self.older = self.older.saturating_add(1),
            (Some(_), None | Some(None)) => differs(Kind::Extra, Vec::new()),
            (None, Some(Some(_))) => differs(Kind::Missing, Vec::new()),
            (None, None | Some(None)) => {}
        }
    }
}

fn differing_fields(live: &Task, rebuilt: &Task) -> Vec<String> {
    let names: BTreeSet<_> = live.keys().chain(rebuilt.keys()).collect();
    let differing =
        names.into_iter().filter(|name| *name != DERIVED && live.get(*name) != rebuilt.get(*name));
    differing.cloned().collect()
}

/// A table read page by page.
struct Pages {
    statement: &'static str,
    read: fn(Row) -> Result<Numbered, Error>,
    page: VecDeque<Numbered>,
    after: i64,
    ended: bool,
}

impl Pages {
    fn of(statement: &'static str, read: fn(Row) -> Result<Numbered, Error>) -> Self {
        Self { statement, read, page: VecDeque::new(), after: 0, ended: false }
    }

    /// The number of the task that comes next.
    async fn head(&mut self, tx: &mut OperatorTransaction, user_id: &str) -> Result<Option<i64>, Error> {
        if self.page.is_empty() && !self.ended {
            let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
            let parameters = vec![user_id.into(), self.after.into(), limit.into()];
            let rows = tx.work.rows(self.statement, parameters).await?;
            self.ended = rows.len() < PAGE;
            self.page = rows.into_iter().map(self.read).collect::<Result<_, _>>()?;
        }
        Ok(self.page.front().map(|(id, _)| *id))
    }

    /// The next task, if it has this number.
    fn take(&mut self, task_id: i64) -> Option<Option<Task>> {
        let (id, task) = self.page.pop_front_if(|(id, _)| *id == task_id)?;
        self.after = id;
        Some(task)
    }
}

fn live(row: Row) -> Result<Numbered, Error> {
    let task = stored::task(row)?;
    let fields = match serde_json::to_value(TaskView::from(&task)) {
        Ok(Json::Object(fields)) => fields,
        _ => return Err(Error::Corrupt("task")),
    };
    Ok((task.id.0, Some(fields)))
}

fn rebuilt(mut row: Row) -> Result<Numbered, Error> {
    let task_id = row.integer()?;
    let task = row.optional_text()?.map(|json| serde_json::from_str(&json));
    Ok((task_id, task.transpose().map_err(|_| Error::Corrupt("rebuilt task"))?))
}
