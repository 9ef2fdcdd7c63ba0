//! How a task comes back: a subset of RFC 5545's RRULE, parsed into what its expansion into days needs.
//!
//! Accepted: `FREQ` (daily to yearly), `INTERVAL`, `BYDAY` (with ordinals in monthly and yearly rules), `BYMONTHDAY` (negative
//! counts from the end), `BYMONTH`, `BYSETPOS`, and either `COUNT` or `UNTIL`. `WKST=MO`, the default, is accepted and dropped.
//! `Display` writes the one canonical form, which is what the store keeps, so equal rules are equal text.

mod expand;
mod parse;
mod words;

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Weekday};

pub use expand::Days;

/// How often, before `interval` multiplies it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Frequency {
    /// Every day.
    Daily,
    /// Every week.
    Weekly,
    /// Every month.
    Monthly,
    /// Every year.
    Yearly,
}

/// One element of `BYDAY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnWeekday {
    /// Which one of the month (or of the year): 1 the first, -1 the last, `None` every one.
    pub ordinal: Option<i8>,
    /// The day of the week.
    pub weekday: Weekday,
}

/// The last day or moment of a rule, inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// That day, in the task's zone.
    Date(Date),
    /// That wall-clock time, in the task's zone.
    Local(DateTime),
    /// That instant.
    Instant(Timestamp),
}

/// When a rule ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It does not.
    Never,
    /// After so many occurrences, the first included.
    Count(u32),
    /// With the last occurrence that is not later.
    Until(Until),
}

/// A valid repeat rule. Made by `parse` (`FromStr`), so what the fields say together makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    pub(crate) frequency: Frequency,
    pub(crate) interval: u32,
    pub(crate) by_day: Vec<OnWeekday>,
    pub(crate) by_month_day: Vec<i8>,
    pub(crate) by_month: Vec<i8>,
    pub(crate) by_set_pos: Vec<i16>,
    pub(crate) end: End,
}

impl Repeat {
    /// How often.
    pub fn frequency(&self) -> Frequency {
        self.frequency
    }

    /// Every so many days, weeks, months or years, 1–1,000.
    pub fn interval(&self) -> u32 {
        self.interval
    }

    /// The weekdays, from Monday, ordinals first to last; empty when the rule does not say.
    pub fn by_day(&self) -> &[OnWeekday] {
        &self.by_day
    }

    /// The days of the month, 1–31 or -1 to -31, ascending with the negative ones last.
    pub fn by_month_day(&self) -> &[i8] {
        &self.by_month_day
    }

    /// The months, 1–12.
    pub fn by_month(&self) -> &[i8] {
        &self.by_month
    }

    /// Which of the days found in each period, 1 the first, -1 the last.
    pub fn by_set_pos(&self) -> &[i16] {
        &self.by_set_pos
    }

    /// When it ends.
    pub fn end(&self) -> End {
        self.end
    }
}

/// The canonical RRULE, without the `RRULE:` in front.
impl fmt::Display for Repeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FREQ={}", self.frequency.as_str())?;
        if self.interval != 1 {
            write!(f, ";INTERVAL={}", self.interval)?;
        }
        list(f, "BYMONTH", &self.by_month)?;
        list(f, "BYMONTHDAY", &self.by_month_day)?;
        list(f, "BYDAY", &self.by_day)?;
        list(f, "BYSETPOS", &self.by_set_pos)?;
        match self.end {
            End::Never => Ok(()),
            End::Count(count) => write!(f, ";COUNT={count}"),
            End::Until(until) => write!(f, ";UNTIL={until}"),
        }
    }
}

impl fmt::Display for OnWeekday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(ordinal) = self.ordinal {
            write!(f, "{ordinal}")?;
        }
        f.write_str(weekday_code(self.weekday))
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => date.strftime("%Y%m%d").fmt(f),
            Self::Local(local) => local.strftime("%Y%m%dT%H%M%S").fmt(f),
            Self::Instant(at) => at.strftime("%Y%m%dT%H%M%SZ").fmt(f),
        }
    }
}

impl Frequency {
    fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "DAILY",
            Self::Weekly => "WEEKLY",
            Self::Monthly => "MONTHLY",
            Self::Yearly => "YEARLY",
        }
    }
}

fn weekday_code(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "MO",
        Weekday::Tuesday => "TU",
        Weekday::Wednesday => "WE",
        Weekday::Thursday => "TH",
        Weekday::Friday => "FR",
        Weekday::Saturday => "SA",
        Weekday::Sunday => "SU",
    }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, name: &str, values: &[T]) -> fmt::Result {
    for (index, value) in values.iter().enumerate() {
        let before = if index == 0 { format!(";{name}=") } else { ",".to_owned() };
        write!(f, "{before}{value}")?;
    }
    Ok(())
}
