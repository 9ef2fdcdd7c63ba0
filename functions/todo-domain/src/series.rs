//! A repeating task and what comes after it.
//!
//! The tasks of a series follow each other: completing one makes the next. Each carries the series' [anchor](Series::anchor), the
//! first due date, from which the rule is expanded, so that a rhythm never drifts and a change of one occurrence changes nothing
//! but that one. [`Task::next_occurrence`] says when the next one is due, [`Task::successor`] what it looks like.
//!
//! By default a rule is a calendar: the next occurrence is the first one after both the completed one and the moment of
//! completion, and those between are skipped. Counted from completion (`repeat_from: completion`), the completion takes the place
//! of the occurrence:
//!
//! - A rule that names no days ("every 3 days") counts from the day of completion, also when that was early: who waters the plants
//!   four days before time waters them again three days later.
//! - A rule that names days ("every Friday", "on the 1st") falls on the first of them after both the completion and the completed
//!   occurrence. With an interval, its periods count from the one of the completion; one in which something was done that was due
//!   in another is not used again.
//! - `COUNT` counts the tasks of the series, of which none is ever skipped; `UNTIL` is the last day or moment to be due.
//!
//! Days are those of the series' zone, and the time of day is that of the anchor.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::{Due, End, NewTask, Repeat, RepeatFrom, Task, TaskId, Until};

/// A task's place in its series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// The number of the first task.
    pub id: TaskId,
    /// The first due date: what the rule is expanded from. Its zone and its time of day are the series'.
    pub anchor: Due,
    /// Which occurrence this is, the first being 1; skipped ones count.
    pub ordinal: u32,
    /// When the rule has this task due. `None` where no rule says so: on the first task, and where the day is merely so many days
    /// after a completion. Moving the task leaves it as it is.
    pub occurrence: Option<Due>,
}

/// What comes after a completed task that repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another one.
    Due(Occurrence),
    /// Nothing: it was the last one.
    Ended(Ended),
}

/// The next occurrence of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// When it is due.
    pub due: Due,
    /// How many occurrences before it had passed already when the last one was completed.
    pub skipped: u32,
    /// Its place.
    pub series: Series,
}

/// Why a series has no further occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// `COUNT` is reached.
    Count,
    /// `UNTIL` is past.
    Until,
    /// The rule fits no later day of the calendar.
    Calendar,
}

impl Task {
    /// When a task that is completed at this moment is due again; `None` when it does not repeat.
    pub fn next_occurrence(&self, completed_at: Timestamp) -> Option<Next> {
        let (rule, series) = (self.repeat.as_ref()?, self.series.as_ref()?);
        Some(match self.repeat_from {
            RepeatFrom::Due => series.next_in_calendar(rule, completed_at),
            RepeatFrom::Completion => series.next_from_completion(rule, completed_at),
        })
    }

    /// The task of the next occurrence: the same but for its due date. Reminders at a fixed time are not repeated.
    pub fn successor(&self, next: Occurrence) -> NewTask {
        NewTask {
            title: self.title.clone(),
            description: self.description.clone(),
            due: Some(next.due),
            repeat: self.repeat.clone(),
            repeat_from: self.repeat_from,
            remind: self.remind.iter().filter(|remind| remind.needs_due()).cloned().collect(),
            priority: self.priority,
            tags: self.tags.clone(),
            series: Some(next.series),
        }
    }
}

impl Series {
    /// A series that begins with a task.
    pub(crate) fn begin(id: TaskId, due: &Due) -> Self {
        Self { id, anchor: due.clone(), ordinal: 1, occurrence: None }
    }

    fn next_in_calendar(&self, rule: &Repeat, completed_at: Timestamp) -> Next {
        let today = self.day_of(completed_at);
        let mut days = rule.days_after(self.anchor_day(), self.last_day()).zip(0_u32..);
        // An earlier day is past without asking its zone, which would take long for a task neglected for decades.
        let ahead = |day: Date| day >= today && self.due_on(day).instant() > completed_at;
        match days.find(|(day, _)| ahead(*day)) {
            Some((day, skipped)) => self.next(rule, day, skipped, true),
            None => Next::Ended(Ended::Calendar),
        }
    }

    fn next_from_completion(&self, rule: &Repeat, completed_at: Timestamp) -> Next {
        let (today, last) = (self.day_of(completed_at), self.last_day());
        let named = rule.names_days();
        let after = if named { today.max(last) } else { today };
        let elsewhere = named && rule.interval() > 1 && rule.period_of(today) != rule.period_of(last);
        let used = |day: Date| elsewhere && rule.period_of(day) == rule.period_of(today);
        match rule.days_after(today, after).find(|day| !used(*day)) {
            Some(day) => self.next(rule, day, 0, named),
            None => Next::Ended(Ended::Calendar),
        }
    }

    /// The occurrence on a day, unless the rule has ended before.
    fn next(&self, rule: &Repeat, day: Date, skipped: u32, by_rule: bool) -> Next {
        let due = self.due_on(day);
        let ordinal = self.ordinal.saturating_add(1).saturating_add(skipped);
        match rule.end() {
            End::Count(count) if ordinal > count => return Next::Ended(Ended::Count),
            End::Until(until) if is_past(until, &due) => return Next::Ended(Ended::Until),
            _ => {}
        }
        let occurrence = by_rule.then(|| due.clone());
        let series = Self { id: self.id, anchor: self.anchor.clone(), ordinal, occurrence };
        Next::Due(Occurrence { due, skipped, series })
    }

    fn anchor_day(&self) -> Date {
        self.anchor.local().date()
    }

    /// The day that the rule, or at first the person, gave this task.
    fn last_day(&self) -> Date {
        self.occurrence.as_ref().unwrap_or(&self.anchor).local().date()
    }

    fn day_of(&self, at: Timestamp) -> Date {
        self.anchor.zone().rules().to_datetime(at).date()
    }

    fn due_on(&self, day: Date) -> Due {
        match &self.anchor {
            Due::AllDay { zone, .. } => Due::AllDay { date: day, zone: zone.clone() },
            Due::At { local, zone } => Due::At { local: day.to_datetime(local.time()), zone: zone.clone() },
        }
    }
}

/// An end is inclusive. For an all-day occurrence the day counts, and of a moment the beginning of its day.
fn is_past(until: Until, due: &Due) -> bool {
    match until {
        Until::Date(day) => due.local().date() > day,
        Until::Local(local) => due.local() > local,
        Until::Instant(at) => due.zone().instant(due.local()) > at,
    }
}
