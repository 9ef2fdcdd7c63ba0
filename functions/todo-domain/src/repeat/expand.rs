//! The days of a rule.
//!
//! A series has one time of day, so all of the expansion is about calendar days, and neither zones nor clocks come into it: the
//! caller puts the time on a day and maps it to an instant. A rule cuts the calendar into periods of its frequency (days, weeks
//! from Monday, months, years), takes every `interval`-th one counted from the period of the anchor, and finds a set of days in
//! each. Periods have numbers, so the search begins at the period it is asked for, however long ago the anchor was.
//!
//! Two things go beyond RFC 5545, because they are what people mean:
//!
//! - A day of the month that a short month lacks is its last day: the 31st of every month is the 30th in June, 29 February is the
//!   28th in other years. It does not drift, as the day comes from the rule or the anchor, never from the occurrence before. Where
//!   a day of the month is only a condition ("the 13th if it is a Friday", "daily, but on the 31st") it stays literal.
//! - The anchor is the first occurrence even where the rule would not give it.

use jiff::SignedDuration;
use jiff::civil::Date;

use super::{Frequency, OnWeekday, Repeat};

impl Repeat {
    /// The rule's days after `after`, in order, of a series whose first day is `anchor`. They end with the year 9999, or as soon as
    /// it is certain that there is no further one; `COUNT` and `UNTIL` are the caller's to heed.
    pub fn days_after(&self, anchor: Date, after: Date) -> Days<'_> {
        let after = after.max(anchor);
        let (first, interval) = (self.period_of(anchor), i64::from(self.interval));
        let steps = (self.period_of(after) - first) / interval;
        Days { rule: self, anchor, after, period: first + steps * interval, found: Vec::new(), barren: 0 }
    }

    /// Whether the rule says by itself on which days it falls, rather than taking that from where it begins.
    pub(crate) fn names_days(&self) -> bool {
        !self.by_day.is_empty() || !self.by_month_day.is_empty()
    }

    /// The number of the period that a day lies in.
    pub(crate) fn period_of(&self, day: Date) -> i64 {
        match self.frequency {
            Frequency::Daily => day_number(day),
            Frequency::Weekly => (day_number(day) + EPOCH_WEEKDAY).div_euclid(7),
            Frequency::Monthly => i64::from(day.year()) * 12 + i64::from(day.month()) - 1,
            Frequency::Yearly => i64::from(day.year()),
        }
    }

    /// After this many periods the calendar repeats itself (400 years, which are whole weeks). Every n-th period meets no more
    /// different ones than that, so a rule that found no day in so many periods never will.
    fn cycle(&self) -> u32 {
        match self.frequency {
            Frequency::Daily => 146_097,
            Frequency::Weekly => 20_871,
            Frequency::Monthly => 4_800,
            Frequency::Yearly => 400,
        }
    }

    /// Finds the days of a period, ascending; `None` beyond the calendar.
    fn fill(&self, period: i64, anchor: Date, days: &mut Vec<Date>) -> Option<()> {
        match self.frequency {
            Frequency::Daily => days.extend(Some(day(period)?).filter(|day| self.allows(*day))),
            Frequency::Weekly => self.fill_week(day(period * 7 - EPOCH_WEEKDAY)?, anchor, days),
            Frequency::Monthly => {
                let month = i8::try_from(period.rem_euclid(12) + 1).ok()?;
                let first = Date::new(i16::try_from(period.div_euclid(12)).ok()?, month, 1).ok()?;
                if self.has_month(first) {
                    self.fill_month(first, anchor, days);
                }
            }
            Frequency::Yearly => {
                let first = Date::new(i16::try_from(period).ok()?, 1, 1).ok()?;
                self.fill_year(first, anchor, days);
            }
        }
        days.sort_unstable();
        days.dedup();
        self.keep_positions(days);
        Some(())
    }

    fn fill_week(&self, monday: Date, anchor: Date, days: &mut Vec<Date>) {
        let week = std::iter::successors(Some(monday), |day| day.tomorrow().ok()).take(7);
        let wanted = |day: &Date| match self.by_day.is_empty() {
            true => day.weekday() == anchor.weekday() && self.has_month(*day),
            false => self.allows(*day),
        };
        days.extend(week.filter(wanted));
    }

    fn fill_month(&self, first: Date, anchor: Date, days: &mut Vec<Date>) {
        let length = i16::from(first.days_in_month());
        if !self.by_day.is_empty() {
            let month = std::iter::successors(Some(first), |day| day.tomorrow().ok());
            let numbered = (1..=length).zip(month);
            let wanted =
                numbered.filter(|(n, day)| self.on_weekday(*day, *n, length) && self.on_month_day(*day));
            days.extend(wanted.map(|(_, day)| day));
        } else if self.by_month_day.is_empty() {
            days.extend(day_of_month(first, anchor.day()));
        } else {
            days.extend(self.by_month_day.iter().filter_map(|day| day_of_month(first, *day)));
        }
    }

    fn fill_year(&self, first: Date, anchor: Date, days: &mut Vec<Date>) {
        if !self.by_day.is_empty() && self.by_month.is_empty() {
            // Ordinals then count within the year.
            let length = first.days_in_year();
            let year = std::iter::successors(Some(first), |day| day.tomorrow().ok());
            let numbered = (1..=length).zip(year);
            let wanted =
                numbered.filter(|(n, day)| self.on_weekday(*day, *n, length) && self.on_month_day(*day));
            return days.extend(wanted.map(|(_, day)| day));
        }
        let every_month = self.by_month.is_empty() && !self.by_month_day.is_empty();
        for number in 1..=12 {
            let wanted = every_month
                || self.by_month.contains(&number)
                || (self.by_month.is_empty() && number == anchor.month());
            if let (true, Ok(month)) = (wanted, Date::new(first.year(), number, 1)) {
                self.fill_month(month, anchor, days);
            }
        }
    }

    /// Whether a day meets all conditions, ordinals aside.
    fn allows(&self, day: Date) -> bool {
        self.has_month(day)
            && self.on_month_day(day)
            && (self.by_day.is_empty() || self.on_weekday(day, 0, 0))
    }

    fn has_month(&self, day: Date) -> bool {
        self.by_month.is_empty() || self.by_month.contains(&day.month())
    }

    /// As a condition, a day that a month does not have is not there.
    fn on_month_day(&self, day: Date) -> bool {
        let from_end = day.day() - day.days_in_month() - 1;
        self.by_month_day.is_empty() || self.by_month_day.iter().any(|n| *n == day.day() || *n == from_end)
    }

    /// Whether the `n`-th of `length` days is one of the weekdays.
    fn on_weekday(&self, day: Date, n: i16, length: i16) -> bool {
        let position = |ordinal: i16| match ordinal {
            1.. => (n - 1) / 7 + 1 == ordinal,
            _ => (length - n) / 7 + 1 == -ordinal,
        };
        let is = |on: &OnWeekday| on.ordinal.is_none_or(|ordinal| position(i16::from(ordinal)));
        self.by_day.iter().any(|on| on.weekday == day.weekday() && is(on))
    }

    fn keep_positions(&self, days: &mut Vec<Date>) {
        if self.by_set_pos.is_empty() {
            return;
        }
        let length = days.len();
        let index = |position: i16| {
            let distance = usize::from(position.unsigned_abs());
            if position > 0 { distance.checked_sub(1) } else { length.checked_sub(distance) }
        };
        let wanted: Vec<_> = self.by_set_pos.iter().filter_map(|position| index(*position)).collect();
        let mut at = 0..;
        days.retain(|_| at.next().is_some_and(|at| wanted.contains(&at)));
    }
}

/// The days of a rule, made by [`Repeat::days_after`].
#[derive(Clone, Debug)]
pub struct Days<'a> {
    rule: &'a Repeat,
    anchor: Date,
    after: Date,
    /// The period to look into next.
    period: i64,
    /// What is left of the period before, last day first.
    found: Vec<Date>,
    /// How many periods in a row had no day.
    barren: u32,
}

impl Iterator for Days<'_> {
    type Item = Date;

    fn next(&mut self) -> Option<Date> {
        loop {
            while let Some(day) = self.found.pop() {
                if day > self.after {
                    return Some(day);
                }
            }
            if self.barren > self.rule.cycle() {
                return None;
            }
            self.rule.fill(self.period, self.anchor, &mut self.found)?;
            self.found.reverse();
            self.period += i64::from(self.rule.interval);
            self.barren = if self.found.is_empty() { self.barren + 1 } else { 0 };
        }
    }
}

const EPOCH: Date = Date::constant(1970, 1, 1);
/// 1 January 1970 was a Thursday, three days after a Monday.
const EPOCH_WEEKDAY: i64 = 3;

fn day_number(day: Date) -> i64 {
    day.duration_since(EPOCH).as_hours() / 24
}

fn day(number: i64) -> Option<Date> {
    EPOCH.checked_add(SignedDuration::from_hours(number * 24)).ok()
}

/// The day of that number, which a short month ends before; negative from the end, where there is no such mending.
fn day_of_month(first: Date, number: i8) -> Option<Date> {
    let length = first.days_in_month();
    let day = if number > 0 { number.min(length) } else { length + 1 + number };
    first.with().day(day).build().ok()
}
