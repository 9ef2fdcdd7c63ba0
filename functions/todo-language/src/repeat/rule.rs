//! A rule: how it is written, and when it first falls due.

use std::fmt::Write;

use jiff::Zoned;
use jiff::civil::{Date, Time, Weekday};

use crate::reading::Due;
use crate::when::When;
use crate::when::calendar::{Unit, is_weekend, plus_days};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frequency {
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// A rule as read, with what belongs to the due date.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Repeat {
    pub frequency: Frequency,
    pub interval: i64,
    /// With the ordinal in the month ("3rd Friday"), where one was said.
    pub weekdays: Vec<(Option<i8>, Weekday)>,
    pub month_days: Vec<i8>,
    pub months: Vec<i8>,
    pub positions: Vec<i8>,
    pub count: Option<i64>,
    pub until: Option<Date>,
    pub from_completion: bool,
    pub start: Option<When>,
    /// A time said within the phrase ("every Monday at 9", "every morning").
    pub at: Option<When>,
}

pub(crate) const WORKDAYS: [Weekday; 5] =
    [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];

impl Repeat {
    /// Whether nothing but how often was said.
    pub(crate) fn is_bare(&self) -> bool {
        *self == Self::every(self.frequency, self.interval)
    }

    /// Whether this says on which days what `bare` says how often.
    pub(crate) fn makes_exact(&self, bare: &Self) -> bool {
        self.frequency == bare.frequency && self.interval == 1 && !self.is_bare()
    }

    pub(super) fn every(frequency: Frequency, interval: i64) -> Repeat {
        Repeat {
            frequency,
            interval,
            weekdays: Vec::new(),
            month_days: Vec::new(),
            months: Vec::new(),
            positions: Vec::new(),
            count: None,
            until: None,
            from_completion: false,
            start: None,
            at: None,
        }
    }

    pub(super) fn of(unit: Unit, count: i64) -> Option<Repeat> {
        let count = count.clamp(1, 1_000);
        Some(match unit {
            Unit::Minute => return None,
            Unit::Hour => Repeat::every(Frequency::Hourly, count),
            Unit::Day => Repeat::every(Frequency::Daily, count),
            Unit::Workday => Repeat::every(Frequency::Weekly, count).on(WORKDAYS),
            Unit::Week => Repeat::every(Frequency::Weekly, count),
            Unit::Month => Repeat::every(Frequency::Monthly, count),
            Unit::Quarter => Repeat::every(Frequency::Monthly, 3 * count),
            Unit::Year => Repeat::every(Frequency::Yearly, count),
        })
    }

    pub(super) fn on(mut self, days: impl IntoIterator<Item = Weekday>) -> Repeat {
        self.weekdays.extend(days.into_iter().map(|day| (None, day)));
        self
    }

    /// The RRULE, without its prefix. `due` decides how UNTIL is written: a date, or the end of that day in UTC.
    pub fn rule(&self, due: Due, now: &Zoned) -> String {
        let mut rule = format!("FREQ={}", self.frequency_name());
        let list = |rule: &mut String, name: &str, values: &[String]| {
            if !values.is_empty() {
                let _ = write!(rule, ";{name}={}", values.join(","));
            }
        };
        if self.interval > 1 {
            let _ = write!(rule, ";INTERVAL={}", self.interval);
        }
        list(&mut rule, "BYMONTH", &numbers(&self.months));
        list(&mut rule, "BYMONTHDAY", &numbers(&self.month_days));
        let days: Vec<String> = self
            .weekdays
            .iter()
            .map(|(nth, day)| format!("{}{}", nth.map_or(String::new(), |n| n.to_string()), code(*day)))
            .collect();
        list(&mut rule, "BYDAY", &days);
        list(&mut rule, "BYSETPOS", &numbers(&self.positions));
        if let Some(count) = self.count {
            let _ = write!(rule, ";COUNT={count}");
        }
        if let Some(until) = self.until {
            let _ = write!(rule, ";UNTIL={}", until_text(until, due, now));
        }
        rule
    }

    fn frequency_name(&self) -> &'static str {
        match self.frequency {
            Frequency::Hourly => "HOURLY",
            Frequency::Daily => "DAILY",
            Frequency::Weekly => "WEEKLY",
            Frequency::Monthly => "MONTHLY",
            Frequency::Yearly => "YEARLY",
        }
    }

    /// The first occurrence: on or after the start, and not in the past.
    pub fn first(&self, said: Option<&When>, now: &Zoned) -> Due {
        let start = self.start.as_ref().map(|start| start.due(now));
        let named = said.map(|said| said.parts(now));
        let time_of = |when: Option<&When>| when.and_then(|when| when.usual_time(now));
        let time = time_of(self.start.as_ref()).or(time_of(said)).or(time_of(self.at.as_ref()));
        let from = start.map(|due| due.date).or(named.and_then(|(date, _)| date)).unwrap_or(now.date());
        if self.frequency == Frequency::Hourly && time.is_none() {
            let next =
                now.datetime().checked_add(jiff::Span::new().hours(self.interval)).unwrap_or(now.datetime());
            return Due { date: next.date(), time: Time::new(next.hour(), next.minute(), 0, 0).ok() };
        }
        let past = |date: Date| time.is_some_and(|time| date.to_datetime(time) <= now.datetime());
        let explicit = start.is_some() || named.is_some_and(|(date, _)| date.is_some());
        let date = (0..366 * 9)
            .map(|ahead| plus_days(from, ahead))
            .find(|date| self.falls_on(*date) && (explicit || !past(*date)));
        Due { date: date.unwrap_or(from), time }
    }

    fn falls_on(&self, date: Date) -> bool {
        let month = self.months.is_empty() || self.months.contains(&date.month());
        let last = date.days_in_month();
        let day = self.month_days.is_empty()
            || self.month_days.iter().any(|day| {
                if *day < 0 { last + 1 + day == date.day() } else { (*day).min(last) == date.day() }
            });
        let weekday = self.weekdays.is_empty()
            || self
                .weekdays
                .iter()
                .any(|(nth, weekday)| *weekday == date.weekday() && nth.is_none_or(|nth| is_nth(date, nth)));
        month
            && day
            && weekday
            && (self.positions.is_empty()
                || self.positions.contains(&workday_position(date, false))
                || self.positions.contains(&workday_position(date, true)))
    }
}

fn numbers(values: &[i8]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn code(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "MO",
        Weekday::Tuesday => "TU",
        Weekday::Wednesday => "WE",
        Weekday::Thursday => "TH",
        Weekday::Friday => "FR",
        Weekday::Saturday => "SA",
        Weekday::Sunday => "SU",
    }
}

fn is_nth(date: Date, nth: i8) -> bool {
    if nth < 0 {
        (date.days_in_month() - date.day()) / 7 + 1 == -nth
    } else {
        (date.day() - 1) / 7 + 1 == nth
    }
}

/// The place of a day among its month's working days: from 1, or from the end with -1.
fn workday_position(date: Date, from_end: bool) -> i8 {
    let last = date.last_of_month();
    let (from, to) = if from_end { (date, last) } else { (date.first_of_month(), date) };
    let days = (0..31).map(|ahead| plus_days(from, ahead)).take_while(|day| *day <= to);
    let count = i8::try_from(days.filter(|day| !is_weekend(*day)).count()).unwrap_or(0);
    if from_end { -count } else { count }
}

/// RFC 5545: UNTIL is a date for an all-day start, else a moment in UTC.
fn until_text(until: Date, due: Due, now: &Zoned) -> String {
    let day = until.strftime("%Y%m%d").to_string();
    if due.time.is_none() {
        return day;
    }
    let end = until.to_datetime(Time::constant(23, 59, 59, 0));
    let utc = now
        .time_zone()
        .to_ambiguous_zoned(end)
        .compatible()
        .map(|zoned| zoned.with_time_zone(jiff::tz::TimeZone::UTC));
    utc.map_or(day, |utc| utc.strftime("%Y%m%dT%H%M%SZ").to_string())
}
