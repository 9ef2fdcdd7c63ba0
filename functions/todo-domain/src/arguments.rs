//! The arguments of the five tools as they stand on the wire, and their way to something valid.
//!
//! The doc comments of the fields are the descriptions a model reads in the JSON Schema, so they are written for it.
//! Unknown arguments are refused: a model that invents one learns its right name instead of being ignored.

mod fields;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

pub use crate::schema::schema;

use crate::change::fits;
use crate::{
    Change, Invalid, ListQuery, NewTask, Order, Priority, Remind, Repeat, RepeatFrom, Sort, Status, Tag,
    TaskChange, TaskId, WrittenDue,
};
use fields::{description, limit, new_title, search, task_id, title, zone};

/// What all five have in common.
pub trait Arguments: DeserializeOwned + JsonSchema {
    /// Whose tasks the caller says it means. Never trusted: it must equal the verified tenant.
    fn user_id(&self) -> &str;
}

/// Reads a call's arguments. An unknown, missing or mistyped argument is an [`Invalid`] that names it.
pub fn parse<T: DeserializeOwned>(arguments: Value) -> Result<T, Invalid> {
    serde_path_to_error::deserialize(arguments).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { "arguments" } else { &path };
        let hint = "Send a JSON object with the arguments of the tool's input schema.";
        Invalid::new(field, without_user_id(&error.inner().to_string()), hint)
    })
}

/// Whoever invents an argument is told the right ones, and `user_id` is none that a model sees or sets.
fn without_user_id(problem: &str) -> String {
    match problem.split_once("`, expected ") {
        Some((unknown, expected)) if unknown.starts_with("unknown field `") => {
            let expected = expected.replacen("`user_id`, ", "", 1).replacen("`user_id` or ", "", 1);
            format!("{unknown}`, expected {expected}")
        }
        _ => problem.to_owned(),
    }
}

/// Arguments of `add_task`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddTask {
    /// The person whose task it is: the signed-in user's id.
    pub user_id: String,
    /// What is to be done, 1 to 200 characters, without the date, tags or priority.
    #[schemars(length(min = 1, max = 200))]
    pub title: String,
    /// Further text, at most 4000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it is due: a date "2026-11-27" for all day, a local time "2026-11-27T09:00" read in `timezone`, or RFC 3339
    /// with an offset "2026-11-27T09:00:00+01:00".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// IANA time zone of `due` and `remind`, such as "Europe/Berlin". UTC when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// How it repeats, as an RFC 5545 RRULE: "FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU",
    /// "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=MONTHLY;BYDAY=1MO", "FREQ=YEARLY;UNTIL=20300101". Needs `due`, the first date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<String>,
    /// Count the next occurrence from the due date (default) or from the completion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_from: Option<RepeatFrom>,
    /// When to remind, at most 10: ISO 8601 offsets from the due time ("-PT30M" is 30 minutes before, "-P1D" a day before) or
    /// times like those of `due`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind: Option<Vec<String>>,
    /// How urgent it is; leave it out when nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Labels such as "work", at most 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
}

impl AddTask {
    /// The task to add.
    pub fn validate(self) -> Result<NewTask, Invalid> {
        let zone = zone(self.timezone.as_deref())?;
        let written = |text: String| WrittenDue::parse("due", &text, zone.clone());
        let due = self.due.map(written).transpose()?;
        let due = due.map(|written| written.resolve(None));
        let repeat = self.repeat.map(|text| text.parse()).transpose()?;
        let remind = self.remind.unwrap_or_default();
        let remind = Remind::parse_all("remind", &remind, zone.as_ref())?;
        fits(due.as_ref(), repeat.as_ref(), &remind)?;
        Ok(NewTask {
            title: title(&self.title)?,
            description: description(self.description)?,
            due,
            repeat,
            repeat_from: self.repeat_from.unwrap_or_default(),
            remind,
            priority: self.priority,
            tags: Tag::parse_all("tags", &self.tags.unwrap_or_default())?,
            series: None,
        })
    }
}

/// Arguments of `list_tasks`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListTasks {
    /// The person whose tasks to list: the signed-in user's id.
    pub user_id: String,
    /// Which tasks: "all" (default), "pending" or "completed".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Only tasks of exactly this priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Only tasks that have all of these tags, in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Only tasks due before this date or time (exclusive), written like the `due` of a task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_before: Option<String>,
    /// Only tasks due at this date or time or later (inclusive), written like the `due` of a task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_after: Option<String>,
    /// IANA time zone in which `due_before` and `due_after` are read. UTC when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Only tasks whose title or description has all of these words; the beginning of a word is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// What to sort by: "created" (default), "due", "priority" or "completed".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<Sort>,
    /// "asc" or "desc". Default: "asc" for created and due, "desc" for priority and completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// Tasks per page, 1 to 200; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<i64>,
    /// The next page: the cursor that came with the page before, together with the same filters and sort.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl ListTasks {
    /// The question for a page. A cursor is checked by the store, which wrote it.
    pub fn validate(self) -> Result<ListQuery, Invalid> {
        let zone = zone(self.timezone.as_deref())?;
        let bound = |field: &str, text: Option<String>| {
            let written = text.map(|text| WrittenDue::parse(field, &text, zone.clone()));
            written.transpose().map(|due| due.map(WrittenDue::bound))
        };
        let sort = self.sort.unwrap_or_default();
        Ok(ListQuery {
            status: self.status.unwrap_or_default(),
            priority: self.priority,
            tags: Tag::parse_all("tags", &self.tags.unwrap_or_default())?,
            due_before: bound("due_before", self.due_before)?,
            due_after: bound("due_after", self.due_after)?,
            search: search(self.search)?,
            sort,
            order: self.order.unwrap_or(sort.usual_order()),
            limit: limit(self.limit)?,
            cursor: self.cursor,
        })
    }
}

/// Arguments of `complete_task`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteTask {
    /// The person whose task it is: the signed-in user's id.
    pub user_id: String,
    /// The number of the task, as `list_tasks` shows it in `id`.
    #[schemars(range(min = 1))]
    pub task_id: i64,
}

impl CompleteTask {
    /// The task meant.
    pub fn validate(self) -> Result<TaskId, Invalid> {
        task_id(self.task_id)
    }
}

/// Arguments of `delete_task`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteTask {
    /// The person whose task it is: the signed-in user's id.
    pub user_id: String,
    /// The number of the task, as `list_tasks` shows it in `id`.
    #[schemars(range(min = 1))]
    pub task_id: i64,
}

impl DeleteTask {
    /// The task meant.
    pub fn validate(self) -> Result<TaskId, Invalid> {
        task_id(self.task_id)
    }
}

/// Arguments of `update_task`. An absent argument leaves its field alone, `null` clears it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateTask {
    /// The person whose task it is: the signed-in user's id.
    pub user_id: String,
    /// The number of the task, as `list_tasks` shows it in `id`.
    #[schemars(range(min = 1))]
    pub task_id: i64,
    /// A new title, 1 to 200 characters.
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schemars(with = "String", length(min = 1, max = 200))]
    pub title: Change<String>,
    /// A new description, at most 4000 characters; null removes it.
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schemars(with = "Option<String>")]
    pub description: Change<String>,
    /// false reopens a completed task, true completes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "bool")]
    pub completed: Option<bool>,
    /// A new due date: a date "2026-11-27" for all day, a local time "2026-11-27T09:00" read in `timezone`, or RFC 3339 with an
    /// offset "2026-11-27T09:00:00+01:00"; null removes it.
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schemars(with = "Option<String>")]
    pub due: Change<String>,
    /// IANA time zone in which `due` and `remind` are read; the task's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// A new RFC 5545 RRULE such as "FREQ=WEEKLY;BYDAY=FR"; null stops the repetition.
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schemars(with = "Option<String>")]
    pub repeat: Change<String>,
    /// Count the next occurrence from the due date or from the completion; null is the due date.
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schemars(with = "Option<RepeatFrom>")]
    pub repeat_from: Change<RepeatFrom>,
    /// All reminders, at most 10, replacing those before: offsets such as "-PT30M" or times; null or [] removes them.
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schemars(with = "Option<Vec<String>>")]
    pub remind: Change<Vec<String>>,
    /// A new priority; null removes it.
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schemars(with = "Option<Priority>")]
    pub priority: Change<Priority>,
    /// All tags, at most 20, replacing those before; null or [] removes them.
    #[serde(default, skip_serializing_if = "Change::is_keep")]
    #[schemars(with = "Option<Vec<String>>")]
    pub tags: Change<Vec<String>>,
}

impl UpdateTask {
    /// The task meant and the change to it.
    pub fn validate(self) -> Result<(TaskId, TaskChange), Invalid> {
        if self.changes_nothing() {
            let hint = "Send at least one of title, description, completed, due, repeat, repeat_from, remind, priority, tags.";
            return Err(Invalid::new("arguments", "nothing to change", hint));
        }
        let zone = zone(self.timezone.as_deref())?;
        if let Change::Set(texts) = &self.remind {
            Remind::parse_all("remind", texts, zone.as_ref())?;
        }
        let due = |text: String| WrittenDue::parse("due", &text, zone.clone());
        let change = TaskChange {
            title: new_title(self.title)?,
            description: match self.description {
                Change::Set(text) => description(Some(text))?.map_or(Change::Clear, Change::Set),
                other => other,
            },
            completed: self.completed,
            due: self.due.try_map(due)?,
            repeat: self.repeat.try_map(|text| text.parse::<Repeat>())?,
            repeat_from: self.repeat_from,
            remind: self.remind,
            priority: self.priority,
            tags: self.tags.try_map(|tags| Tag::parse_all("tags", &tags))?,
            zone,
        };
        Ok((task_id(self.task_id)?, change))
    }

    fn changes_nothing(&self) -> bool {
        self.title.is_keep()
            && self.description.is_keep()
            && self.completed.is_none()
            && self.due.is_keep()
            && self.repeat.is_keep()
            && self.repeat_from.is_keep()
            && self.remind.is_keep()
            && self.priority.is_keep()
            && self.tags.is_keep()
    }
}

/// `null` and a value; absence is the field's default. That is the whole difference between the three.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Option::<T>::deserialize(deserializer)?;
        Ok(value.map_or(Self::Clear, Self::Set))
    }
}

impl<T: Serialize> Serialize for Change<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Set(value) => value.serialize(serializer),
            Self::Keep | Self::Clear => serializer.serialize_none(),
        }
    }
}

macro_rules! arguments {
    ($($tool:ty),+) => {
        $(impl Arguments for $tool {
            fn user_id(&self) -> &str {
                &self.user_id
            }
        })+
    };
}
arguments!(AddTask, ListTasks, CompleteTask, DeleteTask, UpdateTask);
