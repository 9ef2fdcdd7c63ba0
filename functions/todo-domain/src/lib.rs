//! What a task is, and what may be said about one: the types, the limits and the wording of mistakes. No I/O.
//!
//! A tool call passes through here twice. [`arguments`] reads the raw JSON of a call (`AddTask`, `ListTasks`, …) and
//! turns it into something valid (`NewTask`, `ListQuery`, `TaskChange`) or into an [`Invalid`] that tells a model how to
//! correct itself. [`TaskView`] is the task on its way back, as `list_tasks` and the events show it.
//!
//! ```
//! use todo_domain::{AddTask, arguments};
//! let call = serde_json::json!({"user_id": "ada", "title": "Water the plants", "due": "2026-11-27",
//!                               "repeat": "FREQ=WEEKLY;BYDAY=FR"});
//! let task = arguments::parse::<AddTask>(call)?.validate()?;
//! assert_eq!(task.repeat.as_ref().map(|rule| rule.in_words()), Some("every Friday".to_owned()));
//! # Ok::<(), todo_domain::Invalid>(())
//! ```
//!
//! Time follows one rule everywhere: a due date is kept as the person wrote it (wall clock and IANA zone) and mapped to an
//! instant only to compare, so that 09:00 stays 09:00 when the clocks change.

pub mod arguments;
mod change;
mod due;
mod invalid;
mod query;
mod remind;
mod repeat;
mod schema;
mod series;
mod tag;
mod task;
mod view;

pub use arguments::{AddTask, CompleteTask, DeleteTask, ListTasks, UpdateTask};
pub use change::{Change, NewTask, TaskChange};
pub use due::{Due, WrittenDue, Zone};
pub use invalid::Invalid;
pub use query::{ListQuery, Order, Sort, Status};
pub use remind::Remind;
pub use repeat::{Days, End, Frequency, OnWeekday, Repeat, Until};
pub use series::{Ended, Next, Occurrence, Series};
pub use tag::Tag;
pub use task::{Priority, RepeatFrom, Task, TaskId};
pub use view::TaskView;

/// The longest title, in characters after trimming.
pub const TITLE_LIMIT: usize = 200;
/// The longest description, in characters.
pub const DESCRIPTION_LIMIT: usize = 4_000;
/// The most tags a task carries, or a list may ask for.
pub const TAGS_LIMIT: usize = 20;
/// The longest tag, in characters.
pub const TAG_LIMIT: usize = 50;
/// The most reminders a task carries.
pub const REMIND_LIMIT: usize = 10;
/// The longest search text, in characters.
pub const SEARCH_LIMIT: usize = 200;
/// The most tasks one page holds.
pub const PAGE_LIMIT: u32 = 200;
/// The tasks on a page when the caller does not say.
pub const PAGE_DEFAULT: u32 = 50;
