//! Days, weeks and months as people name them.

use jiff::civil::{Date, Weekday};

use super::calendar::{
    Unit, feast, monday, month, month_start, on_or_after, plus_days, plus_months, plus_workdays, unit,
    weekday, yearly,
};
use crate::numbers::{ordinal, quantity};
use crate::text::{Token, among};

/// A run of days: one day, or a week, a month, a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Days {
    pub start: Date,
    /// Exclusive.
    pub end: Date,
    /// The day meant when a single one is needed.
    pub one: Date,
}

impl Days {
    pub fn day(date: Date) -> Days {
        Days { start: date, end: plus_days(date, 1), one: date }
    }

    pub(super) fn run(start: Date, end: Date, one: Date) -> Days {
        Days { start, end, one }
    }
}

/// Reads the days named at `at`, and how many tokens name them. `led` says that a word such as "on" or "by" stands
/// before: then a bare "May" or "Sun" is a date too.
pub(crate) fn days(tokens: &[Token], at: usize, led: bool, today: Date) -> Option<(Days, usize)> {
    let reader = Reader { tokens, today };
    reader
        .near(at)
        .or_else(|| reader.end_of(at))
        .or_else(|| reader.counted_from_now(at))
        .or_else(|| reader.written(at))
        .or_else(|| reader.month_day(at))
        .or_else(|| reader.qualified(at))
        .or_else(|| reader.weekday(at, led))
        .or_else(|| reader.day_of_month(at, led))
        .or_else(|| reader.bare(at, led))
}

pub(super) struct Reader<'a> {
    pub(super) tokens: &'a [Token],
    pub(super) today: Date,
}

impl Reader<'_> {
    pub(super) fn word(&self, at: usize) -> &str {
        self.tokens.get(at).filter(|token| token.is_word()).map_or("", |token| token.low.as_str())
    }

    pub(super) fn is(&self, at: usize, words: &str) -> bool {
        among(self.word(at), words)
    }

    fn mark(&self, at: usize, mark: &str) -> usize {
        usize::from(self.tokens.get(at).is_some_and(|token| token.is(mark)))
    }

    /// today, tomorrow, the day after tomorrow, yesterday
    pub(super) fn near(&self, at: usize) -> Option<(Days, usize)> {
        let article = usize::from(self.is(at, "the"));
        if self.is(at + article, "day") && self.is(at + article + 1, "after|before") {
            let offset = if self.is(at + article + 1, "after") { 1 } else { -1 };
            let (days, used) = self.near(at + article + 2)?;
            return Some((Days::day(plus_days(days.one, offset)), article + 2 + used));
        }
        let offset = match self.word(at) {
            "today" | "2day" | "eod" | "cob" => 0,
            "tomorrow" | "tommorow" | "tommorrow" | "tomorow" | "tomorrows" | "tmrw" | "tmr" | "tmw"
            | "2moro" | "tom" => 1,
            "yesterday" => -1,
            _ => return None,
        };
        if self.is(at, "tom") && !self.is(at + 1, "morning|evening") {
            return None;
        }
        Some((Days::day(plus_days(self.today, offset)), 1))
    }

    /// "in 3 days", "two weeks from now", "a week from Friday"
    fn counted_from_now(&self, at: usize) -> Option<(Days, usize)> {
        let led = self.is(at, "in|within");
        let from = at + usize::from(led);
        let article = usize::from(led && self.is(from, "the|about|next"));
        let (count, used) = quantity(self.tokens, from + article)?;
        let unit = unit(self.word(from + article + used))?;
        let end = from + article + used + 1;
        if let Some((base, used)) = self.base(end) {
            return Some((Days::day(shifted(base, count, unit)?), end + used - at));
        }
        (led).then(|| shifted(self.today, count, unit)).flatten().map(|date| (Days::day(date), end - at))
    }

    /// "from now", "from Friday", "from today", "after tomorrow"
    fn base(&self, at: usize) -> Option<(Date, usize)> {
        if self.is(at, "hence") {
            return Some((self.today, 1));
        }
        if !self.is(at, "from|after") {
            return None;
        }
        if self.is(at, "from") && self.is(at + 1, "now") {
            return Some((self.today, 2));
        }
        let (days, used) =
            self.near(at + 1).or_else(|| self.qualified(at + 1)).or_else(|| self.weekday(at + 1, true))?;
        Some((days.one, used + 1))
    }

    /// 2026-11-27, 11/27, 11/27/2026, 27.11.2026
    fn written(&self, at: usize) -> Option<(Days, usize)> {
        let word = self.word(at);
        let separator = word.chars().find(|c| matches!(c, '-' | '/' | '.'))?;
        let parts: Vec<&str> = word.split(separator).collect();
        let number = |part: &str| part.parse::<i16>().ok();
        let small = |part: &str| part.parse::<i8>().ok();
        let (year, month, day) = match (parts.as_slice(), separator) {
            ([year, month, day], '-' | '/') if year.len() == 4 => (number(year), small(month)?, small(day)?),
            ([day, month, year], '.') if year.len() == 4 || year.len() == 2 => {
                (number(year), small(month)?, small(day)?)
            }
            ([first, second, year], '-' | '/') if year.len() == 4 || year.len() == 2 => {
                let (month, day) = month_first(small(first)?, small(second)?);
                (number(year), month, day)
            }
            ([first, second], '/') => {
                let (month, day) = month_first(small(first)?, small(second)?);
                (None, month, day)
            }
            // "27.11." with its last dot; "3.5" alone may be any number.
            ([day, month], '.') if self.mark(at + 1, ".") == 1 && day.len() == 2 => {
                (None, small(month)?, small(day)?)
            }
            _ => return None,
        };
        let year = year.map(|year| if year < 100 { year + 2000 } else { year });
        let date = match year {
            Some(year) => Date::new(year, month, day).ok()?,
            None => yearly(self.today, month, day)?,
        };
        let dot = usize::from(year.is_none() && separator == '.');
        Some((Days::day(date), 1 + dot))
    }

    /// "Nov 27", "November 27th, 2026", "27 November", "the 27th of November"
    fn month_day(&self, at: usize) -> Option<(Days, usize)> {
        if let Some(month) = month(self.word(at)) {
            let the = usize::from(self.is(at + 1, "the"));
            let day = day_number(self.word(at + 1 + the))?;
            return self.with_year(at, at + 2 + the, month, day);
        }
        let the = usize::from(self.is(at, "the"));
        let dotted = self.mark(at + the + 1, ".");
        let day = day_number(self.word(at + the))?;
        let of = usize::from(self.is(at + the + 1 + dotted, "of"));
        let month = month(self.word(at + the + 1 + dotted + of))?;
        self.with_year(at, at + the + 2 + dotted + of, month, day)
    }

    fn with_year(&self, at: usize, end: usize, month: i8, day: i8) -> Option<(Days, usize)> {
        let comma = self.mark(end, ",");
        let year = self.word(end + comma).parse::<i16>().ok().filter(|year| (1900..3000).contains(year));
        match year {
            Some(year) => Some((Days::day(Date::new(year, month, day).ok()?), end + comma + 1 - at)),
            None => Some((Days::day(yearly(self.today, month, day)?), end - at)),
        }
    }

    /// "this Friday" is in this week or, when past, the next one; "next Friday" is in the week after this one.
    pub(super) fn weekday_ahead(&self, weekday: Weekday, ahead: i64) -> Date {
        let in_week = |weeks: i64| {
            plus_days(monday(self.today), 7 * weeks + i64::from(weekday.to_monday_zero_offset()))
        };
        if ahead == 0 {
            on_or_after(self.today, weekday)
        } else if ahead < 0 && in_week(0) < self.today {
            in_week(0)
        } else {
            in_week(ahead)
        }
    }

    /// "Friday", "Friday the 27th", "Friday, November 27", "Friday next week"
    fn weekday(&self, at: usize, led: bool) -> Option<(Days, usize)> {
        let word = self.word(at);
        let weekday = weekday(word).filter(|_| !word.ends_with("days") || word == "tues")?;
        let comma = self.mark(at + 1, ",");
        if let Some((days, used)) = self
            .month_day(at + 1 + comma)
            .or_else(|| self.day_of_month(at + 1 + comma, false))
            .or_else(|| self.written(at + 1 + comma))
        {
            return Some((days, 1 + comma + used));
        }
        if self.is(at + 1, "next") && self.is(at + 2, "week") {
            return Some((Days::day(self.weekday_ahead(weekday, 1)), 3));
        }
        if self.is(at + 1, "week") {
            return None;
        }
        let name_of_person_or_star = self.is(at, "sun|sat|wed|mon");
        let ends = self
            .tokens
            .get(at + 1)
            .is_none_or(|next| !next.is_word() || next.is_any("at|by|morning|afternoon|evening|night"));
        if name_of_person_or_star && !(led || ends) {
            return None;
        }
        Some((Days::day(on_or_after(plus_days(self.today, 1), weekday)), 1))
    }

    /// "the 5th"; "5th" and "the fifth" after a leading word
    fn day_of_month(&self, at: usize, led: bool) -> Option<(Days, usize)> {
        let the = usize::from(self.is(at, "the"));
        let word = self.word(at + the);
        let day = i8::try_from(ordinal(word)?).ok().filter(|day| (1..=31).contains(day))?;
        let digits = word.starts_with(|c: char| c.is_ascii_digit());
        // "the first draft", "the 2nd one": an ordinal counts other things too.
        let counts = self.tokens.get(at + the + 1).is_some_and(|next| next.is_word() && !follows_date(next));
        if counts || !(digits && (the == 1 || led) || led && the == 1) {
            return None;
        }
        let this_month = self.today.first_of_month();
        let date = (0..13).find_map(|ahead| {
            let first = plus_months(this_month, ahead);
            Date::new(first.year(), first.month(), day).ok().filter(|date| *date >= self.today)
        })?;
        let of = usize::from(self.is(at + the + 1, "of"));
        let qualified = (of == 1).then(|| self.qualified(at + the + 2)).flatten();
        match qualified {
            Some((period, used)) => Some((
                Days::day(Date::new(period.start.year(), period.start.month(), day).ok()?),
                the + 2 + used,
            )),
            None => Some((Days::day(date), the + 1)),
        }
    }

    /// After "in", "by", "until", "before": a month or a feast.
    fn bare(&self, at: usize, led: bool) -> Option<(Days, usize)> {
        if !led {
            return None;
        }
        let words: Vec<&str> = (at..at + 3).map(|index| self.word(index)).collect();
        if let Some((month, day, used)) = feast(&words) {
            return Some((Days::day(yearly(self.today, month, day)?), used));
        }
        let month = month(self.word(at))?;
        let year = self.word(at + 1).parse::<i16>().ok().filter(|year| (1900..3000).contains(year));
        let first = match year {
            Some(year) => Date::new(year, month, 1).ok()?,
            None => month_start(self.today, month)?,
        };
        Some((self.month(first), 1 + usize::from(year.is_some())))
    }

    /// A month still running is due at its end, a coming one at its first day.
    pub(super) fn month(&self, first: Date) -> Days {
        let one = if first <= self.today { first.last_of_month() } else { first };
        Days::run(first, plus_months(first, 1), one)
    }
}

fn follows_date(next: &Token) -> bool {
    next.is_any(
        "at|of|by|to|and|in|for|with|until|till|starting|every|this|then|instead|please|morning|\
        afternoon|evening|@|from|so|is|that|remind",
    )
}

fn day_number(word: &str) -> Option<i8> {
    let number = match ordinal(word) {
        Some(number) => number,
        None if word.len() <= 2 => word.parse().ok()?,
        None => return None,
    };
    i8::try_from(number).ok().filter(|day| (1..=31).contains(day))
}

/// Month first, as 11/27 is written most; 27/11 can only be the other way round.
fn month_first(first: i8, second: i8) -> (i8, i8) {
    if first > 12 { (second, first) } else { (first, second) }
}

pub(super) fn shifted(base: Date, count: i64, unit: Unit) -> Option<Date> {
    Some(match unit {
        Unit::Day => plus_days(base, count),
        Unit::Workday => plus_workdays(base, count),
        Unit::Week => plus_days(base, count.checked_mul(7)?),
        Unit::Month => plus_months(base, count),
        Unit::Quarter => plus_months(base, count.checked_mul(3)?),
        Unit::Year => plus_months(base, count.checked_mul(12)?),
        Unit::Minute | Unit::Hour => return None,
    })
}
