//! A task to add, and a change to one that exists.

use jiff::Timestamp;

use crate::{
    Due, Invalid, Priority, Remind, Repeat, RepeatFrom, Series, Tag, Task, TaskId, WrittenDue, Zone,
};

/// A valid task that has no number yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewTask {
    /// 1–200 characters, trimmed.
    pub title: String,
    /// At most 4,000 characters, not empty.
    pub description: Option<String>,
    /// When it should be done.
    pub due: Option<Due>,
    /// How it comes back; only with `due`.
    pub repeat: Option<Repeat>,
    /// What the next occurrence is counted from.
    pub repeat_from: RepeatFrom,
    /// At most 10; offsets only with `due`.
    pub remind: Vec<Remind>,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// At most 20, distinct.
    pub tags: Vec<Tag>,
    /// Its place in the series it goes on with; `None` begins one when it repeats.
    pub series: Option<Series>,
}

impl NewTask {
    /// The task under its number.
    pub fn numbered(self, id: TaskId, now: Timestamp) -> Task {
        let begun = self.due.as_ref().filter(|_| self.repeat.is_some()).map(|due| Series::begin(id, due));
        Task {
            id,
            title: self.title,
            description: self.description,
            completed_at: None,
            due: self.due,
            repeat: self.repeat,
            repeat_from: self.repeat_from,
            remind: self.remind,
            priority: self.priority,
            tags: self.tags,
            series: self.series.or(begun),
            next_id: None,
            created_at: now,
            updated_at: now,
        }
    }
}

/// What an update does to one field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// The argument was absent: leave the field as it is.
    #[default]
    Keep,
    /// The argument was `null`: empty the field.
    Clear,
    /// The argument had a value.
    Set(T),
}

impl<T> Change<T> {
    /// Whether it leaves the field alone.
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// The same change with its value mapped.
    pub fn try_map<U, E>(self, map: impl FnOnce(T) -> Result<U, E>) -> Result<Change<U>, E> {
        Ok(match self {
            Self::Keep => Change::Keep,
            Self::Clear => Change::Clear,
            Self::Set(value) => Change::Set(map(value)?),
        })
    }

    fn apply(self, field: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *field = None,
            Self::Set(value) => *field = Some(value),
        }
    }
}

/// A valid change to a task, field by field. What fits together can only be told with the task at hand: see
/// [`Task::apply`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskChange {
    /// A title can be changed, not cleared.
    pub title: Option<String>,
    /// The description.
    pub description: Change<String>,
    /// `Some(false)` reopens a completed task.
    pub completed: Option<bool>,
    /// The due date; without a zone it is read in the zone the task has.
    pub due: Change<WrittenDue>,
    /// The zone in which reminders without an offset were written; the task's own when `None`.
    pub zone: Option<Zone>,
    /// The repeat rule.
    pub repeat: Change<Repeat>,
    /// Clearing goes back to `due`.
    pub repeat_from: Change<RepeatFrom>,
    /// All reminders at once, as written: they may have to be read in the task's zone.
    pub remind: Change<Vec<String>>,
    /// The priority.
    pub priority: Change<Priority>,
    /// All tags at once.
    pub tags: Change<Vec<Tag>>,
}

impl Task {
    /// The task after a change. Refuses a change whose parts do not fit this task: a repeat rule or a relative reminder
    /// needs a due date.
    pub fn apply(&self, change: TaskChange, now: Timestamp) -> Result<Task, Invalid> {
        let mut task = self.clone();
        let zone = change.zone.or_else(|| self.due.as_ref().map(|due| due.zone().clone()));
        let names_rule = !change.repeat.is_keep();
        task.title = change.title.unwrap_or(task.title);
        change.description.apply(&mut task.description);
        change.priority.apply(&mut task.priority);
        change.repeat.apply(&mut task.repeat);
        match change.due {
            Change::Keep => {}
            Change::Clear => task.due = None,
            Change::Set(written) => task.due = Some(written.resolve(zone.as_ref())),
        }
        match change.repeat_from {
            Change::Keep => {}
            Change::Clear => task.repeat_from = RepeatFrom::Due,
            Change::Set(from) => task.repeat_from = from,
        }
        match change.remind {
            Change::Keep => {}
            Change::Clear => task.remind.clear(),
            Change::Set(texts) => {
                task.remind = Remind::parse_all("remind", &texts, zone.as_ref())?;
            }
        }
        match change.tags {
            Change::Keep => {}
            Change::Clear => task.tags.clear(),
            Change::Set(tags) => task.tags = tags,
        }
        task.completed_at = match change.completed {
            Some(true) => task.completed_at.or(Some(now)),
            Some(false) => None,
            None => task.completed_at,
        };
        fits(task.due.as_ref(), task.repeat.as_ref(), &task.remind)?;
        task.series = self.series_after(&task, names_rule);
        if task != *self {
            task.updated_at = now;
        }
        Ok(task)
    }

    /// The names of the fields in which two states of a task differ, as on the wire.
    pub fn changed_fields(&self, after: &Task) -> Vec<&'static str> {
        let spelled = |tags: &[Tag]| {
            let names = tags.iter().map(|tag| tag.as_str().to_owned());
            names.collect::<Vec<_>>()
        };
        let differences = [
            ("title", self.title != after.title),
            ("description", self.description != after.description),
            ("completed", self.completed() != after.completed()),
            ("due", self.due != after.due),
            ("repeat", self.repeat != after.repeat),
            ("repeat_from", self.repeat_from != after.repeat_from),
            ("remind", self.remind != after.remind),
            ("priority", self.priority != after.priority),
            ("tags", spelled(&self.tags) != spelled(&after.tags)),
        ];
        let changed = differences.into_iter().filter(|(_, differs)| *differs);
        changed.map(|(name, _)| name).collect()
    }

    /// Another rule begins another series, on the due date as it is then. So does the rule as it was together with another due
    /// date: "every Friday, but at ten from now on". Another due date alone moves this occurrence and no other.
    fn series_after(&self, after: &Task, names_rule: bool) -> Option<Series> {
        let (Some(_), Some(due)) = (&after.repeat, &after.due) else { return None };
        let same = self.repeat == after.repeat
            && self.repeat_from == after.repeat_from
            && !(names_rule && self.due != after.due);
        let series = self.series.clone().filter(|_| same);
        series.or_else(|| Some(Series::begin(self.id, due)))
    }
}

/// What holds between the fields of every task.
pub(crate) fn fits(due: Option<&Due>, repeat: Option<&Repeat>, remind: &[Remind]) -> Result<(), Invalid> {
    if due.is_none() && repeat.is_some() {
        let hint = "Send `due` with the first date, or \"repeat\": null.";
        return Err(Invalid::new("repeat", "a repeating task needs a due date", hint));
    }
    if due.is_none() && remind.iter().any(Remind::needs_due) {
        let hint = "Send `due` too, or reminders with a time such as \"2026-11-27T08:30:00Z\".";
        return Err(Invalid::new("remind", "an offset needs a due date to count from", hint));
    }
    Ok(())
}
