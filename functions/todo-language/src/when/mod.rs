//! Dates and times in a message, read from the person's present.

pub(crate) mod calendar;
mod date;
mod period;
mod time;

use jiff::Zoned;
use jiff::civil::{Date, DateTime, Time};

use crate::numbers::quantity;
use crate::reading::Due;
use crate::text::Token;
use calendar::{Unit, unit};
pub(crate) use date::Days;
use date::days;
pub(crate) use time::Part;
use time::{Clock, clock, settle};

/// The word before a date, which says how it bounds a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead {
    None,
    On,
    By,
    Before,
    After,
    From,
    Until,
}

/// A point or stretch of time as named.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct When {
    pub lead: Lead,
    pub days: Option<Days>,
    pub clock: Option<Clock>,
    pub part: Option<Part>,
    /// "in two hours": exact to the minute.
    pub moment: Option<DateTime>,
}

impl When {
    pub fn has_time(&self) -> bool {
        self.clock.is_some() || self.moment.is_some() || self.part.is_some()
    }

    pub fn has_days(&self) -> bool {
        self.days.is_some() || self.moment.is_some()
    }

    /// The day and time a task gets from this.
    pub fn due(&self, now: &Zoned) -> Due {
        let now = now.datetime();
        if let Some(moment) = self.moment {
            return Due { date: moment.date(), time: Some(moment.time()) };
        }
        let date = self
            .days
            .map(|days| days.one)
            .or_else(|| self.part.filter(|part| *part == Part::Tonight).map(|_| now.date()));
        let (date, time) = match (self.clock, self.part) {
            (Some(clock), part) => some_time(settle(clock, date, part, now)),
            (None, Some(part)) => {
                some_time(settle(Clock { time: part.time(), vague: false }, date, None, now))
            }
            (None, None) => (date.unwrap_or(now.date()), None),
        };
        Due { date, time }
    }

    /// The time for a day that is not today: there no hour is past already.
    pub fn usual_time(&self, now: &Zoned) -> Option<Time> {
        let tomorrow = calendar::plus_days(now.date(), 1);
        let settled = |clock: Clock| settle(clock, Some(tomorrow), self.part, now.datetime()).1;
        let moment = self.moment.map(|moment| moment.time());
        moment.or(self.clock.map(settled)).or(self.part.map(Part::time))
    }

    /// The named day and time, each only if it was named.
    pub fn parts(&self, now: &Zoned) -> (Option<Date>, Option<Time>) {
        let due = self.due(now);
        let dated = self.has_days() || self.part == Some(Part::Tonight);
        (dated.then_some(due.date), due.time.filter(|_| self.has_time()))
    }

    /// Completes one with what the other has and this lacks ("tomorrow … at 7").
    pub fn merge(&mut self, other: &When) -> bool {
        let both_named = self.has_days() && other.has_days()
            || self.clock.is_some() && other.clock.is_some()
            || self.part.is_some() && other.part.is_some();
        let fits = !both_named && self.moment.is_none() && other.moment.is_none();
        if fits {
            self.days = self.days.or(other.days);
            self.clock = self.clock.or(other.clock);
            self.part = self.part.or(other.part);
            if self.lead == Lead::None || !self.has_days() {
                self.lead = other.lead;
            }
        }
        fits
    }
}

fn some_time((date, time): (Date, Time)) -> (Date, Option<Time>) {
    (date, Some(time))
}

/// Reads the date or time that begins at `at`, its leading words included; gives the number of tokens it takes.
pub(crate) fn when(tokens: &[Token], at: usize, now: &Zoned) -> Option<(When, usize)> {
    let (lead, mut end) = leading(tokens, at, now);
    let mut led = end > at;
    let mut found = When { lead, days: None, clock: None, part: None, moment: None };
    if let Some((moment, used)) = moment(tokens, end, now) {
        found.moment = Some(moment);
        return Some((found, end + used - at));
    }
    loop {
        let (skipped, joined) = joint(tokens, end, end > at && (found.has_days() || found.has_time()));
        let first = !(found.has_days() || found.has_time());
        let Some(used) = one_piece(&mut found, tokens, end + skipped, led || joined, first, now) else {
            break;
        };
        end += skipped + used;
        led = false;
    }
    (found.has_days() || found.has_time()).then_some((found, end - at))
}

/// Adds the next day, time or part of the day; gives the tokens it takes.
fn one_piece(
    found: &mut When,
    tokens: &[Token],
    at: usize,
    led: bool,
    first: bool,
    now: &Zoned,
) -> Option<usize> {
    let today = now.date();
    if found.days.is_none()
        && let Some((days, used)) = days(tokens, at, led, today)
    {
        found.days = Some(days);
        return Some(used);
    }
    if found.clock.is_none()
        && let Some((clock, used)) = clock(tokens, at, led)
    {
        found.clock = Some(clock);
        return Some(used);
    }
    if found.part.is_none()
        && let Some((part, used)) = part(tokens, at, found.days.is_some() || !first)
    {
        found.part = Some(part);
        return Some(used);
    }
    None
}

/// "this evening", "in the morning", "tonight"; a bare "evening" only after a day.
fn part(tokens: &[Token], at: usize, after_day: bool) -> Option<(Part, usize)> {
    let token = tokens.get(at).filter(|token| token.is_word())?;
    if token.is_any("tonight|tonite") {
        return Some((Part::Tonight, 1));
    }
    let first = usize::from(token.is("first") && tokens.get(at + 1)?.is("thing")) * 2;
    let at_word = at + first;
    let token = tokens.get(at_word)?;
    let led = match token.low.as_str() {
        "this" => 1,
        "in" if tokens.get(at_word + 1)?.is("the") => 2,
        "the" if at_word > 0 && tokens.get(at_word - 1)?.is_any("in|by") => 1,
        "at" if tokens.get(at_word + 1)?.is("night") => 1,
        _ if after_day || first > 0 => 0,
        "night" if at_word > 0 && tokens.get(at_word - 1)?.is("at") => 0,
        _ => return None,
    };
    let part = Part::of(&tokens.get(at_word + led)?.low)?;
    Some((part, first + led + 1))
}

/// "in two hours", "20 minutes from now", "in half an hour", "in an hour and a half"
fn moment(tokens: &[Token], at: usize, now: &Zoned) -> Option<(DateTime, usize)> {
    let led = tokens.get(at)?.is_any("in|within");
    let start = at + usize::from(led);
    let about = usize::from(led && tokens.get(start)?.is_any("about|the"));
    let (minutes, used) = minutes(tokens, start + about)?;
    let end = start + about + used;
    let later =
        tokens.get(end).is_some_and(|t| t.is("from")) && tokens.get(end + 1).is_some_and(|t| t.is("now"));
    if !(led || later) {
        return None;
    }
    let span = jiff::Span::new().try_minutes(minutes).ok()?;
    let then = now.checked_add(span).ok()?.datetime();
    let whole = then.date().to_datetime(Time::new(then.hour(), then.minute(), 0, 0).ok()?);
    Some((whole, end + 2 * usize::from(later) - at))
}

/// A length in hours and minutes: "90 minutes", "half an hour", "an hour and a half", "2 hours and 15 minutes".
pub(crate) fn minutes(tokens: &[Token], at: usize) -> Option<(i64, usize)> {
    let is = |index: usize, words: &str| tokens.get(index).is_some_and(|token| token.is_any(words));
    if is(at, "half") && is(at + 1, "an|a") && is(at + 2, "hour") {
        return Some((30, 3));
    }
    if let Some(length) = glued(&tokens.get(at)?.low) {
        return Some((length, 1));
    }
    let (count, used) = quantity(tokens, at)?;
    let and_half = is(at + used, "and") && is(at + used + 1, "a") && is(at + used + 2, "half");
    let unit_at = at + used + 3 * usize::from(and_half);
    let quarter =
        is(unit_at, "quarter") && is(unit_at + 1, "of") && is(unit_at + 2, "an") && is(unit_at + 3, "hour");
    if quarter {
        return Some((count.checked_mul(15)?, unit_at + 4 - at));
    }
    let length = match unit(&tokens.get(unit_at)?.low)? {
        Unit::Minute => count,
        Unit::Hour => count.checked_mul(60)?.checked_add(if and_half { 30 } else { 0 })?,
        _ => return None,
    };
    let end = unit_at + 1;
    if is(end, "and") && is(end + 1, "a") && is(end + 2, "half") {
        return Some((length.checked_add(30)?, end + 3 - at));
    }
    let and = usize::from(is(end, "and"));
    if let Some((more, used)) = quantity(tokens, end + and)
        && tokens.get(end + and + used).and_then(|token| unit(&token.low)) == Some(Unit::Minute)
    {
        return Some((length.checked_add(more)?, end + and + used + 1 - at));
    }
    Some((length, end - at))
}

/// "30min", "2h"
fn glued(word: &str) -> Option<i64> {
    let digits = word.find(|c: char| !c.is_ascii_digit()).filter(|at| *at > 0)?;
    let (count, unit) = word.split_at(digits);
    let count: i64 = count.parse().ok()?;
    match unit {
        "min" | "mins" | "m" => Some(count),
        "h" | "hr" | "hrs" => count.checked_mul(60),
        _ => None,
    }
}

/// The words before a date: what they mean, and where the date begins.
fn leading(tokens: &[Token], at: usize, now: &Zoned) -> (Lead, usize) {
    let mut end = at;
    let mut lead = Lead::None;
    while let Some(token) = tokens.get(end).filter(|token| token.is_word() || token.is("@")) {
        if end - at >= 3 || begins_with_in(tokens, end, now) {
            break;
        }
        if ["no", "later", "than"]
            .iter()
            .enumerate()
            .all(|(offset, word)| tokens.get(end + offset).is_some_and(|t| t.is(word)))
        {
            return (Lead::By, end + 3);
        }
        lead = match token.low.as_str() {
            "due" | "scheduled" | "sometime" if end == at => lead,
            "on" | "at" | "for" | "in" | "around" | "@" | "during" => {
                if lead == Lead::None {
                    Lead::On
                } else {
                    lead
                }
            }
            "by" => Lead::By,
            "before" => Lead::Before,
            "after" => Lead::After,
            "since" | "from" | "starting" | "beginning" => Lead::From,
            "until" | "till" | "til" | "'til" | "through" => Lead::Until,
            _ => break,
        };
        end += 1;
    }
    (lead, end)
}

/// "in 3 days", "in two hours", "in the morning": there "in" is part of the date and not a leading word.
fn begins_with_in(tokens: &[Token], at: usize, now: &Zoned) -> bool {
    tokens.get(at).is_some_and(|token| token.is_any("in|within|at"))
        && (moment(tokens, at, now).is_some()
            || days(tokens, at, false, now.date()).is_some()
            || part(tokens, at, false).is_some())
}

/// Words that join a day and a time ("tomorrow, at around 7"): how many, and whether one of them is a preposition.
fn joint(tokens: &[Token], at: usize, after_piece: bool) -> (usize, bool) {
    let joins = |token: &&Token| token.is_any("at|@|on|by|around|about|for|,|before");
    let run = tokens.get(at..).unwrap_or_default().iter().take_while(joins).take(3);
    let words: Vec<&Token> = if after_piece { run.collect() } else { Vec::new() };
    (words.len(), words.iter().any(|token| !token.is(",")))
}
