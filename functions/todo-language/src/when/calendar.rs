//! Names of the calendar, and arithmetic that stops at the calendar's ends instead of failing.

use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan};

/// A unit of time as people name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Minute,
    Hour,
    Day,
    Workday,
    Week,
    Month,
    Quarter,
    Year,
}

pub(crate) fn unit(word: &str) -> Option<Unit> {
    Some(match word {
        "minute" | "minutes" | "min" | "mins" => Unit::Minute,
        "hour" | "hours" | "hr" | "hrs" => Unit::Hour,
        "day" | "days" => Unit::Day,
        "workday" | "workdays" | "weekday" | "weekdays" => Unit::Workday,
        "week" | "weeks" | "wk" | "wks" => Unit::Week,
        "month" | "months" => Unit::Month,
        "quarter" | "quarters" => Unit::Quarter,
        "year" | "years" | "yr" | "yrs" => Unit::Year,
        _ => return None,
    })
}

/// The weekday a word names; `plural` forms ("mondays") too.
pub(crate) fn weekday(word: &str) -> Option<Weekday> {
    Some(match word.trim_end_matches('.') {
        "monday" | "mon" | "mondays" => Weekday::Monday,
        "tuesday" | "tue" | "tues" | "tuesdays" => Weekday::Tuesday,
        "wednesday" | "wed" | "weds" | "wednesdays" => Weekday::Wednesday,
        "thursday" | "thu" | "thur" | "thurs" | "thursdays" => Weekday::Thursday,
        "friday" | "fri" | "fridays" => Weekday::Friday,
        "saturday" | "sat" | "saturdays" => Weekday::Saturday,
        "sunday" | "sun" | "sundays" => Weekday::Sunday,
        _ => return None,
    })
}

const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// 1 for January; the usual abbreviations too.
pub(crate) fn month(word: &str) -> Option<i8> {
    let word = word.trim_end_matches('.');
    if word == "sept" {
        return Some(9);
    }
    let index =
        MONTHS.iter().position(|name| *name == word || (word.len() == 3 && name.starts_with(word)))?;
    i8::try_from(index + 1).ok()
}

/// A fixed feast that people use as a date.
pub(crate) fn feast(words: &[&str]) -> Option<(i8, i8, usize)> {
    let known: &[(&[&str], i8, i8)] = &[
        (&["christmas", "eve"], 12, 24),
        (&["christmas", "day"], 12, 25),
        (&["christmas"], 12, 25),
        (&["xmas"], 12, 25),
        (&["new", "year's", "eve"], 12, 31),
        (&["new", "years", "eve"], 12, 31),
        (&["new", "year's", "day"], 1, 1),
        (&["new", "year's"], 1, 1),
        (&["valentine's", "day"], 2, 14),
        (&["valentines", "day"], 2, 14),
        (&["halloween"], 10, 31),
    ];
    let found = known.iter().find(|(name, _, _)| words.starts_with(name))?;
    Some((found.1, found.2, found.0.len()))
}

/// `date` moved by a span; at the calendar's end it stays where it is.
pub(crate) fn moved(date: Date, span: Span) -> Date {
    date.checked_add(span).unwrap_or(date)
}

pub(crate) fn plus_days(date: Date, days: i64) -> Date {
    Span::new().try_days(days).map_or(date, |span| moved(date, span))
}

pub(crate) fn plus_months(date: Date, months: i64) -> Date {
    Span::new().try_months(months).map_or(date, |span| moved(date, span))
}

/// `count` working days later, Saturdays and Sundays not counted.
pub(crate) fn plus_workdays(date: Date, count: i64) -> Date {
    let mut day = date;
    for _ in 0..count.clamp(0, 2_000) {
        day = plus_days(day, 1);
        while is_weekend(day) {
            day = plus_days(day, 1);
        }
    }
    day
}

pub(crate) fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// The Monday of the week of `date`.
pub(crate) fn monday(date: Date) -> Date {
    moved(date, -i64::from(date.weekday().to_monday_zero_offset()).days())
}

/// The first such weekday on or after `date`.
pub(crate) fn on_or_after(date: Date, weekday: Weekday) -> Date {
    moved(date, i64::from(date.weekday().until(weekday)).days())
}

/// The first day of the given month that is not before the month of `today`.
pub(crate) fn month_start(today: Date, month: i8) -> Option<Date> {
    let this = Date::new(today.year(), month, 1).ok()?;
    if this >= today.first_of_month() {
        Some(this)
    } else {
        Date::new(today.year().checked_add(1)?, month, 1).ok()
    }
}

/// The next such day of the year on or after `today`; the 29th of February waits for its year.
pub(crate) fn yearly(today: Date, month: i8, day: i8) -> Option<Date> {
    (0..9).find_map(|ahead| {
        Date::new(today.year().checked_add(ahead)?, month, day).ok().filter(|date| *date >= today)
    })
}
