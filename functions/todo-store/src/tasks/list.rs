//! A page of tasks: one statement, composed of the conditions that the query has.
//!
//! Pages are cut by key, not by number: the next one begins behind the last task shown. That needs a total order without NULLs, so
//! a task without the sorted field sorts by a sentinel beyond every real value, which also puts it last in either direction.
//! The indexes hold the same expressions, in the direction people usually sort; the other direction sorts the tenant's
//! tasks in memory.

use todo_domain::{ListQuery, Order, Priority, Sort, Status, Task};

use super::stored;
use crate::cursor::Cursor;
use crate::{Dialect, Error, Transaction, Value, search};

/// Beyond every instant in milliseconds and every priority. Literals in the statements, because the indexes are.
const BEYOND: i64 = 9_000_000_000_000_000;

/// One page.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// At most `limit` tasks.
    pub tasks: Vec<Task>,
    /// Asks for the next page with the same query; `None` on the last one.
    pub next_cursor: Option<String>,
}

/// The tasks that a query asks for, from its cursor on.
pub async fn list(tx: &mut Transaction, query: &ListQuery) -> Result<Page, Error> {
    let cursor = Cursor::of(query)?;
    let (statement, parameters) = select(tx.dialect(), tx.user_id(), query, cursor.as_ref());
    let rows = tx.rows(statement, parameters).await?;
    let mut tasks = rows.into_iter().map(stored::task).collect::<Result<Vec<_>, _>>()?;
    // One more was asked for than is shown: whether there is a next page is then no guess.
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let more = tasks.len() > limit;
    tasks.truncate(limit);
    let last = tasks.last().filter(|_| more);
    let next = last.map(|task| Cursor::after(query, key_of(task, query.sort, query.order), task.id));
    Ok(Page { next_cursor: next.map(|cursor| cursor.encode()), tasks })
}

/// The statement for a query, its conditions and parameters in the same order.
fn select(
    dialect: Dialect,
    user_id: &str,
    query: &ListQuery,
    cursor: Option<&Cursor>,
) -> (String, Vec<Value>) {
    let mut select = Select { text: "user_id = $1".to_owned(), parameters: vec![user_id.into()] };
    match query.status {
        Status::All => {}
        Status::Pending => select.text.push_str(" AND completed_at IS NULL"),
        Status::Completed => select.text.push_str(" AND completed_at IS NOT NULL"),
    }
    if let Some(priority) = query.priority {
        select.and(priority.rank(), |n| format!("priority = ${n}"));
    }
    for tag in &query.tags {
        let tagged =
            |n| format!("task_id IN (SELECT task_id FROM task_tags WHERE user_id = $1 AND tag = ${n})");
        select.and(tag.key(), tagged);
    }
    if let Some(before) = query.due_before {
        select.and(before, |n| format!("{} < ${n}", key(Sort::Due, Order::Asc)));
    }
    if let Some(after) = query.due_after {
        select.and(after, |n| format!("due_at IS NOT NULL AND {} >= ${n}", key(Sort::Due, Order::Asc)));
    }
    match query.search.as_deref().map(search::words) {
        None => {}
        // Text without a word, which no task can have.
        Some(words) if words.is_empty() => select.text.push_str(" AND 1 = 0"),
        Some(words) => select.and(dialect.words_query(user_id, &words), |n| dialect.has_words(n)),
    }
    let key = key(query.sort, query.order);
    let (direction, beyond) = match query.order {
        Order::Asc => ("ASC", ">"),
        Order::Desc => ("DESC", "<"),
    };
    if let Some(cursor) = cursor {
        select.parameters.push(cursor.key.into());
        select.and(cursor.id.0, |n| format!("({key}, task_id) {beyond} (${}, ${n})", n - 1));
    }
    let order = match query.sort {
        Sort::Created => format!("task_id {direction}"),
        _ => format!("{key} {direction}, task_id {direction}"),
    };
    select.parameters.push((i64::from(query.limit) + 1).into());
    let text = format!(
        "SELECT {} FROM tasks WHERE {} ORDER BY {order} LIMIT ${}",
        stored::columns!(),
        select.text,
        select.parameters.len()
    );
    (text, select.parameters)
}

/// A WHERE clause as it grows.
struct Select {
    text: String,
    parameters: Vec<Value>,
}

impl Select {
    /// Adds a parameter and the condition on it.
    fn and(&mut self, parameter: impl Into<Value>, condition: impl Fn(usize) -> String) {
        self.parameters.push(parameter.into());
        self.text.push_str(" AND ");
        self.text.push_str(&condition(self.parameters.len()));
    }
}

/// The expression sorted by, never NULL. The indexes in the migrations hold the same texts.
fn key(sort: Sort, order: Order) -> &'static str {
    match (sort, order) {
        (Sort::Created, _) => "task_id",
        (Sort::Due, Order::Asc) => "COALESCE(due_at, 9000000000000000)",
        (Sort::Due, Order::Desc) => "COALESCE(due_at, -9000000000000000)",
        (Sort::Priority, Order::Asc) => "COALESCE(priority, 9000000000000000)",
        (Sort::Priority, Order::Desc) => "COALESCE(priority, -9000000000000000)",
        (Sort::Completed, Order::Asc) => "COALESCE(completed_at, 9000000000000000)",
        (Sort::Completed, Order::Desc) => "COALESCE(completed_at, -9000000000000000)",
    }
}

/// The same of a task at hand.
fn key_of(task: &Task, sort: Sort, order: Order) -> i64 {
    let value = match sort {
        Sort::Created => Some(task.id.0),
        Sort::Due => task.due.as_ref().map(|due| due.instant().as_millisecond()),
        Sort::Priority => task.priority.map(Priority::rank),
        Sort::Completed => task.completed_at.map(|at| at.as_millisecond()),
    };
    value.unwrap_or(match order {
        Order::Asc => BEYOND,
        Order::Desc => -BEYOND,
    })
}

/// The statements of many queries, for the tests that read their plans.
#[cfg(feature = "testing")]
pub(crate) fn variants(dialect: Dialect) -> Vec<(String, String)> {
    use jiff::Timestamp;
    use todo_domain::{Tag, TaskId};

    let tag = Tag::parse("tags", "work").into_iter();
    let at = Some(Timestamp::UNIX_EPOCH);
    let filters = [
        ("all", ListQuery::default()),
        ("pending", ListQuery { status: Status::Pending, ..ListQuery::default() }),
        ("completed", ListQuery { status: Status::Completed, ..ListQuery::default() }),
        ("priority", ListQuery { priority: Some(Priority::High), ..ListQuery::default() }),
        ("tags", ListQuery { tags: tag.collect(), ..ListQuery::default() }),
        ("due", ListQuery { due_before: at, due_after: at, ..ListQuery::default() }),
        ("search", ListQuery { search: Some("water plants".to_owned()), ..ListQuery::default() }),
    ];
    let mut variants = Vec::new();
    for (name, filter) in filters {
        for sort in [Sort::Created, Sort::Due, Sort::Priority, Sort::Completed] {
            for order in [Order::Asc, Order::Desc] {
                let query = ListQuery { sort, order, ..filter.clone() };
                let cursor = Cursor::after(&query, 0, TaskId(1));
                for (page, cursor) in [("first", None), ("next", Some(&cursor))] {
                    let name = format!("LIST {name} by {sort:?} {order:?}, {page} page");
                    variants.push((name, select(dialect, "ada", &query, cursor).0));
                }
            }
        }
    }
    variants
}
