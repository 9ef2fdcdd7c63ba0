//! When to remind a person of a task: at a moment, or so long before (or after) it is due.

use std::fmt;

use jiff::{SpanFieldwise, Timestamp, Unit};

use crate::invalid::quoted;
use crate::{Due, Invalid, REMIND_LIMIT, WrittenDue, Zone};

const REMIND_HINT: &str = "Send an ISO 8601 offset from the due time such as \"-PT30M\" (30 minutes before), \"-PT2H\" or \
                           \"-P1D\" (one day before), or a time such as \"2026-11-27T08:30:00+01:00\".";

/// One reminder of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remind {
    /// At that moment.
    At(Timestamp),
    /// Relative to the due time, or for an all-day task to the start of its day. Negative is before. Days and weeks are
    /// counted on the wall clock: a day before 09:00 is 09:00, also across a change of the clocks.
    Offset(SpanFieldwise),
}

impl Remind {
    /// Reads an offset or a time; a time without an offset is read in `zone` (else UTC).
    pub fn parse(field: &str, text: &str, zone: Option<&Zone>) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.contains(['P', 'p']) {
            return Self::offset(field, text);
        }
        let problem = format!("{} is not a reminder", quoted(text));
        let invalid = |_| Invalid::new(field, problem, REMIND_HINT);
        let written = WrittenDue::parse(field, text, zone.cloned()).map_err(invalid)?;
        match written.resolve(None) {
            due @ Due::At { .. } => Ok(Self::At(due.instant())),
            Due::AllDay { .. } => Err(Invalid::new(field, "a reminder needs a time of day", REMIND_HINT)),
        }
    }

    /// Reads a list of reminders, dropping repetitions; at most 10.
    pub fn parse_all(field: &str, texts: &[String], zone: Option<&Zone>) -> Result<Vec<Self>, Invalid> {
        let mut reminders = Vec::with_capacity(texts.len());
        for text in texts {
            let remind = Self::parse(field, text, zone)?;
            if !reminders.contains(&remind) {
                reminders.push(remind);
            }
        }
        if reminders.len() > REMIND_LIMIT {
            let problem = format!("{} reminders are too many", reminders.len());
            return Err(Invalid::new(field, problem, format!("Send at most {REMIND_LIMIT}.")));
        }
        Ok(reminders)
    }

    /// Whether it only means something on a task with a due date.
    pub fn needs_due(&self) -> bool {
        matches!(self, Self::Offset(_))
    }

    /// The moment to remind. `None` for an offset without a due date, or one that leaves the calendar.
    pub fn instant(&self, due: Option<&Due>) -> Option<Timestamp> {
        match self {
            Self::At(at) => Some(*at),
            Self::Offset(span) => {
                let due = due?;
                let start = due.zone().rules().to_zoned(due.local()).ok()?;
                Some(start.checked_add(span.0).ok()?.timestamp())
            }
        }
    }

    fn offset(field: &str, text: &str) -> Result<Self, Invalid> {
        let problem = || format!("{} is not an offset", quoted(text));
        let span: jiff::Span = text.parse().map_err(|_| Invalid::new(field, problem(), REMIND_HINT))?;
        if span.get_years() != 0 || span.get_months() != 0 {
            let hint = "Use weeks, days, hours or minutes: \"-P30D\"; minutes come after a T: \"-PT30M\".";
            return Err(Invalid::new(field, format!("{} counts months or years", quoted(text)), hint));
        }
        // 24-hour days are exact enough for a limit.
        let days = span.total(jiff::SpanTotal::from(Unit::Day).days_are_24_hours()).unwrap_or(f64::MAX);
        if days.abs() > 366.0 {
            return Err(Invalid::new(field, format!("{} is more than a year", quoted(text)), REMIND_HINT));
        }
        Ok(Self::Offset(span.fieldwise()))
    }
}

/// On the wire: RFC 3339 in UTC, or the offset in ISO 8601.
impl fmt::Display for Remind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at) => at.fmt(f),
            Self::Offset(span) => span.0.fmt(f),
        }
    }
}
