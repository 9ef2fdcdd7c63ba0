//! Weeks, months and years as people name them: "this week", "next 3 days", "end of the month".

use super::calendar::{Unit, monday, month, month_start, plus_days, plus_months, unit, weekday};
use super::date::{Days, Reader, shifted};
use crate::numbers::quantity;

impl Reader<'_> {
    /// "end of the month", "beginning of next week", "eow"
    pub(super) fn end_of(&self, at: usize) -> Option<(Days, usize)> {
        let short = match self.word(at) {
            "eow" => Some(Unit::Week),
            "eom" => Some(Unit::Month),
            "eoy" => Some(Unit::Year),
            _ => None,
        };
        if let Some(unit) = short {
            return self.closing_day(self.period(unit, 0)?, unit).map(|days| (days, 1));
        }
        let article = usize::from(self.is(at, "the"));
        let (edge, of) = (at + article, at + article + 1);
        let end = self.is(edge, "end");
        let last = self.is(edge, "last") && self.is(of, "day");
        let start = self.is(edge, "beginning|start");
        let of = if last { of + 1 } else { of };
        if !(end || last || start) || !self.is(of, "of") {
            return None;
        }
        let article = usize::from(self.is(of + 1, "the"));
        let next = match self.word(of + 1 + article) {
            "this" => Some(0),
            "next" => Some(1),
            _ => None,
        };
        let name = of + 1 + article + usize::from(next.is_some());
        if let Some(month) = month(self.word(name)) {
            let first = month_start(self.today, month)?;
            let day = if start { first } else { first.last_of_month() };
            return Some((Days::day(day), name + 1 - at));
        }
        let unit = unit(self.word(name))?;
        let period = self.period(unit, next.unwrap_or(0))?;
        let days = if start {
            Days::day(period.start)
        } else if last {
            Days::day(plus_days(period.end, -1))
        } else {
            self.closing_day(period, unit)?
        };
        Some((days, name + 1 - at))
    }

    /// The end of a week is its Friday, unless that is past.
    fn closing_day(&self, period: Days, unit: Unit) -> Option<Days> {
        let last = plus_days(period.end, -1);
        let friday = plus_days(period.start, 4);
        Some(Days::day(if unit == Unit::Week && friday >= self.today { friday } else { last }))
    }

    /// The calendar period `ahead` of the present one.
    fn period(&self, unit: Unit, ahead: i64) -> Option<Days> {
        let first = self.today.first_of_month();
        let (start, end) = match unit {
            Unit::Day => (plus_days(self.today, ahead), plus_days(self.today, ahead + 1)),
            Unit::Week => {
                (plus_days(monday(self.today), 7 * ahead), plus_days(monday(self.today), 7 * ahead + 7))
            }
            Unit::Month => (plus_months(first, ahead), plus_months(first, ahead + 1)),
            Unit::Quarter => {
                let back = i64::from((self.today.month() - 1) % 3);
                (plus_months(first, 3 * ahead - back), plus_months(first, 3 * ahead + 3 - back))
            }
            Unit::Year => {
                let start = self.today.first_of_year();
                (plus_months(start, 12 * ahead), plus_months(start, 12 * ahead + 12))
            }
            Unit::Minute | Unit::Hour | Unit::Workday => return None,
        };
        Some(Days::run(start, end, if ahead > 0 { start } else { plus_days(end, -1) }))
    }

    /// "this week", "next Friday", "next month", "the weekend", "the next 3 days"
    pub(super) fn qualified(&self, at: usize) -> Option<(Days, usize)> {
        let the = usize::from(self.is(at, "the"));
        let start = at + the;
        let weekend = self.is(start, "weekend");
        if weekend && (the == 1 || at > 0 && self.is(at - 1, "on|by|for|this")) {
            return Some((self.weekend(0), the + 1));
        }
        let ahead = match self.word(start) {
            "this" | "current" => 0,
            "next" | "coming" | "upcoming" | "following" => 1,
            "last" | "past" | "previous" => -1,
            _ => return None,
        };
        let coming = usize::from(self.is(start, "this") && self.is(start + 1, "coming|upcoming"));
        let name = start + 1 + coming;
        let used = name + 1 - at;
        if self.is(name, "weekend") {
            let ahead = if self.is(start, "coming|upcoming") { 0 } else { ahead };
            return Some((self.weekend(ahead), used));
        }
        if let Some(weekday) = weekday(self.word(name)) {
            let ahead = if self.is(start, "coming|upcoming") { 0 } else { ahead };
            return Some((Days::day(self.weekday_ahead(weekday, ahead)), used));
        }
        if let Some(month) = month(self.word(name)) {
            return Some((self.month(month_start(self.today, month)?), used));
        }
        if let Some((count, spent)) = quantity(self.tokens, name)
            && let Some(unit) = unit(self.word(name + spent))
        {
            let end = shifted(self.today, count, unit)?;
            let days = if ahead < 0 {
                Days::run(shifted(self.today, -count, unit)?, self.today, self.today)
            } else {
                Days::run(self.today, plus_days(end, 1), end)
            };
            return Some((days, name + spent + 1 - at));
        }
        let unit = unit(self.word(name))?;
        Some((self.period(unit, ahead)?, used))
    }

    fn weekend(&self, ahead: i64) -> Days {
        let saturday = plus_days(monday(self.today), 5 + 7 * ahead);
        let one = if saturday < self.today && ahead == 0 { self.today } else { saturday };
        Days::run(saturday, plus_days(saturday, 2), one)
    }
}
