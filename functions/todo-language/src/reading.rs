//! The meaning of one message: actions whose targets are still words.

use jiff::civil::{Date, DateTime, Time};

/// What one message asks for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// In the order of the sentence. Empty when nothing is to be done.
    pub actions: Vec<Action>,
    /// What the message is when it asks for nothing that a tool can do.
    pub aside: Option<Aside>,
}

/// One intended tool call, before titles are resolved to task numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Make a task.
    Add {
        /// Its fields; `title` is empty when the person named none yet.
        fields: Fields,
    },
    /// Show tasks.
    List {
        /// Which, and in what order.
        filter: Filter,
    },
    /// Tick off.
    Complete {
        /// Which task.
        target: Target,
    },
    /// Remove for good.
    Delete {
        /// Which task or tasks.
        target: Target,
    },
    /// Change fields, or reopen.
    Update {
        /// Which task or tasks.
        target: Target,
        /// What becomes different.
        changes: Changes,
    },
}

impl Action {
    /// The name of the tool that does this.
    pub fn tool(&self) -> &'static str {
        match self {
            Action::Add { .. } => "add_task",
            Action::List { .. } => "list_tasks",
            Action::Complete { .. } => "complete_task",
            Action::Delete { .. } => "delete_task",
            Action::Update { .. } => "update_task",
        }
    }
}

/// A message that needs no tool.
#[derive(Debug, Clone, PartialEq)]
pub enum Aside {
    /// "hello"
    Greeting,
    /// "thanks a lot"
    Thanks,
    /// "bye"
    Farewell,
    /// "what can you do?"
    Help,
    /// "yes", with nothing to say yes to.
    Yes,
    /// "no", "never mind"
    No,
    /// About something other than tasks.
    Unrelated,
    /// Could be a task, but nothing says that it should be noted: offer to.
    Offer(Box<Fields>),
    /// Not understood.
    Unclear,
}

/// Which task is meant.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// "task 3", "#3"
    Number(i64),
    /// "the report task": words of its title.
    Titled(String),
    /// "it", "that one": the task spoken of last.
    Last,
    /// "the second one" of what was shown; -1 is the last one. Counted from 1.
    Position(i64),
    /// "them", "both of them": all that was shown last.
    Shown,
    /// "all completed tasks", "everything due today".
    All(Filter),
    /// None named.
    Missing,
}

/// The fields of a new task, in the person's wall-clock time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fields {
    /// As the person wrote it.
    pub title: String,
    /// Longer text, when given apart.
    pub description: Option<String>,
    /// All-day or at a local time.
    pub due: Option<Due>,
    /// RRULE without the `RRULE:` prefix.
    pub repeat: Option<String>,
    /// Count from the completion instead of the due date.
    pub repeat_from_completion: bool,
    /// When to be reminded.
    pub remind: Vec<Remind>,
    /// The contract's word for it.
    pub priority: Option<&'static str>,
    /// Without `#`.
    pub tags: Vec<String>,
}

/// When to be reminded of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remind {
    /// So long before it is due; zero is the due time itself.
    Before {
        /// Calendar days.
        days: i64,
        /// Minutes beside the days.
        minutes: i64,
        /// "the day before at 9": that time of that day.
        at: Option<Time>,
    },
    /// At a time of its own; without a day, on the day it is due.
    At {
        /// The local day.
        date: Option<Date>,
        /// The local time.
        time: Time,
    },
}

/// When something is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The local day.
    pub date: Date,
    /// The local time; none for all-day.
    pub time: Option<Time>,
}

/// What an update changes. Everything empty changes nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// The new title.
    pub title: Option<String>,
    /// The new description; `Some(None)` clears it.
    pub description: Option<Option<String>>,
    /// The new due date.
    pub due: Option<DueChange>,
    /// The new rule; `Some(None)` stops the repetition.
    pub repeat: Option<Option<String>>,
    /// With a new rule: count from the completion.
    pub repeat_from_completion: bool,
    /// Further reminders, beside those the task has.
    pub remind: Vec<Remind>,
    /// Drop the reminders it has.
    pub clear_remind: bool,
    /// The new priority; `Some(None)` clears it.
    pub priority: Option<Option<&'static str>>,
    /// Tags to add to those it has.
    pub add_tags: Vec<String>,
    /// Tags to take away.
    pub remove_tags: Vec<String>,
    /// Drop the tags it has.
    pub clear_tags: bool,
    /// Make it open again.
    pub reopen: bool,
}

/// How a due date changes.
#[derive(Debug, Clone, PartialEq)]
pub enum DueChange {
    /// No due date any more.
    Clear,
    /// A new day, a new time, or both; what is absent stays as it is.
    Set {
        /// The new day.
        date: Option<Date>,
        /// The new time.
        time: Option<Time>,
    },
    /// Later (or, when negative, earlier) than it is.
    Shift(Shift),
}

/// A distance in calendar terms; all parts have the same sign.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shift {
    /// Calendar months.
    pub months: i32,
    /// Calendar days.
    pub days: i32,
    /// Minutes of wall-clock time.
    pub minutes: i32,
}

/// Which tasks to show, or to act on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// `pending`, `completed` or `all`.
    pub status: Option<&'static str>,
    /// The contract's word.
    pub priority: Option<&'static str>,
    /// All of them must be there.
    pub tags: Vec<String>,
    /// Local, inclusive.
    pub due_after: Option<Bound>,
    /// Local, exclusive.
    pub due_before: Option<Bound>,
    /// Words to look for in title and description.
    pub search: Option<String>,
    /// `created`, `due`, `priority`, `completed`.
    pub sort: Option<&'static str>,
    /// `asc` or `desc`.
    pub order: Option<&'static str>,
    /// At most this many.
    pub limit: Option<u32>,
    /// The answer is their number.
    pub count: bool,
}

/// One end of a range of due dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The start of that day.
    Day(Date),
    /// That local moment.
    Moment(DateTime),
}
